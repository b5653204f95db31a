"""From the waiting room into the cache, one after the other though several threads send.

Renames between folders of one file system wait for each other in the kernel: eight threads that rename take four times as long as one
(400 objects: 140 ms of CPU beside 20). So whoever has sent an object notes it, and one thread at a time moves what is noted.
"""

from __future__ import annotations

from collections import deque
from threading import Lock

from runfolio.objects.cache import Cache
from runfolio.objects.local import LocalStore
from runfolio.records.runs import Digest


class Adopting:
    """Objects that are in the bucket, on their way from the waiting room into the cache.

    Parameters
    ----------
    cache : Cache
    waiting : LocalStore
    """

    def __init__(self, cache: Cache, waiting: LocalStore) -> None:
        self._cache, self._waiting = cache, waiting
        self._sent: deque[tuple[Digest, int]] = deque()
        self._lock = Lock()

    def add(self, digest: Digest, size: int) -> None:
        """Note an object that was sent, and move what is noted, unless another thread is at it."""
        self._sent.append((digest, size))
        if self._lock.acquire(blocking=False):
            try:
                self._move()
            finally:
                self._lock.release()

    def finish(self) -> None:
        """Move what is left."""
        with self._lock:
            self._move()

    def _move(self) -> None:
        while self._sent:
            digest, size = self._sent.popleft()
            self._cache.adopt(digest, size, self._waiting)
