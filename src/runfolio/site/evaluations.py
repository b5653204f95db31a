"""Evaluations as pages show them: which run evaluated what, and what ``evaluation.json`` says, laid out.

A document is an artifact, which anybody with access to the object store may have written:
:func:`runfolio.formats.evaluations.decode_evaluation` has made plain numbers and texts of it, and here it becomes rows and charts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runfolio.site.spelling import spelled
from runfolio.site.svg.evaluations import answers, calibration, errors, slice_axis, slice_bar, unit_curves
from runfolio.site.svg.plot import round_ticks
from runfolio.site.words import number_words

MOST_CURVES, MOST_ROWS = 6, 60
FIRST = ("roc_auc", "accuracy_score", "root_mean_squared_error")
ROUND_THRESHOLDS = tuple(at / 10 for at in range(1, 10))


def laid_out(document: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a document out for the template.

    Parameters
    ----------
    document : Mapping
        Of :func:`~runfolio.formats.evaluations.decode_evaluation`.
    """
    dataset, baseline = document.get("dataset", {}), document.get("baseline", {})
    facts = [
        ("Model", _named(document.get("model", {}))),
        (
            "Dataset",
            " ".join(filter(None, (dataset.get("name"), f"({dataset['digest'][:12]})" if dataset.get("digest") else ""))),
        ),
        ("Rows", f"{dataset['rows']:,}" if "rows" in dataset else ""),
        ("Baseline", _named(baseline.get("model", {}))),
        ("Positive class", document.get("positive", "")),
    ]
    return {
        "task": document.get("model_type", ""),
        "facts": [(key, value) for key, value in facts if value],
        "level": f"{100 * document.get('intervals', {}).get('level', 0.95):g} %",
        "metrics": _metrics(document.get("metrics", {})),
        "compared": any("difference" in entry for entry in document.get("metrics", {}).values()),
        "slices": _slices(document),
        "curves": _curves(document),
        "confusion": _confusion(document.get("confusion")),
        "thresholds": _thresholds(document.get("curves", ())),
        "test": _test(baseline.get("mcnemar", {})),
        "findings": document.get("thresholds", []),
        "notes": document.get("notes", []),
        "document": document,
    }


def _named(model: Mapping[str, str]) -> str:
    if model.get("name") and model.get("version"):
        return f"{model['name']} {model['version']}"
    return model.get("name") or model.get("uri") or ""


