"""A store before another: what is put goes into the first, what is asked for comes from either.

For work that may read everything and must leave nothing behind where it read: the second store is never written to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from runfolio.errors import RunfolioError
from runfolio.objects.copies import Copies
from runfolio.objects.store import ObjectStore, Progress, Stored
from runfolio.records.runs import Digest


class LayeredStore:
    """Two stores as one; see :class:`~runfolio.objects.store.ObjectStore` for the methods.

    Parameters
    ----------
    front : ObjectStore
        Takes what is put.
    behind : ObjectStore
        Only read.
    """

    def __init__(self, front: ObjectStore, behind: ObjectStore) -> None:
        self._front, self._behind = front, behind

    def _of(self, digest: Digest) -> ObjectStore:
        return self._front if self._front.exists(digest) else self._behind

    def put_file(self, path: Path) -> tuple[Digest, int]:
        """Store a file's content in the first."""
        return self._front.put_file(path)

    def put_bytes(self, data: bytes) -> tuple[Digest, int]:
        """Store bytes in the first."""
        return self._front.put_bytes(data)

    def put_stream(self, stream: BinaryIO) -> tuple[Digest, int]:
        """Store a stream in the first."""
        return self._front.put_stream(stream)

    def making(self) -> AbstractContextManager[Path]:
        """Return a folder of the first."""
        return self._front.making()

    def take(self, path: Path, digest: Digest) -> int:
        """Make an object of the first."""
        return self._front.take(path, digest)

    @property
    def copies(self) -> Copies:
        """Copies that become objects of the first."""
        return self._front.copies

    def exists(self, digest: Digest) -> bool:
        """Tell whether one of them has it."""
        return self._front.exists(digest) or self._behind.exists(digest)

    def size(self, digest: Digest) -> int:
        """Return its size."""
        return self._of(digest).size(digest)

    def modified(self, digest: Digest) -> int:
        """Return when it was last put."""
        return self._of(digest).modified(digest)

    def open(self, digest: Digest) -> BinaryIO:
        """Open it, unverified."""
        return self._of(digest).open(digest)

    def open_verified(self, digest: Digest) -> BinaryIO:
        """Open it, verified."""
        return self._of(digest).open_verified(digest)

    def read(self, digest: Digest, limit: int | None = None) -> bytes:
        """Return its verified bytes."""
        return self._of(digest).read(digest, limit)

    def copy_to(self, digest: Digest, target: Path) -> int:
        """Write it to a file."""
        return self._of(digest).copy_to(digest, target)

    def verify(self, digest: Digest) -> None:
        """Compare it with its digest."""
        self._of(digest).verify(digest)

    def delete(self, digest: Digest) -> bool:
        """Remove it from the first."""
        return self._front.delete(digest)

    def discard(self, digests: Iterable[Digest], before_ms: int, progress: Callable[[Digest], None] | None = None) -> None:
        """Remove some from the first."""
        self._front.discard(digests, before_ms, progress)

    def sweep(self) -> int:
        """Clean up the first."""
        return self._front.sweep()

    def digests(self) -> Iterator[Digest]:
        """Yield what the first has."""
        return self._front.digests()

    def listed(self) -> Iterator[Stored]:
        """Yield what the first has, with sizes."""
        return self._front.listed()

    def inspect(self, digests: Iterable[Digest], read: Collection[Digest] = ()) -> dict[Digest, int | RunfolioError]:
        """Look at some, in the first, then in the other."""
        asked = list(digests)
        found = self._front.inspect(asked, read)
        rest = [digest for digest in asked if not isinstance(found.get(digest), int) and not self._front.exists(digest)]
        return {**found, **self._behind.inspect(rest, [digest for digest in read if digest in set(rest)])}

    def url(self, digest: Digest) -> str:
        """Return where it lies."""
        return self._of(digest).url(digest)

    def fetch(self, digests: Iterable[Digest], progress: Progress | None = None) -> None:
        """Bring some near."""
        self._behind.fetch([digest for digest in digests if not self._front.exists(digest)], progress)

    def waits(self) -> tuple[int, int]:
        """Return what waits in the first."""
        return self._front.waits()

    def upload(self, progress: Progress | None = None) -> int:
        """Take what waits in the first to its place."""
        return self._front.upload(progress)
