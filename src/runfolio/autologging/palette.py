"""The colours of a plot: at most 256, so that a pixel is one byte, and what is drawn, compressed and stored is a third.

A plot has a handful of colours, and those that soft edges mix from two of them: an edge has :data:`LEVELS` steps. Where a plot should need
more colours than there is room for, it gets the nearest that there are. Equal calls give equal numbers.

>>> import numpy
>>> palette = Palette("#ffffff")
>>> black = palette.number("#000000")
>>> palette.mixed(numpy.array([0, 0, black]), numpy.array([0, LEVELS, 3]), "#000000").tolist()
[0, 1, 1]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

LEVELS = 15
"""Steps of a soft edge, from nothing to the whole colour."""
_MOST = 256
_Colour = tuple[int, int, int]


class Palette:
    """Colours, numbered in the order in which they were first needed.

    Parameters
    ----------
    paper : str
        Colour number 0.
    """

    def __init__(self, paper: str) -> None:
        self._numbers: dict[_Colour, int] = {}
        self._mixed: dict[tuple[str, float], Any] = {}
        self.number(paper)

    def number(self, colour: str) -> int:
        """Return the number of a colour, given as ``#rrggbb``."""
        return self._number(_parts(colour))

    def laid_over(self, numbers: Iterable[int], colour: str, share: float) -> bytes:
        """Return what becomes of each number where a colour is laid over it: a table of all numbers, for those that are given.

        Parameters
        ----------
        numbers : iterable of int
            Those that occur, in order.
        colour : str
        share : float
            How much of what is below the colour hides.
        """
        made, below = bytearray(range(_MOST)), list(self._numbers)
        for number in numbers:
            made[number] = self._number(_between(below[number], _parts(colour), share))
        return bytes(made)

    def mixed(self, under: Any, levels: Any, colour: str, share: float = 1.0) -> Any:
        """Return the numbers of what comes of laying a colour over others.

        Parameters
        ----------
        under : ndarray of int, shape (n,)
            Numbers of the colours below.
        levels : ndarray of int, shape (n,)
            How much of each pixel is covered, of :data:`LEVELS`.
        colour : str
        share : float
            How much of what is covered the colour hides.

        Returns
        -------
        ndarray of uint8, shape (n,)
        """
        import numpy

        known = self._mixed.setdefault((colour, share), numpy.full(_MOST * (LEVELS + 1), -1, numpy.int16))
        pairs = under.astype(numpy.int16) * (LEVELS + 1) + levels
        made = known[pairs]
        if made.size and made.min() < 0:
            below = list(self._numbers)
            asked = numpy.bincount(numpy.ravel(pairs), minlength=len(known)) > 0
            for pair in numpy.flatnonzero(asked & (known < 0)).tolist():
                number, level = divmod(pair, LEVELS + 1)
                known[pair] = self._number(_between(below[number], _parts(colour), share * level / LEVELS))
            made = known[pairs]
        return made.astype(numpy.uint8)

    def encoded(self) -> bytes:
        """Return red, green and blue of each colour, by number."""
        return b"".join(bytes(each) for each in self._numbers)

    def _number(self, colour: _Colour) -> int:
        found = self._numbers.get(colour)
        if found is None and len(self._numbers) < _MOST:
            found = self._numbers[colour] = len(self._numbers)
        if found is None:
            import numpy

            found = int(((numpy.array(list(self._numbers)) - colour) ** 2).sum(axis=1).argmin())
        return found


def _parts(colour: str) -> _Colour:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _between(one: _Colour, other: _Colour, share: float) -> _Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
