"""``evaluation.json``: all that was found, small enough to be drawn by a page. docs/evaluation-format.md tells every field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runfolio.evaluation.classification import Answers
from runfolio.evaluation.comparing import Part, tested
from runfolio.evaluation.computing import Outcome
from runfolio.evaluation.curves import class_curves, confusion, number, residuals
from runfolio.evaluation.extra import Bench
from runfolio.evaluation.metric_values import EvaluationMetric
from runfolio.evaluation.settings import Settings
from runfolio.evaluation.statistics import Measured, better_of
from runfolio.evaluation.thresholds import Finding
from runfolio.formats.documents import MAX_TEXT
from runfolio.formats.evaluations import FORMAT, MAX_METRICS, SCHEMA

PRIMARY = ("roc_auc", "accuracy_score", "root_mean_squared_error")


def make_document(
    model_type: str | None,
    outcome: Outcome,
    settings: Settings,
    *,
    model: Mapping[str, str],
    extra: Sequence[EvaluationMetric],
    whole: Part | None,
    slices: Sequence[tuple[str, Part]],
    baseline: tuple[Mapping[str, str], Outcome] | None,
    findings: Sequence[Finding],
    notes: Sequence[str],
) -> dict[str, Any]:
    """Return the document.

    Parameters
    ----------
    model_type : str or None
    outcome : Outcome
        Of the candidate.
    settings : Settings
    model : Mapping of str to str
        Which model it is.
    extra : sequence of EvaluationMetric
        Say which way their metrics are better.
    whole : Part or None
        Of all rows; None where nothing is resampled.
    slices : sequence of pairs of name and Part
    baseline : pair of Mapping and Outcome, or None
        Which model it is, and what it did.
    findings : sequence of Finding
        Of the thresholds.
    notes : sequence of str
    """
    ways = {metric.name: "max" if metric.greater_is_better else "min" for metric in extra}
    made: dict[str, Any] = {
        "format": FORMAT,
        "schema": SCHEMA,
        "model_type": model_type or "",
        "model": _texts(model),
        "dataset": _dataset(outcome.bench),
        "intervals": {"level": settings.resampling.level, "resamples": settings.resampling.times(len(outcome.bench.rows))},
        "metrics": _metrics(outcome.metrics, whole, ways),
        "notes": [note[:MAX_TEXT] for note in notes],
    }
    if isinstance(outcome.said, Answers):
        made |= _classes(outcome.said, settings)
    if isinstance(outcome.said, Measured):
        made["residuals"] = residuals(outcome.said)
    if slices:
        made["slices"] = _slices(slices, settings)
    if baseline is not None:
        test = tested(outcome.counted, baseline[1].counted)
        made["baseline"] = {"model": _texts(baseline[0]), **({"mcnemar": test} if test else {})}
        if isinstance(baseline[1].said, Answers):
            made["baseline"]["curves"] = class_curves(baseline[1].said, settings.most_curves, settings.bins)
    if findings:
        made["thresholds"] = [{"metric": each.metric, "passed": each.passed, "text": each.text[:MAX_TEXT]} for each in findings]
    return made


def _texts(said: Mapping[str, str]) -> dict[str, str]:
    return {key: str(value)[:MAX_TEXT] for key, value in said.items() if value}


def _dataset(bench: Bench) -> dict[str, Any]:
    rows = bench.rows
    return {
        "name": rows.dataset.name[:MAX_TEXT],
        "digest": rows.dataset.digest,
        "rows": len(rows),
        "columns": len(rows.features.columns),
        "targets": (rows.targets_name or "")[:MAX_TEXT],
    }


def _classes(said: Answers, settings: Settings) -> dict[str, Any]:
    made: dict[str, Any] = {"classes": len(said.labels), "confusion": confusion(said)}
    if said.labels.binary:
        made["positive"] = said.labels.texts[1][:MAX_TEXT]
    curves = class_curves(said, settings.most_curves, settings.bins)
    return made | ({"curves": curves} if curves else {})


def _metrics(metrics: Mapping[str, float], whole: Part | None, ways: Mapping[str, str]) -> dict[str, Any]:
    made = {}
    for name in sorted(metrics)[:MAX_METRICS]:
        found = _entry(name, metrics[name], whole)
        way = better_of(name) or ways.get(name.split("/")[0])
        made[name] = found | ({"better": way} if way else {})
    return made


def _entry(name: str, value: float, part: Part | None) -> dict[str, Any]:
    made: dict[str, Any] = {"value": number(value)}
    interval = part.intervals.get(name) if part is not None else None
    if interval is not None:
        made |= {"low": number(interval.low), "high": number(interval.high), "method": interval.method}
    difference = part.differences.get(name) if part is not None else None
    if difference is not None:
        made |= {"baseline": number(difference.baseline), "difference": number(difference.by)}
        if difference.between is not None:
            made |= {"difference_low": number(difference.between[0]), "difference_high": number(difference.between[1])}
    return made


def _slices(found: Sequence[tuple[str, Part]], settings: Settings) -> dict[str, Any]:
    there = {name for _, part in found for name in part.values}
    first = settings.slice_metric if settings.slice_metric in there else next((name for name in PRIMARY if name in there), "")
    rows = [
        {
            "name": name[:MAX_TEXT],
            "rows": part.rows,
            "metrics": {key: _entry(key, part.values[key], part) for key in sorted(part.values)},
        }
        for name, part in found
    ]
    return {"metric": first, "fewest_rows": settings.fewest_rows, "rows": rows}
