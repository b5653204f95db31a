"""A curve in one line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 24


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """Draw values as bars of eight heights; NaN is a gap, the infinities are the lowest and the highest bar.

    Parameters
    ----------
    values : sequence of float
    width : int, optional
        Columns at most; of more values each column shows the mean of its share.

    Examples
    --------
    >>> sparkline([0, 1, 2, float("nan"), 7])
    '▁▂▃ █'
    """
    shown = _shared(values, width)
    finite = [value for value in shown if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return "".join(_bar(value, low, high) for value in shown)


def _shared(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    made = []
    for at in range(width):
        part = values[at * len(values) // width : (at + 1) * len(values) // width]
        numbers = [value for value in part if math.isfinite(value)]
        made.append(sum(value / len(numbers) for value in numbers) if numbers else part[0])
    return made


def _bar(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return " "
    if math.isinf(value):
        return BARS[-1] if value > 0 else BARS[0]
    # Halved, because the distance of two large numbers may not be one.
    span = high / 2 - low / 2
    return BARS[round((value / 2 - low / 2) / span * (len(BARS) - 1))] if span else BARS[0]
