"""Fewer points of a curve, honestly: the least and the greatest of each stretch, so that no spike is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import accumulate
from typing import Any


def thin(values: Sequence[float | str], most: int) -> list[int]:
    """Return the places of the points to draw, in order.

    Of each of equal stretches the least and the greatest value are kept, and its first point that is no number; the first and
    the last point always are.

    Parameters
    ----------
    values : sequence of float or str
        Text stands for NaN and infinities.
    most : int
        How many points, at least 4.

    Examples
    --------
    >>> thin([0, 1, 9, 1, 0, 1, -9, 1], 6)
    [0, 1, 2, 5, 6, 7]
    """
    count = len(values)
    if count <= most:
        return list(range(count))
    stretches = max(1, (most - 2) // 2)
    kept = {0, count - 1}
    for number in range(stretches):
        start, end = 1 + number * (count - 2) // stretches, 1 + (number + 1) * (count - 2) // stretches
        numbers = [at for at in range(start, end) if not isinstance(values[at], str)]
        if numbers:
            kept.add(min(numbers, key=values.__getitem__))
            kept.add(max(numbers, key=values.__getitem__))
        else:
            kept.update(range(start, min(end, start + 1)))
    return sorted(kept)


def share_of(counts: Sequence[int], most: int) -> int:
    """Return how many points each curve may have; what short curves do not need goes to the long ones.

    Parameters
    ----------
    counts : sequence of int
        Points of each curve.
    most : int
        Points of all curves together.

    Returns
    -------
    int
        At least 8.

    Examples
    --------
    >>> share_of([1] * 100 + [20, 5000, 5000], 1120)
    500
    """
    left = most
    for at, count in enumerate(sorted(counts)):
        share = left // (len(counts) - at)
        if count > share:
            return max(8, share)
        left -= count
    return max(8, most)


def curves_of(data: bytes, most: int) -> dict[str, Any]:
    """Read a preview, with at most so many points of a run; fewer points keep every extreme."""
    metrics = json.loads(data)["metrics"]
    share = share_of([len(columns["values"]) for columns in metrics.values()], most)
    made = {}
    for key, columns in metrics.items():
        kept = thin(columns["values"], share)
        times = list(accumulate(columns["times"]))
        made[key] = {
            "step": [columns["steps"][at] for at in kept],
            "time": [times[at] for at in kept],
            "value": [columns["values"][at] for at in kept],
        }
    return made
