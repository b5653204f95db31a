"""A sheet to draw plots on: rectangles, lines, texts, axes; by Pillow, which is imported here and only then.

Pillow takes 9 ms of CPU to import where matplotlib takes 700, and a plot of ours takes it a third of the time: what a training of
seconds notices. Places are in pixels from the upper left corner, lengths of the sheet in inches. Rectangles lie on whole pixels; what
is slanted is drawn four times as large and reduced. Texts are in matplotlib's font where matplotlib is installed (it is not
imported), for that font knows more scripts than Pillow's own. Equal calls give equal bytes.

>>> sheet = Sheet(5.0, 4.4)
>>> sheet.text("ROC curve", (inches(0.65), inches(0.2)), points=10.0)
>>> made = sheet.png()
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from runfolio.autologging.png import encode_png
from runfolio.errors import missing_package

INK, MUTED, LINE, FILL, GRID, PAPER = "#1f2328", "#59636e", "#0b63ce", "#cfe3fb", "#d8dee4", "#ffffff"
DPI = 175
_FINER = 4
_PART = 16
"""Stretches of a line that are drawn at once."""
_Point = tuple[float, float]


class Box(NamedTuple):
    """Where the axes are: pixels from the sheet's corner."""

    left: int
    top: int
    right: int
    bottom: int


class Sheet:
    """A white sheet.

    Parameters
    ----------
    width, height : float, inches

    Raises
    ------
    MissingPackageError
        If Pillow is not installed.
    """

    def __init__(self, width: float, height: float) -> None:
        try:
            from PIL import Image, ImageDraw
        except ImportError as error:
            raise missing_package("pillow", "", "draw plots of the training") from error
        self._image = Image.new("RGB", (round(width * DPI), round(height * DPI)), PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._new = Image.new

    def box(self, *, left: float, bottom: float, right: float, top: float) -> Box:
        """Return the box that these margins leave, in inches."""
        width, height = self._image.size
        return Box(round(left * DPI), round(top * DPI), width - round(right * DPI), height - round(bottom * DPI))

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: str) -> None:
        """Fill a rectangle, its right and lower edges not in it; one that is thinner than a pixel is one wide."""
        x, y = round(left), round(top)
        self._draw.rectangle((x, y, max(x, round(right) - 1), max(y, round(bottom) - 1)), fill=colour)

    def line(self, points: Sequence[_Point], colour: str, *, width: float, dashes: tuple[float, float] | None = None) -> None:
        """Draw a line through points.

        Parameters
        ----------
        points : sequence of pair
        colour : str
        width : float, points
        dashes : pair of float, optional
            Lengths of a dash and of the gap, in widths; of a line between two points.
        """
        if dashes is None:
            # Part by part, each with a point of the next: the finer mask of a whole curve has millions of pixels, nearly all empty.
            turns = _turns(points)
            for first in range(0, len(turns) - 1, _PART):
                near = turns[first : first + _PART + 2]
                self._slanted(near, colour, lambda draw, at: draw.line(at, 255, round(_pixels(width) * _FINER), joint="curve"))
            return
        parts = _dashed(points[0], points[-1], *(_pixels(width) * each for each in dashes))
        for part in parts:
            self._slanted(part, colour, lambda draw, at: draw.line(at, 255, round(_pixels(width) * _FINER)))

    def polygon(self, points: Sequence[_Point], colour: str, *, share: float) -> None:
        """Fill a polygon, of which a share covers what is below; its edges are as coarse as the pixels."""
        self._slanted(points, colour, lambda draw, at: draw.polygon(at, fill=round(255 * share)), finer=1)

    def _slanted(self, points: Sequence[_Point], colour: str, mark: Any, *, finer: int = _FINER) -> None:
        """Draw on a finer mask of where the points are, and paste its colour."""
        from PIL import ImageDraw

        room = 8
        left, top = (int(min(point[axis] for point in points)) - room for axis in (0, 1))
        right, bottom = (int(max(point[axis] for point in points)) + room for axis in (0, 1))
        mask = self._new("L", ((right - left) * finer, (bottom - top) * finer), 0)
        mark(ImageDraw.Draw(mask), [((x - left) * finer, (y - top) * finer) for x, y in points])
        self._image.paste(colour, (left, top), mask.reduce(finer) if finer > 1 else mask)

    def text(
        self, text: str, at: _Point, *, points: float = 8.0, colour: str = INK, anchor: str = "lm", turned: bool = False
    ) -> None:
        """Write a text.

        Parameters
        ----------
        text : str
        at : pair
        points : float
            Size of the letters.
        colour : str
        anchor : str
            Which point of the text lies there: ``l``, ``m`` or ``r``, and ``t``, ``m``, ``s`` or ``b``.
        turned : bool
            It reads upwards; the anchor is then of the text as it lies.
        """
        font = _font(round(_pixels(points)))
        text = " ".join(text.split())
        if not turned:
            self._draw.text(at, text, colour, font, anchor)
            return
        from PIL import Image, ImageDraw

        _, _, width, height = (round(each) for each in self._draw.textbbox((0, 0), text, font, "lt"))
        mask = self._new("L", (max(1, width), height + 2), 0)
        ImageDraw.Draw(mask).text((0, 1), text, 255, font, "lt")
        mask = mask.transpose(Image.Transpose.ROTATE_90)
        x = at[0] - {"t": 0, "m": mask.width / 2, "b": mask.width}[anchor[1]]
        y = at[1] - {"l": mask.height, "m": mask.height / 2, "r": 0}[anchor[0]]
        self._image.paste(colour, (round(x), round(y)), mask)

    def width_of(self, text: str, points: float = 8.0) -> float:
        """Return how wide a text is, in pixels."""
        return float(self._draw.textlength(" ".join(text.split()), _font(round(_pixels(points)))))

    def png(self) -> bytes:
        """Return the sheet's bytes, in which nothing tells when or by what they were made."""
        return encode_png(*self._image.size, self._image.tobytes())


