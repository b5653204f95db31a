"""A run's record as plain text, one fact a line, for ``git diff`` (as git's textconv) and for people.

The text of a record never depends on the time, the machine, the locale or a terminal, and lines are sorted, so that two
versions of a record differ in the lines of what changed. Names and values are shown by :func:`~runfolio.records.visible.visible`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from runfolio._typing import Any
from runfolio.records.runs import ArtifactEntry, Lifecycle, MetricSummary, Run
from runfolio.records.times import utc_text
from runfolio.records.visible import visible


def describe_run(run: Run) -> str:
    """Write a run's record as plain text.

    Parameters
    ----------
    run : Run

    Returns
    -------
    str
        Lines, each with its line end.
    """
    return "".join(f"{visible(line)}\n" for part in (_head, _values, _origin, _files) for line in part(run))


def duration_text(milliseconds: int) -> str:
    """Write a span of time: ``0.250 s``, ``1 min 5.0 s``, ``2 h 3 min``.

    Examples
    --------
    >>> duration_text(65_000)
    '1 min 5.0 s'
    """
    sign, rest = ("-", -milliseconds) if milliseconds < 0 else ("", milliseconds)
    if rest < 60_000:
        return f"{sign}{rest / 1000:.3f} s"
    if rest < 3_600_000:
        return f"{sign}{rest // 60_000} min {rest % 60_000 / 1000:.1f} s"
    return f"{sign}{rest // 3_600_000} h {rest % 3_600_000 // 60_000} min"


def number_text(value: float) -> str:
    """Write a number shortly: four significant digits, whole numbers in full up to a billion.

    Examples
    --------
    >>> number_text(0.98148), number_text(12345678.0)
    ('0.9815', '12345678')
    """
    if value == value and abs(value) < 1e9 and value == int(value):
        return str(int(value))
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.6g}"


def _head(run: Run) -> Iterator[str]:
    yield f"run {run.run_id}"
    yield f"experiment: {run.experiment}"
    if run.name:
        yield f"name: {run.name}"
    yield f"status: {run.status}"
    if run.lifecycle is not Lifecycle.ACTIVE:
        yield f"lifecycle: {run.lifecycle}" + (f" since {utc_text(run.deleted_at)}" if run.deleted_at else "")
    yield f"start: {utc_text(run.start)}"
    if run.end is not None:
        yield f"end: {utc_text(run.end)}"
        yield f"duration: {duration_text(run.end - run.start)}"
    for at in run.resumed:
        yield f"resumed: {utc_text(at)}"
    if run.user:
        yield f"user: {run.user}"
    if run.parent:
        yield f"parent: {run.parent}"


def _values(run: Run) -> Iterator[str]:
    for key in sorted(run.params):
        yield f"param {key}: {run.params[key]}"
    for key in sorted(run.metrics):
        yield f"metric {key}: {_metric(run.metrics[key])}"
    if run.series:
        kept = "all here" if run.series.whole else f"a preview here, all in {run.series.digest}"
        yield f"series: {run.series.points} points, {kept}"
    for key in sorted(run.tags):
        yield f"tag {key}: {run.tags[key]}"


def _metric(summary: MetricSummary) -> str:
    parts = [f"{summary.last!r} at step {summary.step}"]
    if summary.count != 1:
        if summary.min is not None and summary.max is not None:
            parts.append(f"min {summary.min!r} at step {summary.min_step}, max {summary.max!r} at step {summary.max_step}")
        parts.append(f"{summary.count} points")
    return ", ".join(parts)


def _origin(run: Run) -> Iterator[str]:
    for item in run.inputs:
        role = f" ({item.context})" if item.context else ""
        source = f" from {item.source_type} {item.source}" if item.source_type or item.source else ""
        yield f"dataset {item.name}{role}: {item.digest}{source}"
    for title, part in (("code", run.code), ("entry", run.entry), ("environment", run.environment), ("field", run.extra)):
        for key in sorted(part):
            yield f"{title} {key}: {_text(part[key])}"


def _files(run: Run) -> Iterator[str]:
    for path in sorted(run.artifacts):
        yield f"artifact {path}: {_entry(run.artifacts[path])}"
    if run.manifest:
        yield f"artifacts: {run.artifact_count} files, listed in {_entry(run.manifest)}"
    for notice in run.notices:
        yield f"notice: {notice}"


def _entry(entry: ArtifactEntry) -> str:
    return f"{entry.size} bytes, {entry.digest}" + (f", {entry.media_type}" if entry.media_type else "")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
