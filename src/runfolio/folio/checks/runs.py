"""One run's record by itself, and the metric histories that lie beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runfolio.errors import DamagedError, UsageError
from runfolio.folio.checks.faults import Restore, faults_of
from runfolio.formats import paths
from runfolio.formats.canonical import is_of_spelling
from runfolio.formats.runs import decode_run
from runfolio.formats.series import Series, decode_series
from runfolio.records import MetricPoint, MetricSummary, Run, RunStatus
from runfolio.records.findings import Finding, Severity
from runfolio.records.names import check_artifact_path, check_key, check_run_id
from runfolio.records.times import utc_text

DAY_MS = 86_400_000


class RunCheck:
    """Checks run records and the series files beside them, one after the other.

    Parameters
    ----------
    prefix : str
        The folio's folder.
    now : int
        Milliseconds since the epoch, UTC.
    restore : callable
    findings : list of Finding
    """

    def __init__(self, prefix: str, now: int, restore: Restore, findings: list[Finding]) -> None:
        self._prefix, self._now, self._restore, self._findings = prefix, now, restore, findings
        self._path = ""
        self._run: Run | None = None

    def record(self, path: str, data: bytes) -> Run | None:
        """Check a run's record; return the run, None where it cannot be read."""
        self.finish()
        self._path = path
        try:
            run = decode_run(data, path)
        except DamagedError as error:
            self._findings.extend(faults_of(error, path, data, "run.format", self._restore(path)))
            if is_of_spelling(error):
                self._fields(path, data)
            return None
        self._agrees(path, run)
        self._names(path, run)
        self._times(path, run)
        self._run = run
        return run

    def _fields(self, path: str, data: bytes) -> None:
        """Say what else is wrong with a record that is not in the canonical spelling: its fields, as far as they can be read."""
        try:
            decode_run(data, path, trusted=True)
        except DamagedError as error:
            self._findings.extend(faults_of(error, path, data, "run.format", self._restore(path)))

    def damaged(self, path: str) -> None:
        """Note that the record at `path` is there and cannot be read, so that its series is no orphan."""
        self.finish()
        self._path = path

    def series(self, path: str, data: bytes | None) -> None:
        """Check the series file that follows its run's record in git's order; None: it is there and cannot be read."""
        run, owner = self._run, self._path
        if paths.series_path(owner or ".json") != path:
            message = "there is no run whose metric histories these would be"
            self._add("series.orphan", path, "", message, self._restore(_record_path(path)))
            run = None
        else:
            self._run = None
        if data is None:
            return
        try:
            series = decode_series(data, path)
        except DamagedError as error:
            self._findings.extend(faults_of(error, path, data, "series.format", self._restore(path)))
            return
        if run is not None:
            self._belongs(path, series, run)

    def finish(self) -> None:
        """Say what the last run lacks."""
        run, self._run = self._run, None
        if run is None:
            return
        if run.series is not None:
            path = paths.series_path(self._path)
            message = f"run {run.run_id} names metric histories, and the file is not there"
            self._add("series.missing", path, "", message, self._restore(path))
            return
        for key, summary in run.metrics.items():
            if summary.count != 1:
                message = f"{summary.count} points are said, and the record names no series that would hold them"
                self._add("run.series", self._path, f"metrics.{key}.count", message, self._restore(self._path))

    def _agrees(self, path: str, run: Run) -> None:
        found = paths.run_of_path(path[len(self._prefix) :])
        assert found is not None
        slug, name = found
        fix = self._restore(path)
        try:
            check_run_id(run.run_id)
        except UsageError as error:
            self._add("run.id", path, "run_id", error.message.rstrip("."), fix)
            return
        if run.run_id != name:
            self._add("run.path", path, "run_id", f"the file's name says {name}, the record says {run.run_id}", fix)
        if run.experiment != slug:
            self._add("run.path", path, "experiment", f"the folder says {slug}, the record says {run.experiment}", fix)
        elif run.run_id == name and _right_path(run) != path[len(self._prefix) :]:
            self._add("run.path", path, "start", f"the record belongs at {self._prefix}{_right_path(run)}", fix)

    def _names(self, path: str, run: Run) -> None:
        kinds: tuple[tuple[str, str, Mapping[str, object]], ...] = (
            ("params", "parameter", run.params), ("metrics", "metric", run.metrics), ("tags", "tag", run.tags),
        )  # fmt: skip
        for field, kind, values in kinds:
            for key in values:
                try:
                    check_key(key, kind)
                except UsageError as error:
                    self._add("run.names", path, field, error.message.rstrip("."), self._restore(path))
        for key in run.artifacts:
            try:
                check_artifact_path(key)
            except UsageError as error:
                self._add("run.names", path, "artifacts", error.message.rstrip("."), self._restore(path))

    def _times(self, path: str, run: Run) -> None:
        warn = Severity.WARNING
        fix = "Look at the clock of the machine that ran it; the record itself is readable"
        if run.end is not None and run.end < run.start:
            self._add("run.times", path, "end", f"{utc_text(run.end)} is before the start, {utc_text(run.start)}", fix, warn)
        for field, at in (("start", run.start), ("end", run.end), ("deleted_at", run.deleted_at)):
            if at is not None and at > self._now + DAY_MS:
                self._add("run.times", path, field, f"{utc_text(at)} is in the future", fix, warn)
            elif at is not None and at <= 0:
                self._add("run.times", path, field, f"{at} is no time in milliseconds since 1970", fix, warn)
        if run.end is None and run.status in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED):
            self._add("run.times", path, "end", f"the run is {run.status}, and has no end", fix, warn)

    def _belongs(self, path: str, series: Series, run: Run) -> None:
        fix = self._restore(path)
        if series.run_id != run.run_id:
            self._add("series.run", path, "run_id", f"the file is that of run {run.run_id}, and says {series.run_id}", fix)
            return
        reference = run.series
        if reference is None:
            message = "there are metric histories beside the record, which names none"
            self._add("run.series", self._path, "series", message, self._restore(self._path))
            return
        for field, here, said in (("points", series.total, reference.points), ("whole", series.whole, reference.whole)):
            if here != said:
                self._add("series.run", path, field, f"{_spell(here)} here, {_spell(said)} in the run's record", fix)
        if not series.whole and reference.digest is None:
            message = "the file beside the record is a preview, and no object holds all points"
            self._add("run.series", self._path, "series.digest", message, self._restore(self._path))
        for key, points in series.metrics.items():
            summary = run.metrics.get(key)
            if summary is None:
                self._add("series.run", path, f"metrics.{key}", "the run's record has no such metric", fix)
            else:
                self._summary(path, key, points, summary, series.whole)
        if series.whole:
            for key in run.metrics.keys() - series.metrics.keys():
                self._add("series.run", path, f"metrics.{key}", "the run's record has this metric, and the histories do not", fix)

    def _summary(self, path: str, key: str, points: Sequence[MetricPoint], summary: MetricSummary, whole: bool) -> None:
        for field, here, said in summary_faults(points, summary, whole):
            message = f"{_spell(here)} by its points, {_spell(said)} in the run's record: one of the two files was changed"
            self._add("series.summary", path, f"metrics.{key}.{field}", message, self._restore(path))

    def _add(self, rule: str, path: str, field: str, message: str, remedy: str, severity: Severity = Severity.ERROR) -> None:
        self._findings.append(Finding(rule, severity, path, field, message, remedy))


