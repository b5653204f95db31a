"""Metric curves as they are without scripts: raw values, gaps where a value is not finite."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from runfolio._dataclass import dataclass
from runfolio.site.spelling import spelled
from runfolio.site.svg.plot import Plot, frame, plot_of
from runfolio.site.thinning import thin
from runfolio.site.words import number_words

MOST = 400


@dataclass(frozen=True, slots=True)
class Line:
    """One run's course.

    Parameters
    ----------
    steps : sequence of float
    values : sequence of float or str
        Text stands for NaN and infinities.
    slot : int, optional
        Which of the six colours.
    """

    steps: Sequence[float]
    values: Sequence[float | str]
    slot: int = 0


def curve(lines: Sequence[Line], title: str) -> Markup:
    """Draw a metric over its steps.

    Parameters
    ----------
    lines : sequence of Line
    title : str
        The metric's name.

    Returns
    -------
    Markup
        An ``<svg>`` element, or nothing where there is no finite value.
    """
    thinned = []
    for line in lines:
        kept = thin(line.values, MOST)
        thinned.append(([line.steps[at] for at in kept], [spelled(line.values[at]) for at in kept], line.slot))
    points = [(x, y) for xs, ys, _ in thinned for x, y in zip(xs, ys, strict=True) if math.isfinite(y)]
    if not points:
        return Markup("")
    plot = plot_of([x for x, _ in points], [y for _, y in points])
    inside = "".join(_trace(plot, xs, ys, slot) for xs, ys, slot in thinned)
    return frame(plot, inside, _finding(lines, title), "step", whole_x=True)


def _trace(plot: Plot, xs: Sequence[float], ys: Sequence[float], slot: int) -> str:
    path, dots, alone = "", "", 0
    last = (0.0, 0.0)
    for x, y in zip([*xs, 0.0], [*ys, math.nan], strict=True):
        if math.isfinite(y):
            last = plot.at(x, y)
            path += f"{'L' if alone else 'M'}{last[0]:.1f} {last[1]:.1f}"
            alone += 1
            continue
        if alone == 1:
            dots += f'<circle class="svg-dot s{slot % 6 + 1}" cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="3"/>'
        alone = 0
    return f'<path class="svg-line s{slot % 6 + 1}" d="{path}"/>{dots}'


def _finding(lines: Sequence[Line], title: str) -> str:
    if len(lines) > 1:
        return f"{title} of {len(lines)} runs"
    steps, values = lines[0].steps, lines[0].values
    if len(values) == 1:
        return f"{title}: one value, {number_words(values[0])}"
    return f"{title} from {number_words(values[0])} at step {steps[0]:g} to {number_words(values[-1])} at step {steps[-1]:g}"
