"""The ends of the small scale beside each value of the objective, as the page's script computes them (``43-table.js``)."""

from __future__ import annotations

import math
from collections.abc import Iterable


def strip_range(values: Iterable[float], direction: str, baseline: float | None = None) -> tuple[float, float] | None:
    """Return the ends of the scale: the best value, and the one that all but the worst twentieth reach.

    One failed run would press all others into a point; the best must not be cut off.

    Parameters
    ----------
    values : iterable of float
        Of all runs.
    direction : str
        ``max`` or ``min``; of a metric without a direction both ends are cut.
    baseline : float, optional
        Always inside.

    Returns
    -------
    tuple of float, or None
        None where no value is finite.

    Examples
    --------
    >>> strip_range([0.1, *[0.8] * 30, 0.9], "max", 0.7)
    (0.7, 0.9)
    """
    ordered = sorted(value for value in values if math.isfinite(value))
    if not ordered:
        return None
    last = len(ordered) - 1
    low = ordered[0 if direction == "min" else math.floor(0.05 * last)]
    high = ordered[last if direction == "max" else math.ceil(0.95 * last)]
    if baseline is None or not math.isfinite(baseline):
        return low, high
    return min(low, baseline), max(high, baseline)
