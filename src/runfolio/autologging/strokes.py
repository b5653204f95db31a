"""Lines as the pixels that they cover: by each pixel's distance from them, so that edges are soft and ends and turns are round.

A line is cut into pieces of a few pixels, and the pixels around all of them are asked at once: a curve of 500 points takes two
milliseconds, where pen strokes on a mask four times as large, each turn a pie of its own, took eight.

>>> columns, rows, levels = strokes([((2.0, 2.5), (6.0, 2.5))], 1.0)
>>> sorted(zip(columns.tolist(), rows.tolist()))[1:3]
[(2, 2), (3, 2)]
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from runfolio.autologging.palette import LEVELS

_PIECE = 4.0
"""Pixels."""
_Point = tuple[float, float]


def strokes(parts: Sequence[tuple[_Point, _Point]], width: float) -> tuple[Any, Any, Any]:
    """Return what straight strokes cover.

    Parameters
    ----------
    parts : sequence of pair of points
        From where to where, in pixels from the upper left corner.
    width : float, pixels

    Returns
    -------
    columns, rows : ndarray of int, shape (n,)
        Each pixel once.
    levels : ndarray of int, shape (n,)
        How much of it is covered, of :data:`~runfolio.autologging.palette.LEVELS`.
    """
    import numpy

    starts, steps = _pieces(numpy.asarray(parts, dtype=float).reshape(-1, 2, 2))
    half = width / 2
    corners = numpy.floor(numpy.minimum(starts, starts + steps) - half - 0.5).astype(int)
    window = numpy.arange(math.ceil(numpy.abs(steps).max(initial=0.0) + 2 * half + 1) + 1)
    x, y = corners[:, :1] + window, corners[:, 1:] + window
    # Of each pixel's centre the place on the piece that is nearest to it, and how far that is.
    across, down = ((at + 0.5 - starts[:, axis, None]).astype(numpy.float32) for axis, at in enumerate((x, y)))
    steps = steps.astype(numpy.float32)
    along = steps / numpy.maximum((steps**2).sum(axis=1, keepdims=True), numpy.float32(1e-12))
    nearest = (across * along[:, :1])[:, None, :] + (down * along[:, 1:])[:, :, None]
    numpy.clip(nearest, 0.0, 1.0, out=nearest)
    away = (across[:, None, :] - nearest * steps[:, :1, None]) ** 2
    away += (down[:, :, None] - nearest * steps[:, 1:, None]) ** 2
    levels = ((half + 0.5 - numpy.sqrt(away, out=away)).clip(0.0, 1.0) * LEVELS + 0.5).astype(numpy.uint8)
    return _once(x, y, levels)


def _pieces(parts: Any) -> tuple[Any, Any]:
    """Cut strokes into pieces: where each begins, and where it goes from there."""
    import numpy

    whole = parts[:, 1] - parts[:, 0]
    counts = numpy.maximum(1, numpy.ceil(numpy.abs(whole).max(axis=1, initial=0.0) / _PIECE)).astype(int)
    of = numpy.repeat(numpy.arange(len(parts)), counts)
    steps = (whole / counts[:, None])[of]
    first = numpy.cumsum(counts) - counts
    return parts[of, 0] + steps * (numpy.arange(len(of)) - first[of])[:, None], steps


def _once(x: Any, y: Any, levels: Any) -> tuple[Any, Any, Any]:
    """Gather the pixels of all windows: each once, with the most that any piece covers of it."""
    import numpy

    left, top = x.min(initial=0), y.min(initial=0)
    mask = numpy.zeros((y.max(initial=0) - top + 1, x.max(initial=0) - left + 1), numpy.uint8)
    places = ((y - top) * mask.shape[1])[:, :, None] + (x - left)[:, None, :]
    covered = levels > 0
    places, levels = places[covered], levels[covered]
    flat = mask.reshape(-1)
    for level in range(1, LEVELS + 1):  # what is written last stays
        flat[places[levels == level]] = level
    found = numpy.flatnonzero(flat.view(bool))  # ten times faster than of two dimensions
    rows, columns = numpy.divmod(found, mask.shape[1])
    return columns + left, rows + top, flat[found]
