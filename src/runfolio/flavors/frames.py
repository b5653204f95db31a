"""Tables of polars as pandas' own: signatures, examples and MLflow's protocol know no other."""

from __future__ import annotations

from typing import Any


def of_polars(data: Any) -> Any:
    """Return a table or column of polars as one of pandas, and anything else as it is."""
    if type(data).__module__.partition(".")[0] != "polars" or not hasattr(data, "to_numpy"):
        return data
    import pandas

    # Not by its own to_pandas, which needs pyarrow.
    if hasattr(data, "columns"):
        return pandas.DataFrame(data.to_dict(as_series=False))
    return pandas.Series(data.to_list(), name=data.name)


def twice(columns: Any) -> list[Any]:
    """Return the names that several columns of a pandas table bear."""
    return [] if columns.is_unique else list(dict.fromkeys(columns[columns.duplicated()]))
