"""A chart that GitHub, GitLab and Gitea draw themselves, from a few lines of text: mermaid's ``xychart-beta``.

Nothing out of a record gets into it but numbers, and names of which only letters, digits, spaces, dots, hyphens and low lines are left.
Source of the syntax: mermaid's page on XY charts; a number may have an exponent of neither sign there, so none is written.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from runfolio.diff.statistics import mean_of
from runfolio.review.marks import label
from runfolio.review.parts import Bars

_LOOK = (
    "---", "config:", "    xyChart:", "        width: 760", "        height: 280", "    themeVariables:", "        xyChart:",
    '            backgroundColor: "transparent"', '            plotColorPalette: "#1a9c8f, #e0672b"', "---",
)  # fmt: skip
"""Colours that can be told apart on white and on black, in the order of the lines."""
_DIGITS = 6
_MARGIN = 0.15
_LEAST, _MOST = 1e-4, 1e9
"""What can be drawn in plain decimals: beyond these the axis would show nothing but zeros."""


def draw_bars(bars: Bars) -> list[str]:
    """Return the lines of a chart: a point for each configuration, the best first, and the baseline as a line across.

    Lines, not bars: the scale does not begin at zero, and a bar whose foot is cut off lies about its length.

    Parameters
    ----------
    bars : Bars

    Returns
    -------
    list of str
        Empty where the numbers cannot be drawn.
    """
    means = [mean_of(values) for values in bars.values]
    base = mean_of(bars.baseline) if bars.baseline else None
    every = [*means, *([base] if base is not None else [])]
    low, high = min(every), max(every)
    size = max(abs(low), abs(high))
    if not _LEAST <= size <= _MOST or (high > low and (high - low) / size < 10.0**-_DIGITS):
        return []
    bottom, top = _axis(low, high)
    names = ", ".join(f'"{number}"' for number in range(1, len(means) + 1))
    return [
        *_LOOK,
        "xychart-beta",
        f'    x-axis "new configurations, the best first" [{names}]',
        f'    y-axis "{label(bars.metric) or "objective"}" {_number(bottom)} --> {_number(top)}',
        f"    line [{_numbers(means)}]",
        *([f"    line [{_numbers([base] * len(means))}]"] if base is not None else []),
    ]


def _axis(low: float, high: float) -> tuple[float, float]:
    """Return the ends of the axis: a little room on both sides, but zero where it is near."""
    room = (high - low) * _MARGIN or abs(high) * _MARGIN or 1.0
    bottom, top = low - room, high + room
    if low >= 0 > bottom:
        bottom = 0.0
    return bottom, top


def _numbers(values: Sequence[float | None]) -> str:
    return ", ".join(_number(value) for value in values if value is not None)


def _number(value: float) -> str:
    """Spell a number without an exponent, with six significant digits."""
    if value == 0:
        return "0"
    digits = max(0, _DIGITS - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{min(digits, 12)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
