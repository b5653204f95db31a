"""One metric's points, reduced as they come: memory does not grow with the number of points.

The points are cut into buckets of equal width, counted in points. Of a bucket its least and greatest value stay, and
its first NaN, in the order in which they were logged. When there are too many buckets, neighbours are joined two and two
and the width doubles, so that the whole history is always seen at one resolution. Since the extremes of a joined bucket
are among the extremes of its parts, no spike is ever lost.
"""

from __future__ import annotations

from runfolio.formats.series.columns import Point
from runfolio.records.runs import MetricSummary


class Buckets:
    """The summary and the reduced points of one metric.

    Parameters
    ----------
    points : list of Point
        Its first points; at least one.
    most : int
        Buckets to keep.
    """

    __slots__ = ("_buckets", "_part", "_part_count", "_width", "count", "final", "first", "highest", "last", "lowest")

    def __init__(self, points: list[Point], most: int) -> None:
        self.count = 0
        self.first = self.final = self.last = points[0]
        self.lowest: Point | None = None
        self.highest: Point | None = None
        self._buckets: list[list[Point]] = []
        self._part: list[Point] = []
        self._part_count = 0
        self._width = 1
        self.take(points, most)

    def take(self, points: list[Point], most: int) -> None:
        """Fold in more points, and keep at most `most` buckets."""
        self.count += len(points)
        self.final = points[-1]
        extremes = reduce(points)
        numbers = [point for point in extremes if point[2] == point[2]]
        for point in numbers:
            if self.lowest is None or point[2] < self.lowest[2]:
                self.lowest = point
            if self.highest is None or point[2] > self.highest[2]:
                self.highest = point
        self.last = _last([self.last, *points], has_nan=len(numbers) != len(extremes))
        while self.count > most * self._width:
            self._join()
        at = 0
        if self._width == 1:
            self._buckets += [[point] for point in points]
            at = len(points)
        while at < len(points):
            end = min(len(points), at + self._width - self._part_count)
            self._part = reduce(self._part + points[at:end])
            self._part_count += end - at
            at = end
            if self._part_count == self._width:
                self._buckets.append(self._part)
                self._part, self._part_count = [], 0

    @property
    def is_exact(self) -> bool:
        """Whether every point is a bucket of its own."""
        return self._width == 1

    def summary(self) -> MetricSummary:
        """Return what the run's record says of the metric."""
        step, timestamp, value = self.last
        if self.lowest is None or self.highest is None:
            return MetricSummary(value, step, timestamp, self.count)
        return MetricSummary(
            value, step, timestamp, self.count, self.lowest[2], self.highest[2], self.lowest[0], self.highest[0]
        )  # fmt: skip

    def thinned(self, most: int) -> list[Point]:
        """Return the points to draw: the first, the last, and the extremes of at most `most` equal stretches."""
        buckets = [*self._buckets, self._part] if self._part else self._buckets
        group = -(-len(buckets) // most)
        made: list[Point] = []
        for at in range(0, len(buckets), group):
            made += reduce([point for bucket in buckets[at : at + group] for point in bucket])
        # The very same tuple travels through the buckets, so identity tells whether an end is already there.
        if made[0] is not self.first:
            made.insert(0, self.first)
        if made[-1] is not self.final:
            made.append(self.final)
        return made

    def _join(self) -> None:
        buckets = self._buckets
        joined = [reduce(buckets[at] + buckets[at + 1]) for at in range(0, len(buckets) - 1, 2)]
        if len(buckets) % 2:
            self._part = reduce(buckets[-1] + self._part)
            self._part_count += self._width
        self._buckets = joined
        self._width *= 2


def reduce(points: list[Point]) -> list[Point]:
    """Return the least, the greatest and the first NaN of some points, in their order."""
    if len(points) < 2:
        return points
    values = [point[2] for point in points]
    if not any(map(float.__ne__, values, values)):
        low, high = values.index(min(values)), values.index(max(values))
        return [points[low]] if low == high else [points[min(low, high)], points[max(low, high)]]
    keep = {next(at for at, value in enumerate(values) if value != value)}
    numbers = [value for value in values if value == value]
    if numbers:
        keep.add(values.index(min(numbers)))
        keep.add(values.index(max(numbers)))
    return [points[at] for at in sorted(keep)]


def _last(points: list[Point], *, has_nan: bool) -> Point:
    """Return the point with the largest (step, timestamp, value), MLflow's rule; any number is larger than NaN."""
    if not has_nan and points[0][2] == points[0][2]:
        return max(points)
    return max(points, key=lambda point: (point[0], point[1], point[2] == point[2], point[2]))
