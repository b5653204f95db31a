"""The port: what the rooms above ask of a store of objects, wherever its bytes lie."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from runfolio._typing import BinaryIO, NamedTuple, Protocol
from runfolio.errors import RunfolioError
from runfolio.objects.copies import Copies
from runfolio.records.runs import Digest

Progress = Callable[[int], None]
"""Told of bytes that went by."""


class Stored(NamedTuple):
    """An object in a list of all: its size in bytes, and when it was last put, milliseconds since the epoch, UTC."""

    digest: Digest
    size: int
    modified: int


class ObjectStore(Protocol):
    """Objects named by the SHA-256 of their bytes.

    All methods raise `errors.StorageError` where the storage fails, `errors.NotFoundError` where an object that is
    asked for is not there, and `errors.DamagedError` where its bytes are not those of its digest.
    """

    def put_file(self, path: Path) -> tuple[Digest, int]:
        """Store a file's content; return its digest and its size in bytes."""

    def put_bytes(self, data: bytes) -> tuple[Digest, int]:
        """Store bytes; return their digest and size."""

    def put_stream(self, stream: BinaryIO) -> tuple[Digest, int]:
        """Store what a stream yields up to its end; return the digest and size."""

    def making(self) -> AbstractContextManager[Path]:
        """Return a folder, as a context, on the store's own file system."""

    def take(self, path: Path, digest: Digest) -> int:
        """Make an object of a file in such a folder by a rename; return its size."""

    @property
    def copies(self) -> Copies:
        """Copies of files on this machine that become objects later."""

    def exists(self, digest: Digest) -> bool:
        """Tell whether the object is there; its bytes are not looked at."""

    def size(self, digest: Digest) -> int:
        """Return the object's size in bytes."""

    def modified(self, digest: Digest) -> int:
        """Return when the object was last put, milliseconds since the epoch, UTC."""

    def open(self, digest: Digest) -> BinaryIO:
        """Open the object for reading, unverified: the caller compares the digest, or trusts the store."""

    def open_verified(self, digest: Digest) -> BinaryIO:
        """Open the object for reading after its bytes were found to match."""

    def read(self, digest: Digest, limit: int | None = None) -> bytes:
        """Return the object's verified bytes; refuse more than `limit` of them."""

    def copy_to(self, digest: Digest, target: Path) -> int:
        """Write the verified object to a file that appears whole or not at all; return its size."""

    def verify(self, digest: Digest) -> None:
        """Read the object and compare it with its digest."""

    def delete(self, digest: Digest) -> bool:
        """Remove the object; return whether it was there."""

    def discard(self, digests: Iterable[Digest], before_ms: int, progress: Callable[[Digest], None] | None = None) -> None:
        """Remove objects, but for those that were put since `before_ms`, milliseconds since the epoch; `progress` is told of each."""

    def sweep(self) -> int:
        """Remove what killed processes left long ago; return how many files that were."""

    def digests(self) -> Iterator[Digest]:
        """Yield the digests of all objects, in order."""

    def listed(self) -> Iterator[Stored]:
        """Yield all objects with size and time, in order."""

    def inspect(self, digests: Iterable[Digest], read: Collection[Digest] = ()) -> dict[Digest, int | RunfolioError]:
        """Return the size of each object, or what is wrong with it; the bytes of those in `read` are compared, too."""

    def url(self, digest: Digest) -> str:
        """Return where the object lies, for people and other programs."""

    def fetch(self, digests: Iterable[Digest], progress: Progress | None = None) -> None:
        """Bring objects near that are about to be read; `progress` is told of bytes."""

    def waits(self) -> tuple[int, int]:
        """Return how many objects wait on this machine to be taken to the store, and their bytes."""

    def upload(self, progress: Progress | None = None) -> int:
        """Take what waits to the store; return how many objects that were."""
