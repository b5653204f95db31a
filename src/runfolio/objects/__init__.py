"""Bytes by digest: every file of a run, a dataset or a model, stored once and named by its SHA-256.

Invariants: what is visible under a digest is complete; nothing is handed out before its bytes match the digest; good
content is never replaced; a process killed at any moment leaves at most a file in ``incoming/``, which
:meth:`LocalStore.sweep` removes once it is old. The place of a store comes from settings that the user trusts, never
out of a record.

This room does not know what an object is for (records say that) and decides nothing about what may be deleted.

>>> import tempfile, pathlib
>>> store = open_store(None, pathlib.Path(tempfile.mkdtemp()) / "objects", pathlib.Path())
>>> digest, size = store.put_bytes(b"weights")
>>> store.read(digest)
b'weights'
"""

from __future__ import annotations

from runfolio._lazy import lazy_names
from runfolio._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runfolio.objects.files import walk_files
    from runfolio.objects.local import LocalStore
    from runfolio.objects.manifests import decode_manifest, encode_manifest
    from runfolio.objects.media_types import media_type_of
    from runfolio.objects.places import is_bucket, open_bucket, open_store
    from runfolio.objects.store import ObjectStore, Stored

__all__ = [
    "LocalStore",
    "ObjectStore",
    "Stored",
    "decode_manifest",
    "encode_manifest",
    "is_bucket",
    "media_type_of",
    "open_bucket",
    "open_store",
    "walk_files",
]

__getattr__ = lazy_names(
    __name__,
    {
        "files": ("walk_files",),
        "local": ("LocalStore",),
        "manifests": ("decode_manifest", "encode_manifest"),
        "media_types": ("media_type_of",),
        "places": ("is_bucket", "open_bucket", "open_store"),
        "store": ("ObjectStore", "Stored"),
    },
)
