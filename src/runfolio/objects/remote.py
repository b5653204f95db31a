"""Objects in a bucket: put into a waiting room on this machine, taken up to the bucket, read through a cache.

What is put is stored and hashed here first, so that logging needs no network and loses nothing without one; :meth:`upload`
takes it up and only then lets it go from the waiting room, into the cache. What is sent is hashed as it is read, and not published where
it is not what its digest says; what is read is compared with its digest before it enters the cache and again whenever it leaves it.

Keys are ``sha256/ab/cdef…``; beside them lie the signs of :mod:`runfolio.objects.signs`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from runfolio.errors import DamagedError, NotFoundError, RunfolioError, StorageError, UsageError
from runfolio.objects.adopting import Adopting
from runfolio.objects.buckets import Bucket, Stat
from runfolio.objects.cache import Cache
from runfolio.objects.copies import Copies
from runfolio.objects.keys import digest_of, digest_of_chunks, key_of
from runfolio.objects.local import LocalStore
from runfolio.objects.parallel import side_by_side
from runfolio.objects.patience import Mark, Patience
from runfolio.objects.sending import Sender
from runfolio.objects.signs import ABANDONED_S, INCOMING, Signs
from runfolio.objects.store import Progress, Stored
from runfolio.records.runs import Digest

_READS = 3
"""Bytes that went wrong on the way come right when they are read again; a damaged object does not."""
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
        self.signs = Signs(bucket)
        self.waiting = LocalStore(waiting, durable)
        self._sender = Sender(bucket, self.signs, self.waiting)
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

    def making(self) -> contextlib.AbstractContextManager[Path]:
        """Return a folder, as a context, whose files :meth:`take` lets wait without a copy."""
        return self.waiting.making()

    def take(self, path: Path, digest: Digest) -> int:
        """Let a file in such a folder wait as an object; return its size."""
        return self.waiting.take(path, digest)

    @property
    def copies(self) -> Copies:
        """Copies that become objects in the waiting room."""
        return self.waiting.copies

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
            Told of bytes as they go up.

        Returns
        -------
        int
            Objects that are in the bucket now and wait no more.

        Raises
        ------
        StorageError
            If some could not be taken up: they wait on. The others are up.
        DamagedError
            If what waits is not what its digest says; it is named and not published.
        """
        sent = Adopting(self.cache, self.waiting)
        try:
            return side_by_side(lambda digest: self._take_up(digest, Mark(progress), sent), self.waiting.digests())
        finally:
            sent.finish()

    def _take_up(self, digest: Digest, mark: Mark, sent: Adopting) -> None:
        # Where it is not there any more, another process took it up meanwhile.
        with contextlib.suppress(NotFoundError):
            size = self._sender.send(digest, mark)
            sent.add(digest, size)
            mark.reach(size)

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
        return max(self._stat(digest).modified, self.signs.renewed(key_of(digest)))

    def digests(self) -> Iterator[Digest]:
        """Yield the digests of all objects, in order."""
        return (item.digest for item in self.listed())

    def listed(self) -> Iterator[Stored]:
        """Yield all objects with size and time, in order; a thousand cost a request."""
        renewed = self.signs.all_renewed()
        found = {
            digest: Stored(digest, stat.size, max(stat.modified, renewed.get(digest, 0)))
            for stat in self.bucket.list("sha256/")
            if (digest := digest_of(stat.key))
        }
        found.update({item.digest: item for item in self.waiting.listed()})
        yield from (found[digest] for digest in sorted(found))

    def inspect(self, digests: Iterable[Digest], read: Collection[Digest] = ()) -> dict[Digest, int | RunfolioError]:
        """Look at objects, several at a time: the size of each, or what is wrong; the bytes of those in `read`, too.

        Raises
        ------
        StorageError
            If the bucket cannot be reached.
        """
        found: dict[Digest, int | RunfolioError] = {}

        def look(digest: Digest) -> None:
            try:
                found[digest] = self.size(digest)
                if digest in read:
                    self.verify(digest)
            except (NotFoundError, DamagedError) as error:
                found[digest] = error

        side_by_side(look, digests)
        return found

    def url(self, digest: Digest) -> str:
        """Return where the object lies: on this machine while it waits, in the bucket once it is taken up."""
        return self.waiting.url(digest) if self.waiting.exists(digest) else self.bucket.url(key_of(digest))

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
        """Bring objects into the cache, several at a time; `progress` is told of bytes as they come."""
        wanted = self.cache.store.absent(self.waiting.absent(dict.fromkeys(digests)))
        side_by_side(lambda digest: self._fetch(digest, Mark(progress)), wanted)

    def verify(self, digest: Digest) -> None:
        """Read the object, where it lies, and compare it with its digest."""
        if self.waiting.exists(digest):
            self.waiting.verify(digest)
            return
        found = ""
        for _ in range(_READS):
            found = digest_of_chunks(self._open(digest)[1])
            if found == digest:
                return
        raise self._damaged(digest, found)

    def delete(self, digest: Digest) -> bool:
        """Remove the object; return whether it was there."""
        key = key_of(digest)
        there = self.bucket.stat(key) is not None
        self.bucket.delete([key])
        self.bucket.delete([f"kept/{key}"])
        return bool(self.cache.store.delete(digest) | self.waiting.delete(digest) | there)

    def discard(self, digests: Iterable[Digest], before_ms: int, progress: Callable[[Digest], None] | None = None) -> None:
        """Remove objects, several at a time, but for those that were put since `before_ms`; `progress` is told of each that went."""

        def leave(digest: Digest) -> None:
            waited = self.waiting.exists(digest)
            if waited:
                self.waiting.discard([digest], before_ms)
            gone = not self.waiting.exists(digest) and (self.signs.remove(key_of(digest), before_ms) or waited)
            if gone:
                self.cache.store.delete(digest)
                if progress:
                    progress(digest)

        side_by_side(leave, digests)

    def sweep(self) -> int:
        """Remove what killed processes left, here and in the bucket, uploads that nobody goes on with among it; return how much."""
        uploads = self._sender.in_parts
        begun = uploads.sweep(("sha256/", INCOMING), ABANDONED_S) if uploads else 0
        return self.waiting.sweep() + self.signs.sweep() + begun

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
        self._fetch(digest, Mark(None))
        return action(self.cache.store)

    def _fetch(self, digest: Digest, mark: Mark) -> None:
        found = ""
        for _ in range(_READS):
            try:
                self.cache.fill(digest, lambda start: self._open(digest, start, mark))
                return
            except NotFoundError:
                if self.waiting.exists(digest):
                    return  # it was put, or a clean-up brought it back, since it was looked for
                raise
            except DamagedError as error:
                found = error.message.rsplit(" ", 1)[-1].rstrip(".")
        raise self._damaged(digest, found)

    def _open(self, digest: Digest, start: int = 0, mark: Mark | None = None) -> tuple[int, Iterator[bytes]]:
        """Return an object's size, and its bytes from an offset; a connection that breaks is taken up again where it broke."""
        patience = Patience()
        while True:
            try:
                size, chunks = self.bucket.open(key_of(digest), start)
            except NotFoundError:
                raise self._absent(digest) from None
            except StorageError:
                patience.end_or_wait()
            else:
                return size, self._unbroken(digest, chunks, start, mark or Mark(None))

    def _unbroken(self, digest: Digest, begun: Iterator[bytes], start: int, mark: Mark) -> Iterator[bytes]:
        patience, chunks = Patience(), begun
        while True:
            try:
                for chunk in chunks:
                    start += len(chunk)
                    mark.reach(start)
                    patience = Patience()
                    yield chunk
                return
            except StorageError:
                patience.end_or_wait()
            chunks = self._open(digest, start)[1]

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
