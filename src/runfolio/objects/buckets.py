"""The port to a place of keys and bytes, wherever it is; nothing about digests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol


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

    def put(self, key: str, content: bytes | Path | Iterator[bytes], attributes: Mapping[str, str] | None = None) -> None:
        """Store bytes, a file, or what an iterator yields under a key, whole or not at all; what the iterator raises is passed on.

        `attributes` are headers to serve it by, where the place knows any.
        """

    def create(self, key: str) -> bool:
        """Make an empty key where there is none, by whichever of several makers comes first; return whether this one did."""

    def chunks(self, key: str, start: int = 0) -> Iterator[bytes]:
        """Yield a key's bytes from an offset; `errors.NotFoundError` if it is not there."""

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


def reason(text: str) -> str:
    """Return the telling part of what a storage library said, on one line and without what is secret.

    Examples
    --------
    >>> reason("Generic S3 error: HTTP error: connect error\\n\\nDebug source:\\nGeneric { … }")
    'Generic S3 error: HTTP error: connect error'
    """
    first = " ".join(text.split("\n\nDebug source")[0].split())
    message = re.search(r"<Message>(.*?)</Message>", first)
    told = message[1] if message else re.sub(r"<[^>]*>", " ", first)
    told = re.sub(r"(?i)(x-amz-[a-z-]+|sig|signature|token|credential)=[^&\s\"']+", r"\1=…", told)
    return " ".join(told.split()).rstrip(".")[:400]
