"""A change as JSON, for machines: every field is told in docs/review-format.md, and held to ``change.schema.json``.

Texts are as the records have them. NaN and the infinities are spelled ``"NaN"``, ``"Infinity"``, ``"-Infinity"``, as in records. What is
not known is ``null``; a field of a record that is not there has no ``old``, or no ``new``.

>>> change_document(change)["counts"]["runs_added"]                                        # doctest: +SKIP
12
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio._version import __version__
from runfolio.diff.states import ABSENT, FieldChange
from runfolio.diff.verdict import Group, Verdict
from runfolio.formats.canonical import spell_number
from runfolio.policy import GateResult
from runfolio.records import Run
from runfolio.records.experiments import Objective
from runfolio.review.change import Change, Edited, ExperimentChange, Promotion
from runfolio.review.words import title_of

SCHEMA = 1
Json = dict[str, Any]


def change_document(change: Change) -> Json:
    """Return a change as JSON values.

    Parameters
    ----------
    change : Change

    Returns
    -------
    dict
        Only what JSON can write.
    """
    span = change.span
    return {
        "schema": SCHEMA,
        "kind": "runfolio.change",
        "version": __version__,
        "base": span.base,
        "head": span.head,
        "tip": span.tip,
        "base_name": span.base_text,
        "head_name": span.head_text,
        "title": title_of(change)[0],
        "by_source": change.by_source,
        "counts": _counts(change),
        "alarms": [item.as_fields() for item in change.alarms],
        "edited": [_edited(item) for item in change.edited],
        "deleted": [run_document(run) for run in change.deleted],
        "experiments": [_experiment(item) for item in change.experiments],
        "registry": [
            {
                "kind": item.kind, "model": item.model, "path": item.path, "text": item.text, "version": item.version,
                "stage_from": item.stage_from, "stage_to": item.stage_to,
            }
            for item in change.registry
        ],
        "promotions": [_promotion(item) for item in change.promotions],
        "packages": [{"name": item.name, "old": item.old, "new": item.new} for item in change.packages],
        "data": [{"experiment": item.experiment, "name": item.name, "old": item.old, "new": item.new} for item in change.data],
        "datasets": [
            {
                "name": item.name, "path": item.path, "old": item.old, "new": item.new, "text": item.text, "drifted": item.drifted,
            }
            for item in change.datasets
        ],
        "artifacts": [
            {
                "experiment": item.experiment, "path": item.path, "old_digest": item.old_digest, "new_digest": item.new_digest,
                "old_size": item.old_size, "new_size": item.new_size,
            }
            for item in change.artifacts
        ],
        "code": [
            {
                "experiment": item.experiment, "old": item.old, "new": item.new, "missing": item.missing,
                "files": [{"path": path, "added": _lines(added), "removed": _lines(removed)} for path, added, removed in item.files],
            }
            for item in change.code
        ],
        "files": dict(change.files),
        "notes": list(change.notes),
    }  # fmt: skip


def run_document(run: Run) -> Json:
    """Return what a reader of a change needs of a run; the whole record is in git."""
    return {
        "run_id": run.run_id,
        "experiment": run.experiment,
        "name": run.name,
        "status": run.status.value,
        "start": run.start,
        "end": run.end,
        "params": dict(run.params),
        "metrics": {key: spell_number(summary.last) for key, summary in run.metrics.items()},
        "data": [{"name": item.name, "digest": item.digest, "context": item.context} for item in run.inputs],
        "commit": str(run.code.get("commit", "")),
    }


def json_value(value: Any) -> Any:
    """Return a value with the numbers that JSON cannot write spelled as in records."""
    if isinstance(value, float):
        return spell_number(value)
    if isinstance(value, Mapping):
        return {str(key): json_value(found) for key, found in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(found) for found in value]
    return value


def _counts(change: Change) -> dict[str, int]:
    return {
        "runs_added": change.added,
        "runs_failed": sum(item.failed for item in change.experiments),
        "runs_edited": len(change.edited),
        "runs_deleted": len(change.deleted),
        "alarms": len(change.alarms),
        "errors": len(change.errors),
        "promotions": len(change.promotions),
        "promotions_refused": len(change.refused),
    }


def _edited(item: Edited) -> Json:
    return {
        "run": run_document(item.run),
        "path": item.path,
        "fields": [_field(field) for field in item.fields],
        "results": list(item.results),
        "lifecycle": item.lifecycle,
    }


def _field(field: FieldChange) -> Json:
    made: Json = {"path": list(field.path)}
    if field.old is not ABSENT:
        made["old"] = json_value(field.old)
    if field.new is not ABSENT:
        made["new"] = json_value(field.new)
    return made


def _experiment(item: ExperimentChange) -> Json:
    return {
        "slug": item.slug,
        "name": item.name,
        "what": item.what,
        "fields": [_field(field) for field in item.fields],
        "objective": _objective(item.objective),
        "added": [run_document(run) for run in item.added],
        "failed": item.failed,
        "verdict": _verdict(item.verdict),
        "baseline": item.baseline.run_id if item.baseline else None,
        "baseline_is": item.baseline_is,
        "baseline_model": item.baseline_model,
        "best": item.best.run_id if item.best else None,
        "without_result": item.without_result,
    }


def _objective(objective: Objective | None) -> Json | None:
    if objective is None:
        return None
    return {"metric": objective.metric, "direction": objective.direction, "replicate": objective.replicate}


def _verdict(verdict: Verdict | None) -> Json | None:
    if verdict is None:
        return None
    return {
        "word": verdict.word,
        "before": _group(verdict.before),
        "after": _group(verdict.after),
        "difference": json_value(verdict.difference),
        "low": json_value(verdict.low),
        "high": json_value(verdict.high),
        "tried": verdict.tried,
        "method": verdict.method,
        "level": verdict.level,
    }


def _group(group: Group | None) -> Json | None:
    if group is None:
        return None
    runs = [{"run_id": trial.run_id, "value": spell_number(trial.value)} for trial in group.trials]
    return {
        "mean": spell_number(group.mean),
        "half": None if group.half != group.half else spell_number(group.half),
        "runs": runs,
    }


def _promotion(item: Promotion) -> Json:
    return {
        "model": item.model,
        "version": item.version,
        "stage": item.stage,
        "stage_from": item.stage_from,
        "replaces": item.replaces,
        "path": item.path,
        "line": item.line or None,
        "digest": item.digest,
        "live_digest": item.live_digest,
        "signature_changed": item.signature_changed,
        "metrics": [{"metric": metric, "live": json_value(live), "new": json_value(new)} for metric, live, new in item.metrics],
        "accepted": item.verdict.accepted if item.verdict else None,
        "gates": [_gate(gate) for gate in item.verdict.gates] if item.verdict else None,
    }


def _gate(gate: GateResult) -> Json:
    waiver = gate.waiver
    return {
        "id": gate.id, "kind": gate.kind, "state": gate.state, "text": gate.text, "because": gate.because, "evaluated": gate.evaluated,
        "waiver": waiver and {"reason": waiver.reason, "by": waiver.by, "expires": waiver.expires, "stage": waiver.stage},
    }  # fmt: skip


def _lines(count: int) -> int | None:
    """Return a number of lines; None for a binary file."""
    return None if count < 0 else count
