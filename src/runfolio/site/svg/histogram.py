"""How a measure is spread over the runs, as it is without scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from runfolio.site.svg.plot import Plot, frame, share
from runfolio.site.words import count_words, number_words

MOST_BINS = 40


def bins_of(values: Sequence[float], most: int = MOST_BINS) -> tuple[float, float, list[int]]:
    """Count finite values in equal bins; as many bins as the square root of the values, 5 at least.

    Returns
    -------
    tuple of (float, float, list of int)
        Where the bins start and end, and what is in each.

    Examples
    --------
    >>> bins_of([0, 1, 1, 2, 4])
    (0, 4, [1, 2, 1, 0, 1])
    """
    low, high = min(values), max(values)
    if high == low:
        return low, high, [len(values)]
    count = min(most, max(5, math.isqrt(len(values))))
    made = [0] * count
    for value in values:
        made[min(count - 1, int(share(value, low, high) * count))] += 1
    return low, high, made


def histogram(values: Sequence[float], title: str) -> Markup:
    """Draw how many runs have which value.

    Parameters
    ----------
    values : sequence of float
        Those that are not finite are left out.
    title : str

    Returns
    -------
    Markup
        An ``<svg>`` element, or nothing where no value is finite.
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return Markup("")
    low, high, counts = bins_of(finite)
    if high == low:
        low, high = low - (abs(low) * 0.05 or 0.5), high + (abs(high) * 0.05 or 0.5)
    plot = Plot((low, high), (0.0, float(max(counts))))
    wide = high / len(counts) - low / len(counts)
    inside = ""
    for at, count in enumerate(counts):
        if count:
            left, top = plot.at(low + at * wide, count)
            right, bottom = plot.at(low + (at + 1) * wide, 0)
            inside += f'<path class="svg-bar" d="M{left + 0.5:.1f} {bottom:.1f}V{top:.1f}H{right - 0.5:.1f}V{bottom:.1f}Z"/>'
    words = f"{title} of {count_words(len(finite), 'run')}: from {number_words(min(finite))} to {number_words(max(finite))}"
    return frame(plot, inside, words)
