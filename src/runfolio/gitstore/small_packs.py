"""The objects of a small commit as one pack: two files where loose objects are one each.

To make a file costs more than to fill it: 0.1 to 0.2 ms here, and a sync each where a commit is to outlast a power cut. So that packs stay
few (git joins all of a repository's packs when there are fifty), those of small commits are folded into one after each
:data:`MANY`: their objects are copied as they are, compressed bytes and all. What is folded is on disk, and its folder too, before the
first of its sources is removed, as ``git repack`` does it.

A pack is foldable by what it is, not by who wrote it: small, without deltas, and without a file beside it that says more of it (``.keep``,
``.bitmap``, ``.promisor``, …). The forms are git's (``man gitformat-pack``).
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise

from runfolio._hashing import sha1_of
from runfolio._typing import NamedTuple
from runfolio.gitstore.loose import compressed, write_whole
from runfolio.gitstore.settled import read_small

FEWEST = 4
"""Objects from which on a pack is two files for more."""
LARGEST = 2 * 1024 * 1024
"""Bytes of a commit's objects up to which they become a pack."""
FOLDED = 512 * 1024
"""Bytes of a pack from which on it is left as it is: to copy it again would cost more than it helps."""
MANY = 24
"""Foldable packs beyond which they are folded."""
_KINDS = {"commit": 1, "tree": 2, "blob": 3}
_DELTA = 7  # of an object that is named by its id
_WHOLE = frozenset((*_KINDS.values(), 4))
_UNFINISHED = ("tmp_pack_", "tmp_idx_")  # git's own clean-up knows these names
_FIRST = 12
_PACK_HEAD, _IDX_HEAD = b"PACK\0\0\0\2", b"\xfftOc\0\0\0\2"
_IDX_IDS = 8 + 1024
_FOLDS_AT_LEAST = 8
_MOST_KNOWN = 4096
_not_foldable: set[str] = set()
"""Large packs and those with deltas, as this process found them: a pack's name is the digest of its content."""


class Packed(NamedTuple):
    """An object as it lies in a pack: id as 20 bytes, head and compressed content."""

    oid: bytes
    data: bytes


def packed(oid: str, kind: str, content: bytes, level: int) -> Packed:
    """Return an object as a pack holds it.

    Parameters
    ----------
    oid : str
    kind : str
        ``blob``, ``tree`` or ``commit``.
    content : bytes
    level : int
        Of compression.
    """
    return Packed(bytes.fromhex(oid), _head(_KINDS[kind], len(content)) + compressed(content, level))


def packed_delta(oid: str, base: str, delta: bytes, level: int) -> Packed:
    """Return an object as a pack holds it that is told by what it differs in from another one of the same pack.

    Parameters
    ----------
    oid, base : str
        The object, and the other one.
    delta : bytes
        See :mod:`runfolio.gitstore.deltas`.
    level : int
        Of compression.
    """
    return Packed(bytes.fromhex(oid), _head(_DELTA, len(delta)) + bytes.fromhex(base) + compressed(delta, level))


def _head(kind: int, size: int) -> bytes:
    byte, size = kind << 4 | size & 15, size >> 4
    if 0 < size < 0x80:
        return bytes((byte | 0x80, size))
    head = bytearray()
    while size:
        head.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    head.append(byte)
    return bytes(head)


def write_pack(folder: str, objects: Iterable[Packed], *, durable: bool) -> str:
    """Write a pack with its index, and return the name of both without their endings.

    Parameters
    ----------
    folder : str
        The repository's ``objects/pack``.
    objects : iterable of Packed
    durable : bool
        Sync both files to disk.

    Raises
    ------
    OSError
        If one could not be written; what is there then is no pack.
    """
    by_id = {item.oid: item.data for item in objects}
    parts = [_PACK_HEAD, struct.pack(">I", len(by_id)), *by_id.values()]
    offsets, at = {}, _FIRST
    for oid, data in by_id.items():
        offsets[oid] = at
        at += len(data)
    body = b"".join(parts)
    digest = sha1_of(body)
    index = _index(by_id, offsets) + digest
    index += sha1_of(index)
    name = f"pack-{digest.hex()}"
    random = os.urandom(6).hex()
    temporary = [f"{folder}/{start}{random}" for start in _UNFINISHED]
    try:
        for file, data in zip(temporary, (body + digest, index), strict=True):
            _write(file, data, durable)
        os.rename(temporary[0], f"{folder}/{name}.pack")
        os.rename(temporary[1], f"{folder}/{name}.idx")
    except BaseException:
        for file in temporary:
            with suppress(OSError):
                os.unlink(file)
        raise
    return name


