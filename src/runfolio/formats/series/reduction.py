"""From points in the order in which they were logged to summaries and preview, in one pass and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

from runfolio.formats.series.buckets import Buckets
from runfolio.formats.series.columns import Point
from runfolio.formats.series.preview import MAX_BYTES, Series, encode_series
from runfolio.records.runs import MetricPoint, MetricSummary

_BUFFERED_POINTS = 16_384
_BUFFERED_PER_METRIC = 8
_BUCKETS = 2048
_BUCKETS_PER_METRIC = 512
# A point is at least "0, ", "0, " and "0.0, " in the file: more points than this cannot fit in it.
_MOST_WHOLE = MAX_BYTES // 11


class Reduction:
    """Takes the points of one run as they were logged.

    Memory follows the number of metrics, not of points.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[str, float, int, int]] = []
        self._exact: dict[str, list[Point]] | None = {}
        self._metrics: dict[str, Buckets] = {}
        self._folded = 0
        self._most_waiting = _BUFFERED_POINTS
        self._known_singles: tuple[int, dict[str, MetricSummary] | None] = (-1, None)
        self._preview: tuple[int, str, bytes | None, bool] | None = None

    def add(self, key: str, value: float, timestamp: int, step: int) -> None:
        """Take a point.

        Parameters
        ----------
        key : str
        value : float
            May be NaN or infinite.
        timestamp : int
            Milliseconds since the epoch, UTC.
        step : int
        """
        waiting = self._waiting
        waiting.append((key, value, timestamp, step))
        if len(waiting) >= self._most_waiting:
            self._fold()

    @property
    def points(self) -> int:
        """Points taken so far."""
        return self._folded + len(self._waiting)

    @property
    def whole(self) -> bool:
        """Whether the preview holds every point (or needs none: each metric has one point, which its summary says)."""
        return self._make("")[1]

    def summaries(self) -> dict[str, MetricSummary]:
        """Return each metric's summary, by key, in the order in which the keys came."""
        singles = self._singles()
        if singles is not None:
            return dict(singles)
        self._fold()
        return {key: metric.summary() for key, metric in self._metrics.items()}

    def exact(self) -> Iterator[MetricPoint] | None:
        """Return every point, metric by metric, each as it was logged; None where there were too many of them to be kept."""
        self._fold()
        kept = self._exact
        return None if kept is None else (point for key, points in kept.items() for point in _shown(key, points))

    def preview(self, run_id: str) -> bytes | None:
        """Return the file that is committed beside the run's record.

        Parameters
        ----------
        run_id : str

        Returns
        -------
        bytes or None
            At most `MAX_BYTES`; None where every metric has exactly one point, which its summary says in full.
        """
        return self._make(run_id)[0]

    def _singles(self) -> dict[str, MetricSummary] | None:
        """Return the summaries where no metric has a second point, as in most runs; None where one has."""
        if self._metrics:
            return None
        if self._known_singles[0] != len(self._waiting):
            self._known_singles = (len(self._waiting), self._made_singles())
        return self._known_singles[1]

    def _made_singles(self) -> dict[str, MetricSummary] | None:
        if len({point[0] for point in self._waiting}) < len(self._waiting):
            return None
        made = {}
        for key, value, timestamp, step in self._waiting:
            value = float(value)
            number = value == value
            made[key] = (
                MetricSummary(value, step, timestamp, 1, value, value, step, step)
                if number
                else MetricSummary(value, step, timestamp)
            )
        return made

    def _make(self, run_id: str) -> tuple[bytes | None, bool]:
        if self._singles() is not None:
            return None, True
        self._fold()
        kept = self._preview
        # A run id takes room in the file, so that without one the answer could be another.
        if kept is None or kept[0] != self.points or (kept[1] != run_id and run_id):
            data, whole = self._write(run_id or "0" * 32)
            kept = self._preview = (self.points, run_id, data, whole)
        return kept[2], kept[3]

    def _write(self, run_id: str) -> tuple[bytes | None, bool]:
        if self.points == len(self._metrics):
            return None, True
        size = 0
        if self._exact is not None:
            exact = {key: _shown(key, points) for key, points in self._exact.items()}
            data = encode_series(Series(run_id, True, self.points, exact))
            if len(data) <= MAX_BYTES:
                return data, True
            size = len(data) + len("false") - len("true")
        return self._thin(run_id, size), False

    def _thin(self, run_id: str, size: int) -> bytes:
        """Return the file without what does not fit; `size` is that of the file with all points, where they are known."""
        curves = {key: self._metrics[key] for key in sorted(self._metrics) if self._metrics[key].count > 1}
        if len(curves) < len(self._metrics):
            size = 0  # metrics of one point will not be in it
        if not size and self._exact is not None and sum(metric.count for metric in curves.values()) <= _MOST_WHOLE:
            # What kept the file from being whole may be the metrics of one point, which need no curve.
            drawn = {key: _shown(key, self._exact[key]) for key in curves}
            data = encode_series(Series(run_id, False, self.points, drawn))
            if len(data) <= MAX_BYTES:
                return data
            size = len(data)
        most = min(_BUCKETS_PER_METRIC, MAX_BYTES // (40 * len(curves)))
        while most >= 1:
            if not (
                size and all(metric.is_exact and metric.count <= most for metric in curves.values())
            ):  # else: all points again
                drawn = {key: _shown(key, metric.thinned(most)) for key, metric in curves.items()}
                data = encode_series(Series(run_id, False, self.points, drawn))
                if len(data) <= MAX_BYTES:
                    return data
                size = len(data)
            # The size is nearly linear in the buckets: two or three rounds find the largest number that fits.
            most = min(most - 1, most * MAX_BYTES // size)
        return self._extremes(run_id, curves)

    def _extremes(self, run_id: str, curves: dict[str, Buckets]) -> bytes:
        kept: dict[str, list[MetricPoint]] = {}
        room = MAX_BYTES - len(encode_series(Series(run_id, False, self.points, {}, len(curves)))) - 8
        for key, metric in curves.items():
            drawn = {key: _shown(key, metric.thinned(1))}
            room -= len(encode_series(Series("", False, 0, drawn))) - len(encode_series(Series("", False, 0)))
            if room < 0:
                break
            kept.update(drawn)
        return encode_series(Series(run_id, False, self.points, kept, len(curves) - len(kept)))

    def _fold(self) -> None:
        found: dict[str, list[Point]] = {}
        for key, value, timestamp, step in self._waiting:
            points = found.get(key)
            if points is None:
                points = found[key] = []
            points.append((step, timestamp, float(value)))
        self._folded += len(self._waiting)
        self._waiting.clear()
        if self._folded > _MOST_WHOLE:
            self._exact = None
        known = self._metrics
        # A metric of one point has one bucket, whatever its share.
        curves = sum(1 for key, points in found.items() if len(points) > 1 or key in known)
        curves += sum(1 for key, metric in known.items() if metric.count > 1 and key not in found)
        most = max(2, min(_BUCKETS_PER_METRIC, _BUCKETS // max(1, curves)))
        for key, points in found.items():
            if self._exact is not None:
                self._exact.setdefault(key, []).extend(points)
            metric = self._metrics.get(key)
            if metric is None:
                self._metrics[key] = Buckets(points, most)
            else:
                metric.take(points, most)
        # Folding costs by the metric rather than by the point: let each have a few points to fold.
        self._most_waiting = max(_BUFFERED_POINTS, _BUFFERED_PER_METRIC * len(self._metrics))


def _shown(key: str, points: list[Point]) -> list[MetricPoint]:
    return [MetricPoint(key, value, timestamp, step) for step, timestamp, value in points]
