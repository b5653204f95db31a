"""Put a few entries into git's index without starting git: what ``git update-index --index-info`` writes, byte for byte.

The format is git's ``Documentation/gitformat-index.txt``, of which version 2 with no extension but the cached trees is known here.
Whatever else an index can hold, and what a configuration can ask of one that is written, is left to git: other versions and hashes,
extensions, a merge under way, names where a file and a folder change places, and *racily clean* entries, whose files are as young as the
index: git looks at such a file again before it writes an index that is younger than both.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path

from runfolio._hashing import sha1_of
from runfolio.gitstore.direct import is_plain, may_be_named
from runfolio.gitstore.ref_files import LeaveToGitError
from runfolio.gitstore.repo import Repo

LARGEST = 256 * 1024
"""Bytes of an index from which on git is quicker at it."""
_ODD_KEYS = ("index.", "feature.")
_ODD = frozenset(
    f"core.{name}" for name in ("splitindex", "untrackedcache", "sparsecheckout", "ignorecase", "protecthfs", "protectntfs")
)
_HEAD, _FIXED, _HASH = 12, 62, 20
_STAGE_OR_EXTENDED = 0x7000
_LONG_NAME = 0xFFF
_REGULAR = (0o100644).to_bytes(4, "big")
_NO_TIMES = bytes(24)
_NO_OWNER = bytes(12)


def write_entries(repo: Repo, changes: Mapping[str, str | None], fresh: Path) -> None:
    """Put some files into the index of a repository, or take them out; the caller holds the index.

    Parameters
    ----------
    repo : Repo
    changes : mapping of path to object id
        None takes a path out.
    fresh : Path
        Where the new index is written before it takes the other's place.

    Raises
    ------
    LeaveToGitError
        If it is not done here; nothing was changed.
    """
    index = repo.git_dir / "index"
    if not _is_ordinary(repo):
        raise LeaveToGitError("the repository is not plain")
    try:
        written_s, data = int(index.stat().st_mtime), index.read_bytes()
    except FileNotFoundError:
        raise LeaveToGitError("nothing was ever added") from None
    fresh.write_bytes(edited(data, changes, written_s))
    os.replace(fresh, index)


def _is_ordinary(repo: Repo) -> bool:
    """Tell whether the configuration asks nothing of an index that is not done here."""
    said = repo.configured.values()
    return is_plain(repo, said) and not any(key in _ODD or key.startswith(_ODD_KEYS) for key in said.said)


def edited(data: bytes, changes: Mapping[str, str | None], written_s: int) -> bytes:
    """Return an index with some files put in or taken out; times and sizes of those put in are not known to it.

    Parameters
    ----------
    data : bytes
        The index.
    changes : mapping of path to object id
        None takes a path out.
    written_s : int
        When the index was written, seconds since the epoch.

    Raises
    ------
    LeaveToGitError
        If it is not done here.
    """
    if len(data) > LARGEST or data[:8] != b"DIRC\0\0\0\2" or sha1_of(data[:-_HASH]) != data[-_HASH:]:
        raise LeaveToGitError("an index of another version, or a large one")
    names, entries, end = _entries(data, written_s)
    trees = _trees(data[end:-_HASH])
    for path, oid in changes.items():
        _change(names, entries, path.encode("utf-8", "surrogateescape"), oid)
        if trees is not None:
            trees.invalidate(path.encode("utf-8", "surrogateescape").split(b"/"))
    tail = b"" if trees is None else trees.written()
    extension = b"" if trees is None else b"TREE" + len(tail).to_bytes(4, "big") + tail
    whole = b"".join((data[:8], len(entries).to_bytes(4, "big"), *entries, extension))
    return whole + sha1_of(whole)


def _entries(data: bytes, written_s: int) -> tuple[list[bytes], list[bytes], int]:
    """Cut the entries apart: their names, their bytes, and where they end."""
    names: list[bytes] = []
    entries: list[bytes] = []
    at = _HEAD
    for _ in range(int.from_bytes(data[8:12], "big")):
        flags = int.from_bytes(data[at + 60 : at + 62], "big")
        size = flags & _LONG_NAME
        if flags & _STAGE_OR_EXTENDED or size == _LONG_NAME or int.from_bytes(data[at + 8 : at + 12], "big") >= written_s:
            raise LeaveToGitError("a merge, a long name, or a file as young as the index")
        end = at + (_FIXED + size + 8) // 8 * 8
        names.append(data[at + _FIXED : at + _FIXED + size])
        entries.append(data[at:end])
        at = end
    return names, entries, at


def _change(names: list[bytes], entries: list[bytes], name: bytes, oid: str | None) -> None:
    parts = name.split(b"/")
    if len(name) >= _LONG_NAME or not all(map(may_be_named, parts)):
        raise LeaveToGitError("a name that is git's to judge")
    at = bisect_left(names, name)
    there = at < len(names) and names[at] == name
    if there:
        del names[at], entries[at]
    if oid is None:
        return
    below = bisect_left(names, name + b"/")
    if below < len(names) and names[below].startswith(name + b"/"):
        raise LeaveToGitError("a folder becomes a file")
    for depth in range(1, len(parts)):
        above = b"/".join(parts[:depth])
        found = bisect_left(names, above)
        if found < len(names) and names[found] == above:
            raise LeaveToGitError("a file becomes a folder")
    entry = b"".join((_NO_TIMES, _REGULAR, _NO_OWNER, bytes.fromhex(oid), len(name).to_bytes(2, "big"), name))
    names.insert(at, name)
    entries.insert(at, entry + bytes(8 - len(entry) % 8))


class _Trees:
    """A folder whose tree git knows to be that of the index, unless something below it changed (``cache-tree.c``)."""

    def __init__(self, name: bytes, count: int, oid: bytes) -> None:
        self.name, self.count, self.oid = name, count, oid
        self.below: list[_Trees] = []

    def invalidate(self, parts: list[bytes]) -> None:
        """Forget the trees of the folders above a path."""
        self.count = -1
        found = next((item for item in self.below if item.name == parts[0]), None)
        if found is not None and len(parts) == 1:
            self.below.remove(found)
        elif found is not None:
            found.invalidate(parts[1:])

    def written(self) -> bytes:
        """Return the bytes of the extension."""
        head = b"%b\0%d %d\n" % (self.name, self.count, len(self.below))
        return head + (self.oid if self.count >= 0 else b"") + b"".join(item.written() for item in self.below)


def _trees(data: bytes) -> _Trees | None:
    """Read the extension of the cached trees; None where there is no extension at all."""
    if not data:
        return None
    if data[:4] != b"TREE" or int.from_bytes(data[4:8], "big") != len(data) - 8:
        raise LeaveToGitError("an index with other extensions")
    try:
        made, end = _tree(data, 8)
    except ValueError:
        raise LeaveToGitError("an index whose trees are not as git writes them") from None
    if end != len(data):
        raise LeaveToGitError("an index whose trees are not as git writes them")
    return made


def _tree(data: bytes, at: int) -> tuple[_Trees, int]:
    zero = data.index(b"\0", at)
    line_end = data.index(b"\n", zero)
    count, number = map(int, data[zero + 1 : line_end].split(b" "))
    end = line_end + 1 + (_HASH if count >= 0 else 0)
    made = _Trees(data[at:zero], count, data[line_end + 1 : end])
    for _ in range(number):
        below, end = _tree(data, end)
        made.below.append(below)
    return made, end
