"""The port to a cloud's own uploads in parts, which outlive the process that began them.

An upload has an id that its place gave it; who begins one may lose it to a clean-up, or to whoever completes it first. What a place
has of it is told part by part, so that only what is missing is sent; nothing stands under the key before :meth:`PartUploads.complete`.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import md5, sha256
from typing import NamedTuple, Protocol

from runfolio.errors import StorageError

_PART_BYTES = 8 << 20
_MOST_PARTS = 9_000
"""S3 takes 10,000."""


class RefusedError(StorageError):
    """The place understood, and said no: the same request will not do better."""


class Begun(NamedTuple):
    """An upload that somebody began: the key that it goes to, and its id."""

    key: str
    upload: str


class Part(NamedTuple):
    """A part of a file.

    Parameters
    ----------
    size : int
        Bytes.
    md5, sha256 : str
        Hexadecimal; empty where the place does not tell.
    tag : str
        What the place knows it by.
    sealed : bool
        Whether the place takes it no more; what it holds is compared when the whole is read back.
    """

    size: int
    md5: str = ""
    sha256: str = ""
    tag: str = ""
    sealed: bool = False

    def holds(self, here: Part) -> bool:
        """Tell whether this, of a place, has the bytes of a part that lies here, by the best that the place tells."""
        if self.size != here.size or self.sealed:
            return self.size == here.size
        return self.sha256 == here.sha256 if self.sha256 else self.md5 == here.md5 if self.md5 else False


class PartUploads(Protocol):
    """Uploads in parts. All methods raise `errors.StorageError` where the place fails, and none says what is secret."""

    at_once: int
    """How many parts of one file may be on their way; 1 where each begins where the one before ended."""

    def begin(self, key: str, size: int) -> str:
        """Begin an upload of so many bytes; return its id."""

    def find(self, key: str) -> str | None:
        """Return the id of the upload that was begun last for a key and is not complete; None where the place cannot tell."""

    def held(self, key: str, upload: str, sizes: list[int]) -> Mapping[int, Part] | None:
        """Return the parts that the place has, by their numbers from 0; None where it knows no such upload any more."""

    def put(self, key: str, upload: str, number: int, data: bytes, part: Part) -> Part | None:
        """Bring a part up, compared by the place with its checksum where it compares; None where there is no such upload any more."""

    def complete(self, key: str, upload: str, parts: list[Part]) -> bool:
        """Make the object of its parts; False where there is no such upload any more."""

    def abandon(self, key: str, upload: str) -> None:
        """Let an upload and its parts go, as far as the place lets us."""

    def abandon_older(self, prefix: str, age_s: float) -> int:
        """Let uploads go to which nothing came for so many seconds, where the place keeps them for ever; return how many."""


def part_of(data: bytes) -> Part:
    """Return what bytes are known by."""
    return Part(len(data), md5(data, usedforsecurity=False).hexdigest(), sha256(data).hexdigest())


def sizes_of(size: int) -> list[int]:
    """Return the sizes of the parts of a file: the same for all who send it.

    Examples
    --------
    >>> [size >> 20 for size in sizes_of(20 << 20)]
    [8, 8, 4]
    >>> len(sizes_of(1 << 40)), sizes_of(1 << 40)[0] >> 20
    (8963, 117)
    """
    part = max(_PART_BYTES, (size // _MOST_PARTS >> 20) + 1 << 20)
    return [min(part, size - start) for start in range(0, size, part)]
