"""``evaluation.json``: what an evaluation found, as the site draws it; docs/evaluation-format.md tells every field.

A document is an artifact: whoever may write to the object store may write one. So a reader takes from it what has the right shape, within
bounds, as plain numbers and texts, and leaves the rest; a document that is of another format is none.

>>> decode_evaluation(b'{"format": "runfolio-evaluation", "schema": 1, "metrics": {"f1_score": {"value": 0.5}}}')["metrics"]
{'f1_score': {'value': 0.5}}
>>> decode_evaluation(b'{"columns": [], "data": []}') is None
True
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from runfolio.formats.documents import MAX_TEXT, Reader, fields, list_of, whole, words

FORMAT, SCHEMA = "runfolio-evaluation", 1
MAX_BYTES = 4_000_000
MAX_METRICS, MAX_SLICES, MAX_CURVES, MAX_POINTS, MAX_LABELS, MAX_NOTES = 200, 200, 50, 1000, 50, 50
_SPECIAL = ("NaN", "Infinity", "-Infinity")


def decode_evaluation(data: bytes) -> dict[str, Any] | None:
    """Read a document; None where the bytes are none.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    dict or None
        Only fields that are known, of the right shape; ``metrics`` is always there.
    """
    if len(data) > MAX_BYTES or FORMAT.encode() not in data[:MAX_BYTES]:
        return None
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("format") != FORMAT or said.get("schema") != SCHEMA:
        return None
    found: dict[str, Any] = fields(_DOCUMENT)(said) or {}
    found.setdefault("metrics", {})
    return found


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value if value in _SPECIAL else None
    return value if math.isfinite(value) and abs(value) < 1e300 else None


def _finite(value: Any) -> Any:
    return None if isinstance(value, str) else _number(value)


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _way(value: Any) -> str | None:
    return value if value in ("max", "min") else None


def _column(reader: Reader, most: int = MAX_POINTS) -> Reader:
    """Read a list of which all fits: of two columns, each value belongs to one of the other."""

    def read(value: Any) -> list[Any] | None:
        if not isinstance(value, list) or len(value) > most:
            return None
        found = [reader(item) for item in value]
        return None if None in found else found

    return read


def _by_name(reader: Reader, most: int) -> Reader:
    def read(value: Any) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            return None
        found = {str(name)[:MAX_TEXT]: reader(each) for name, each in sorted(value.items())[:most]}
        return {name: each for name, each in found.items() if each}

    return read


def _columns(readers: Mapping[str, Reader], alone: Mapping[str, Reader] = {}) -> Reader:  # read only
    """Read columns of one length, all of them there; `alone` are fields beside them."""
    every = fields({**readers, **alone})

    def read(value: Any) -> dict[str, Any] | None:
        found = every(value)
        if found is None or found.keys() < {*readers} | {*alone}:
            return None
        return found if len({len(found[name]) for name in readers}) == 1 else None

    return read


def _metric(value: Any) -> dict[str, Any] | None:
    found: dict[str, Any] | None = fields(_METRIC)(value)
    return found if found and "value" in found else None


def _confusion(value: Any) -> dict[str, Any] | None:
    found = fields({"labels": _column(words, MAX_LABELS), "counts": _column(_column(whole, MAX_LABELS), MAX_LABELS)})(value)
    if not found or "labels" not in found or "counts" not in found:
        return None
    size = len(found["labels"])
    fits = size and len(found["counts"]) == size and all(len(row) == size for row in found["counts"])
    return found if fits else None


def _histogram(value: Any) -> dict[str, Any] | None:
    found = fields({name: _column(_finite) for name in ("target", "prediction", "edges")} | {"rows": _column(whole)})(value)
    if not found or len(found) < 4 or len(found["target"]) != len(found["prediction"]):
        return None
    return found if len(found["edges"]) == len(found["rows"]) + 1 else None


_METRIC: dict[str, Reader] = {
    **dict.fromkeys(("value", "low", "high", "baseline", "difference", "difference_low", "difference_high"), _number),
    "method": words,
    "better": _way,
}
_MODEL = fields(dict.fromkeys(("uri", "name", "version", "digest", "run"), words))
_CURVE = fields(
    {
        "label": words,
        "rows": whole,
        **dict.fromkeys(("auc", "average_precision", "brier"), _finite),
        "roc": _columns({"fpr": _column(_finite), "tpr": _column(_finite)}),
        "pr": _columns({"recall": _column(_finite), "precision": _column(_finite)}),
        "calibration": _columns(
            {**{name: _column(_finite) for name in ("predicted", "observed", "low", "high")}, "rows": _column(whole)}
        ),
        "thresholds": _columns(
            {"threshold": _column(_finite), "hits": _column(whole), "alarms": _column(whole)},
            {"positives": whole, "negatives": whole},
        ),
    }
)
_DOCUMENT: dict[str, Reader] = {
    "model_type": words,
    "model": _MODEL,
    "dataset": fields({"name": words, "digest": words, "targets": words, "rows": whole, "columns": whole}),
    "intervals": fields({"level": _finite, "resamples": whole}),
    "metrics": _by_name(_metric, MAX_METRICS),
    "notes": list_of(words, MAX_NOTES),
    "classes": whole,
    "positive": words,
    "confusion": _confusion,
    "curves": list_of(_CURVE, MAX_CURVES),
    "residuals": _histogram,
    "slices": fields(
        {
            "metric": words,
            "fewest_rows": whole,
            "rows": list_of(fields({"name": words, "rows": whole, "metrics": _by_name(_metric, MAX_METRICS)}), MAX_SLICES),
        }
    ),
    "baseline": fields(
        {
            "model": _MODEL,
            "mcnemar": fields({"only_candidate": whole, "only_baseline": whole, "p_value": _finite}),
            "curves": list_of(_CURVE, MAX_CURVES),
        }
    ),
    "thresholds": list_of(fields({"metric": words, "passed": _flag, "text": words}), MAX_METRICS),
}
