"""The cache: verified copies of objects that lie in a bucket, shared by all folios of a user and thrown away at will.

A large object that arrives is kept in ``partial/`` while it does, so that a download that was interrupted, also by the
end of the process, goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from runfolio.errors import DamagedError, StorageError, UsageError, storage_error
from runfolio.objects.alone import alone
from runfolio.objects.incoming import CHUNK_BYTES, IncomingFile
from runfolio.objects.local import LocalStore
from runfolio.records.runs import Digest

FOLDER_VARIABLE = "RUNFOLIO_CACHE"
LIMIT_VARIABLE = "RUNFOLIO_CACHE_BYTES"
LIMIT_BYTES = 10 << 30
RESUME_BYTES = 16 << 20
"""From this size on a download leaves a part behind that it can go on from."""

Fetch = Callable[[int], tuple[int, Iterator[bytes]]]


class Cache:
    """Copies of objects in a folder of this machine.

    Parameters
    ----------
    folder : Path, optional
        ``$RUNFOLIO_CACHE`` by default, else ``runfolio`` in the user's cache folder.
    limit : int, optional
        Bytes that it may hold; what was longest unused goes first. ``$RUNFOLIO_CACHE_BYTES`` or 10 GiB by default.
    """

    def __init__(self, folder: Path | None = None, limit: int | None = None) -> None:
        self.store = LocalStore(folder or _folder(), durable=False)
        self._partial = self.store.root / "partial"
        self._limit = _limit() if limit is None else limit
        self._room: int | None = None

    def fill(self, digest: Digest, fetch: Fetch) -> int:
        """Take in an object.

        Parameters
        ----------
        digest : Digest
        fetch : callable
            Returns the object's size, and its bytes from the offset that it is given.

        Returns
        -------
        int
            Its size in bytes.

        Raises
        ------
        DamagedError
            If what came does not match the digest; nothing of it is kept.
        StorageError
            If it could not be had, or not be written.
        """
        try:
            if digest[7:] in self._parts:
                return self._resume(digest, fetch)
            size, chunks = fetch(0)
            self._make_room(size)
            if size >= RESUME_BYTES:
                return self._resume(digest, fetch, chunks)
            return self._whole(digest, chunks)
        except StorageError:
            raise
        except OSError as error:
            raise storage_error(f"write to the cache {self.store.root} (another folder: {FOLDER_VARIABLE})", error) from error

    def _whole(self, digest: Digest, chunks: Iterator[bytes]) -> int:
        # In the folder of its later place: renames between folders wait for each other in the kernel, those within one do not.
        target = self.store.place(digest)
        with IncomingFile(os.path.dirname(target), durable=False, mode=0o444) as made:
            for chunk in chunks:
                made.write(chunk)
            _compare(digest, made.digest)
            made.publish(target)
            return made.size

    def adopt(self, digest: Digest, size: int, store: LocalStore) -> None:
        """Take over an object that another store on this machine no longer needs: moved, or dropped where that cannot be."""
        self._make_room(size)
        place, target = store.place(digest), self.store.place(digest)
        try:
            try:
                os.replace(place, target)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.replace(place, target)
        except FileNotFoundError:
            pass  # another process was first
        except OSError:
            # Another file system, or a cache that cannot be written: the bucket has it.
            store.delete(digest)

    @cached_property
    def _parts(self) -> set[str]:
        """What was interrupted before this process looked; what is later is met where a large object's bytes would be written."""
        return set(os.listdir(self._partial)) if self._partial.is_dir() else set()

    def _resume(self, digest: Digest, fetch: Fetch, begun: Iterator[bytes] | None = None) -> int:
        """Take in a large object, from where a download of it was interrupted; apart, where another process has that in hand."""
        part = self._partial / digest[7:]
        with alone(part) as file:
            if file is None:
                return self._whole(digest, begun or fetch(0)[1])
            sha, size = sha256(), 0
            while chunk := file.read(CHUNK_BYTES):
                sha.update(chunk)
                size += len(chunk)
            for chunk in begun if begun is not None and not size else fetch(size)[1]:
                file.write(chunk)
                sha.update(chunk)
                size += len(chunk)
            file.flush()
            try:
                _compare(digest, f"sha256:{sha.hexdigest()}")
            except DamagedError:
                part.unlink()
                raise
            part.chmod(0o444)
            target = self.store.path(digest)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, target)
            return size

    def _make_room(self, size: int) -> None:
        """Let go of what was longest unused, if the limit would be passed."""
        if self._room is None or self._room < size:
            self._room = self._trim(size)
        self._room -= size

    def _trim(self, size: int) -> int:
        held = list(_files(str(self.store.root)))
        total = sum(item[1] for item in held)
        for _, freed, path in sorted(held):
            if total + size <= self._limit:
                break
            with contextlib.suppress(OSError):
                os.unlink(path)
                total -= freed
        return max(size, self._limit - total)


def _files(folder: str) -> Iterator[tuple[float, int, str]]:
    """Yield when each file below a folder was last used, seconds since the epoch, its size in bytes, and its path."""
    try:
        entries = os.scandir(folder)
    except OSError:
        return
    with entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    yield from _files(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    found = entry.stat(follow_symlinks=False)
                    yield max(found.st_atime, found.st_mtime), found.st_size, entry.path


def _compare(digest: Digest, found: str) -> None:
    if found != digest:
        raise DamagedError(f"Object {digest} did not arrive as it should: its bytes have the digest {found}.")


def _folder() -> Path:
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "runfolio" / "objects"


def _limit() -> int:
    text = os.environ.get(LIMIT_VARIABLE)
    if not text:
        return LIMIT_BYTES
    if not text.isdecimal():
        raise UsageError(f"{LIMIT_VARIABLE}: {text!r} is no number of bytes.")
    return int(text)
