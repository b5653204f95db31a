"""A sweep as it is without scripts: its course, its front, which params matter, how each param went with the result."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from runfolio._dataclass import dataclass
from runfolio.site.svg.plot import frame, plot_of, share
from runfolio.site.words import number_words

MOST_DOTS, MOST_LINES, STRONG = 1500, 250, 12
WIDE, HIGH, TOP, BOTTOM, SIDE = 720, 250, 30, 24, 62
_LETTERS = 12
_BAR_WIDE, _BAR_HIGH = 300, 10


def course(points: Sequence[tuple[int, float]], way: str, metric: str) -> Markup:
    """Draw each trial's value, and the best so far as a line of steps.

    Parameters
    ----------
    points : sequence of (int, float)
        Number and value, in order of the numbers.
    way : str
        ``minimize`` or ``maximize``.
    metric : str

    Returns
    -------
    Markup
        Nothing where no value is finite.
    """
    shown = [(number, value) for number, value in points if math.isfinite(value)]
    if not shown:
        return Markup("")
    plot = plot_of([number for number, _ in shown], [value for _, value in shown])
    steps: list[tuple[int, float]] = []
    for number, value in shown:
        if not steps or (value > steps[-1][1] if way == "maximize" else value < steps[-1][1]):
            steps.append((number, value))
    better = {number for number, _ in steps}
    every = -(-len(shown) // MOST_DOTS)
    inside = ""
    for at, (number, value) in enumerate(shown):
        if at % every == 0 or number in better:
            x, y = plot.at(number, value)
            inside += f'<circle class="{"svg-mark" if number in better else "sweep-dot"}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
    x, y = plot.at(*steps[0])
    path = f"M{x:.1f} {y:.1f}"
    for number, value in steps[1:]:
        x, y = plot.at(number, value)
        path += f"H{x:.1f}V{y:.1f}"
    path += f"H{plot.at(shown[-1][0], shown[-1][1])[0]:.1f}"
    words = f"{metric} of {len(shown):,} trials; best so far from {number_words(steps[0][1])} to {number_words(steps[-1][1])}"
    return frame(plot, f'<path class="svg-line s1" d="{path}"/>{inside}', words, "trial", whole_x=True)


def front(points: Sequence[tuple[float, float]], best: Sequence[int], names: tuple[str, str]) -> Markup:
    """Draw two metrics against each other, with the trials that no other one dominates on a line.

    Parameters
    ----------
    points : sequence of (float, float)
    best : sequence of int
        Places of the front's points.
    names : tuple of (str, str)
        Of the metrics: x and y.
    """
    shown = [(at, x, y) for at, (x, y) in enumerate(points) if math.isfinite(x) and math.isfinite(y)]
    if not shown:
        return Markup("")
    plot = plot_of([x for _, x, _ in shown], [y for _, _, y in shown])
    marked = set(best)
    every = -(-len(shown) // MOST_DOTS)
    inside = ""
    line = sorted((x, y) for at, x, y in shown if at in marked)
    if len(line) > 1:
        way = "L".join("{:.1f} {:.1f}".format(*plot.at(x, y)) for x, y in line)
        inside += f'<path class="sweep-front" d="M{way}"/>'
    for at, x, y in sorted(shown, key=lambda item: (item[0] in marked, item[0])):
        if at % every == 0 or at in marked:
            px, py = plot.at(x, y)
            kind, size = ("svg-mark", 4) if at in marked else ("sweep-dot", 3)
            inside += f'<circle class="{kind}" cx="{px:.1f}" cy="{py:.1f}" r="{size}"/>'
    return frame(plot, inside, f"{names[1]} against {names[0]}: {len(line)} of {len(shown):,} trials are on the front", names[0])


def bar(part: float) -> Markup:
    """Draw a share of a whole; the number stands beside it."""
    width = max(2.0, min(part, 1.0) * _BAR_WIDE)
    return Markup(
        f'<svg class="sweep-bar" viewBox="0 0 {_BAR_WIDE} {_BAR_HIGH}" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="sweep-bar-room" width="{_BAR_WIDE}" height="{_BAR_HIGH}"/>'
        f'<rect class="sweep-bar-part" width="{width:.1f}" height="{_BAR_HIGH}"/></svg>'
    )


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of parallel coordinates.

    Parameters
    ----------
    name : str
    low, high : float
    log : bool
    words : tuple of str
        Of an axis whose values are words: which, in the order of 0, 1, …
    """

    name: str
    low: float
    high: float
    log: bool = False
    words: tuple[str, ...] = ()

    def at(self, value: float) -> float:
        """Return how far up a value is, from 0 to 1."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(max(value, 1e-300))
        return min(max(share(value, low, high), 0.0), 1.0) if high > low else 0.5


def parallel(axes: Sequence[Axis], lines: Sequence[Sequence[float]], strong: int, words: str) -> Markup:
    """Draw parallel coordinates: a line for each trial, an axis for each param, the last one for the metric.

    Parameters
    ----------
    axes : sequence of Axis
    lines : sequence of sequence of float
        A value for each axis, best trial first.
    strong : int
        How many of the first lines stand out.
    words : str
        One sentence that says what there is to see.
    """
    if len(axes) < 2 or not lines:
        return Markup("")
    between = (WIDE - 2 * SIDE) / (len(axes) - 1)
    inside = ""
    for at in reversed(range(min(len(lines), MOST_LINES))):
        places = (
            f"{SIDE + column * between:.1f} {_up(axis.at(value)):.1f}"
            for column, (axis, value) in enumerate(zip(axes, lines[at], strict=True))
        )
        kind = "sweep-line sweep-first" if at == 0 else "sweep-line sweep-strong" if at < strong else "sweep-line"
        inside += f'<path class="{kind}" d="M{"L".join(places)}"/>'
    for column, axis in enumerate(axes):
        inside += _axis(axis, SIDE + column * between)
    return Markup(
        f'<svg class="sweep-parallel" viewBox="0 0 {WIDE} {HIGH}" role="img"><title>{escape(words)}</title>{inside}</svg>'
    )


def _up(part: float) -> float:
    return HIGH - BOTTOM - part * (HIGH - TOP - BOTTOM)


def _axis(axis: Axis, x: float) -> str:
    made = f'<path class="sweep-axis" d="M{x:.1f} {TOP}V{HIGH - BOTTOM}"/>'
    made += f'<text class="sweep-name" x="{x:.1f}" y="16" text-anchor="middle">{escape(_cut(axis.name))}</text>'
    ticks = (
        list(enumerate(axis.words)) if axis.words else [(axis.low, number_words(axis.low)), (axis.high, number_words(axis.high))]
    )
    if not axis.words and axis.low == axis.high:
        ticks = ticks[:1]
    if len(ticks) > 8:
        ticks = [ticks[0], ticks[-1]]
    for value, text in ticks:
        made += f'<text class="svg-tick" x="{x + 6:.1f}" y="{_up(axis.at(value)) + 4:.1f}">{escape(_cut(text))}</text>'
    return made


def _cut(text: str) -> str:
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…"
