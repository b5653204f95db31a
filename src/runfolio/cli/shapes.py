"""What ``--json`` and ``--csv`` print: records as plain values.

A run's object begins with ``run_id``. Times are milliseconds since the epoch, UTC, under MLflow's names. JSON has no NaN and no
infinities: they are the texts ``"NaN"``, ``"Infinity"``, ``"-Infinity"``, as in the records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runfolio.formats.canonical import spell_number
from runfolio.formats.runs import encode_input
from runfolio.records import ArtifactEntry, Experiment, MetricPoint, MetricSummary, Run
from runfolio.records.times import utc_text

LEADING = ("run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time")
"""MLflow's first columns of ``experiments csv``."""


def run_shape(run: Run, experiment: Experiment | None) -> dict[str, Any]:
    """Return what a list says of a run."""
    return {
        "run_id": run.run_id,
        "name": run.name,
        "experiment": experiment.name if experiment else run.experiment,
        "experiment_id": experiment.experiment_id if experiment else run.experiment,
        "status": run.status.value,
        "lifecycle": run.lifecycle.value,
        "start_time": run.start,
        "end_time": run.end,
        "duration_ms": run.duration_ms,
        "user": run.user,
        "parent": run.parent,
        "params": dict(run.params),
        "metrics": {key: spell_number(summary.last) for key, summary in run.metrics.items()},
        "tags": dict(run.tags),
    }


def whole_run_shape(run: Run, experiment: Experiment | None, artifacts: Mapping[str, ArtifactEntry]) -> dict[str, Any]:
    """Return all that a record says of a run."""
    return {
        **run_shape(run, experiment),
        "metric_summaries": {key: _summary_shape(summary) for key, summary in run.metrics.items()},
        "inputs": [encode_input(item) for item in run.inputs],
        "artifacts": [artifact_shape(path, artifacts[path]) for path in sorted(artifacts)],
        "code": dict(run.code),
        "entry": dict(run.entry),
        "environment": dict(run.environment),
        "notices": list(run.notices),
        "resumed": list(run.resumed),
        "deleted_at": run.deleted_at,
    }


def _summary_shape(summary: MetricSummary) -> dict[str, Any]:
    low, high = (None if value is None else spell_number(value) for value in (summary.min, summary.max))
    return {
        "last": spell_number(summary.last),
        "step": summary.step,
        "timestamp": summary.timestamp,
        "count": summary.count,
        "min": low,
        "min_step": summary.min_step,
        "max": high,
        "max_step": summary.max_step,
    }


def artifact_shape(path: str, entry: ArtifactEntry) -> dict[str, Any]:
    """Return what is said of an artifact."""
    return {"path": path, "size": entry.size, "digest": entry.digest}


def point_shape(point: MetricPoint) -> dict[str, Any]:
    """Return one point of a metric."""
    return {"step": point.step, "timestamp": point.timestamp, "value": spell_number(point.value)}


def experiment_shape(experiment: Experiment, runs: int | None = None, last_start: int | None = None) -> dict[str, Any]:
    """Return an experiment; `runs` are its active ones."""
    objective = experiment.objective
    made: dict[str, Any] = {
        "experiment_id": experiment.experiment_id,
        "name": experiment.name,
        "folder": experiment.slug,
        "lifecycle": experiment.lifecycle.value,
        "creation_time": experiment.created,
        "last_update_time": experiment.updated,
        "description": experiment.description,
        "tags": dict(experiment.tags),
        "objective": {"metric": objective.metric, "direction": objective.direction, "replicate": objective.replicate}
        if objective
        else None,
        "baseline": experiment.baseline,
    }
    return {**made, "runs": runs or 0, "last_run_time": last_start}


def mlflow_table(runs: Sequence[Run], ids: Mapping[str, str]) -> tuple[list[str], list[list[Any]]]:
    """Return runs as MLflow's ``experiments csv`` has them: `LEADING`, then metrics, params and tags by name.

    Parameters
    ----------
    runs : sequence of Run
    ids : Mapping of str to str
        Experiment ids by folder name.

    Returns
    -------
    list of str
        Titles.
    list of list
        One row a run; None where a run has no such value.
    """
    parts: list[tuple[str, list[Mapping[str, Any]]]] = [
        ("metrics", [{key: spell_number(summary.last) for key, summary in run.metrics.items()} for run in runs]),
        ("params", [run.params for run in runs]),
        ("tags", [run.all_tags for run in runs]),
    ]
    titles = list(LEADING)
    rows: list[list[Any]] = [
        [
            run.run_id,
            ids.get(run.experiment, run.experiment),
            run.status.value,
            f"runs:/{run.run_id}",
            *map(_moment, (run.start, run.end)),
        ]
        for run in runs
    ]
    for name, found in parts:
        keys = sorted({key for entries in found for key in entries})
        titles += [f"{name}.{key}" for key in keys]
        for row, entries in zip(rows, found, strict=True):
            row.extend(entries.get(key) for key in keys)
    return titles, rows


def _moment(at: int | None) -> str | None:
    """Write a moment as pandas writes it into CSV, which is what readers of MLflow's file expect."""
    return None if at is None else utc_text(at).replace("T", " ").replace("Z", "000+00:00")
