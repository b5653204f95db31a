"""The bytes of a tree as sorted lines: a name found, a few lines exchanged, without touching the others.

The entries of a folder of thousands are cut apart once and kept; to look one up is a bisection, and a folder with one more entry is two
copied lists. Only what is asked of a tree again and again needs this; :mod:`runfolio.gitstore.trees` has the entries as records.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from runfolio.errors import DamagedError

_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0]+)\0(.{20})", re.DOTALL)
_FOLDER = b"40000"


class Line(NamedTuple):
    """One entry of a tree: mode and name as git writes them, object id as 20 bytes."""

    mode: bytes
    name: bytes
    oid: bytes

    @property
    def is_folder(self) -> bool:
        """Whether the entry is a tree."""
        return self.mode == _FOLDER


class Folder:
    """A tree object of a SHA-1 repository.

    Parameters
    ----------
    keys : sequence of bytes
        The names as git orders them: a folder's ends with ``/``.
    lines : sequence of Line
        In the same order.
    """

    def __init__(self, keys: Sequence[bytes] = (), lines: Sequence[Line] = ()) -> None:
        self._keys, self._lines = keys, lines

    @classmethod
    def parse(cls, data: bytes) -> Folder:
        """Read the bytes of a tree object.

        Raises
        ------
        DamagedError
            If they are not those of a tree in git's order.
        """
        lines = [Line._make(found) for found in _ENTRY.findall(data)]
        keys = [line.name + b"/" if line.mode == _FOLDER else line.name for line in lines]
        if sum(len(line.mode) + len(line.name) + 22 for line in lines) != len(data) or any(map(_not_less, keys, keys[1:])):
            raise DamagedError("A tree object is damaged. Run: git fsck")
        return cls(keys, lines)

    def __len__(self) -> int:
        return len(self._lines)

    def get(self, name: bytes) -> Line | None:
        """Return the entry of a name, or None."""
        for key in (name, name + b"/"):
            at = bisect_left(self._keys, key)
            if at < len(self._keys) and self._keys[at] == key:
                return self._lines[at]
        return None

    def names(self) -> list[bytes]:
        """Return the names, in order."""
        return [line.name for line in self._lines]

    def changed(self, changes: Mapping[bytes, Line | None]) -> Folder:
        """Return the folder with some entries put in or taken away; None takes one away."""
        keys, lines = list(self._keys), list(self._lines)
        for name, line in changes.items():
            for key in (name, name + b"/"):
                at = bisect_left(keys, key)
                if at < len(keys) and keys[at] == key:
                    del keys[at], lines[at]
            if line is not None:
                key = name + b"/" if line.is_folder else name
                at = bisect_left(keys, key)
                keys.insert(at, key)
                lines.insert(at, line)
        return Folder(keys, lines)

    def data(self) -> bytes:
        """Return the bytes of the tree object."""
        return b"".join([b"%b %b\0%b" % line for line in self._lines])


def _not_less(one: bytes, other: bytes) -> bool:
    return one >= other
