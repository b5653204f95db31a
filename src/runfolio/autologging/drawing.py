"""Plots of what a training says of itself, as PNG: its confusion matrix, its curves, how important its features are.

Drawn on a :class:`~runfolio.autologging.canvas.Sheet`. The size and resolution are those of MLflow's plots; the colours are read on a
light and on a dark page, on a card of white. Equal data gives equal bytes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from runfolio.autologging.canvas import DPI, FILL, GRID, INK, LINE, MUTED, PAPER, Box, Sheet, inches, ticks

_BLUES = ("f7fbff", "deebf7", "c6dbef", "9ecae1", "6baed6", "4292c6", "2171b5", "08519c", "08306b")
"""ColorBrewer's, from nothing to all."""

_CLASSES = ("1f77b4", "ff7f0e", "2ca02c", "d62728", "9467bd", "8c564b", "e377c2", "7f7f7f", "bcbd22", "17becf")
_SHADES = 64
_MOST_BARS = 40
_MOST_POINTS = 500
_MOST_NUMBERS = 20
_BEYOND = 0.02
"""How much of the unit square's side is seen around it."""


def confusion_matrix(shares: Any, labels: Sequence[Any]) -> bytes:
    """Draw a confusion matrix.

    Parameters
    ----------
    shares : ndarray, shape (k, k)
        Rows are true classes; each row sums to 1.
    labels : sequence of length k
    """
    texts = [_short(str(each)) for each in labels]
    side = min(12.0, max(4.4, 0.28 * len(texts) + 1.6))
    told, turned = len(texts) <= _MOST_NUMBERS, _long(texts)
    sheet = Sheet(side + 0.4, side)
    least = _width(sheet, texts)
    box = sheet.box(left=least + 0.1, bottom=(least if turned else 0.55) + 0.1, right=0.3 if told else 0.8, top=0.45)
    box = _square(box)
    _title(sheet, box, "Confusion matrix, shares of each true class")
    points = min(9.0, 70.0 / max(len(texts), 1))
    edges = [(box.right - box.left) * each / len(texts) for each in range(len(texts) + 1)]
    small = min(8.0, 72 * edges[1] / DPI) if len(texts) else 8.0
    for row, text in enumerate(texts):
        middle = (edges[row] + edges[row + 1]) / 2
        sheet.text(text, (box.left - 12, box.top + middle), points=small, colour=MUTED, anchor="rm")
        at = (box.left + middle, box.bottom + 12)
        sheet.text(text, at, points=small, colour=MUTED, anchor="rm" if turned else "mt", turned=turned)
        for column in range(len(texts)):
            left, top = box.left + edges[column], box.top + edges[row]
            colour = _blue(float(shares[row][column]))
            sheet.rectangle(left, top, box.left + edges[column + 1], box.top + edges[row + 1], colour)
    if told:
        _cell_texts(sheet, box, edges, shares, points)
    if not told:
        _scale(sheet, box)
    _axis_names(sheet, box, "predicted", "true", below=inches(least - 0.1 if turned else 0.3), beside=inches(least - 0.02))
    return sheet.png()


