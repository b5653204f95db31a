"""Files hashed while they are written, so that nobody need read them again to know their digest.

A digest is remembered by device, inode, size and time of change, in the thread that wrote the file. Before Linux 6.13 that time counts in
milliseconds, and a new file may have the inode of one that was removed: so whoever makes objects by these digests forgets, at the
beginning, what was written before (:func:`forget_written`).
"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

BLOCK_BYTES = 1 << 20
_LARGE_BYTES = 1 << 18
_MOST = 1000


class _Known(threading.local):
    def __init__(self) -> None:
        self.digests: dict[tuple[int, int, int, int], str] = {}


_known = _Known()


class HashedFile:
    """A new file that hashes what is written to it.

    Small pieces are gathered into blocks: each write and each hashing gives up Python's lock, and gets it back only once another thread
    (a plot is drawn meanwhile) lets go of it. The pickle of a forest is hundreds of pieces.

    Parameters
    ----------
    path : path
    pieces : bool, optional
        Keep small pieces of it, which tell what a pickle refers to.
    """

    def __init__(self, path: Path, *, pieces: bool = False) -> None:
        self._keeps = pieces
        self._file = path.open("xb", buffering=0)
        self._sha = hashlib.sha256()
        self._block: bytearray | None = None
        self._filled = 0
        self.pieces: list[bytes | int] = []
        """What was written, in order; of large pieces only the number of bytes."""

    def __enter__(self) -> HashedFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._file:
            if error is None:
                self._flush()
                _remember(os.fstat(self._file.fileno()), self._sha.hexdigest())

    def write(self, data: Any) -> int:
        """Append bytes."""
        with memoryview(data).cast("B") as view:
            if self._keeps:
                self.pieces.append(bytes(view) if len(view) < _LARGE_BYTES else len(view))
            if self._filled + len(view) > BLOCK_BYTES:
                self._flush()
            if len(view) >= BLOCK_BYTES:
                self._append(view)
            else:
                if self._block is None:
                    self._block = bytearray(BLOCK_BYTES)
                self._block[self._filled : self._filled + len(view)] = view
                self._filled += len(view)
            return len(view)

    def _flush(self) -> None:
        if self._block is not None:
            with memoryview(self._block) as block:
                self._append(block[: self._filled])
            self._filled = 0

    def _append(self, view: memoryview) -> None:
        done = 0
        while done < len(view):  # block by block: what was hashed is still in the processor's cache when it is written
            block = view[done : done + BLOCK_BYTES]
            written = self._file.write(block) or 0
            self._sha.update(block[:written])
            done += written


def write_hashed(path: Path, data: bytes | bytearray) -> None:
    """Write a new file, and remember its digest."""
    with HashedFile(path) as file:
        file.write(data)


def digest_when_written(path: Path) -> str | None:
    """Return ``sha256:…`` of a file that this thread wrote and that is unchanged, or None."""
    found = _known.digests.get(_identity(path.stat()))
    return None if found is None else f"sha256:{found}"


def forget_written() -> None:
    """Forget all digests of this thread: what is written from now on is known alone."""
    _known.digests.clear()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, reading them."""
    made = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            made.update(block)
    return made.hexdigest()


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _remember(found: os.stat_result, digest: str) -> None:
    if len(_known.digests) >= _MOST:
        del _known.digests[next(iter(_known.digests))]
    _known.digests[_identity(found)] = digest