def inches(length: float) -> float:
    """Return inches as pixels."""
    return length * DPI


def _pixels(points: float) -> float:
    return points * DPI / 72


def _turns(points: Sequence[_Point]) -> list[_Point]:
    """Return the points of a line without those that it passes on its way along an axis: each costs a joint, and draws nothing."""
    kept = list(points[:1])
    for here, after in pairwise(points[1:]):
        before = kept[-1]
        level = here[1] == before[1] == after[1] and (here[0] - before[0]) * (after[0] - here[0]) >= 0
        upright = here[0] == before[0] == after[0] and (here[1] - before[1]) * (after[1] - here[1]) >= 0
        if not (level or upright):
            kept.append(here)
    return [*kept, *points[1:][-1:]]


def _dashed(start: _Point, end: _Point, dash: float, gap: float) -> list[tuple[_Point, _Point]]:
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    x, y = ((end[axis] - start[axis]) / max(length, 1e-9) for axis in (0, 1))
    found, at = [], 0.0
    while at < length:
        to = min(length, at + dash)
        found.append(((start[0] + x * at, start[1] + y * at), (start[0] + x * to, start[1] + y * to)))
        at = to + gap
    return found


@functools.cache
def _font(size: int) -> Any:
    from PIL import ImageFont

    found = None
    with suppress(ValueError):  # a module of that name that was put there by hand
        found = importlib.util.find_spec("matplotlib")
    for place in found.submodule_search_locations or () if found is not None else ():
        file = Path(place, "mpl-data", "fonts", "ttf", "DejaVuSans.ttf")
        if file.is_file():
            return ImageFont.truetype(file, size)
    return ImageFont.load_default(size)


def ticks(low: float, high: float, *, most: int = 7) -> list[float]:
    """Return round numbers between two: at most so many, at even distances.

    Examples
    --------
    >>> ticks(0.0, 31.0)
    [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0]
    """
    import math

    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1.0, 2.0, 5.0, 10.0, 20.0) if (high - low) / (power * each) < most)
    first = math.ceil(low / step - 1e-9)
    return [each * step for each in range(first, math.floor(high / step + 1e-9) + 1)]