def _metrics(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    first = [name for name in FIRST if name in metrics]
    names = [*first, *(name for name in sorted(metrics) if name not in first)]
    compared = any("difference" in entry for entry in metrics.values())
    return [{"key": name, "better": "", "compared": compared, **_entry(metrics[name])} for name in names]


def _entry(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return a metric with its numbers as numbers."""
    return {name: value if name in ("method", "better") else spelled(value) for name, value in said.items()}


def _slices(document: Mapping[str, Any]) -> dict[str, Any] | None:
    said = document.get("slices", {})
    rows, metrics = said.get("rows", []), document.get("metrics", {})
    if not rows:
        return None
    there = {name for row in rows for name in row.get("metrics", {})}
    metric = said.get("metric", "") if said.get("metric") in there else next(iter(sorted(there)), "")
    whole = (
        [{"name": "All rows", "rows": document.get("dataset", {}).get("rows", 0), "metrics": metrics}]
        if metric in metrics
        else []
    )
    made = [_slice(row, metric) for row in [*whole, *rows][:MOST_ROWS]]
    scale = _scale(made)
    if scale is not None:
        for row in made:
            if "value" in row:
                between = (row["low"], row["high"]) if "low" in row else None
                row["svg"] = slice_bar(row["value"], between, row.get("baseline"), scale)
    return {
        "metric": metric,
        "better": metrics.get(metric, {}).get("better", ""),
        "rows": made,
        "axis": slice_axis(scale, [number_words(tick) for tick in scale[2]]) if scale else "",
        "compared": any("baseline" in row for row in made),
        "more": max(0, len(rows) + len(whole) - MOST_ROWS),
    }


def _slice(row: Mapping[str, Any], metric: str) -> dict[str, Any]:
    held = row.get("metrics", {}).get(metric)
    found = _entry(held) if held else {}
    return {
        "name": row.get("name", ""),
        "rows": row.get("rows", 0),
        **{key: found[key] for key in found if _is_finite(found[key])},
    }


def _is_finite(value: Any) -> bool:
    return not isinstance(value, float) or value - value == 0


def _scale(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float, list[float]] | None:
    values = [row[key] for row in rows for key in ("value", "low", "high", "baseline") if key in row]
    if not values:
        return None
    low, high = min(values), max(values)
    pad = (high - low) * 0.04 or abs(low) * 0.05 or 0.5
    return low - pad, high + pad, round_ticks(low - pad, high + pad, 4)


def _curves(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the static charts: title, what the script calls it, SVG, a sentence."""
    curves, other = document.get("curves", []), document.get("baseline", {}).get("curves", [])
    drawn = [curve for curve in curves if {"roc", "pr", "auc", "average_precision"} <= curve.keys()][:MOST_CURVES]
    made = []
    if drawn:
        for kind, title, x, y, area in (
            ("roc", "ROC curve", "fpr", "tpr", "auc"),
            ("pr", "Precision and recall", "recall", "precision", "average_precision"),
        ):
            lines = [(curve.get("label", "") or "?", curve[kind][x], curve[kind][y]) for curve in drawn]
            beside = [("", curve[kind][x], curve[kind][y]) for curve in other[:1] if kind in curve and len(drawn) == 1]
            said = ", ".join(f"{curve.get('label', '')}: {number_words(curve[area])}" for curve in drawn)
            area_name = "Area under the curve" if kind == "roc" else "Average precision"
            words = f"{area_name} {number_words(drawn[0][area])}" if len(drawn) == 1 else f"{area_name} by class: {said}"
            x_title = "false positive rate" if kind == "roc" else "recall"
            made.append(
                {
                    "title": title,
                    "kind": kind,
                    "svg": unit_curves([*beside, *lines], x_title, words, kind == "roc"),
                    "note": words,
                }
            )
        if len(drawn) == 1 and "calibration" in drawn[0]:
            brier = f"Brier score {number_words(drawn[0]['brier'])}" if "brier" in drawn[0] else "Calibration"
            made.append(
                {"title": "Calibration", "kind": "calibration", "svg": calibration(drawn[0]["calibration"], brier), "note": brier}
            )
    if "residuals" in document:
        found = document["residuals"]
        note = f"{len(found['target'])} rows, evenly over the true values"
        made.append({"title": "Answers over true values", "kind": "answers", "svg": answers(found, note), "note": note})
        made.append(
            {
                "title": "Errors",
                "kind": "errors",
                "svg": errors(found, "How the errors are spread"),
                "note": "answer minus true value",
            }
        )
    return made


def _confusion(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the rows of a confusion matrix; each cell has its share of the row in tenths, for its shade."""
    if not found:
        return None
    rows, right, total = [], 0, 0
    for at, (label, counts) in enumerate(zip(found["labels"], found["counts"], strict=True)):
        whole = sum(counts)
        right, total = right + counts[at], total + whole
        cells = [{"count": count, "shade": round(10 * count / (whole or 1)), "hit": at == to} for to, count in enumerate(counts)]
        rows.append({"label": label, "cells": cells, "found": f"{100 * counts[at] / whole:.0f} %" if whole else "–"})
    return {"labels": found["labels"], "rows": rows, "right": right, "total": total}


def _thresholds(curves: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what follows at round thresholds, for pages without scripts; of two classes only."""
    if len(curves) != 1 or "thresholds" not in curves[0]:
        return []
    found = curves[0]["thresholds"]
    made = []
    for at, hits, alarms in zip(found["threshold"], found["hits"], found["alarms"], strict=True):
        if any(abs(at - each) < 1e-9 for each in ROUND_THRESHOLDS):
            made.append(
                {
                    "at": at,
                    "precision": hits / (hits + alarms) if hits + alarms else None,
                    "recall": hits / found["positives"] if found["positives"] else None,
                    "alarms": alarms / found["negatives"] if found["negatives"] else None,
                    "flagged": hits + alarms,
                }
            )
    return made


def _test(said: Mapping[str, Any]) -> str:
    if len(said) < 3:
        return ""
    p = said["p_value"]
    return (
        f"Of the rows that only one of the two models got right, {said['only_candidate']:,} are this model's and "
        f"{said['only_baseline']:,} the baseline's (McNemar, p {'< 0.001' if p < 0.001 else f'= {p:.3f}'})."
    )
