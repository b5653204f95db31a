"""Bringing one object up to a bucket: once, in its own name only when it is whole, hashed as it is read.

Where the bucket compares a SHA-256 that is sent along, an object goes up under its key. Elsewhere it goes up under a temporary name,
is read back, compared, and moved.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from functools import cached_property
from hashlib import md5, sha256
from threading import Lock

from runfolio.errors import DamagedError, RunfolioError, StorageError
from runfolio.objects import resuming
from runfolio.objects.buckets import Bucket
from runfolio.objects.incoming import CHUNK_BYTES
from runfolio.objects.keys import digest_of_chunks, key_of
from runfolio.objects.local import LocalStore
from runfolio.objects.patience import Mark, Patience
from runfolio.objects.resuming import Resuming
from runfolio.objects.signs import INCOMING, Signs
from runfolio.records.runs import Digest

_WHOLE_BYTES = 8 << 20
"""Up to this size an object is sent in one request, out of memory."""
_EAGER_BYTES = 64 << 10
"""Up to this size an object is sent without asking first whether it is there: the question, a way there and back, costs as much."""


class _WrongError(StorageError):
    """What stands in the bucket is not what was sent."""


class Sender:
    """Brings objects up that wait on this machine.

    Parameters
    ----------
    bucket : Bucket
    signs : Signs
    waiting : LocalStore
    """

    def __init__(self, bucket: Bucket, signs: Signs, waiting: LocalStore) -> None:
        self._bucket, self._signs, self._waiting = bucket, signs, waiting
        self._opening = Lock()

    @property
    def in_parts(self) -> Resuming | None:
        """What goes on with uploads that were interrupted; None where the place, or what is installed, cannot."""
        with self._opening:
            return self._in_parts

    @cached_property
    def _in_parts(self) -> Resuming | None:
        uploads = self._bucket.part_uploads()
        return Resuming(uploads, self._bucket, self._waiting) if uploads else None

    def send(self, digest: Digest, mark: Mark) -> int:
        """Bring one object up, unless it is there: verified by the bucket, or by reading it back. Return its size."""
        key, patience = key_of(digest), Patience()
        size, small = self._waiting.read_small(digest, _EAGER_BYTES if self._bucket.checks else -1)
        while True:
            try:
                if small is not None and self._create(key, small):
                    return size
                if not self._signs.keep(key, size):
                    self._send(key, digest, size, mark)
                return size
            except StorageError:
                patience.end_or_wait()

    def _create(self, key: str, data: bytes) -> bool:
        """Send a small object in one request without a look whether it is there; return whether it was not."""
        tag = self._bucket.create(key, data)
        if tag is None:
            return False
        self._confirm(key, len(data), data, tag)
        return True

    def _send(self, key: str, digest: Digest, size: int, mark: Mark) -> None:
        if not self._bucket.checks:
            self._send_and_read_back(key, digest, size, mark)
        elif self._send_in_parts(digest, size, key, mark):
            self._confirm(key, size)
            self._forget(digest)
        else:
            content = self._content(digest, size, mark)
            self._confirm(key, size, content, self._bucket.put(key, content))

    def _send_in_parts(self, digest: Digest, size: int, key: str, mark: Mark) -> str | None:
        """Bring a large object up from where it stands; return its key, or None where that cannot be."""
        if size < resuming.RESUME_BYTES or (uploads := self.in_parts) is None:
            return None
        return uploads.send(digest, size, key, mark)

    def _forget(self, digest: Digest) -> None:
        if uploads := self._in_parts:
            uploads.forget(digest)

    def _confirm(self, key: str, size: int, content: bytes | Iterator[bytes] | None = None, tag: str = "") -> None:
        """Look for what was sent, unless its entity tag, which is mostly the MD5 of what came in one request, says that it is there."""
        if isinstance(content, bytes) and tag.strip('"') == md5(content, usedforsecurity=False).hexdigest():
            return
        found = self._bucket.stat(key)
        if found is None or found.size != size:
            raise StorageError(f"{self._bucket.url(key)} is not what was sent: try again.")

    def _content(self, digest: Digest, size: int, mark: Mark) -> bytes | Iterator[bytes]:
        """Return what waits, to be sent: whole if it is small, else as it is read, ended by an error if it was damaged."""
        return self._waiting.read(digest) if size <= _WHOLE_BYTES else self._streamed(digest, mark)

    def _streamed(self, digest: Digest, mark: Mark) -> Iterator[bytes]:
        sha, at = sha256(), 0
        with self._waiting.open(digest) as source:
            while chunk := source.read(CHUNK_BYTES):
                sha.update(chunk)
                at += len(chunk)
                yield chunk
                mark.reach(at)
        if (found := f"sha256:{sha.hexdigest()}") != digest:
            raise DamagedError(
                f"Object {digest} in {self._waiting.root} is damaged: its bytes have the digest {found}. It was not sent. "
                "Delete it and put the content again, from a backup or by running again."
            )

    def _send_and_read_back(self, key: str, digest: Digest, size: int, mark: Mark) -> None:
        temporary = f"{INCOMING}{uuid.uuid4().hex}"
        if sent := self._send_in_parts(digest, size, temporary, mark):
            # It was long on its way: while it cannot be read back it stays under its temporary name, and is read at the next try.
            try:
                self._publish(sent, key, digest)
            except _WrongError:
                self._forget(digest)
                raise
            self._forget(digest)
            return
        try:
            self._bucket.put(temporary, self._content(digest, size, mark))
            self._publish(temporary, key, digest)
        except BaseException:
            with contextlib.suppress(RunfolioError):
                self._bucket.delete([temporary])
            raise

    def _publish(self, temporary: str, key: str, digest: Digest) -> None:
        """Give what stands under a temporary name its own, if it is read back as what its digest says."""
        if digest_of_chunks(self._bucket.open(temporary)[1]) != digest:
            with contextlib.suppress(RunfolioError):
                self._bucket.delete([temporary])
            raise _WrongError(f"{self._bucket.url(key)}: what was read back is not what was sent.")
        self._bucket.move(temporary, key)
