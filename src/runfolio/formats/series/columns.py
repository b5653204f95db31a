"""Points as columns of numbers, as JSON holds them, and back. Times are written as differences: they compress to little.

A column that does not say what it should is a ``ValueError`` here; the modules that know the file name it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from operator import sub

from runfolio._typing import Any, TypeAlias
from runfolio.formats.canonical import read_number, spell_number
from runfolio.records.runs import MetricPoint

Point: TypeAlias = tuple[int, int, float]
"""(step, timestamp, value): MLflow's order of the points of a metric."""


def spell_values(values: Sequence[float]) -> list[float | int | str]:
    """Give the written form of values; see `canonical.spell_number`."""
    # One infinity, or NaN, or two large numbers make the sum something that is not finite; then each one is looked at.
    return list(values) if math.isfinite(sum(values)) else [spell_number(value) for value in values]


def differences(numbers: Sequence[int]) -> list[int]:
    """Return the first number, then what each next one adds."""
    return [*numbers[:1], *map(sub, numbers[1:], numbers)]


def read_columns(key: str, value: Mapping[str, Any], *, step_differences: bool) -> list[MetricPoint]:
    """Read the points of one metric.

    Parameters
    ----------
    key : str
    value : Mapping
        ``steps``, ``times``, ``values``, all of one length.
    step_differences : bool
        Whether the steps are differences too.

    Raises
    ------
    ValueError
        If a column is missing, of another length, empty, or holds something else than it should.
    """
    if not isinstance(value, dict):
        raise ValueError(f"an object is expected, found {type(value).__name__}")
    steps, times, values = (_column(value, name) for name in ("steps", "times", "values"))
    if not len(steps) == len(times) == len(values):
        raise ValueError(f"{len(steps)} steps, {len(times)} times and {len(values)} values: as many of each are expected")
    if not steps:
        raise ValueError("it holds no point")
    _check_whole(steps, "steps")
    _check_whole(times, "times")
    shown: Iterable[int] = accumulate(steps) if step_differences else steps
    rows = zip(shown, accumulate(times), _numbers(values), strict=True)
    return [MetricPoint(key, number, time, step) for step, time, number in rows]


def _column(value: Mapping[str, Any], name: str) -> list[Any]:
    if name not in value:
        raise ValueError(f"the field {name!r} is missing")
    column = value[name]
    if type(column) is not list:
        raise ValueError(f"{name}: an array is expected, found {type(column).__name__}")
    return column


def _check_whole(column: list[Any], name: str) -> None:
    if set(map(type, column)) != {int}:
        wrong = next(entry for entry in column if type(entry) is not int)
        raise ValueError(f"{name}: whole numbers are expected, found {wrong!r}")


def _numbers(column: list[Any]) -> list[float]:
    if set(map(type, column)) == {float}:
        return column
    try:
        return [read_number(entry) for entry in column]
    except (ValueError, OverflowError) as error:
        raise ValueError(f"values: {error}") from None
