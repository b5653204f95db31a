"""The room that a static chart draws in: round ticks, hairlines, labels.

Coordinates have one decimal, so that a chart's bytes are few and the same everywhere. Text is escaped here and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from runfolio._dataclass import dataclass
from runfolio.site.words import number_words

WIDTH, HEIGHT = 480, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 8, 22


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot's room and its two linear scales.

    Parameters
    ----------
    x, y : tuple of (float, float)
        Least and greatest value; spread a little where they are the same.
    """

    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point is, in the chart's units."""
        return (
            LEFT + share(x, *self.x) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - share(y, *self.y) * (HEIGHT - TOP - BOTTOM),
        )


def share(value: float, low: float, high: float) -> float:
    """Return where a value lies between two others: 0 at `low`, 1 at `high`.

    Halves are subtracted, because ``high - low`` is infinite for numbers such as 1e308 and -1e308.

    Examples
    --------
    >>> share(3, 1, 5)
    0.5
    >>> share(0, -1.7e308, 1.7e308)
    0.5
    """
    return (value / 2 - low / 2) / (high / 2 - low / 2)


def plot_of(xs: Sequence[float], ys: Sequence[float]) -> Plot:
    """Return the plot that shows all of some finite values."""
    return Plot(_spread(min(xs), max(xs)), _spread(min(ys), max(ys)))


def round_ticks(low: float, high: float, count: int) -> list[float]:
    """Return round values from `low` to `high`, about `count` of them.

    Examples
    --------
    >>> round_ticks(0.1, 2.1, 4)
    [0.5, 1.0, 1.5, 2.0]
    >>> round_ticks(3, 3, 4)
    [3]
    """
    rough = (high / 2 - low / 2) / max(1, count) * 2
    if not rough > 0 or math.isinf(rough):
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor, most in ((1, 1.5), (2, 3.5), (5, 7.5), (10, math.inf)) if rough / power < most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [round(at * step, digits) + 0.0 for at in range(first, last + 1)]


def frame(plot: Plot, inside: str, words: str, x_title: str = "", *, whole_x: bool = False) -> Markup:
    """Return the chart: hairlines and labels, and `inside` over them.

    Parameters
    ----------
    plot : Plot
    inside : str
        Markup of our own making; no text of a record is in it.
    words : str
        One sentence that says what there is to see.
    x_title : str, optional
    whole_x : bool, optional
        Whether only whole numbers stand below the chart: those of things that are counted.
    """
    parts = [f'<svg class="chart-svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{escape(words)}</title>']
    for value in round_ticks(*plot.y, 4):
        _, y = plot.at(plot.x[0], value)
        parts.append(f'<path class="svg-hair" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="svg-tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(_label(value))}</text>')
    room = WIDTH - RIGHT - (len(x_title) * 6 + 16 if x_title else 0)
    for value in round_ticks(*plot.x, 6):
        x, _ = plot.at(value, plot.y[0])
        if x < room and not (whole_x and value % 1):
            parts.append(
                f'<text class="svg-tick" x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{escape(_label(value))}</text>'
            )
    if x_title:
        parts.append(f'<text class="svg-tick" x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{escape(x_title)}</text>')
    return Markup("".join(parts) + inside + "</svg>")


def _spread(low: float, high: float) -> tuple[float, float]:
    if high > low:
        return low, high
    pad = abs(low) * 0.05 or 0.5
    return low - pad, high + pad


def _label(value: float) -> str:
    size = abs(value)
    for unit, by in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if size >= by and size >= 1e4:
            return f"{value / by:g}{unit}".replace("-", "−")
    return f"{value:g}".replace("-", "−") if size >= 1e-3 or value == 0 else number_words(value)
