"""Keys of objects in a bucket: ``sha256/ab/cdef…``."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from runfolio.errors import UsageError
from runfolio.formats.runs import check_digest
from runfolio.records.runs import Digest


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


def digest_of_chunks(chunks: Iterable[bytes]) -> str:
    """Return the digest of what an iterator yields."""
    sha = sha256()
    for chunk in chunks:
        sha.update(chunk)
    return f"sha256:{sha.hexdigest()}"
