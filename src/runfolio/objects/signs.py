"""How puts and clean-ups of one bucket agree about an object without a lock: by signs that each leaves before it looks.

``kept/KEY`` is a sign of life: an empty object, renewed when content is put that the bucket had already, so that a clean-up with a
grace period spares it without its bytes being sent again. ``leaving/KEY`` says that a clean-up is judging the object.

A put writes its sign of life, then looks for a sign of leaving, then for the object. A clean-up makes its sign of leaving (only where
there is none), then looks at the sign of life, then deletes, then takes its sign away. Buckets read what was last written, so whoever
comes second sees the other: the clean-up a sign of life, which spares the object, or the put a sign of leaving, which makes it wait, or
no object, which makes it send the bytes (Dekker's algorithm, without the turn: a clean-up never waits, it leaves the object alone).

A clean-up that was killed leaves a sign that counts for ten minutes; it deletes nothing that long after its look.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from runfolio.errors import StorageError
from runfolio.objects.buckets import Bucket, Stat
from runfolio.objects.keys import digest_of
from runfolio.records.runs import Digest

KEPT, LEAVING, INCOMING = "kept/", "leaving/", "incoming/"
FRESH_S = 60.0
"""So lately put, an object needs no sign: no clean-up with a grace period worth the name takes it."""
STALE_S = 600.0
ABANDONED_S = 24 * 3600.0
_HURRY_S = 30.0
_LOOKS = 6


class Signs:
    """The signs in a bucket.

    Parameters
    ----------
    bucket : Bucket
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def keep(self, key: str, size: int) -> bool:
        """Tell whether an object is there, of this size, and will stay for the grace period of any clean-up.

        Raises
        ------
        StorageError
            If a clean-up is judging it, and does not come to an end.
        """
        found = self._bucket.stat(key)
        if found is None:
            return False
        if found.size == size and found.modified > (time.time() - FRESH_S) * 1000:
            return True
        self._bucket.put(KEPT + key, b"")
        self._wait_for_leaving(key)
        found = self._bucket.stat(key)
        return found is not None and found.size == size

    def renewed(self, key: str) -> int:
        """Return when the sign of life of an object was last renewed, milliseconds since the epoch, UTC; 0 if never."""
        sign = self._bucket.stat(KEPT + key)
        return sign.modified if sign else 0

    def all_renewed(self) -> dict[Digest, int]:
        """Return the times of all signs of life."""
        found = ((digest_of(stat.key[len(KEPT) :]), stat.modified) for stat in self._bucket.list(KEPT))
        return {digest: modified for digest, modified in found if digest}

    def remove(self, key: str, before_ms: int) -> bool:
        """Remove an object unless it was put, or renewed, since `before_ms`; return whether this removed it."""
        if self._bucket.create(LEAVING + key) is None:
            return False
        start = time.monotonic()
        try:
            found = self._bucket.stat(key)
            unused = found is not None and max(found.modified, self.renewed(key)) <= before_ms
        except StorageError:
            with contextlib.suppress(StorageError):
                self._bucket.delete([LEAVING + key])
            raise
        gone = unused and time.monotonic() - start < _HURRY_S
        if gone:
            # Where this fails nobody knows whether it is done: the sign of leaving stays until it is too old to count.
            self._bucket.delete([key])
            self._bucket.delete([KEPT + key])
        self._bucket.delete([LEAVING + key])
        return gone

    def sweep(self) -> int:
        """Remove what killed processes left: bytes under temporary names, old signs, and signs of objects that are gone."""
        now = time.time()
        leftover = [stat.key for stat in self._older(INCOMING, now - ABANDONED_S)]
        leftover += [stat.key for stat in self._older(LEAVING, now - STALE_S)]
        leftover += [
            stat.key for stat in self._older(KEPT, now - ABANDONED_S) if self._bucket.stat(stat.key[len(KEPT) :]) is None
        ]
        self._bucket.delete(leftover)
        return len(leftover)

    def _older(self, prefix: str, than: float) -> Iterator[Stat]:
        return (stat for stat in self._bucket.list(prefix) if stat.modified < than * 1000)

    def _wait_for_leaving(self, key: str) -> None:
        for look in range(_LOOKS):
            sign = self._bucket.stat(LEAVING + key)
            if sign is None:
                return
            if sign.modified < (time.time() - STALE_S) * 1000:
                self._bucket.delete([LEAVING + key])
                return
            time.sleep(0.05 * 2**look)
        raise StorageError(
            f"{self._bucket.url(key)} is being judged by a clean-up (runfolio gc). Try again; where one was killed, in ten minutes."
        )
