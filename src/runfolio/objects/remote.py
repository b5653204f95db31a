"""Objects in a bucket: put into a waiting room on this machine, taken up to the bucket, read through a cache.

What is put is stored and hashed here first, so that logging needs no network and loses nothing without one; :meth:`upload`
takes it up and only then lets it go from the waiting room, into the cache. What is read is compared with its digest
before it enters the cache and again whenever it leaves it.

Keys are ``sha256/ab/cdef…``, and ``kept/sha256/ab/cdef…`` for a sign of life: an empty object, renewed when content is put
that the bucket had already, so that a clean-up with a grace period spares it without its bytes being sent again.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import BinaryIO, TypeVar

from runfolio.errors import DamagedError, NotFoundError, RunfolioError, StorageError, UsageError
from runfolio.formats.runs import check_digest
from runfolio.objects.buckets import Bucket, Stat
from runfolio.objects.cache import Cache
from runfolio.objects.local import LocalStore
from runfolio.records.runs import Digest

Progress = Callable[[int], None]
"""Told of bytes that went by."""

PARALLEL = 8
_TRIES = 4
_PATIENCE_S = 30.0
_HOPELESS = 3
"""Faults, with nothing done, after which the rest is not tried: the place cannot be reached."""
_LOOK_FIRST_BYTES = 1 << 20
_Made = TypeVar("_Made")


class RemoteStore:
    """A store in a bucket, with a waiting room and a cache on this machine.

    Parameters
    ----------
    bucket : Bucket
    waiting : Path
        Folder for what is not taken up yet; of one folio.
    cache : Cache
        Shared by all folios of a user.
    durable : bool, optional
        Whether what waits survives a power cut.
    """

    def __init__(self, bucket: Bucket, waiting: Path, cache: Cache, durable: bool = True) -> None:
        self.bucket = bucket
        self.waiting = LocalStore(waiting, durable)
        self.cache = cache

    def __repr__(self) -> str:
        return f"RemoteStore({self.bucket!r})"

    # Putting

    def put_file(self, path: Path) -> tuple[Digest, int]:
        """Store a file's content in the waiting room."""
        return self.waiting.put_file(path)

    def put_bytes(self, data: bytes) -> tuple[Digest, int]:
        """Store bytes in the waiting room."""
        return self.waiting.put_bytes(data)

    def put_stream(self, stream: BinaryIO) -> tuple[Digest, int]:
        """Store what a stream yields in the waiting room."""
        return self.waiting.put_stream(stream)

    def waits(self) -> tuple[int, int]:
        """Return how many objects are not in the bucket yet, and their bytes."""
        sizes = []
        for digest in self.waiting.digests():
            with contextlib.suppress(NotFoundError):
                sizes.append(self.waiting.size(digest))
        return len(sizes), sum(sizes)

    def upload(self, progress: Progress | None = None) -> int:
        """Take up what waits, several at a time.

        Parameters
        ----------
        progress : callable, optional
            Told of the bytes of each object that is up.

        Returns
        -------
        int
            Objects that are in the bucket now and wait no more.

        Raises
        ------
        StorageError
            If some could not be taken up: they wait on. The others are up.
        DamagedError
            If what waits is not what its digest says; it is named and not sent.
        """
        return len(_side_by_side(self._take_up, self.waiting.digests(), progress))

    def _take_up(self, digest: Digest) -> int:
        try:
            size = self.waiting.size(digest)
            self.waiting.verify(digest)
            self._send(digest, self.waiting.path(digest), size)
            self.cache.adopt(digest, self.waiting)
        except NotFoundError:
            return 0  # another process took it up meanwhile
        return size

    def _send(self, digest: Digest, source: Path, size: int) -> None:
        """Bring one object up, unless it is there: verified by the bucket, or by reading it back."""
        key = key_of(digest)
        if self._keep(key, size):
            return
        end = time.monotonic() + _PATIENCE_S
        for attempt in range(_TRIES):
            try:
                if self.bucket.checks:
                    self.bucket.put(key, source.read_bytes() if size <= _LOOK_FIRST_BYTES else source)
                    found = self.bucket.stat(key)
                    if found is None or found.size != size:
                        raise StorageError(f"{self.bucket.url(key)} is not what was sent: try again.")
                else:
                    self._send_and_read_back(key, digest, source)
                return
            except StorageError:
                if attempt + 1 == _TRIES or time.monotonic() > end:
                    raise
            time.sleep(0.1 * 2**attempt)

    def _send_and_read_back(self, key: str, digest: Digest, source: Path) -> None:
        temporary = f"incoming/{uuid.uuid4().hex}"
        try:
            self.bucket.put(temporary, source)
            if _digest(self.bucket.chunks(temporary)) != digest:
                raise StorageError(f"{self.bucket.url(key)}: what was read back is not what was sent.")
            self.bucket.move(temporary, key)
        except BaseException:
            with contextlib.suppress(RunfolioError):
                self.bucket.delete([temporary])
            raise

    def _keep(self, key: str, size: int) -> bool:
        """Tell whether an object is there, and renew the sign that it is in use before that is relied on."""
        found = self.bucket.stat(key)
        if found is None or found.size != size:
            return False
        if found.modified > (time.time() - 3600) * 1000:
            return True
        self.bucket.put(f"kept/{key}", b"")
        found = self.bucket.stat(key)
        return found is not None and found.size == size

    # Looking

    def exists(self, digest: Digest) -> bool:
        """Tell whether the object is in the bucket, or waits for it."""
        return self.waiting.exists(digest) or self.bucket.stat(key_of(digest)) is not None

    def size(self, digest: Digest) -> int:
        """Return the object's size in bytes."""
        with contextlib.suppress(NotFoundError):
            return self.waiting.size(digest)
        return self._stat(digest).size

    def modified(self, digest: Digest) -> int:
        """Return when the object was last put, milliseconds since the epoch, UTC."""
        with contextlib.suppress(NotFoundError):
            return self.waiting.modified(digest)
        sign = self.bucket.stat(f"kept/{key_of(digest)}")
        return max(self._stat(digest).modified, sign.modified if sign else 0)

    def digests(self) -> Iterator[Digest]:
        """Yield the digests of all objects, in order."""
        found = {digest for stat in self.bucket.list("sha256/") if (digest := digest_of(stat.key))}
        yield from sorted(found | set(self.waiting.digests()))

    def url(self, digest: Digest) -> str:
        """Return where the object lies, or will lie once it is taken up."""
        return self.bucket.url(key_of(digest))

    # Getting

    def open(self, digest: Digest) -> BinaryIO:
        """Open the object for reading, unverified."""
        return self._read_here(digest, lambda store: store.open(digest))

    def open_verified(self, digest: Digest) -> BinaryIO:
        """Open the object for reading after its bytes were found to match."""
        return self._read_here(digest, lambda store: store.open_verified(digest))

    def read(self, digest: Digest, limit: int | None = None) -> bytes:
        """Return the object's verified bytes; refuse more than `limit` of them."""
        if limit is not None and not self.cache.store.exists(digest) and (size := self.size(digest)) > limit:
            raise UsageError(f"Object {digest} has {size} bytes, more than {limit}: copy it to a file instead.")
        return self._read_here(digest, lambda store: store.read(digest, limit))

    def copy_to(self, digest: Digest, target: Path) -> int:
        """Write the verified object to a file that appears whole or not at all; return its size."""
        return self._read_here(digest, lambda store: store.copy_to(digest, target))

    def fetch(self, digests: Iterable[Digest], progress: Progress | None = None) -> None:
        """Bring objects into the cache, several at a time."""
        here = (self.waiting, self.cache.store)
        wanted = [digest for digest in dict.fromkeys(digests) if not any(store.exists(digest) for store in here)]
        _side_by_side(self._fetch, wanted, progress)

    def verify(self, digest: Digest) -> None:
        """Read the object, where it lies, and compare it with its digest."""
        if self.waiting.exists(digest):
            self.waiting.verify(digest)
            return
        for last in (False, True):
            found = _digest(self._chunks(digest))
            if found == digest:
                return
            if last:
                raise self._damaged(digest, found)

    def delete(self, digest: Digest) -> bool:
        """Remove the object; return whether it was there."""
        key = key_of(digest)
        there = self.bucket.stat(key) is not None
        self.bucket.delete([key])
        self.bucket.delete([f"kept/{key}"])
        return bool(self.cache.store.delete(digest) | self.waiting.delete(digest) | there)

    def discard(self, digest: Digest, before_ms: int) -> bool:
        """Remove the object unless it was put since `before_ms`; return whether it is gone.

        Its sign of life is looked at last. A put writes the sign and then looks for the object once more, so that only one that falls
        between this look and the deletion, some milliseconds, can be missed; what was put stays in that user's cache.
        """
        try:
            if self.modified(digest) > before_ms:
                return False
        except NotFoundError:
            return False
        return self.delete(digest)

    def _read_here(self, digest: Digest, action: Callable[[LocalStore], _Made]) -> _Made:
        """Do something with an object where it lies on this machine; a damaged copy in the cache is fetched anew."""
        if self.waiting.exists(digest):
            with contextlib.suppress(NotFoundError):
                return action(self.waiting)
        if self.cache.store.exists(digest):
            try:
                return action(self.cache.store)
            except (DamagedError, NotFoundError):
                self.cache.store.delete(digest)
        self._fetch(digest)
        return action(self.cache.store)

    def _fetch(self, digest: Digest) -> int:
        size = self._stat(digest).size
        for last in (False, True):
            try:
                return self.cache.fill(digest, size, lambda start: self._chunks(digest, start))
            except DamagedError as error:
                # Bytes that went wrong on the way come right the second time; a damaged object does not.
                if last:
                    raise self._damaged(digest, str(error.args[0]).rsplit(" ", 1)[-1].rstrip(".")) from None
        raise AssertionError("unreachable")

    def _chunks(self, digest: Digest, start: int = 0) -> Iterator[bytes]:
        """Yield an object's bytes; a connection that breaks is taken up again where it broke."""
        tries, end = 0, time.monotonic() + _PATIENCE_S
        while True:
            try:
                for chunk in self.bucket.chunks(key_of(digest), start):
                    start += len(chunk)
                    tries, end = 0, time.monotonic() + _PATIENCE_S
                    yield chunk
                return
            except NotFoundError:
                raise self._absent(digest) from None
            except StorageError:
                tries += 1
                if tries == _TRIES or time.monotonic() > end:
                    raise
                time.sleep(0.1 * 2**tries)

    def _stat(self, digest: Digest) -> Stat:
        found = self.bucket.stat(key_of(digest))
        if found is None:
            raise self._absent(digest)
        return found

    def _absent(self, digest: Digest) -> NotFoundError:
        return NotFoundError(
            f"Object {digest} is not at {self.bucket.url('')}. If it waits on another machine, run there: runfolio sync. "
            "If it is in another store: runfolio artifacts mirror."
        )

    def _damaged(self, digest: Digest, found: str) -> DamagedError:
        return DamagedError(
            f"Object {digest} at {self.url(digest)} is damaged: its bytes have the digest {found}. "
            "Delete it and put the content again, from a backup or by running again."
        )