def summary_faults(points: Sequence[MetricPoint], summary: MetricSummary, whole: bool) -> list[tuple[str, object, object]]:
    """Compare a metric's points with its summary.

    Parameters
    ----------
    points : sequence of MetricPoint
        All of them, or those of a preview, which keeps the extremes.
    summary : MetricSummary
    whole : bool

    Returns
    -------
    list of (str, object, object)
        Field, what the points say, what the summary says.
    """
    last = max(points, key=lambda point: (point.step, point.timestamp, point.value == point.value, point.value))
    numbers = [point for point in points if point.value == point.value]
    low = min(numbers, key=lambda point: point.value) if numbers else None
    high = max(numbers, key=lambda point: point.value) if numbers else None
    pairs: list[tuple[str, object, object]] = [
        ("min", None if low is None else low.value, summary.min),
        ("max", None if high is None else high.value, summary.max),
    ]
    if low is not None and high is not None and summary.min is not None:
        pairs += [("min_step", low.step, summary.min_step), ("max_step", high.step, summary.max_step)]
    if whole:
        pairs += [
            ("count", len(points), summary.count),
            ("step", last.step, summary.step),
            ("at", last.timestamp, summary.timestamp),
        ]
        pairs.append(("last", last.value, summary.last))
    return [pair for pair in pairs if pair[1] != pair[2] and not (pair[1] != pair[1] and pair[2] != pair[2])]


def _right_path(run: Run) -> str:
    try:
        return paths.run_path(run.experiment, run.run_id, run.start)
    except (ValueError, OverflowError, OSError):
        return "runs/… (its start is no time)"


def _record_path(series_path: str) -> str:
    return series_path.removesuffix(".series.json") + ".json"


def _spell(value: object) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
