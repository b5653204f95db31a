"""PNG, written for plots: large areas of few colours, each row much like the one above.

A pixel is the number of a colour in a palette, a third of its red, green and blue; each row is what it differs by from the one above it,
nearly always nothing.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2
_LEVEL = 4
"""Of zlib, for runs of equal bytes only: in place of all that may repeat it takes two thirds of the time, for as many bytes."""


def encode_png(pixels: Any, palette: bytes) -> bytes:
    """Encode an image, as https://www.w3.org/TR/png-3/ says.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width)
        The number of each pixel's colour, row after row from the upper left.
    palette : bytes
        Red, green and blue of each colour, by number; at most 256 of them.
    """
    import numpy

    height, width = pixels.shape
    filtered = numpy.empty((height, width + 1), numpy.uint8)
    filtered[:, 0] = _UP
    filtered[:1, 1:] = pixels[:1]
    numpy.subtract(pixels[1:], pixels[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)  # 8 bits a pixel, numbers of a palette
    packer = zlib.compressobj(_LEVEL, strategy=zlib.Z_RLE)
    packed = packer.compress(filtered.data) + packer.flush()
    parts = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", packed), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))))
