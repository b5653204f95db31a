"""A sheet to draw plots on: rectangles, lines, texts, axes; by Pillow, which is imported here and only then.

Pillow takes 9 ms of CPU to import where matplotlib takes 700, and a plot of ours takes a seventh of the time: what a training of seconds
notices. Pillow makes the letters and fills polygons; a pixel is the number of a colour (:mod:`~runfolio.autologging.palette`), lines are
of :mod:`~runfolio.autologging.strokes`. Places are in pixels from the upper left corner, lengths of the sheet in inches. Rectangles and
letters lie on whole pixels. Texts are in matplotlib's font where matplotlib is installed (it is not imported), for that font knows more
scripts than Pillow's own. Equal calls give equal bytes.

>>> sheet = Sheet(5.0, 4.4)
>>> sheet.text("ROC curve", (inches(0.65), inches(0.2)), points=10.0)
>>> made = sheet.png()
"""

from __future__ import annotations

import functools
import importlib.util
import math
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from runfolio.errors import missing_package

INK, MUTED, LINE, FILL, GRID, PAPER = "#1f2328", "#59636e", "#0b63ce", "#cfe3fb", "#d8dee4", "#ffffff"
DPI = 175
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
        import numpy

        from runfolio.autologging.palette import Palette

        self._new, self._seen, self._draws = Image.new, Image.fromarray, ImageDraw.Draw
        self._pixels: Any = numpy.zeros((round(height * DPI), round(width * DPI)), numpy.uint8)
        self._palette = Palette(PAPER)

    def box(self, *, left: float, bottom: float, right: float, top: float) -> Box:
        """Return the box that these margins leave, in inches."""
        height, width = self._pixels.shape
        return Box(round(left * DPI), round(top * DPI), width - round(right * DPI), height - round(bottom * DPI))

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: str) -> None:
        """Fill a rectangle, its right and lower edges not in it; one that is thinner than a pixel is one wide."""
        x, y = round(left), round(top)
        rows, columns = slice(max(0, y), max(0, y + 1, round(bottom))), slice(max(0, x), max(0, x + 1, round(right)))
        self._pixels[rows, columns] = self._palette.number(colour)

    def line(self, points: Sequence[_Point], colour: str, *, width: float, dashes: tuple[float, float] | None = None) -> None:
        """Draw a line through points; its ends and turns are round.

        Parameters
        ----------
        points : sequence of pair
        colour : str
        width : float, points
        dashes : pair of float, optional
            Lengths of a dash and of the gap, in widths; of a line between two points.
        """
        from runfolio.autologging.strokes import strokes

        wide = _in_pixels(width)
        parts = list(pairwise(points)) if dashes is None else _dashed(points[0], points[-1], wide, dashes)
        self._cover(*strokes(parts, wide), colour)

    def polygon(self, points: Sequence[_Point], colour: str, *, share: float) -> None:
        """Fill a polygon, of which a share covers what is below; its edges are as coarse as the pixels."""
        # All of it by Pillow: of some hundred thousand pixels numpy would make lists of places.
        sheet, mask = self._seen(self._pixels), self._new("1", self._pixels.shape[::-1], 0)
        self._draws(mask).polygon(list(points), fill=1)
        below = [number for number, count in enumerate(sheet.histogram(mask)) if count]
        sheet.paste(sheet.point(self._palette.laid_over(below, colour, share)), mask=mask)
        self._pixels[:] = sheet

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
        columns, rows, levels, width, height = _letters(" ".join(text.split()), round(_in_pixels(points)), anchor, turned)
        left, top = at
        if turned:
            left -= {"t": 0, "m": width / 2, "b": width}[anchor[1]]
            top -= {"l": height, "m": height / 2, "r": 0}[anchor[0]]
        self._cover(columns + round(left), rows + round(top), levels, colour)

    def width_of(self, text: str, points: float = 8.0) -> float:
        """Return how wide a text is, in pixels."""
        return _width(" ".join(text.split()), round(_in_pixels(points)))

    def png(self) -> bytes:
        """Return the sheet's bytes, in which nothing tells when or by what they were made."""
        from runfolio.autologging.png import encode_png

        return encode_png(self._pixels, self._palette.encoded())

    def _cover(self, columns: Any, rows: Any, levels: Any, colour: str, share: float = 1.0) -> None:
        """Lay a colour over pixels, those of them that are on the sheet."""
        height, width = self._pixels.shape
        within = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        at = (rows * width + columns)[within]
        flat = self._pixels.reshape(-1)
        flat[at] = self._palette.mixed(flat[at], levels[within], colour, share)


def inches(length: float) -> float:
    """Return inches as pixels."""
    return length * DPI


def _in_pixels(points: float) -> float:
    return points * DPI / 72


def _dashed(start: _Point, end: _Point, width: float, dashes: tuple[float, float]) -> list[tuple[_Point, _Point]]:
    """Cut a line into dashes; the round ends of each are within its length."""
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    x, y = ((end[axis] - start[axis]) / max(length, 1e-9) for axis in (0, 1))
    found, at = [], 0.0
    while at < length:
        first, last = at + width / 2, max(at + width / 2, min(length, at + width * dashes[0]) - width / 2)
        found.append(((start[0] + x * first, start[1] + y * first), (start[0] + x * last, start[1] + y * last)))
        at += width * sum(dashes)
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


@functools.lru_cache(maxsize=256)
def _width(text: str, size: int) -> float:
    """Return how wide a text is: of the features of one training after another, which have the same names."""
    return float(_font(size).getlength(text))


@functools.lru_cache(maxsize=256)
def _letters(text: str, size: int, anchor: str, turned: bool) -> tuple[Any, Any, Any, int, int]:
    """Return the pixels of a text around its anchor, how much of each is covered, and the text's width and height.

    The plots of one training have their ticks in common, and the cells of a matrix their numbers.
    """
    import numpy
    from PIL import Image, ImageDraw

    from runfolio.autologging.palette import LEVELS

    font, anchor = _font(size), "lt" if turned else anchor
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font, anchor)
    left, top = math.floor(left), math.floor(top)
    mask = Image.new("L", (max(1, math.ceil(right) - left), max(1, math.ceil(bottom) - top)), 0)
    ImageDraw.Draw(mask).text((-left, -top), text, 255, font, anchor)
    letters: Any = (numpy.asarray(mask).astype(numpy.int16) * LEVELS + 127) // 255
    if turned:
        letters, left, top = numpy.rot90(letters), 0, 0
    rows, columns = numpy.nonzero(letters)
    height, width = letters.shape
    return columns + left, rows + top, letters[rows, columns], width, height


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
