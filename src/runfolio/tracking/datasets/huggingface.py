"""Datasets of the package ``datasets`` (Hugging Face): the content's digest, and what names it on the hub.

A table has the digest that it has as a pandas table, whichever package holds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runfolio.errors import UsageError, missing_package
from runfolio.tracking.datasets.columns import columns_of, read_column
from runfolio.tracking.datasets.dataset import Dataset
from runfolio.tracking.datasets.digests import sample_rows
from runfolio.tracking.datasets.frames import table_digest
from runfolio.tracking.datasets.schemas import Schema
from runfolio.tracking.datasets.sources import CodeDatasetSource, DatasetSource, HuggingFaceDatasetSource

SCHEMA_ROWS = 10_000


class HuggingFaceDataset(Dataset):
    """A dataset of Hugging Face's that a run read; made by :func:`from_huggingface`."""

    def __init__(self, ds: Any, source: DatasetSource, targets: str | None, name: str | None, digest: str | None) -> None:
        if targets is not None and targets not in ds.column_names:
            raise UsageError(f"The dataset does not contain the targets column {targets!r}. It has: {ds.column_names[:20]}.")
        self._sampled: int | None = None
        if digest is None:
            rows, width = ds.num_rows, len(ds.column_names)
            chosen = sample_rows(rows, rows * width)
            read = ds if chosen is None else ds.select(chosen)
            digest = table_digest(read.to_pandas(), rows, whole=chosen is None)
            self._sampled = None if chosen is None else len(chosen)
        super().__init__(source, name, digest)
        self._ds, self._targets = ds, targets

    @property
    def ds(self) -> Any:
        """The dataset, as it was given."""
        return self._ds

    @property
    def targets(self) -> str | None:
        """Name of the target column; None where there is none."""
        return self._targets

    @property
    def schema(self) -> Schema:
        """Names and types of the columns, from the first 10,000 rows."""
        head = self._ds.select(range(min(SCHEMA_ROWS, self._ds.num_rows))).to_pandas()
        return Schema(tuple(read_column(column).spec(str(name)) for name, column in columns_of(head)))

    @property
    def profile(self) -> dict[str, Any]:
        """Rows, and MLflow's two sizes in bytes; and how many rows the digest read, where not all."""
        made = {name: getattr(self._ds, name) for name in ("num_rows", "dataset_size", "size_in_bytes")}
        return made if self._sampled is None else {**made, "digest_rows": self._sampled}


def from_huggingface(
    ds: Any,
    path: str | None = None,
    targets: str | None = None,
    data_dir: str | None = None,
    data_files: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
    revision: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    trust_remote_code: bool | None = None,
) -> HuggingFaceDataset:
    """Make a dataset of one of the package ``datasets``; arguments are those of ``mlflow.data.from_huggingface``.

    Parameters
    ----------
    ds : datasets.Dataset
        One split; of a ``DatasetDict`` take one: ``ds["train"]``.
    path : str, optional
        Its name on the hub (``"stanfordnlp/imdb"``), or what ``datasets.load_dataset`` was given; with it the source names the dataset, its
        configuration, split and revision. Without it the source is the run's own code.
    targets : str, optional
        Name of the target column.
    data_dir, data_files, revision : optional
        As ``datasets.load_dataset`` was given them.
    name : str, optional
        ``"dataset"`` by default.
    digest : str, optional
        Computed from the content by default; ``ds._fingerprint`` is another for each chain of transformations.
    trust_remote_code : bool, optional
        Taken as MLflow takes it, and not recorded: the package runs no code of datasets since its version 4.

    Returns
    -------
    HuggingFaceDataset

    Raises
    ------
    MissingPackageError
        If the package ``datasets`` is not installed.
    UsageError
        If it is no ``datasets.Dataset``, or has no such column.
    """
    try:
        import datasets
    except ImportError as error:
        raise missing_package("datasets", "", "make a dataset of one of Hugging Face's") from error
    if not isinstance(ds, datasets.Dataset):
        held = f" Take one split: ds[{next(iter(ds))!r}]." if isinstance(ds, datasets.DatasetDict) and ds else ""
        raise UsageError(f"from_huggingface takes a datasets.Dataset, this is {type(ds).__name__}.{held}")
    source: DatasetSource = CodeDatasetSource()
    if path is not None:
        split = None if ds.split is None else str(ds.split)
        source = HuggingFaceDatasetSource(path, ds.config_name, data_dir, data_files, split, revision)
    return HuggingFaceDataset(ds, source, targets, name, digest)
