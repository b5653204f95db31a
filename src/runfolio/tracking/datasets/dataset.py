"""What every dataset has: a name, a digest, a source, and JSON for schema and profile.

This does *not* hash or read anything itself; each kind of dataset says how.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from runfolio.records.redaction import Redactor
from runfolio.tracking.datasets.schemas import Schema, TensorSchema
from runfolio.tracking.datasets.sources import DatasetSource

if TYPE_CHECKING:
    from typing_extensions import Self

DEFAULT_NAME = "dataset"


class Dataset:
    """A dataset that a run can read.

    Parameters
    ----------
    source : DatasetSource
    name : str
    digest : str

    See Also
    --------
    runfolio.tracking.datasets.from_pandas, from_numpy, from_polars, from_file
    """

    def __init__(self, source: DatasetSource, name: str | None, digest: str) -> None:
        self._source = source
        self._name = name if name is not None else DEFAULT_NAME
        self._digest = digest

    @property
    def name(self) -> str:
        """What the dataset is called."""
        return self._name

    def called(self, name: str | None) -> Self:
        """Return the same dataset under another name, which nothing is read for again."""
        made = copy.copy(self)
        made._name = name if name is not None else DEFAULT_NAME
        return made

    @property
    def digest(self) -> str:
        """Which content it has: 32 hex digits, unless the user gave another."""
        return self._digest

    @property
    def source(self) -> DatasetSource:
        """Where it came from."""
        return self._source

    @property
    def schema(self) -> Schema | TensorSchema | None:
        """What its columns or tensors are; None where there are none."""
        return None

    @property
    def profile(self) -> dict[str, Any] | None:
        """How large it is."""
        return None

    def to_dict(self, redactor: Redactor | None = None) -> dict[str, str | None]:
        """Return MLflow's six fields: name, digest, source, source_type, schema and profile; the last four as text.

        Parameters
        ----------
        redactor : Redactor, optional
            Takes secrets out of the source.
        """
        schema, profile = self.schema, self.profile
        return {
            "name": self.name,
            "digest": self.digest,
            "source": self.source.to_json(redactor),
            "source_type": self.source.source_type,
            "schema": None if schema is None else json.dumps(_schema_dict(schema)),
            "profile": None if profile is None else json.dumps(profile),
        }

    def to_json(self) -> str:
        """Return :meth:`to_dict` as JSON text."""
        return json.dumps(self.to_dict())

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: name={self.name!r}, digest={self.digest!r}, source_type={self.source.source_type!r}>"


def _schema_dict(schema: Schema | TensorSchema) -> dict[str, Any]:
    return schema.to_dict() if isinstance(schema, TensorSchema) else {"mlflow_colspec": schema.to_dict()}
