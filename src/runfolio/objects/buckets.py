"""The port to a place of keys and bytes, wherever it is; nothing about digests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from runfolio.objects.part_uploads import PartUploads


class Stat(NamedTuple):
    """What a bucket knows of a key.

    Parameters
    ----------
    key : str
    size : int
        Bytes.
    modified : int
        Milliseconds since the epoch, UTC.
    """

    key: str
    size: int
    modified: int


class Bucket(Protocol):
    """The port to a place of keys and bytes. All methods raise `errors.StorageError` where the place fails."""

    checks: bool
    """Whether the place compares what arrives with a checksum that was sent along."""

    def put(self, key: str, content: bytes | Path | Iterator[bytes], attributes: Mapping[str, str] | None = None) -> str:
        """Store bytes, a file, or what an iterator yields under a key, whole or not at all; what the iterator raises is passed on.

        `attributes` are headers to serve it by, where the place knows any. Returns the entity tag, empty where the place tells none.
        """

    def create(self, key: str, content: bytes = b"") -> str | None:
        """Store bytes under a key where there is none, by whichever of several makers comes first.

        Returns the entity tag, as :meth:`put` does; None where the key was there.
        """

    def open(self, key: str, start: int = 0) -> tuple[int, Iterator[bytes]]:
        """Return a key's size in bytes, and its bytes from an offset; `errors.NotFoundError` if it is not there."""

    def stat(self, key: str) -> Stat | None:
        """Return size and time of a key, or None if it is not there."""

    def move(self, key: str, to: str) -> None:
        """Move what lies under a key to another, in place of what is there."""

    def delete(self, keys: list[str]) -> None:
        """Remove keys; those that are not there are passed over."""

    def list(self, prefix: str) -> Iterator[Stat]:
        """Yield what lies under keys that start with `prefix`, in order."""

    def url(self, key: str) -> str:
        """Return where a key lies, for people."""

    def part_uploads(self) -> PartUploads | None:
        """Return the place's own uploads in parts, which another process can go on with; None where there are none here."""


def reason(text: str) -> str:
    """Return the telling part of what a storage library said, on one line and without what is secret.

    Examples
    --------
    >>> reason("Generic S3 error: HTTP error: connect error\\n\\nDebug source:\\nGeneric { … }")
    'Generic S3 error: HTTP error: connect error'
    >>> reason("Error performing HEAD http://h/k in 3ms - Server returned non-2xx status code: 403 Forbidden: ")
    'the server says 403 Forbidden'
    """
    first = " ".join(text.split("\n\nDebug source")[0].split())
    message = re.search(r"<Message>(.*?)</Message>", first)
    status = re.search(r"Server returned non-2xx status code: (\d{3} [A-Za-z ]+)", first)
    told = message[1] if message else f"the server says {status[1]}" if status else re.sub(r"<[^>]*>", " ", first)
    told = re.sub(r"(?i)(x-amz-[a-z-]+|sig|signature|token|credential)=[^&\s\"']+", r"\1=…", told)
    return " ".join(told.split()).rstrip(".")[:400]
