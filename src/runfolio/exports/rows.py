"""Records as rows of the tables of :mod:`runfolio.exports.tables`; each value in the order of the table's columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from runfolio.exports import tables
from runfolio.exports.selection import FolioReader
from runfolio.query.evaluate import artifact_uri
from runfolio.records import ArtifactEntry, Experiment, Run
from runfolio.records.datasets import Dataset, Facts
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.registry.history import Event

Row = tuple[Any, ...]
Rows = Iterator[tuple[tables.Table, Row]]


def run_rows(run: Run, experiment: Experiment, artifacts: Mapping[str, ArtifactEntry] | None, missing: set[str] | None) -> Rows:
    """Yield the rows of a run, but for its metric points.

    Parameters
    ----------
    run : Run
    experiment : Experiment
    artifacts : Mapping of str to ArtifactEntry, or None
        None where the list cannot be read.
    missing : set of str, or None
        Digests that the store does not have; None where that was not looked at.
    """
    yield tables.RUNS, _run_row(run, experiment, artifacts)
    for key in sorted(run.params):
        yield tables.PARAMS, (run.run_id, key, run.params[key])
    for key in sorted(run.metrics):
        last = run.metrics[key]
        steps = (None, None) if last.min is None else (last.min_step, last.max_step)
        row = (run.run_id, key, last.last, last.step, last.timestamp, last.count, last.min, steps[0], last.max, steps[1])
        yield tables.METRICS, row
    for key in sorted(run.tags):
        yield tables.TAGS, (run.run_id, key, run.tags[key])
    for item in run.inputs:
        facts = (item.source_type or None, item.source or None, item.schema or None, item.profile or None)
        yield tables.INPUTS, (run.run_id, item.name, item.digest, item.context, *facts, _json(dict(item.tags)))
    for path, entry in (artifacts or {}).items():
        uri = f"{artifact_uri(run.run_id)}/{path}"
        there = None if missing is None else entry.digest not in missing
        yield tables.ARTIFACTS, (run.run_id, path, entry.size, entry.digest, entry.media_type or None, uri, there)


def _run_row(run: Run, experiment: Experiment, artifacts: Mapping[str, ArtifactEntry] | None) -> Row:
    code, entry, environment = run.code, run.entry, run.environment
    dirty = code.get("dirty")
    return (
        run.run_id,
        experiment.experiment_id,
        experiment.name,
        run.name or None,
        run.status.value,
        run.lifecycle.value,
        run.start,
        run.end,
        None if run.duration_ms is None else run.duration_ms / 1000,
        run.user or None,
        run.parent,
        run.deleted_at,
        _text(code.get("commit")),
        _text(code.get("branch")),
        _text(code.get("remote")),
        dirty if isinstance(dirty, bool) else None,
        _text(code.get("tree")),
        _text(entry.get("script")),
        _text(entry.get("type")),
        _json(entry.get("args")),
        _text(environment.get("python")),
        _text(environment.get("platform")),
        _text(environment.get("lock")),
        run.artifact_count if artifacts is None else len(artifacts),
        None if artifacts is None else sum(entry.size for entry in artifacts.values()),
        run.series.points if run.series else sum(item.count for item in run.metrics.values()),
        _json(list(run.notices)),
        _json(list(run.resumed)),
    )


def wide_row(run: Run, experiment: Experiment, columns: Mapping[str, int]) -> list[Any]:
    """Return a run's row of ``runs_wide``; `columns` says at which place a key such as ``metrics.loss`` stands."""
    row: list[Any] = [None] * (len(tables.WIDE) + len(columns))
    duration = None if run.duration_ms is None else run.duration_ms / 1000
    row[: len(tables.WIDE)] = [run.run_id, experiment.name, run.name or None, run.status.value, run.start, duration]
    for key, value in wide_values(run):
        place = columns.get(key)
        if place is not None:
            row[place] = value
    return row


def wide_values(run: Run) -> Iterator[tuple[str, Any]]:
    """Yield what a run has for columns of ``runs_wide``, by their names."""
    for key, last in run.metrics.items():
        yield f"metrics.{key}", last.last
    for kind, values in (("params", run.params), ("tags", run.tags)):
        for key, value in values.items():
            yield f"{kind}.{key}", value


def other_rows(reader: FolioReader) -> Rows:
    """Yield the rows of experiments, datasets and models."""
    for experiment in reader.chosen_experiments():
        yield tables.EXPERIMENTS, _experiment_row(experiment)
        yield from _tags("experiment", experiment.name, None, experiment.tags)
    for dataset, facts in reader.datasets:
        yield tables.DATASETS, _dataset_row(dataset, facts)
        yield from _tags("dataset", dataset.name, None, dataset.tags)
    for model, versions in reader.models:
        count = len(versions)
        yield tables.MODELS, (model.name, model.slug, model.created or None, model.description or None, count)
        yield from _tags("model", model.name, None, model.tags)
        numbers = {item.version for item in versions}
        for version in versions:
            yield tables.VERSIONS, _version_row(model, version)
            yield from _tags("version", model.name, version.version, version.tags)
        for alias, number in sorted(model.aliases.items()):
            if number in numbers:
                yield tables.ALIASES, (model.name, alias, number)
        for event in reader.events(model, versions):
            yield tables.HISTORY, _event_row(model, event)


def _tags(of: str, name: str, version: int | None, tags: Mapping[str, str]) -> Rows:
    for key in sorted(tags):
        yield tables.OTHER_TAGS, (of, name, version, key, tags[key])


def _experiment_row(experiment: Experiment) -> Row:
    goal = experiment.objective
    return (
        experiment.experiment_id,
        experiment.name,
        experiment.slug,
        experiment.lifecycle.value,
        experiment.created or None,
        experiment.updated or None,
        experiment.description or None,
        *((goal.metric, goal.direction, goal.replicate) if goal else (None, None, None)),
        experiment.baseline,
    )


def _dataset_row(dataset: Dataset, facts: Facts | None) -> Row:
    return (
        dataset.name,
        dataset.slug,
        dataset.digest,
        dataset.kind.value,
        dataset.path or None,
        dataset.held_by.value,
        dataset.source or None,
        dataset.created or None,
        dataset.description or None,
        *((facts.size, facts.files, facts.rows) if facts else (None, None, None)),
    )


def _version_row(model: RegisteredModel, version: ModelVersion) -> Row:
    return (
        model.name,
        version.version,
        model.stage_of(version.version),
        version.lifecycle.value,
        version.created or None,
        version.user or None,
        version.run_id,
        version.source or None,
        version.path or None,
        version.digest,
        version.size,
        version.file_count,
        _json(list(version.flavors)),
        _json(list(version.runs_code)),
        *(version.signature.get(part) for part in ("inputs", "outputs", "params")),
        version.input_example,
        version.description or None,
    )


def _event_row(model: RegisteredModel, event: Event) -> Row:
    return (
        model.name,
        event.version,
        event.at,
        event.kind,
        event.stage_from or None,
        event.stage_to or None,
        event.text,
        event.author,
        event.commit,
        event.pull_request or None,
        event.merged_by or None,
        event.gates or None,
    )


def _text(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None


def _json(value: Any) -> str | None:
    return json.dumps(value, ensure_ascii=False) if value else None
