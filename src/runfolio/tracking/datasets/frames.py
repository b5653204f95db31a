"""Datasets in pandas and polars tables.

Equal tables have equal digests, whichever of the two packages holds them. The row index counts only where it says more
than the row's number.

>>> import pandas
>>> dataset = from_pandas(pandas.DataFrame({"age": [31, 47]}), name="people")
>>> dataset.profile
{'num_rows': 2, 'num_elements': 2}
"""

from __future__ import annotations

from typing import Any

from runfolio.errors import UsageError, missing_package
from runfolio.tracking.datasets.columns import columns_of, read_column
from runfolio.tracking.datasets.dataset import Dataset
from runfolio.tracking.datasets.digests import ContentHash, sample_rows
from runfolio.tracking.datasets.schemas import Schema
from runfolio.tracking.datasets.sources import DatasetSource, resolve_source


class _FrameDataset(Dataset):
    """What tables of both packages share."""

    def __init__(
        self, df: Any, source: DatasetSource, targets: str | None, name: str | None, digest: str | None, predictions: str | None
    ) -> None:
        columns = list(df.columns)
        for role, column in (("targets", targets), ("predictions", predictions)):
            if column is not None and column not in columns:
                raise UsageError(f"The table does not contain the specified {role} column {column!r}. It has: {columns[:20]}.")
        sampled = None
        if digest is None:
            digest, sampled = _digest(df)
        super().__init__(source, name, digest)
        self._df, self._targets, self._predictions, self._sampled = df, targets, predictions, sampled

    @property
    def df(self) -> Any:
        """The table, as it was given."""
        return self._df

    @property
    def targets(self) -> str | None:
        """Name of the target column; None where there is none."""
        return self._targets

    @property
    def predictions(self) -> str | None:
        """Name of the column with predictions; None where there is none."""
        return self._predictions

    @property
    def schema(self) -> Schema:
        """Names and types of the columns; only a column without a missing value is ``required``."""
        return Schema(tuple(read_column(column).spec(str(name)) for name, column in columns_of(self._df)))

    @property
    def profile(self) -> dict[str, Any]:
        """Rows and values; and how many rows the digest read, where not all."""
        rows, columns = self._df.shape
        profile = {"num_rows": int(rows), "num_elements": int(rows * columns)}
        if self._sampled is not None:
            profile["digest_rows"] = self._sampled
        return profile


class PandasDataset(_FrameDataset):
    """A pandas table that a run read; made by :func:`from_pandas`."""


class PolarsDataset(_FrameDataset):
    """A polars table that a run read; made by :func:`from_polars`."""


def from_pandas(
    df: Any,
    source: Any = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> PandasDataset:
    """Make a dataset of a pandas table.

    Parameters
    ----------
    df : pandas.DataFrame
    source : str, path or DatasetSource, optional
        Where the data came from; the run's own code by default.
    targets : str, optional
        Name of the target column.
    name : str, optional
        ``"dataset"`` by default.
    digest : str, optional
        Computed from the content by default.
    predictions : str, optional
        Name of the column with predictions.

    Returns
    -------
    PandasDataset

    Raises
    ------
    UsageError
        If it is no table, or has no such column.
    """
    import pandas

    if not isinstance(df, pandas.DataFrame):
        raise UsageError(f"from_pandas takes a pandas.DataFrame, this is {type(df).__name__}.")
    return PandasDataset(df, resolve_source(source), targets, name, digest, predictions)


def from_polars(
    df: Any,
    source: Any = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> PolarsDataset:
    """Make a dataset of a polars table; the arguments are those of :func:`from_pandas`.

    Raises
    ------
    MissingPackageError
        If polars is not installed.
    UsageError
        If it is no table, or has no such column.
    """
    try:
        import polars
    except ImportError as error:
        raise missing_package("polars", "", "make a dataset of a polars table") from error
    if not isinstance(df, polars.DataFrame):
        raise UsageError(f"from_polars takes a polars.DataFrame, this is {type(df).__name__}. Call .collect() on a lazy one.")
    return PolarsDataset(df, resolve_source(source), targets, name, digest, predictions)


def _digest(df: Any) -> tuple[str, int | None]:
    """Compute a table's digest; the second value says how many rows were read, where not all were."""
    rows, width = df.shape
    chosen = sample_rows(rows, rows * width)
    if chosen is not None:
        df = df.iloc[chosen] if hasattr(df, "iloc") else df[chosen]
    return table_digest(df, rows, whole=chosen is None), None if chosen is None else len(chosen)


def table_digest(df: Any, rows: int, *, whole: bool) -> str:
    """Compute a table's digest from all of its rows, or from those that :func:`sample_rows` chose of `rows`."""
    content = ContentHash(b"table").numbers(rows, df.shape[1])
    for name, column in columns_of(df):
        content.objects([name] if isinstance(name, str) else [str(name), type(name).__name__])
        read_column(column).add_to(content)
    index = getattr(df, "index", None)
    if index is not None and whole and not _is_plain_index(index):
        content.text("index").objects(index.tolist())
    return content.hexdigest()


def _is_plain_index(index: Any) -> bool:
    import numpy

    return index.nlevels == 1 and index.dtype.kind in "iu" and bool((index.to_numpy() == numpy.arange(len(index))).all())
