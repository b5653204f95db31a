"""SHA-1 and SHA-256 for what is small: from Python's own modules, since OpenSSL takes 3 to 5 ms to load.

What hashes whole files takes :mod:`hashlib`, whose OpenSSL uses the processor's own instructions.
"""

from __future__ import annotations

import sys

from runfolio._typing import TYPE_CHECKING

__all__ = ["sha1", "sha1_of", "sha256"]

if TYPE_CHECKING:
    from hashlib import sha1, sha256
else:
    # Python can be built without one of these modules, and 3.12 renamed the second.
    try:
        from _sha1 import sha1
    except ImportError:
        from hashlib import sha1
    try:
        try:
            from _sha256 import sha256
        except ImportError:
            from _sha2 import sha256
    except ImportError:
        from hashlib import sha256

_WORTH_LOADING = 1024 * 1024
"""Bytes that one process hashes from which on OpenSSL makes up for its loading."""
_best, _hashed = sha1, 0


def sha1_of(data: bytes) -> bytes:
    """Return the SHA-1 of data as 20 bytes, by OpenSSL where it is loaded, or much is hashed: a fifth of the time."""
    global _best, _hashed  # noqa: PLW0603 - chosen once a process
    if _best is sha1:
        _hashed += len(data)
        if "hashlib" in sys.modules or _hashed >= _WORTH_LOADING:
            from hashlib import sha1 as _best
    return _best(data, usedforsecurity=False).digest()
