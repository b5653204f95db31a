"""What an artifact's bytes are, told from the bytes and never from its name alone.

A name is what somebody typed; a browser that is handed an HTML page as ``roc.png`` must get a picture or nothing. So a file is
a picture or sound only where its first bytes say so, text only where all of it is text, and the ending under which it is
published is chosen here, from a short list of endings that no browser executes. Invariants:

- `SAFE_ENDINGS` are all the endings there are. HTML, scripts, XML and SVG are text (``.txt``).
- A picture has its size within `MAX_SIDE` and `MAX_PIXELS`, so that a small file cannot fill a visitor's memory.

It does not decode pictures: what is behind the header is the browser's business, inside ``<img>``.
"""

from __future__ import annotations

import re
import struct

from runfolio._dataclass import dataclass
from runfolio._pattern import pattern

SAFE_ENDINGS = (".png", ".jpg", ".gif", ".webp", ".mp3", ".ogg", ".wav", ".flac", ".txt", ".csv", ".json")
MAX_SIDE = 16_384
MAX_PIXELS = 50_000_000
_SOF = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_CONTROL = pattern(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_SVG = pattern(r"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.{0,4000}?-->\s*|<!DOCTYPE svg[^>\[]{0,300}>\s*){0,8}<svg[\s>]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Kind:
    """What some bytes are.

    Parameters
    ----------
    name : str
        ``image``, ``svg``, ``audio`` or ``text``.
    ending : str
        The ending to publish them under.
    width, height : int or None
        Of an image, in pixels.
    """

    name: str
    ending: str
    width: int | None = None
    height: int | None = None


def kind_of(data: bytes, path: str = "") -> Kind | None:
    """Tell what some bytes are.

    Parameters
    ----------
    data : bytes
        All of them.
    path : str, optional
        The artifact's name: chooses among endings for text, and is asked where the bytes alone say too little (MP3).

    Returns
    -------
    Kind or None
        None for everything that is not published.

    Examples
    --------
    >>> kind_of(b"<script>alert(1)</script>", "roc.png")
    Kind(name='text', ending='.txt', width=None, height=None)
    >>> kind_of(b"%PDF-1.7\\0...", "report.txt") is None
    True
    """
    if _picture_ending(data):
        return _image(data)
    return _audio(data, path) or _text(data, path)


def is_table_path(path: str) -> bool:
    """Tell whether a name is one of separated values."""
    return path.lower().endswith((".csv", ".tsv"))


def _image(data: bytes) -> Kind | None:
    ending = _picture_ending(data)
    if ending is None:
        return None
    size = _MEASURES[ending](data)
    return Kind("image", ending, *size) if size is not None and _is_drawable(*size) else None


def _picture_ending(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    return next((ending for head, ending in _HEADS if data.startswith(head)), None)


def _is_drawable(width: int, height: int) -> bool:
    return 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS


def _png_size(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR" or len(data) < 24:
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _gif_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 10:
        return None
    width, height = struct.unpack("<HH", data[6:10])
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header (ITU T.81, B.2.2)."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _SOF:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Read the size from whichever of the three headers a WebP has (RFC 9649, section 2)."""
    form = data[12:16]
    if form == b"VP8X" and len(data) >= 30:
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if form == b"VP8L" and len(data) >= 25 and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b"VP8 " and len(data) >= 30 and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


_HEADS = ((b"\x89PNG\r\n\x1a\n", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"GIF87a", ".gif"), (b"GIF89a", ".gif"))
_MEASURES = {".png": _png_size, ".jpg": _jpeg_size, ".gif": _gif_size, ".webp": _webp_size}


def _audio(data: bytes, path: str) -> Kind | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return Kind("audio", ".wav")
    for head, ending in ((b"OggS", ".ogg"), (b"fLaC", ".flac"), (b"ID3", ".mp3")):
        if data.startswith(head) and _CONTROL.search(data, 0, 64):
            return Kind("audio", ending)
    # The frame header of an MP3 without tags is eleven bits: too little without the name.
    named = path.lower().endswith(".mp3") and len(data) > 2
    return Kind("audio", ".mp3") if named and data[0] == 0xFF and data[1] & 0xE0 == 0xE0 and data[1] & 0x06 else None


def _text(data: bytes, path: str) -> Kind | None:
    if data.startswith(b"%PDF-") or _CONTROL.search(data):
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    name = path.lower()
    if name.endswith(".svg") and _SVG.match(text):
        return Kind("svg", ".txt")
    return Kind("text", ".csv" if name.endswith(".csv") else ".json" if name.endswith(".json") else ".txt")
