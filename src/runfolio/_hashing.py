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

_WORTH_LOADING, _WORTH_CALLING = 1024 * 1024, 512
"""Bytes from which on OpenSSL makes up for its loading, and, where it is loaded, for being looked up (1,240 bytes: 0.8 for 4.5 us)."""


def sha1_of(data: bytes) -> bytes:
    """Return the SHA-1 of data as 20 bytes; OpenSSL takes a seventh of the time for much."""
    if len(data) >= (_WORTH_CALLING if "hashlib" in sys.modules else _WORTH_LOADING):
        from hashlib import sha1 as fast

        return fast(data, usedforsecurity=False).digest()
    return sha1(data, usedforsecurity=False).digest()
