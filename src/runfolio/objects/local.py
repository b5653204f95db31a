"""Objects in a folder: ``sha256/ab/cdef…`` below its root, files in the making in ``incoming/``.

An object's file is read-only. Putting what is there already writes nothing but the file's time, so that a clean-up
with a grace period spares it. Several processes may put, read and sweep at once without a lock.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from runfolio._pattern import pattern
from runfolio._typing import BinaryIO, NoReturn
from runfolio.errors import DamagedError, NotFoundError, RunfolioError, StorageError, UsageError, storage_error
from runfolio.formats.runs import check_digest
from runfolio.objects.copies import Copies
from runfolio.objects.files import open_source
from runfolio.objects.incoming import CHUNK_BYTES, IncomingFile, copy_stream, sync_path
from runfolio.objects.leaving import SWEEP_AGE_S, Aside, names_in, sweep
from runfolio.objects.making import folder_in, rename_in
from runfolio.objects.store import Progress, Stored
from runfolio.records.runs import Digest

_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = pattern(r"[0-9a-f]{2}\Z")
_FILE = pattern(r"[0-9a-f]{62}\Z")


class LocalStore:
    """A store in a folder of this machine, or one that is mounted.

    Parameters
    ----------
    root : Path
        Made when the first object is put.
    durable : bool, optional
        Sync files and folders: an object survives a power cut once it was put. Without it, it survives the end of
        the process, however that came.
    """

    def __init__(self, root: Path, durable: bool = True) -> None:
        self.root = Path(root)
        self.durable = durable
        self.incoming = self.root / "incoming"
        self._objects = f"{self.root}{os.sep}sha256{os.sep}"
        self._aside = Aside(self.incoming)
        self.copies = Copies(self.incoming, self)

    def __repr__(self) -> str:
        return f"LocalStore({str(self.root)!r}, durable={self.durable})"

    def put_file(self, path: Path) -> tuple[Digest, int]:
        """Store a file's content; a symbolic link is followed.

        Parameters
        ----------
        path : Path

        Returns
        -------
        (Digest, int)
            Its digest, and its size in bytes, of the bytes that were stored even if the file changes meanwhile.

        Raises
        ------
        NotFoundError
            If there is no such file.
        UsageError
            If it is not a regular file.
        StorageError
            If it could not be read or stored; nothing half-written is visible then.
        """
        with open_source(Path(path)) as source:
            return self.put_stream(source)

    def put_bytes(self, data: bytes) -> tuple[Digest, int]:
        """Store bytes; see :meth:`put_file`."""
        from hashlib import sha256  # OpenSSL takes 3 to 5 ms to load: a run without files need not pay

        digest = Digest(f"sha256:{sha256(data).hexdigest()}")
        with self._storing():
            if not self.renew(digest, len(data)):
                with IncomingFile(self.incoming, durable=self.durable, mode=0o444) as made:
                    made.write(data)
                    self._publish(made)
        return digest, len(data)

    def put_stream(self, stream: BinaryIO) -> tuple[Digest, int]:
        """Store what a stream yields up to its end; see :meth:`put_file`."""
        with self._storing(), IncomingFile(self.incoming, durable=self.durable, mode=0o444) as made:
            copy_stream(stream, made)
            if not self.renew(made.digest, made.size):
                self._publish(made)
            return made.digest, made.size

    def making(self) -> contextlib.AbstractContextManager[Path]:
        """Return a folder, as a context, whose files :meth:`take` makes objects of without a copy."""
        return folder_in(self.incoming)

    def take(self, path: Path, digest: Digest) -> int:
        """Make an object of a file in such a folder, which is gone then; return its size.

        Parameters
        ----------
        path : Path
        digest : Digest
            Of its bytes, hashed when they were written by whoever says so.
        """
        with self._storing():
            size = os.stat(path).st_size
            if not self.renew(digest, size):
                rename_in(path, self.path(digest), durable=self.durable)
            return size

    def exists(self, digest: Digest) -> bool:
        """Tell whether the object is there; its bytes are not looked at."""
        try:
            return stat.S_ISREG(os.lstat(self.place(digest)).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return self._aside.bring_back(digest, self.place(digest))
        except OSError as error:
            raise storage_error(f"look for object {digest}", error) from error

    def absent(self, digests: Iterable[Digest]) -> list[Digest]:
        """Return those that are not there, in the order given; many cost a third of :meth:`exists` for each.

        One that a clean-up brings back in this moment may be among them.
        """
        gone = [digest for digest in digests if not self._lies(digest)]
        aside = set(self._aside.digests()) if gone else ()
        return [digest for digest in gone if digest not in aside or not self.exists(digest)]

    def _lies(self, digest: Digest) -> bool:
        try:
            return stat.S_ISREG(os.lstat(self.place(digest)).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise storage_error(f"look for object {digest}", error) from error

    def size(self, digest: Digest) -> int:
        """Return the object's size in bytes."""
        return self._stat(digest).st_size

    def modified(self, digest: Digest) -> int:
        """Return when the object was last put, milliseconds since the epoch, UTC."""
        return self._stat(digest).st_mtime_ns // 1_000_000

    def open(self, digest: Digest) -> BinaryIO:
        """Open the object for reading, unverified.

        Raises
        ------
        NotFoundError
            If it is not there.
        DamagedError
            If something else than a file lies in its place; a symbolic link is not followed.
        """
        return os.fdopen(self._open(digest)[0], "rb")

    def open_verified(self, digest: Digest) -> BinaryIO:
        """Open the object for reading after its bytes were found to match.

        Raises
        ------
        NotFoundError
            If it is not there.
        DamagedError
            If its bytes are not those of its digest.
        """
        from hashlib import sha256

        source = self.open(digest)
        try:
            with self._reading(digest):
                sha = sha256()
                while chunk := source.read(CHUNK_BYTES):
                    sha.update(chunk)
                source.seek(0)
            self._check(digest, f"sha256:{sha.hexdigest()}")
        except BaseException:
            source.close()
            raise
        return source

    def read(self, digest: Digest, limit: int | None = None) -> bytes:
        """Return the object's verified bytes.

        Parameters
        ----------
        digest : Digest
        limit : int, optional
            The most bytes to take into memory.

        Raises
        ------
        UsageError
            If the object has more than `limit` bytes.
        DamagedError
            If its bytes are not those of its digest.
        """
        with self.open(digest) as source, self._reading(digest):
            data = source.read() if limit is None else source.read(limit + 1)
        if limit is not None and len(data) > limit:
            raise UsageError(f"Object {digest} has {self.size(digest)} bytes, more than {limit}: copy it to a file instead.")
        from hashlib import sha256

        self._check(digest, f"sha256:{sha256(data).hexdigest()}")
        return data

    def read_small(self, digest: Digest, limit: int) -> tuple[int, bytes | None]:
        """Return the object's size, and its verified bytes if it has no more than `limit`: four calls of the system, for many objects.

        Raises
        ------
        NotFoundError
            If it is not there.
        DamagedError
            If its bytes are not those of its digest.
        """
        descriptor, size = self._open(digest)
        try:
            if size > limit:
                return size, None
            with self._reading(digest):
                data = os.read(descriptor, size)
                while len(data) < size and (more := os.read(descriptor, size - len(data))):
                    data += more
        finally:
            os.close(descriptor)
        from hashlib import sha256

        self._check(digest, f"sha256:{sha256(data).hexdigest()}")
        return size, data

    def copy_to(self, digest: Digest, target: Path) -> int:
        """Write the verified object to a file.

        Parameters
        ----------
        digest : Digest
        target : Path
            Replaced if it is there (a link itself, not what it points to); its folder is made.

        Returns
        -------
        int
            Bytes written.

        Raises
        ------
        DamagedError
            If the bytes are not those of the digest; the target is then as it was.
        """
        with self.open(digest) as source:
            try:
                with IncomingFile(target.parent, durable=self.durable) as made:
                    copy_stream(source, made)
                    self._check(digest, made.digest)
                    made.publish(target)
                    return made.size
            except RunfolioError:
                raise
            except OSError as error:
                raise storage_error(f"copy object {digest} to {target}", error) from error

    def verify(self, digest: Digest) -> None:
        """Read the object and compare it with its digest.

        Raises
        ------
        NotFoundError
            If it is not there.
        DamagedError
            If its bytes are others.
        """
        self.open_verified(digest).close()

    def delete(self, digest: Digest) -> bool:
        """Remove the object; return whether it was there."""
        try:
            os.unlink(self.place(digest))
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise storage_error(f"delete object {digest}", error) from error
        return True

    def discard(self, digests: Iterable[Digest], before_ms: int, progress: Callable[[Digest], None] | None = None) -> None:
        """Remove objects, but for those that were put since `before_ms`; `progress` is told of each that went."""
        for digest in digests:
            if self._aside.remove(digest, self.path(digest), before_ms) and progress:
                progress(digest)

    def digests(self) -> Iterator[Digest]:
        """Yield the digests of all objects, in order; files that are none of ours are passed over."""
        for digest in self._aside.digests():
            self._aside.bring_back(digest, self.place(digest))
        top = self.root / "sha256"
        for folder in names_in(top, _FOLDER):
            for name in names_in(top / folder, _FILE):
                yield Digest(f"sha256:{folder}{name}")

    def listed(self) -> Iterator[Stored]:
        """Yield all objects with size and time, in order."""
        for digest in self.digests():
            with contextlib.suppress(NotFoundError, DamagedError):
                found = self._stat(digest)
                yield Stored(digest, found.st_size, found.st_mtime_ns // 1_000_000)

    def inspect(self, digests: Iterable[Digest], read: Collection[Digest] = ()) -> dict[Digest, int | RunfolioError]:
        """Look at objects: the size of each, or what is wrong with it; the bytes of those in `read`, too."""
        found: dict[Digest, int | RunfolioError] = {}
        for digest in digests:
            try:
                found[digest] = self.size(digest)
                if digest in read:
                    self.verify(digest)
            except RunfolioError as error:
                found[digest] = error
        return found

    def url(self, digest: Digest) -> str:
        """Return the object's place as a ``file:`` URL."""
        return self.path(digest).absolute().as_uri()

    def fetch(self, digests: Iterable[Digest], progress: Progress | None = None) -> None:
        """Do nothing: all objects are near."""

    def waits(self) -> tuple[int, int]:
        """Return (0, 0): what is put is where it belongs."""
        return 0, 0

    def upload(self, progress: Progress | None = None) -> int:
        """Do nothing, and return 0."""
        return 0

    def sweep(self, older_than_s: float = SWEEP_AGE_S) -> int:
        """Remove what killed processes left in ``incoming/``.

        Parameters
        ----------
        older_than_s : float, optional
            Seconds since the last write; younger files may be in the making.

        Returns
        -------
        int
            Files removed.
        """
        return sweep(self.incoming, older_than_s)

    def path(self, digest: Digest) -> Path:
        """Return where the object's file lies, or would."""
        return Path(self.place(digest))

    def place(self, digest: Digest) -> str:
        """Return the same as :meth:`path`, as a string: a path of pathlib costs as much as the call of the system that it is for."""
        try:
            check_digest(digest)
        except ValueError as error:
            raise UsageError(f"Not the name of an object: {error}.") from None
        return f"{self._objects}{digest[7:9]}{os.sep}{digest[9:]}"

    def _open(self, digest: Digest) -> tuple[int, int]:
        """Return an open descriptor of the object, and its size; a link is not followed, and no pipe is waited for."""
        try:
            descriptor = os.open(self.place(digest), _READ)
        except OSError:
            self._stat(digest)  # brings back what a clean-up judges, or says what else lies there
            try:
                descriptor = os.open(self.place(digest), _READ)
            except OSError as error:
                self._refuse(digest, error)
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            self._refuse_kind(digest)
        return descriptor, found.st_size

    def _stat(self, digest: Digest) -> os.stat_result:
        place = self.place(digest)
        try:
            found = os.lstat(place)
        except OSError as error:
            if not self._aside.bring_back(digest, place):
                self._refuse(digest, error)
            return self._stat(digest)
        if not stat.S_ISREG(found.st_mode):
            self._refuse_kind(digest)
        return found

    def _refuse_kind(self, digest: Digest) -> NoReturn:
        raise DamagedError(f"Object {digest} is not a file in {self.root}. Remove what lies there and put the content again.")

    def renew(self, digest: Digest, size: int) -> bool:
        """Tell whether the object is there, of this size; it then counts as put now."""
        target = self.place(digest)
        try:
            found = os.lstat(target)
        except (FileNotFoundError, NotADirectoryError):
            return False
        if not stat.S_ISREG(found.st_mode) or found.st_size != size:
            return False
        try:
            os.utime(target)
        except FileNotFoundError:
            return False  # a clean-up took it this moment
        except PermissionError:
            pass
        if self.durable:
            # Another process may have renamed it into place and not synced the folder yet, or may not sync at all.
            sync_path(target)
            sync_path(os.path.dirname(target))
        return True

    def _publish(self, made: IncomingFile) -> None:
        made.publish(self.place(made.digest))

    @contextlib.contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            yield
        except StorageError:
            raise
        except OSError as error:
            raise storage_error(f"store an object in {self.root}", error) from error

    @contextlib.contextmanager
    def _reading(self, digest: Digest) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise storage_error(f"read object {digest}", error) from error

    def _refuse(self, digest: Digest, error: OSError) -> NoReturn:
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise NotFoundError(
                f"Object {digest} is not in {self.root}. "
                "If it was made on another machine, copy it from the store there, or share one store."
            ) from None
        raise storage_error(f"read object {digest}", error) from error

    def _check(self, digest: Digest, found: str) -> None:
        if found != digest:
            raise DamagedError(
                f"Object {digest} in {self.root} is damaged: its bytes have the digest {found}. "
                "Delete it and put the content again, from a backup or by running again."
            )
