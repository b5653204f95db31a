"""PNG, written for plots: large areas of few colours, each row much like the one above.

Pillow tries all five filters of the format on each row, which is half of what a plot costs. Here each row is what it differs by from the
one above it, nearly always nothing; the bytes are as many as Pillow's, give or take 6 %.
"""

from __future__ import annotations

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2
_LEVEL = 4
"""Of zlib: 3 takes 4.4 ms in place of 7.5 for a ROC curve, and a third more bytes; 6 takes 8.7 for no fewer."""


def encode_png(width: int, height: int, pixels: bytes) -> bytes:
    """Encode an image, as https://www.w3.org/TR/png-3/ says.

    Parameters
    ----------
    width, height : int
    pixels : bytes
        Red, green and blue of each pixel, row after row from the upper left.
    """
    import numpy

    rows = numpy.frombuffer(pixels, numpy.uint8).reshape(height, width * 3)
    filtered = numpy.empty((height, width * 3 + 1), numpy.uint8)
    filtered[:, 0] = _UP
    filtered[:1, 1:] = rows[:1]
    numpy.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits of each colour, no palette
    data = zlib.compress(filtered.data, _LEVEL)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))))