def key_of(digest: Digest) -> str:
    """Return the key of an object.

    Examples
    --------
    >>> key_of(Digest("sha256:" + "ab" * 32))[:12]
    'sha256/ab/ab'
    """
    try:
        check_digest(digest)
    except ValueError as error:
        raise UsageError(f"Not the name of an object: {error}.") from None
    return f"sha256/{digest[7:9]}/{digest[9:]}"


def digest_of(key: str) -> Digest | None:
    """Return the digest that a key names, or None: other things may lie in a bucket."""
    parts = key.split("/")
    if len(parts) != 3 or parts[0] != "sha256":
        return None
    try:
        return check_digest(f"sha256:{parts[1]}{parts[2]}")
    except ValueError:
        return None


def _digest(chunks: Iterable[bytes]) -> str:
    sha = sha256()
    for chunk in chunks:
        sha.update(chunk)
    return f"sha256:{sha.hexdigest()}"


def _spread(action: Callable[[Digest], None], items: list[Digest]) -> None:
    """Call `action` with each item, in several threads where threads can be had.

    Runs are committed as the interpreter ends, when a pool of the standard library takes no more work and Python 3.12 starts no more
    threads: what those cannot do is done in this one.
    """
    pending: SimpleQueue[Digest] = SimpleQueue()
    for item in items:
        pending.put(item)

    def work() -> None:
        with contextlib.suppress(Empty):
            while True:
                action(pending.get_nowait())

    threads = []
    with contextlib.suppress(RuntimeError):
        for _ in range(min(PARALLEL, len(items)) - 1):
            thread = Thread(target=work, daemon=True)
            thread.start()
            threads.append(thread)
    work()
    for thread in threads:
        thread.join()


def _side_by_side(action: Callable[[Digest], int], digests: Iterable[Digest], progress: Progress | None) -> list[int]:
    """Do something with each object, several at a time; the first fault is raised once all others are done."""
    items = list(digests)
    done: list[int] = []
    faults: list[RunfolioError] = []

    def one(digest: Digest) -> None:
        if len(faults) >= _HOPELESS and not done:
            return
        try:
            size = action(digest)
        except RunfolioError as error:
            faults.append(error)
            return
        done.append(size)
        if progress:
            progress(size)

    _spread(one, items)
    if faults:
        worst = next((fault for fault in faults if isinstance(fault, DamagedError)), faults[0])
        left = len(items) - len(done) - 1
        if left:
            raise type(worst)(f"{worst.message} {left} more objects failed or were not tried; {len(done)} are done.") from worst
        raise worst
    return done
