"""The bytes of a tree as sorted lines: a name found, a few lines exchanged, without touching the others.

The entries of a folder of thousands are cut apart once and kept; to look one up is a bisection, and a folder with one more entry is two
copied lists, whose bytes are joined as they are. Only what is asked of a tree again and again needs this;
:mod:`runfolio.gitstore.trees` has the entries as records.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence

from runfolio._typing import NamedTuple
from runfolio.errors import DamagedError

_ENTRY = re.compile(rb"(([0-7]{5,6}) ([^\0]+)\0.{20})", re.DOTALL)
_FOLDER = b"40000"
_LONGEST_NUMBER = 9
_SOME = 48
"""Entries from which on a folder is sorted once: each that is put in moves half of a folder of tens of thousands."""


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
    pieces : sequence of bytes
        The entries as git writes them, in the same order.
    """

    def __init__(self, keys: Sequence[bytes] = (), pieces: Sequence[bytes] = ()) -> None:
        self._keys, self._pieces = keys, pieces
        self._numbers: dict[bytes, list[int]] = {}

    @classmethod
    def parse(cls, data: bytes) -> Folder:
        """Read the bytes of a tree object.

        Raises
        ------
        DamagedError
            If they are not those of a tree in git's order.
        """
        found = _ENTRY.findall(data)
        keys = [name + b"/" if mode == _FOLDER else name for _, mode, name in found]
        pieces = [piece for piece, _, _ in found]
        if sum(map(len, pieces)) != len(data) or any(map(_not_less, keys, keys[1:])):
            raise DamagedError("A tree object is damaged. Run: git fsck")
        return cls(keys, pieces)

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, name: bytes) -> Line | None:
        """Return the entry of a name, or None."""
        for key in (name, name + b"/"):
            at = bisect_left(self._keys, key)
            if at < len(self._keys) and self._keys[at] == key:
                piece = self._pieces[at]
                return Line(piece[: piece.index(b" ")], name, piece[-20:])
        return None

    def below(self, name: bytes) -> str | None:
        """Return the id of the folder of a name, or None where there is none."""
        key = name + b"/"
        at = bisect_left(self._keys, key)
        return self._pieces[at][-20:].hex() if at < len(self._keys) and self._keys[at] == key else None

    def lines(self) -> list[Line]:
        """Return the entries, in git's order."""
        heads = [piece[:-21].partition(b" ") for piece in self._pieces]
        return [Line(mode, name, piece[-20:]) for (mode, _, name), piece in zip(heads, self._pieces, strict=True)]

    def names(self) -> list[bytes]:
        """Return the names, in order."""
        return [key.removesuffix(b"/") for key in self._keys]

    def numbers(self, ending: bytes) -> Sequence[int]:
        """Return the numbers that files are named by, ascending: 7 for ``7.yaml`` if the ending is ``.yaml``.

        Counted once; a folder that is made of this one by :meth:`changed` counts on. The list is not to be changed.
        """
        held = self._numbers.get(ending)
        if held is None:
            held = self._numbers[ending] = numbers_in(self._keys, ending)
        return held

    def changed(self, changes: Mapping[bytes, Line | None]) -> Folder:
        """Return the folder with some entries put in or taken away; None takes one away."""
        made = self._changed_much(changes) if len(changes) > _SOME else self._changed_little(changes)
        made._numbers = {ending: _counted_on(held, changes, ending) for ending, held in self._numbers.items()}
        return made

    def _changed_little(self, changes: Mapping[bytes, Line | None]) -> Folder:
        keys, pieces = list(self._keys), list(self._pieces)
        for name, line in changes.items():
            kept = None if line is None else name + b"/" if line.is_folder else name
            for key in (name, name + b"/"):
                at = bisect_left(keys, key)
                there = at < len(keys) and keys[at] == key
                if line is not None and key == kept:
                    piece = b"%b %b\0%b" % line
                    if there:
                        pieces[at] = piece
                    else:
                        keys.insert(at, key)
                        pieces.insert(at, piece)
                elif there:
                    del keys[at], pieces[at]
        return Folder(keys, pieces)

    def _changed_much(self, changes: Mapping[bytes, Line | None]) -> Folder:
        entries = dict(zip(self._keys, self._pieces, strict=True))
        for name, line in changes.items():
            entries.pop(name, None)
            entries.pop(name + b"/", None)
            if line is not None:
                entries[name + b"/" if line.is_folder else name] = b"%b %b\0%b" % line
        keys = sorted(entries)
        return Folder(keys, [entries[key] for key in keys])

    def differing(self, other: Folder) -> list[tuple[bytes, Line | None, Line | None]]:
        """Return name and entries of what differs in another folder, None where a side has none, in the order of names."""
        here, there = set(self._pieces), set(other._pieces)
        made: dict[bytes, list[Line | None]] = {}
        for side, pieces in enumerate((here - there, there - here)):
            for piece in pieces:
                mode, _, name = piece[:-21].partition(b" ")
                made.setdefault(name, [None, None])[side] = Line(mode, name, piece[-20:])
        return [(name, before, after) for name, (before, after) in sorted(made.items())]

    def data(self) -> bytes:
        """Return the bytes of the tree object."""
        return b"".join(self._pieces)


def numbers_in(names: Iterable[bytes], ending: bytes) -> list[int]:
    """Return the numbers that names say before an ending, ascending; other names are passed over."""
    found = (_number(name, ending) for name in names)
    return sorted(number for number in found if number is not None)


def _counted_on(held: Sequence[int], changes: Mapping[bytes, Line | None], ending: bytes) -> list[int]:
    numbers = list(held)
    for name, line in changes.items():
        number = _number(name, ending)
        if number is None:
            continue
        at = bisect_left(numbers, number)
        if at < len(numbers) and numbers[at] == number:
            del numbers[at]
        if line is not None and not line.is_folder:
            insort(numbers, number)
    return numbers


def _number(name: bytes, ending: bytes) -> int | None:
    digits = name.removesuffix(ending)
    plain = digits.isdigit() and len(digits) < len(name) and len(digits) <= _LONGEST_NUMBER and digits[0] != 0x30
    return int(digits) if plain else None


def _not_less(one: bytes, other: bytes) -> bool:
    return one >= other
