"""One reading of a table's column for pandas (numpy, nullable, Arrow) and polars alike.

The point is that equal columns read equal: text is text whatever holds it, a nullable integer column without a gap is an
integer column, times with a zone are the same instants in UTC. What has no such reading (periods, decimals, lists) is read
value by value.

This does *not* convert a table from one package to the other, and copies nothing that numpy can view.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.tracking.datasets.digests import ContentHash, is_missing
from runfolio.tracking.datasets.schemas import ColumnSpec, column_type

_SCHEMA_KINDS = {str: ("T", 0), bytes: ("S", 0), bool: ("b", 1), int: ("i", 8), float: ("f", 8)}


@dataclass(frozen=True, slots=True)
class Column:
    """What a column holds.

    Parameters
    ----------
    label : str
        Kind of the column beyond that of its values: ``values``, ``text``, ``category``, or a time zone.
    values : ndarray or list
    missing : ndarray of bool, or None
        Rows without a value, where `values` cannot say so itself.
    """

    label: str
    values: Any
    missing: Any = None

    def add_to(self, content: ContentHash) -> None:
        """Add the column to a digest."""
        content.text(self.label)
        if isinstance(self.values, list):
            content.objects(self.values)
            return
        content.values(self.values)
        if self.missing is not None:
            content.values(self.missing)

    def spec(self, name: str) -> ColumnSpec:
        """Describe the column as MLflow does."""
        if isinstance(self.values, list):
            present = [value for value in self.values if not is_missing(value)]
            kinds = {type(value) for value in present} or ({str} if self.label == "text" else set())
            kind, size = _SCHEMA_KINDS.get(kinds.pop(), ("O", 0)) if len(kinds) == 1 else ("O", 0)
            return ColumnSpec(column_type(kind, size), name, len(present) == len(self.values))
        whole = self.missing is None and not _has_gaps(self.values)
        return ColumnSpec(column_type(self.values.dtype.kind, self.values.dtype.itemsize), name, whole)


def columns_of(table: Any) -> Iterable[tuple[Any, Any]]:
    """Return the names and columns of a pandas or polars table, in order; names may repeat."""
    if hasattr(table, "iloc"):
        return table.items()  # type: ignore[no-any-return] # by place, names may repeat; `iloc` takes twice as long
    return zip(table.columns, table.get_columns(), strict=True)


def read_column(column: Any) -> Column:
    """Read a column.

    Parameters
    ----------
    column : pandas.Series or polars.Series

    Returns
    -------
    Column
    """
    return _from_polars(column) if hasattr(column, "null_count") else _from_pandas(column)


def _from_pandas(column: Any) -> Column:
    import numpy
    import pandas

    dtype = column.dtype
    if isinstance(dtype, numpy.dtype):
        return Column("values", column.to_numpy()) if dtype.kind in "biufcmM" else _listed(column.tolist())
    if isinstance(dtype, pandas.CategoricalDtype):
        return Column("category", column.astype(object).tolist())
    if isinstance(dtype, pandas.DatetimeTZDtype):
        instants = column.dt.tz_convert("UTC").dt.tz_localize(None)
        return Column(f"zone {dtype.tz}", instants.to_numpy())
    if isinstance(dtype, pandas.SparseDtype):
        return _from_pandas(pandas.Series(numpy.asarray(column)))
    plain = getattr(dtype, "numpy_dtype", None)
    if isinstance(plain, numpy.dtype) and plain.kind in "biuf":
        gap: Any = numpy.nan if plain.kind == "f" else 0
        return _with_gaps(column.to_numpy(dtype=plain, na_value=gap), column.isna().to_numpy())
    return _listed(column.tolist())


def _from_polars(column: Any) -> Column:
    import numpy
    import polars

    dtype = column.dtype
    if dtype in (polars.Categorical, polars.Enum):
        return Column("category", column.to_list())
    if dtype == polars.Boolean:
        return _with_gaps(column.fill_null(False).to_numpy(), column.is_null().to_numpy())
    if dtype.is_numeric() and not dtype.is_decimal():
        filled = column.fill_null(numpy.nan if dtype.is_float() else 0)
        return _with_gaps(filled.to_numpy(), column.is_null().to_numpy())
    if dtype in (polars.Datetime, polars.Date, polars.Duration):
        zone = getattr(dtype, "time_zone", None)
        return Column(f"zone {zone}" if zone else "values", column.to_numpy())
    return _listed(column.to_list())


def _listed(values: list[Any]) -> Column:
    text = all(type(value) is str or is_missing(value) for value in values)
    return Column("text" if text else "values", values)


def _with_gaps(values: Any, missing: Any) -> Column:
    # A gap among floats is a NaN already, as in a numpy column.
    return Column("values", values, missing if missing.any() and values.dtype.kind != "f" else None)


def _has_gaps(values: Any) -> bool:
    import numpy

    kind = values.dtype.kind
    if kind in "fc":
        return bool(numpy.isnan(values).any())
    return bool(numpy.isnat(values).any()) if kind in "mM" else False