def curve(
    x: Any, y: Any, *, title: str, x_label: str, y_label: str, note: str, chance: tuple[Any, Any] | None, steps: bool
) -> bytes:
    """Draw a curve within the unit square.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
    title, x_label, y_label : str
    note : str
        Shown in the legend, such as "AUC = 0.98".
    chance : pair, optional
        x and y of the line that guessing gives.
    steps : bool
        Whether the value holds until the next point.
    """
    sheet = Sheet(5.0, 4.4)
    box = _square(sheet.box(left=0.65, bottom=0.55, right=0.2, top=0.45))

    def place(across: float, up: float) -> tuple[float, float]:
        room = (box.right - box.left) / (1 + 2 * _BEYOND)
        return box.left + (across + _BEYOND) * room, box.bottom - (up + _BEYOND) * room

    _title(sheet, box, title)
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        left, bottom = place(tick, tick)
        sheet.rectangle(left, box.top, left + 1, box.bottom, GRID)
        sheet.rectangle(box.left, bottom, box.right, bottom + 1, GRID)
        sheet.text(f"{tick:.1f}", (left, box.bottom + 12), colour=MUTED, anchor="mt")
        sheet.text(f"{tick:.1f}", (box.left - 12, bottom), colour=MUTED, anchor="rm")
    points = [place(float(across), float(up)) for across, up in zip(_thinned(x), _thinned(y), strict=True)]
    if steps:
        points = [each for at, before in zip(points[1:], points, strict=False) for each in (before, (at[0], before[1]))] + points[
            -1:
        ]
    if len(points) > 1:
        floor = place(0, 0)[1]
        sheet.polygon([(points[0][0], floor), *points, (points[-1][0], floor)], FILL, share=0.45)
    if chance is not None:
        ends = [place(float(chance[0][at]), float(chance[1][at])) for at in (0, 1)]
        sheet.line(ends, MUTED, width=0.9, dashes=(4, 3))
    if len(points) > 1:
        sheet.line(points, LINE, width=1.6)
    _edges(sheet, box)
    named = [("by chance", MUTED, (4.0, 3.0)), (note, LINE, None)] if chance is not None else [(note, LINE, None)]
    _legend(sheet, box, named, right=not steps)
    _axis_names(sheet, box, x_label, y_label)
    return sheet.png()


def importances(names: Sequence[str], values: Any, *, kind: str) -> bytes:
    """Draw how important features are, the most important first.

    Parameters
    ----------
    names : sequence of length n
    values : ndarray, shape (n,) or (n, classes)
        One bar a class where there are several.
    kind : str
        Of importance, such as "weight".
    """
    import numpy

    table = numpy.nan_to_num(numpy.asarray(values, dtype=float)).reshape(len(names), -1)
    order = numpy.argsort(-numpy.abs(table).sum(axis=1), kind="stable")
    shown, classes = order[:_MOST_BARS], table.shape[1]
    texts = [_short(str(names[index])) for index in shown]
    height = max(2.4, 0.24 * len(shown) + 1.2)
    sheet = Sheet(6.4, height)
    box = sheet.box(left=_width(sheet, texts), bottom=0.55, right=0.2, top=0.45)
    low, high = min(0.0, float(table[shown].min())), max(0.0, float(table[shown].max()))
    high = high if high > low else low + 1.0

    def place(value: float) -> float:
        return box.left + (value - low) / (high - low) * (box.right - box.left) / 1.04

    _title(sheet, box, f"Feature importance ({kind})")
    for tick in ticks(low, high):
        sheet.rectangle(place(tick), box.top, place(tick) + 1, box.bottom, GRID)
        sheet.text(f"{tick:g}", (place(tick), box.bottom + 12), colour=MUTED, anchor="mt")
    row = (box.bottom - box.top) / len(shown)
    bar = row * 0.68 / classes
    for at, index in enumerate(shown):
        middle = box.top + row * (at + 0.5)
        sheet.text(texts[at], (box.left - 12, middle), colour=MUTED, anchor="rm")
        for each in range(classes):
            ends = sorted((place(0.0), place(float(table[index, each]))))
            top = middle + bar * (each - classes / 2)
            sheet.rectangle(ends[0], top, ends[1], top + bar, LINE if classes == 1 else _class(each))
    _edges(sheet, box)
    if classes > 1:
        _legend(sheet, box, [(f"class {each}", _class(each), None) for each in range(classes)], right=True)
    if len(order) > len(shown):
        sheet.text(f"{len(shown)} of {len(order)} features", (box.right, box.top - 16), colour=MUTED, anchor="rs")
    _axis_names(sheet, box, "importance", "")
    return sheet.png()


# The parts of a plot.


def _title(sheet: Sheet, box: Box, text: str) -> None:
    sheet.text(text, (box.left, box.top - 24), points=10.0, anchor="ls")


