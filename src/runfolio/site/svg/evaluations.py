"""Curves and slices of an evaluation as they are without scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from runfolio.site.svg.plot import Plot, frame, plot_of, share

UNIT = Plot((0.0, 1.0), (0.0, 1.0))
COLOURS = 6
WIDE, HIGH, EDGE = 300, 22, 8
"""Of a slice's bar; its scale ends so far from both edges."""


def unit_curves(curves: Sequence[tuple[str, Sequence[float], Sequence[float]]], x_title: str, words: str, rising: bool) -> Markup:
    """Draw curves between 0 and 1.

    Parameters
    ----------
    curves : sequence of (str, sequence of float, sequence of float)
        Name, x and y; ``""`` names that of the baseline.
    x_title, words : str
    rising : bool
        Whether chance is the rising diagonal, or none is drawn.
    """
    inside = _path("svg-chance", [0, 1], [0, 1]) if rising else ""
    slot = 0
    for name, xs, ys in curves:
        inside += _path(f"svg-line s{slot % COLOURS + 1}" if name else "svg-line svg-other", xs, ys)
        slot += bool(name)
    return frame(UNIT, inside, words, x_title)


def _path(kind: str, xs: Sequence[float], ys: Sequence[float]) -> str:
    points = "L".join(f"{x:.1f} {y:.1f}" for x, y in (UNIT.at(x, y) for x, y in zip(xs, ys, strict=True)))
    return f'<path class="{kind}" d="M{points}"/>'


def calibration(found: Mapping[str, Any], words: str) -> Markup:
    """Draw how often what was given a probability came true, with an interval for each bin."""
    inside = _path("svg-chance", [0, 1], [0, 1])
    for x, y, low, high in zip(found["predicted"], found["observed"], found["low"], found["high"], strict=True):
        (px, top), (_, bottom), (_, middle) = UNIT.at(x, high), UNIT.at(x, low), UNIT.at(x, y)
        inside += f'<path class="svg-range" d="M{px:.1f} {top:.1f}V{bottom:.1f}"/>'
        inside += f'<circle class="svg-dot s1" cx="{px:.1f}" cy="{middle:.1f}" r="4"/>'
    return frame(UNIT, inside, words, "predicted")


def answers(found: Mapping[str, Any], words: str) -> Markup:
    """Draw what was answered over what was wanted, with the line on which both are the same."""
    both = [*found["target"], *found["prediction"]]
    if not both:
        return Markup("")
    plot = plot_of(both, both)
    start, end = plot.at(plot.x[0], plot.x[0]), plot.at(plot.x[1], plot.x[1])
    inside = f'<path class="svg-chance" d="M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}"/>'
    for x, y in zip(found["target"], found["prediction"], strict=True):
        px, py = plot.at(x, y)
        inside += f'<circle class="svg-spot" cx="{px:.1f}" cy="{py:.1f}" r="3"/>'
    return frame(plot, inside, words, "true value")


def errors(found: Mapping[str, Any], words: str) -> Markup:
    """Draw how the errors are spread."""
    edges, rows = found["edges"], found["rows"]
    if not rows or not max(rows):
        return Markup("")
    plot = Plot((edges[0], edges[-1]) if edges[-1] > edges[0] else (edges[0] - 1, edges[0] + 1), (0.0, float(max(rows))))
    inside = ""
    for low, high, count in zip(edges[:-1], edges[1:], rows, strict=True):
        (left, top), (right, bottom) = plot.at(low, count), plot.at(high, 0)
        if count:
            size = f'width="{max(1, right - left - 1):.1f}" height="{bottom - top:.1f}"'
            inside += f'<rect class="svg-bar" x="{left:.1f}" y="{top:.1f}" {size}/>'
    return frame(plot, inside, words, "error")


def slice_bar(
    value: float, between: tuple[float, float] | None, other: float | None, scale: tuple[float, float, Sequence[float]]
) -> Markup:
    """Draw a slice's metric: its interval, its value, and that of the baseline as a ring. The numbers stand beside it.

    Parameters
    ----------
    value : float
    between : tuple of float, or None
    other : float or None
    scale : tuple of (float, float, sequence of float)
        Least, greatest, and where lines stand.
    """
    low, high, ticks = scale
    middle = HIGH / 2
    inside = "".join(f'<path class="svg-hair" d="M{_at(tick, low, high):.1f} 0V{HIGH}"/>' for tick in ticks)
    if between is not None:
        left, right = (_at(min(max(each, low), high), low, high) for each in between)
        inside += (
            f'<rect class="slice-range" x="{left:.1f}" y="{middle - 3}" width="{max(2, right - left):.1f}" height="6" rx="3"/>'
        )
    if other is not None:
        inside += f'<circle class="slice-other" cx="{_at(min(max(other, low), high), low, high):.1f}" cy="{middle}" r="4.5"/>'
    inside += f'<circle class="slice-dot" cx="{_at(value, low, high):.1f}" cy="{middle}" r="4.5"/>'
    return Markup(f'<svg class="slice-svg" viewBox="0 0 {WIDE} {HIGH}" aria-hidden="true">{inside}</svg>')


def slice_axis(scale: tuple[float, float, Sequence[float]], labels: Sequence[str]) -> Markup:
    """Draw the numbers below the bars."""
    low, high, ticks = scale
    texts = "".join(
        f'<text class="svg-tick" x="{_at(tick, low, high):.1f}" y="14" text-anchor="middle">{escape(label)}</text>'
        for tick, label in zip(ticks, labels, strict=True)
    )
    return Markup(f'<svg class="slice-svg" viewBox="0 0 {WIDE} 18" aria-hidden="true">{texts}</svg>')


def _at(value: float, low: float, high: float) -> float:
    return EDGE + share(value, low, high) * (WIDE - 2 * EDGE)
