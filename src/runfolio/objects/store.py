"""The port: what the rooms above ask of a store of objects, wherever its bytes lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from runfolio.records.runs import Digest


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

    def discard(self, digest: Digest, before_ms: int) -> bool:
        """Remove the object unless it was put since `before_ms`, milliseconds since the epoch; return whether it is gone."""

    def digests(self) -> Iterator[Digest]:
        """Yield the digests of all objects, in order."""

    def url(self, digest: Digest) -> str:
        """Return where the object lies, for people and other programs."""

    def fetch(self, digests: Iterable[Digest], progress: Callable[[int], None] | None = None) -> None:
        """Bring objects near that are about to be read; `progress` is told of bytes."""

    def waits(self) -> tuple[int, int]:
        """Return how many objects wait on this machine to be taken to the store, and their bytes."""

    def upload(self, progress: Callable[[int], None] | None = None) -> int:
        """Take what waits to the store; return how many objects that were."""
