"""The bytes of committed files, compared with the ids that git gave them.

``git cat-file`` trusts the disk: it compares no digest, and stops altogether at a loose object that it cannot unpack. Here
the ids are compared, and a file that cannot be read is named while the others are read on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice

from runfolio.errors import GitError
from runfolio.gitstore import Repo, TreeEntry

_BATCH = 256
"""Files read at once, which bounds the memory."""


def read_blobs(repo: Repo, entries: Iterable[TreeEntry]) -> Iterator[tuple[TreeEntry, bytes | None, str]]:
    """Yield each file with its content.

    Parameters
    ----------
    repo : Repo
    entries : iterable of TreeEntry

    Yields
    ------
    (TreeEntry, bytes or None, str)
        None with the reason, in words, where the content is not what was committed.
    """
    waiting = iter(entries)
    while batch := list(islice(waiting, _BATCH)):
        oids = [entry.oid for entry in batch]
        try:
            contents = [data for _, data in repo.read_many(oids)]
        except GitError:
            contents = [_read_one(repo, oid) for oid in oids]
        for entry, data in zip(batch, contents, strict=True):
            if data is None:
                yield entry, None, f"git's object {entry.oid[:12]} with its content is missing or unreadable"
            elif blob_id(data, len(entry.oid)) != entry.oid:
                reason = "is damaged: the bytes are not those that were committed"
                yield entry, None, f"git's object {entry.oid[:12]} with its content {reason}"
            else:
                yield entry, data, ""


def _read_one(repo: Repo, oid: str) -> bytes | None:
    try:
        return repo.read(oid)
    except GitError:
        return None


def blob_id(data: bytes, digits: int = 40) -> str:
    """Return the id that git gives to a file's content: SHA-1, or SHA-256 where ids have 64 digits."""
    head = b"blob %d\0" % len(data)
    made = hashlib.sha1(head, usedforsecurity=False) if digits == 40 else hashlib.sha256(head)
    made.update(data)
    return made.hexdigest()
