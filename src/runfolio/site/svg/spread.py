"""Configurations beside each other: each run a dot, each mean a stroke, the baseline a band across."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from runfolio.diff.statistics import mean_of
from runfolio.site.svg.plot import HEIGHT, LEFT, RIGHT, TOP, WIDTH, Plot, frame, plot_of
from runfolio.site.words import count_words, number_words

_STROKE = 9
"""Half the width of a mean's stroke."""


def spread(groups: Sequence[Sequence[float]], baseline: Sequence[float], metric: str) -> Markup:
    """Draw the values of each configuration, in the order given.

    Parameters
    ----------
    groups : sequence of sequence of float
        Values of the replicates of each; finite.
    baseline : sequence of float
        Of the replicates of the baseline; empty where there is none. A band shows from the least to the greatest.
    metric : str

    Returns
    -------
    Markup
        An ``<svg>`` element, or nothing where there is nothing to draw.
    """
    every = [value for values in (*groups, baseline) for value in values]
    if not any(groups) or not all(map(math.isfinite, every)):
        return Markup("")
    plot = plot_of([0.5, len(groups) + 0.5], every)
    inside = _band(plot, baseline) if baseline else ""
    for number, values in enumerate(groups, 1):
        for value in values:
            x, y = plot.at(number, value)
            inside += f'<circle class="svg-ring" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        x, y = plot.at(number, mean_of(values))
        inside += f'<path class="svg-line s1" d="M{x - _STROKE:.1f} {y:.1f}h{2 * _STROKE}"/>'
    told = f", the baseline at {number_words(mean_of(baseline))}" if baseline else ""
    return frame(plot, inside, f"{metric} of {count_words(len(groups), 'configuration')}{told}", whole_x=True)


def _band(plot: Plot, baseline: Sequence[float]) -> str:
    """Return the band from the baseline's least to its greatest value, and the line of its mean."""
    top, bottom = plot.at(0.5, max(baseline))[1], plot.at(0.5, min(baseline))[1]
    mean = plot.at(0.5, mean_of(baseline))[1]
    assert TOP <= top <= bottom <= HEIGHT
    band = f'<path class="svg-band" d="M{LEFT} {top:.1f}H{WIDTH - RIGHT}V{bottom:.1f}H{LEFT}Z"/>' if bottom > top else ""
    return f'{band}<path class="svg-base s2" d="M{LEFT} {mean:.1f}H{WIDTH - RIGHT}"/>'
