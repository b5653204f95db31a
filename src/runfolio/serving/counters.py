"""Counts that all workers of a server share: each writes a small file of its own in memory, and whoever is asked sums them all.

A file is a row of doubles in a fixed order. Only its worker writes it, so nothing is locked; it stays when the worker ends, so that
sums never fall. Made anew with each server.
"""

from __future__ import annotations

import mmap
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

PATHS = ("/invocations", "/ping", "/health", "/version", "/metrics", "/openapi.json", "/docs", "other")
STATUSES = (200, 307, 400, 401, 403, 404, 405, 408, 413, 415, 431, 500, 501, 503, 504)
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
ENDED = ("timeout", "invalid", "full")
PLAIN = ("rows", "batches", "batch_requests", "batch_seconds", "busy_refusals")
GAUGES = ("in_flight", "connections", "stuck", "resident_bytes", "alive", "beat")

_NAMES: list[tuple[str, ...]] = [
    *(("request", path, str(status)) for path in PATHS for status in STATUSES),
    *(("bucket", str(at)) for at in range(len(SECONDS) + 1)),
    ("seconds",),
    *(("ended", kind) for kind in ENDED),
    *((name,) for name in PLAIN),
    *((name,) for name in GAUGES),
]
_AT = {name: at for at, name in enumerate(_NAMES)}
_REQUEST = {(path, status): _AT["request", path, str(status)] for path in PATHS for status in STATUSES}
_BUCKET = _AT["bucket", "0"]
_SIZE = len(_NAMES) * 8


class Counters:
    """The file of one worker.

    Parameters
    ----------
    path : path
        Made if it is missing.
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, _SIZE)
            self._map = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)
        self._values = memoryview(self._map).cast("d")

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        at = _REQUEST.get((path, status))
        if at is None:
            at = _REQUEST[path if path in PATHS else "other", status if status in STATUSES else 500]
        self._values[at] += 1
        if path == "/invocations":
            self._values[_BUCKET + bisect_left(SECONDS, seconds)] += 1
            self._values[_AT["seconds",]] += seconds

    def add(self, *name: str, by: float = 1.0) -> None:
        """Add to a count."""
        self._values[_AT[name]] += by

    def put(self, name: str, value: float) -> None:
        """Set a gauge."""
        self._values[_AT[name,]] = value

    def get(self, name: str) -> float:
        """Read a gauge."""
        return self._values[_AT[name,]]

    def leave(self) -> None:
        """Put the gauges of a worker that has ended to nothing."""
        for name in GAUGES:
            self.put(name, 0.0)


def summed(folder: Path) -> dict[tuple[str, ...], float]:
    """Return the sums over all workers, by name."""
    made = [0.0] * len(_NAMES)
    for values in _files(folder):
        for at, value in enumerate(values):
            made[at] += value
    return dict(zip(_NAMES, made, strict=True))


def _files(folder: Path) -> Iterator[array[float]]:
    for path in sorted(folder.glob("worker-*")):
        data = path.read_bytes()
        if len(data) == _SIZE:
            yield array("d", data)
