"""Runs of searches that somebody else conducts (Optuna's own loop, Hydra's multirun), written so that they read as a sweep of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from runfolio.records import Experiment, new_run_id
from runfolio.records import sweeps as tags
from runfolio.sweeps.document import document_of, encode_document
from runfolio.sweeps.resuming import read_book
from runfolio.sweeps.settings import settings_of
from runfolio.sweeps.trials import TrialState
from runfolio.tracking import fluent
from runfolio.tracking.live import LiveRun
from runfolio.tracking.session import Session
from runfolio.tracking.starting import start_live

_STATUS = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "FINISHED", TrialState.FAILED: "FAILED"}


def sweep_tags(metrics: Sequence[tuple[str, str]], sampler: str, objective: str) -> dict[str, str]:
    """Return the tags that make a run a sweep's own."""
    made = {tags.METRICS_TAG: json.dumps(list(metrics)), tags.SAMPLER_TAG: json.dumps({"type": sampler})}
    return {**made, tags.PRUNER_TAG: json.dumps({"type": "none"}), tags.OBJECTIVE_TAG: objective[:2000]}


def start_parent(held: Session, experiment: Experiment, name: str | None, all_tags: Mapping[str, Any]) -> LiveRun:
    """Start the run that the others are children of; a child of the active one, if there is one."""
    active = fluent.active_run()
    outer = {"mlflow.parentRunId": active.info.run_id} if active is not None else {}
    return start_live(held, experiment, name=name, tags={**outer, **all_tags})


def start_child(
    held: Session, experiment: Experiment, parent: str | None, number: int, name: str | None, more: Mapping[str, Any]
) -> fluent.ActiveRun:
    """Start the run of one trial, and make it the active run of this thread."""
    all_tags = {**more, tags.TRIAL_TAG: str(number)}
    if parent:
        all_tags["mlflow.parentRunId"] = parent
    live = start_live(held, experiment, name=name, tags=all_tags, run_id=new_run_id())
    return fluent.enter(held, live, experiment.experiment_id)


def end_child(
    held: Session, active: fluent.ActiveRun, state: TrialState, values: Mapping[str, float], fault: str = "", **more: str
) -> None:
    """Log how a trial went, and end its run."""
    live = active.live
    fluent.leave(active, _STATUS[state])
    if live.closed:
        return
    said = {tags.STATE_TAG: str(state), **{key: text for key, text in more.items() if text}}
    if fault:
        said[tags.FAULT_TAG] = fault[:2000]
    if values and state is not TrialState.FAILED:
        said[tags.VALUES_TAG] = json.dumps(list(values.values()))
    live.batch([(name, value, None, 0) for name, value in values.items() if not live.knows(name)], {}, said)
    live.end(_STATUS[state])
    held.sealed(live, top=False)


def end_parent(held: Session, live: LiveRun, status: str, *, is_sweep: bool) -> None:
    """Leave ``sweep.json`` in the parent, and end it."""
    if live.closed:
        return
    if is_sweep:
        settings = settings_of(held.folio.runs.get(live.run_id))
        book = read_book(held, live.run_id, settings)
        live.artifact_bytes(
            encode_document(document_of(live.record.name, settings, book, None, held.redactor.fresh())), tags.DOCUMENT
        )
    live.end(status)
    held.sealed(live)