def _index(by_id: Mapping[bytes, bytes], offsets: Mapping[bytes, int]) -> bytes:
    oids = sorted(by_id)
    # How many ids begin with that byte or a smaller one, for each byte: as many of the same number as lie between two ids' first bytes.
    firsts = [0, *(oid[0] for oid in oids), 256]
    fanout = [struct.pack(">I", count) * (after - before) for count, (before, after) in enumerate(pairwise(firsts))]
    sums = [zlib.crc32(by_id[oid]) for oid in oids]
    numbers = struct.pack(f">{2 * len(oids)}I", *sums, *(offsets[oid] for oid in oids))
    return b"".join((_IDX_HEAD, *fanout, *oids, numbers))


def _write(file: str, data: bytes, durable: bool) -> None:
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
    try:
        write_whole(fd, data)
        if durable:
            os.fsync(fd)
    finally:
        os.close(fd)


def fold_packs(folder: str, names: Sequence[str]) -> bool:
    """Fold small packs into one, if there are many; tell whether it was done.

    Parameters
    ----------
    folder : str
        The repository's ``objects/pack``.
    names : sequence of str
        The files in it.

    Raises
    ------
    OSError
        If the new pack could not be written; all sources are there then.
    """
    if len(names) <= 2 * MANY or "multi-pack-index" in names:
        return False
    sources: dict[str, list[Packed]] = {}
    for name in _chosen(folder, names):
        objects = _objects(folder, name)
        if objects is not None:
            sources[name] = objects
        else:
            _pass_over(name)
    if len(sources) < _FOLDS_AT_LEAST:
        return False
    made = write_pack(folder, (item for objects in sources.values() for item in objects), durable=True)
    _sync_folder(folder)
    for name in sources:
        if name != made:
            for ending in (".idx", ".pack"):  # in git's order: without its index nobody looks for the pack
                with suppress(FileNotFoundError):
                    os.unlink(f"{folder}/{name}{ending}")
    return True


def _chosen(folder: str, names: Sequence[str]) -> list[str]:
    """Choose what is worth to be folded: the smallest, and of larger ones those that the others together are half of."""
    endings: dict[str, set[str]] = {}
    for name in names:
        stem, _, ending = name.partition(".")
        endings.setdefault(stem, set()).add(ending)
    plain = [stem for stem, found in endings.items() if found == {"pack", "idx"} and stem not in _not_foldable]
    if len(plain) <= MANY:
        return []
    sizes = {stem: os.stat(f"{folder}/{stem}.pack").st_size for stem in plain}
    for stem in plain:
        if sizes[stem] >= FOLDED:
            _pass_over(stem)
            del sizes[stem]
    if len(sizes) <= MANY:
        return []
    chosen = sorted(sizes, key=sizes.__getitem__)
    total = sum(sizes.values())
    # From the largest down: one tiny pack among them is no reason to leave all others.
    while chosen and sizes[chosen[-1]] > 2 * (total - sizes[chosen[-1]]):
        total -= sizes[chosen.pop()]
    return chosen


def _pass_over(name: str) -> None:
    if len(_not_foldable) >= _MOST_KNOWN:
        _not_foldable.clear()
    _not_foldable.add(name)


def _objects(folder: str, name: str) -> list[Packed] | None:
    """Return a pack's objects; None where one is a delta, or is not what the index says."""
    index, pack = read_small(f"{folder}/{name}.idx"), read_small(f"{folder}/{name}.pack")
    if not index.startswith(_IDX_HEAD) or not pack.startswith(_PACK_HEAD):
        return None
    count: int = struct.unpack_from(">I", index, _IDX_IDS - 4)[0]
    if len(index) != _IDX_IDS + 28 * count + 40:
        return None
    numbers = struct.unpack_from(f">{2 * count}I", index, _IDX_IDS + 20 * count)
    sums, offsets = numbers[:count], numbers[count:]
    ordered = sorted(offsets)
    ends = dict(zip(ordered, [*ordered[1:], len(pack) - 20], strict=True))
    made = []
    for number, (crc, offset) in enumerate(zip(sums, offsets, strict=True)):
        data = pack[offset : ends[offset]]
        if not data or data[0] >> 4 & 7 not in _WHOLE or zlib.crc32(data) != crc:
            return None
        at = _IDX_IDS + 20 * number
        made.append(Packed(index[at : at + 20], data))
    return made


def _sync_folder(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
