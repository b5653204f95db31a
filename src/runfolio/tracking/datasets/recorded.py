"""Recorded datasets as what a run read: logged by the digest of their content, and known where a run names their file.

A file's input that is logged, ``from_pandas(frame, source="data/wine.csv")``, names the content of the recorded dataset that lies
there, too, where the file holds what is current. Where it holds something else, a notice of the run says so.

>>> wine = RecordedDataset(Recorded("wine", "wine", "sha256:" + "0" * 64, "data/wine.csv"), None)
>>> wine.source.to_json()[:20], len(wine.digest)
('{"dataset": "wine", ', 32)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from runfolio._dataclass import replace
from runfolio.errors import RunfolioError
from runfolio.folio import Folio
from runfolio.records.datasets import Dataset as Recorded
from runfolio.records.datasets import DatasetKind, Facts
from runfolio.records.runs import DatasetInput
from runfolio.records.visible import visible
from runfolio.tracking.datasets.dataset import DEFAULT_NAME, Dataset
from runfolio.tracking.datasets.digests import DIGEST_LETTERS
from runfolio.tracking.datasets.schemas import ColumnSpec, Schema
from runfolio.tracking.datasets.sources import LocalDatasetSource, RecordedDatasetSource, source_from_record

_TYPES = {"integer": "long", "number": "double", "boolean": "boolean", "text": "string", "date": "datetime"}


class RecordedDataset(Dataset):
    """A dataset that the folio has recorded; made by :func:`runfolio.data.from_folio`."""

    def __init__(self, recorded: Recorded, facts: Facts | None) -> None:
        source = RecordedDatasetSource(recorded.name, recorded.digest, recorded.path)
        super().__init__(source, recorded.name, recorded.digest.partition(":")[2][:DIGEST_LETTERS])
        self._facts = facts

    @property
    def schema(self) -> Schema | None:
        """The columns, by MLflow's types."""
        if self._facts is None or not self._facts.columns:
            return None
        return Schema(
            tuple(ColumnSpec(_TYPES.get(item.type, "any"), item.name, not item.missing) for item in self._facts.columns)
        )

    @property
    def profile(self) -> dict[str, Any] | None:
        """Rows, files and bytes."""
        if self._facts is None:
            return None
        made: dict[str, Any] = {"num_bytes": self._facts.size}
        if self._facts.rows is not None:
            made["num_rows"] = self._facts.rows
        return {**made, "num_files": self._facts.files} if self._facts.kind is DatasetKind.FOLDER else made


def with_recorded_source(item: DatasetInput, folio: Any, tell: Callable[[str], None]) -> DatasetInput:
    """Name the recorded content in an input that names a recorded file; a notice where the file holds something else.

    Parameters
    ----------
    item : DatasetInput
    folio : Folio or OfflineFolio
    tell : callable
        Takes the notice.
    """
    if item.source_type != LocalDatasetSource.kind or not isinstance(folio, Folio) or folio.repo.work_tree is None:
        return item
    try:
        return _named(item, folio, tell)
    except (RunfolioError, OSError):
        return item  # what the run read is recorded all the same, by its own digest


def _named(item: DatasetInput, folio: Folio, tell: Callable[[str], None]) -> DatasetInput:
    from runfolio.folio.dataset_adding import work_path
    from runfolio.folio.dataset_hashing import digest_of
    from runfolio.folio.dataset_status import cache_of

    source = source_from_record(item.source_type, item.source)
    if not (folio.place.root / "datasets").is_dir():
        return item
    file = Path(source.load())
    where = work_path(folio, file)
    recorded = folio.datasets.of_path(where) if where else None
    if recorded is None:
        return item
    cache = cache_of(folio, recorded)
    found = digest_of(file, recorded.digest, cache)
    cache.save()
    if found != recorded.digest:
        tell(
            f"dataset {visible(item.name)}: {visible(where)} is not the recorded content of {visible(recorded.name)} "
            f"({recorded.digest[:19]}…), it has {found[:19]}…. Record it: runfolio data add {visible(where)}"
        )
        return item
    made = RecordedDatasetSource(recorded.name, recorded.digest, recorded.path)
    name = recorded.name if item.name == DEFAULT_NAME else item.name
    return replace(item, name=name, source_type=made.source_type, source=made.to_json())
