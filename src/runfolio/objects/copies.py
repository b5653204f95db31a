"""Copies of a user's files that become objects later: taken at once, hashed and published when there is time.

A copy lies beside the objects, under a name that says nothing of its bytes, and nobody writes to it again. Settling it hashes it and links
it to its place among the objects. It keeps its first name until whoever noted that name has noted the digest too: killed at any moment,
one of both is noted, and what it names is there. A copy that nobody names was left by a killed process, and is swept.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from runfolio._pattern import pattern
from runfolio._typing import NamedTuple, Protocol
from runfolio.errors import DamagedError, NotFoundError, RunfolioError, StorageError, storage_error
from runfolio.objects.files import open_descriptor
from runfolio.objects.incoming import lent_buffer, make_folder, sync_path
from runfolio.objects.leaving import SWEEP_AGE_S, names_in
from runfolio.records.runs import Digest

LEAST_BYTES = 256 << 10
"""A smaller file is hashed sooner than the second name costs."""
MOST_BYTES = 64 << 20
"""A larger one is read once for both, copy and digest, rather than perhaps from the disk again."""
COPY_NAME = pattern(r"\.[0-9a-f]{32}\.copy\Z")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_ENDLESS = 1 << 30
_NO_SENDFILE = {errno.EINVAL, errno.ENOTSOCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
_NO_LINKS = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EXDEV}


class Copy(NamedTuple):
    """A copy that was taken: its name in the store, and its size in bytes."""

    name: str
    size: int


class Place(Protocol):
    """Where copies become objects: a store in a folder."""

    durable: bool

    def path(self, digest: Digest) -> Path:
        """Return where an object lies, or would."""

    def renew(self, digest: Digest, size: int) -> bool:
        """Tell whether an object is there, of this size; it counts as put now."""

    def put_file(self, path: Path) -> tuple[Digest, int]:
        """Store a file's content."""


class Copies:
    """The copies in a folder.

    Parameters
    ----------
    folder : Path
        On the same file system as the objects.
    place : Place
    """

    def __init__(self, folder: Path, place: Place) -> None:
        self._folder, self._place = folder, place

    def take(self, path: Path | str) -> Copy | None:
        """Copy a file to be settled later; None if it is one that is better stored at once.

        Parameters
        ----------
        path : Path or str

        Returns
        -------
        Copy or None

        Raises
        ------
        NotFoundError, UsageError, StorageError
            As when it is stored; nothing is left of it then.
        """
        source = open_descriptor(path)
        try:
            return self._taken(source) if LEAST_BYTES <= os.fstat(source).st_size <= MOST_BYTES else None
        except OSError as error:
            raise self._refusal(error) from error
        finally:
            os.close(source)

    def _taken(self, source: int) -> Copy:
        name = f".{os.urandom(16).hex()}.copy"
        target = self._open(name)
        try:
            return Copy(name, _copy(source, target))
        except BaseException:
            os.unlink(self._path(name))  # what lies there is no copy
            raise
        finally:
            os.close(target)

    def settle(self, name: str, size: int) -> Digest:
        """Make an object of a copy, which keeps its name until it is dropped.

        Parameters
        ----------
        name : str
        size : int
            In bytes, when it was taken.

        Raises
        ------
        NotFoundError
            If it is not here.
        DamagedError
            If it has another size: a power cut took some of its bytes.
        """
        with self._storing():
            digest, found = self._hashed(name)
            if found != size:
                raise DamagedError(f"The copy {name} in {self._folder} has {found:,} bytes, and had {size:,} when it was taken.")
            if not self._place.renew(digest, size) and not self._link(name, self._place.path(digest)):
                self._place.put_file(self._path(name))
            return digest

    def drop(self, name: str) -> None:
        """Remove a copy whose digest is noted, or that nobody will name."""
        with self._storing(), contextlib.suppress(FileNotFoundError):
            os.unlink(self._path(name))

    def sweep(self, named: Collection[str], older_than_s: float = SWEEP_AGE_S) -> int:
        """Remove copies that killed processes left.

        Parameters
        ----------
        named : collection of str
            Those that some journal names: they stay.
        older_than_s : float, optional
            Seconds since it was taken; a younger one may be named in a moment.

        Returns
        -------
        int
            Files removed.
        """
        removed, oldest = 0, time.time() - older_than_s
        for name in names_in(self._folder, COPY_NAME):
            with contextlib.suppress(FileNotFoundError):
                if name not in named and os.lstat(self._path(name)).st_mtime <= oldest:
                    os.unlink(self._path(name))
                    removed += 1
        return removed

    def _path(self, name: str) -> Path:
        # A journal may come from elsewhere: what it says is a name here, and no way out.
        if not COPY_NAME.match(name):
            raise DamagedError(f"{name!r:.80} is not the name of a copy.")
        return self._folder / name

    def _open(self, name: str) -> int:
        path = f"{self._folder}{os.sep}{name}"
        try:
            return os.open(path, _NEW, 0o444)
        except FileNotFoundError:
            self._folder.mkdir(parents=True, exist_ok=True)
            return os.open(path, _NEW, 0o444)

    def _hashed(self, name: str) -> tuple[Digest, int]:
        from hashlib import sha256  # OpenSSL takes 3 to 5 ms to load: a run without files need not pay

        sha, size = sha256(), 0
        try:
            with open(self._path(name), "rb", buffering=0) as source, lent_buffer() as view:
                while count := source.readinto(view):
                    sha.update(view[:count])
                    size += count
        except FileNotFoundError:
            raise NotFoundError(f"The copy {name} is not in {self._folder}.") from None
        return Digest(f"sha256:{sha.hexdigest()}"), size

    def _link(self, name: str, target: Path) -> bool:
        """Make a copy visible as an object, in place of what is there; False where this file system has no links."""
        path, durable = self._path(name), self._place.durable
        if durable:
            sync_path(path)
        try:
            make_folder(target.parent, durable=durable)
            os.link(path, target)
        except FileExistsError:
            self._replace(path, target)
        except OSError as error:
            if error.errno in _NO_LINKS:
                return False
            raise
        if durable:
            sync_path(target.parent)
        return True

    def _replace(self, path: Path, target: Path) -> None:
        """Link a copy in place of what is not the object; or somebody else has settled it this moment."""
        temporary = self._folder / f".{os.urandom(16).hex()}.part"
        os.link(path, temporary)
        os.replace(temporary, target)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)  # of two names of one file, the kernel leaves both

    @contextlib.contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            yield
        except RunfolioError:
            raise
        except OSError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> StorageError:
        return storage_error(f"store an object in {self._folder.parent}", error)


def _copy(source: int, target: int) -> int:
    """Copy from one descriptor to the other up to the end, in the kernel where it can; return how many bytes."""
    size = 0
    try:
        while count := os.sendfile(target, source, size, _ENDLESS):
            size += count
        return size
    except OSError as error:
        if size or error.errno not in _NO_SENDFILE:
            raise
    with lent_buffer() as view:
        while count := os.readv(source, [view]):
            rest = view[:count]
            while rest:
                rest = rest[os.write(target, rest) :]
            size += count
    return size
