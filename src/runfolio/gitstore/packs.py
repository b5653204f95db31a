"""Read a few packed objects without a process of git.

Only what a small command needs: one object found by its id in the packs' indexes (version 2) and put together from its deltas. Many
objects, large ones, and whatever is not quite as expected are left to ``git cat-file``; so is a multi-pack index, beside which git keeps
the packs' own. The form is git's (``man gitformat-pack``).
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from bisect import bisect_left
from contextlib import suppress
from pathlib import Path

LARGEST = 4 * 1024 * 1024
"""Bytes of an object from which on it is left to git."""
_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_BY_OFFSET, _BY_ID = 6, 7
_DEEPEST = 60


class _OddPackError(Exception):
    """A pack is not as expected: git is asked instead."""


class PackedObjects:
    """The packs of a SHA-1 repository.

    Parameters
    ----------
    folder : Path
        The repository's ``objects/pack``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._packs: dict[str, _Pack] = {}
        self._seen: int | None = None

    def read(self, oid: str) -> tuple[str, bytes] | None:
        """Return kind and content of an object, or None where git is to be asked."""
        raw = bytes.fromhex(oid)
        self._look()
        for pack in self._packs.values():
            with suppress(_OddPackError, OSError, ValueError, IndexError, struct.error, zlib.error):
                at = pack.find(raw)
                if at is not None:
                    kind, data = pack.read(at)
                    return _KINDS[kind], data
        return None

    def _look(self) -> None:
        """Find packs that came, forget those that went: their folder's time tells."""
        try:
            changed = os.stat(self._folder).st_mtime_ns
        except OSError:
            return
        if changed == self._seen:
            return
        names = {name[:-4] for name in os.listdir(self._folder) if name.endswith(".idx")}
        self._packs = {name: self._packs.get(name) or _Pack(f"{self._folder}/{name}") for name in sorted(names)}
        self._seen = changed


class _Pack:
    """One pack with its index, mapped when it is first looked into."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._index: mmap.mmap | None = None
        self._pack: mmap.mmap | None = None
        self._count = 0

    def find(self, raw: bytes) -> int | None:
        """Return the offset of an object, or None."""
        index = self._index or self._open_index()
        first = raw[0]
        low = struct.unpack_from(">I", index, 8 + 4 * (first - 1))[0] if first else 0
        high = struct.unpack_from(">I", index, 8 + 4 * first)[0]
        ids = _Ids(index)
        at = bisect_left(ids, raw, low, high)
        if at >= high or ids[at] != raw:
            return None
        base = 8 + 1024 + 24 * self._count
        offset = struct.unpack_from(">I", index, base + 4 * at)[0]
        if offset & 0x80000000:
            offset = struct.unpack_from(">Q", index, base + 4 * self._count + 8 * (offset & 0x7FFFFFFF))[0]
        return int(offset)

    def _open_index(self) -> mmap.mmap:
        index = _mapped(self._path + ".idx")
        if index[:8] != b"\xfftOc\0\0\0\2":
            raise _OddPackError
        self._count = struct.unpack_from(">I", index, 8 + 1020)[0]
        self._index = index
        return index

    def read(self, offset: int, depth: int = 0) -> tuple[int, bytes]:
        """Return type number and content of the object at an offset."""
        if self._pack is None:
            self._pack = _mapped(self._path + ".pack")
        pack, at = self._pack, offset
        byte = pack[at]
        kind, size, shift = byte >> 4 & 7, byte & 15, 4
        while byte & 0x80:
            at += 1
            byte = pack[at]
            size |= (byte & 0x7F) << shift
            shift += 7
        at += 1
        if size > LARGEST or depth > _DEEPEST:
            raise _OddPackError
        if kind in _KINDS:
            return kind, _inflated(pack, at, size)
        if kind == _BY_OFFSET:
            byte = pack[at]
            back = byte & 0x7F
            while byte & 0x80:
                at += 1
                byte = pack[at]
                back = (back + 1) << 7 | byte & 0x7F
            base: int | None = offset - back
            at += 1
        elif kind == _BY_ID:
            base = self.find(pack[at : at + 20])
            at += 20
        else:
            raise _OddPackError
        if base is None or base < 0:
            raise _OddPackError
        found, content = self.read(base, depth + 1)
        return found, _patched(content, _inflated(pack, at, size))


class _Ids:
    """The sorted ids of a pack's index, as a sequence for bisection."""

    def __init__(self, index: mmap.mmap) -> None:
        self._index = index

    def __len__(self) -> int:
        return int(struct.unpack_from(">I", self._index, 8 + 1020)[0])

    def __getitem__(self, at: int) -> bytes:
        start = 8 + 1024 + 20 * at
        return self._index[start : start + 20]


def _mapped(path: str) -> mmap.mmap:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(fd)


def _inflated(pack: mmap.mmap, at: int, size: int) -> bytes:
    # Compressed data may be a little longer than what it holds; a larger piece would be copied as what is left over.
    data = zlib.decompressobj().decompress(pack[at : at + size + size // 500 + 128])
    if len(data) != size:
        raise _OddPackError
    return data


def _patched(base: bytes, delta: bytes) -> bytes:
    """Apply a delta: copies out of `base`, and bytes of its own."""
    before, at = _varint(delta, 0)
    after, at = _varint(delta, at)
    if before != len(base) or after > LARGEST:
        raise _OddPackError
    made = []
    while at < len(delta):
        code = delta[at]
        at += 1
        if not code & 0x80:
            if not code:
                raise _OddPackError
            made.append(delta[at : at + code])
            at += code
            continue
        start = size = 0
        for bit in range(4):
            if code & 1 << bit:
                start |= delta[at] << 8 * bit
                at += 1
        for bit in range(3):
            if code & 0x10 << bit:
                size |= delta[at] << 8 * bit
                at += 1
        made.append(base[start : start + (size or 0x10000)])
    data = b"".join(made)
    if len(data) != after:
        raise _OddPackError
    return data


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at
