"""Points of many metrics, kept on disk as they come and read back metric by metric: millions of them need no memory."""

from __future__ import annotations

import struct
import tempfile
import weakref
from array import array
from collections.abc import Iterator

from runfolio.errors import storage_errors
from runfolio.transfer.source import Point

_POINT = struct.Struct("<dqq")
_BUFFERED = 512
"""Points of a metric that are held before they are written: 12 kB."""


class _Series:
    __slots__ = ("blocks", "cuts", "last", "number", "waiting")

    def __init__(self) -> None:
        self.waiting = bytearray()
        self.blocks = array("q")
        self.cuts: list[tuple[int, int]] = []
        self.number, self.last = 0, float("nan")


class PointSpool:
    """Points of the metrics of a run (or of many: the key is the caller's), in a file that has no name and goes with the process.

    Examples
    --------
    >>> spool = PointSpool()
    >>> spool.add("loss", Point(0.5, 1767225600000, 1))
    >>> spool.add("loss", Point(0.4, 1767225601000, 2))
    >>> [point.value for point in spool.points("loss")]
    [0.5, 0.4]
    """

    def __init__(self) -> None:
        with storage_errors("keep points on disk"):
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 # closed by close(), or with the spool
        self.close = weakref.finalize(self, self._file.close)
        """Let the file go."""
        self._end = 0
        self._series: dict[str, _Series] = {}

    def add(self, key: str, point: Point) -> None:
        """Add a point to a metric."""
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _Series()
        series.waiting += _POINT.pack(*point)
        series.number, series.last = series.number + 1, point.value
        if len(series.waiting) >= _BUFFERED * _POINT.size:
            self._write(series)

    def cut(self, step: int) -> None:
        """Drop what was added before with this step or a later one, of all metrics: the work went on from there again."""
        for series in self._series.values():
            series.cuts.append((series.number, step))

    def last(self) -> dict[str, float]:
        """Return the last value of each metric that has points."""
        found = {}
        for key, series in self._series.items():
            if not series.cuts or series.cuts[-1][0] < series.number:
                found[key] = series.last
                continue
            for point in self.points(key):
                found[key] = point.value
        return found

    def points(self, key: str) -> Iterator[Point]:
        """Yield the points of a metric, in the order in which they were added."""
        series = self._series.get(key)
        if series is None:
            return
        at = 0
        for block in self._read(series):
            for value, timestamp, step in _POINT.iter_unpack(block):
                at += 1
                if not any(at <= before and step >= cut for before, cut in series.cuts):
                    yield Point(value, timestamp, step)

    def _read(self, series: _Series) -> Iterator[bytes]:
        for offset in series.blocks:
            with storage_errors("read points that were kept on disk"):
                self._file.seek(offset)
                block = self._file.read(_BUFFERED * _POINT.size)
            yield block
        yield bytes(series.waiting)

    def _write(self, series: _Series) -> None:
        with storage_errors("keep points on disk"):
            self._file.seek(self._end)
            self._file.write(series.waiting)
        series.blocks.append(self._end)
        self._end += len(series.waiting)
        series.waiting.clear()