def _edges(sheet: Sheet, box: Box) -> None:
    sheet.rectangle(box.left, box.top, box.left + 2, box.bottom, GRID)
    sheet.rectangle(box.left, box.bottom - 2, box.right, box.bottom, GRID)


def _axis_names(
    sheet: Sheet, box: Box, across: str, up: str, *, below: float = inches(0.26), beside: float = inches(0.5)
) -> None:
    sheet.text(across, ((box.left + box.right) / 2, box.bottom + below), colour=MUTED, anchor="mt")
    if up:
        sheet.text(up, (max(4.0, box.left - beside), (box.top + box.bottom) / 2), colour=MUTED, anchor="mt", turned=True)


def _legend(sheet: Sheet, box: Box, named: Sequence[tuple[str, str, tuple[float, float] | None]], *, right: bool) -> None:
    line, sample = inches(0.17), inches(0.28)
    wide = max(sheet.width_of(text) for text, _, _ in named)
    left = box.right - inches(0.12) - wide - sample - 14 if right else box.left + inches(0.14)
    top = box.bottom - inches(0.12) - line * len(named)
    for at, (text, colour, dashes) in enumerate(named):
        middle = top + line * (at + 0.5)
        sheet.line([(left, middle), (left + sample, middle)], colour, width=0.9 if dashes else 1.6, dashes=dashes)
        sheet.text(text, (left + sample + 14, middle))


def _cell_texts(sheet: Sheet, box: Box, edges: Sequence[float], shares: Any, points: float) -> None:
    # After all cells: the colours of soft edges, which are many, come after the cells' own.
    for row, column in itertools.product(range(len(edges) - 1), repeat=2):
        share = float(shares[row][column])
        centre = (box.left + edges[column] + edges[1] / 2, box.top + edges[row] + edges[1] / 2)
        colour = PAPER if share > 0.55 else INK
        sheet.text(f"{share:.2f}" if share else "0", centre, points=points, colour=colour, anchor="mm")


def _scale(sheet: Sheet, box: Box) -> None:
    """Draw which colour is which share."""
    left, right = box.right + inches(0.15), box.right + inches(0.3)
    for at in range(64):
        bottom = box.bottom - (box.bottom - box.top) * at / 64
        sheet.rectangle(left, box.bottom - (box.bottom - box.top) * (at + 1) / 64, right, bottom, _blue(at / 63))
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        sheet.text(f"{tick:.1f}", (right + 8, box.bottom - (box.bottom - box.top) * tick), colour=MUTED)


def _blue(share: float) -> str:
    place = round(min(1.0, max(0.0, share)) * _SHADES) / _SHADES * (len(_BLUES) - 1)
    low = min(math.floor(place), len(_BLUES) - 2)
    one, other = (bytes.fromhex(_BLUES[each]) for each in (low, low + 1))
    return "#" + bytes(round(a + (b - a) * (place - low)) for a, b in zip(one, other, strict=True)).hex()


def _class(number: int) -> str:
    return f"#{_CLASSES[number % len(_CLASSES)]}"


def _square(box: Box) -> Box:
    """Return the largest square of a box, in the middle of its width and at its bottom."""
    side = min(box.right - box.left, box.bottom - box.top)
    left = box.left + (box.right - box.left - side) // 2
    return Box(left, box.bottom - side, left + side, box.bottom)


def _thinned(values: Any) -> Any:
    """Return as many points of a curve as a plot of this size can show, the first and last among them."""
    if len(values) <= _MOST_POINTS:
        return values
    return values[[round(each * (len(values) - 1) / (_MOST_POINTS - 1)) for each in range(_MOST_POINTS)]]


def _width(sheet: Sheet, texts: Sequence[str]) -> float:
    """Return how wide the labels of an axis are, in inches, with room for the axis' own."""
    return 0.4 + max((sheet.width_of(each) for each in texts), default=0) / DPI


def _long(texts: Sequence[str]) -> bool:
    return len(texts) > 12 or max((len(each) for each in texts), default=0) > 8


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:38]}…"
