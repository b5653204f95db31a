"""Parquet files of ``neptune-exporter``, read batch by batch; a leaf, which needs pyarrow.

A row is one value: ``project_id``, ``run_id``, ``attribute_path``, ``attribute_type``, ``step`` (decimal(18, 6)), ``timestamp``
(milliseconds, UTC), and a column of values for each type (the exporter's README, "Parquet schema"). A run lies in one or several parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from runfolio.errors import DamagedError, missing_package

ROWS = 8192
COLUMNS = ("project_id", "run_id", "attribute_path", "attribute_type", "step", "timestamp")
VALUES = {
    "float": "float_value", "int": "int_value", "string": "string_value", "bool": "bool_value", "datetime": "datetime_value",
    "string_set": "string_set_value", "float_series": "float_value", "string_series": "string_value", "histogram_series": "histogram_value",
    "file": "file_value", "file_series": "file_value", "file_set": "file_value", "artifact": "file_value",
}  # fmt: skip


class Value(NamedTuple):
    """One value of a run: its attribute, the attribute's type, step, time in milliseconds since the epoch (UTC), and the value."""

    path: str
    kind: str
    step: Decimal | None
    timestamp: int | None
    value: Any


def runs_in(place: Path) -> set[tuple[str, str]]:
    """Return project and id of the runs that a file has.

    Raises
    ------
    DamagedError
        If it cannot be read, or is no file of the exporter.
    """
    with _opened(place) as file:
        missing = sorted({*COLUMNS} - set(file.schema_arrow.names))
        if missing:
            raise DamagedError(f"{place}: it is no file of neptune-exporter: the columns {', '.join(missing)} are missing")
        found: set[tuple[str, str]] = set()
        for batch in file.iter_batches(ROWS, columns=["project_id", "run_id"]):
            found.update(zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True))
    return found


def decimals_of(places: Sequence[Path], run_id: str) -> int:
    """Return how many decimals the steps of a run's numbers have: 0 to 6.

    Raises
    ------
    DamagedError
        If a file cannot be read.
    """
    most = 0
    for place in places:
        with _opened(place) as file:
            for batch in file.iter_batches(ROWS, columns=["run_id", "step"]):
                for one, step in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True):
                    if step is not None and one == run_id:
                        exponent = step.normalize().as_tuple().exponent
                        most = max(most, -exponent if isinstance(exponent, int) else 0)
    return most


def values_of(places: Sequence[Path], run_id: str) -> Iterator[Value]:
    """Yield the values of a run.

    Raises
    ------
    DamagedError
        If a file cannot be read; what came before was yielded.
    """
    for place in places:
        with _opened(place) as file:
            there = [name for name in dict.fromkeys([*COLUMNS, *VALUES.values()]) if name in file.schema_arrow.names]
            for batch in file.iter_batches(ROWS, columns=there):
                for row in batch.to_pylist():
                    if row["run_id"] == run_id:
                        kind, at = row["attribute_type"] or "", row["timestamp"]
                        column = VALUES.get(kind, "")
                        moment = None if at is None else round(at.timestamp() * 1000)
                        yield Value(row["attribute_path"], kind, row["step"], moment, row.get(column))


@contextmanager
def _opened(place: Path) -> Iterator[Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise missing_package("pyarrow", "parquet", "read Parquet files") from None
    try:
        with pyarrow.parquet.ParquetFile(place) as file:
            yield file
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DamagedError(f"{place}: it cannot be read: {str(error).splitlines()[0]}") from None
