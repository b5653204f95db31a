"""A file in the making: written and hashed in one pass beside its later place, published by a rename.

A folder's entry is only safe from a power cut once the folder itself is synced, and a file's bytes once the file is;
in that order: bytes, rename, folder (Pillai et al., OSDI 2014, "All file systems are not created equal").
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from runfolio._typing import BinaryIO
from runfolio.records.runs import Digest

CHUNK_BYTES = 1 << 20
_BUFFER_BYTES = 1 << 18

_spare: list[bytearray] = []
"""A buffer to read into: memory that is fresh from the kernel costs as much as the copy. Whoever pops it, has it alone."""


class IncomingFile:
    """A temporary file that hashes what is written to it; gone again unless it was published.

    Parameters
    ----------
    folder : str or Path
        Where it lies until it is published; on the same file system as its later place.
    durable : bool
        Sync bytes and folders, so that what was published survives a power cut.
    mode : int, optional
        Permissions, before the umask.
    """

    def __init__(self, folder: str | Path, *, durable: bool, mode: int = 0o666) -> None:
        self._durable = durable
        from hashlib import sha256  # OpenSSL takes 3 to 5 ms to load: a run without files need not pay

        self._sha = sha256()
        self._path = f"{folder}{os.sep}.{os.urandom(16).hex()}.part"
        self.size = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            self._descriptor = os.open(self._path, flags, mode)
        except FileNotFoundError:
            _make_folder(folder)
            self._descriptor = os.open(self._path, flags, mode)

    def __enter__(self) -> IncomingFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()
        if self._path:
            with contextlib.suppress(OSError):
                os.unlink(self._path)

    @property
    def digest(self) -> Digest:
        """The digest of what was written so far."""
        return Digest(f"sha256:{self._sha.hexdigest()}")

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self._sha.update(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self.size += len(data)

    def publish(self, target: str | Path) -> None:
        """Make the file visible at `target`, whole, in place of what is there."""
        if self._durable:
            os.fsync(self._descriptor)
        self._close()
        try:
            os.replace(self._path, target)
        except FileNotFoundError:
            make_folder(Path(target).parent, durable=self._durable)
            os.replace(self._path, target)
        self._path = ""
        if self._durable:
            sync_path(os.path.dirname(target))

    def _close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


def copy_stream(stream: BinaryIO, into: IncomingFile) -> None:
    """Write what `stream` yields, up to its end, in bounded memory."""
    fill = getattr(stream, "readinto", None)
    if fill is None:
        while chunk := stream.read(CHUNK_BYTES):
            into.write(chunk)
        return
    with lent_buffer() as view:
        while size := fill(view):
            with view[:size] as part:
                into.write(part)


@contextlib.contextmanager
def lent_buffer() -> Iterator[memoryview]:
    """Lend a buffer of 256 KB."""
    try:
        buffer = _spare.pop()
    except IndexError:
        buffer = bytearray(_BUFFER_BYTES)
    with memoryview(buffer) as view:
        yield view
    _spare[:] = [buffer]


def _make_folder(folder: str | Path) -> None:
    try:
        os.mkdir(folder)
    except FileExistsError:
        pass
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)


def make_folder(folder: Path, *, durable: bool) -> None:
    """Make a folder and those above it; where `durable`, sync the entry of each that is new."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        if durable:
            sync_path(new.parent)


def sync_path(path: str | Path) -> None:
    """Bring a file's bytes or a folder's entries to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
