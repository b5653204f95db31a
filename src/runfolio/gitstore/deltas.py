"""A file told by how it differs from another one of the same pack: what git calls a delta (``man gitformat-pack``).

The records of one commit are alike: the same code, the same environment, the same names of metrics. A file is cut at the top-level fields
of a record; a piece that the other file has, too, is copied from there, and the rest is told. Git searches for any bytes that both have:
this only looks pieces up, costs as much as it saves in compressing, and makes a pack of records as small (decision 31).

>>> one, other = (b'{\\n  "code": {"commit": "0123456789abcdef"},\\n  "n": %d\\n}' % number for number in (7, 42))
>>> len(other), Likeness(one).delta(other)
(55, b'67\\xb3\\x00\\x00+\\x00\\x0c\\n  "n": 42\\n}')
"""

from __future__ import annotations

import struct

_BORDER = b'\n  "'
"""How a top-level field of a record begins."""
_LARGEST = 64 * 1024
"""Bytes of a file from which on it is stored whole: its size fits one copy, which is as much as git itself writes."""
_SERVES = 50
"""Files after another one that may be told by it; then one is stored whole."""
_GAIN = 0.75
_MOST_NEW = 127
_copy, _TOLD = struct.Struct("<BHH").pack, 0x80 | 0x03 | 0x30
"""Some bytes of the other file follow: where they begin and how many they are, two bytes each, as the bits of the first byte say."""


class Deltas:
    """Finds for each file of a commit, in order, how it is told by one before it."""

    def __init__(self) -> None:
        self._before: dict[bytes, tuple[str, Likeness]] = {}
        self._served: dict[bytes, int] = {}

    def find(self, ending: bytes, oid: str, content: bytes) -> tuple[str, bytes] | None:
        """Return id of another file and the delta that makes this one of it; None where this one is to be stored whole.

        Parameters
        ----------
        ending : bytes
            Of the file's name: files of one ending are told by each other.
        oid : str
            Of the file.
        content : bytes
        """
        if len(content) >= _LARGEST:
            return None
        served = self._served.get(ending, 0)
        if served:
            base, likeness = self._before[ending]
            delta = likeness.delta(content)
            self._served[ending] = served - 1
            return (base, delta) if len(delta) < _GAIN * len(content) else None
        self._before[ending], self._served[ending] = (oid, Likeness(content)), _SERVES
        return None


class Likeness:
    """A file by which others are told.

    Parameters
    ----------
    content : bytes
    """

    def __init__(self, content: bytes) -> None:
        self._size = len(content)
        self._head, *pieces = content.split(_BORDER)
        self._at: dict[bytes, int] = {}
        at = len(self._head)
        for piece in pieces:
            self._at.setdefault(piece, at)
            at += len(_BORDER) + len(piece)

    def delta(self, content: bytes) -> bytes:
        """Return what makes `content` of this file: pieces to copy, and bytes of its own between them."""
        head, *pieces = content.split(_BORDER)
        made, find, border = [_varint(self._size), _varint(len(content))], self._at.get, len(_BORDER)
        here = len(head)
        start, end = 0, here if head == self._head else 0  # what of the other file is to be copied next, if anything
        told = end  # up to where `content` was told before that
        for piece in pieces:
            after = here + border + len(piece)
            at = find(piece)
            if end > start and at != end:
                made.append(_copy(_TOLD, start, end - start))
                start, end, told = 0, 0, here
            if at is not None:
                if end == start:
                    made.append(_new(content[told:here]))
                    start = at
                end = at + after - here
            here = after
        made.append(_copy(_TOLD, start, end - start) if end > start else _new(content[told:]))
        return b"".join(made)


def _new(data: bytes) -> bytes:
    """Write bytes that the other file does not have, 127 at a time."""
    if len(data) <= _MOST_NEW:
        return b"%c%b" % (len(data), data) if data else b""
    parts = [data[at : at + _MOST_NEW] for at in range(0, len(data), _MOST_NEW)]
    return b"".join([b"%c%b" % (len(part), part) for part in parts])


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)
