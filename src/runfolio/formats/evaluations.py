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
from collections.abc import Callable, Mapping
from typing import Any

FORMAT, SCHEMA = "runfolio-evaluation", 1
MAX_BYTES = 4_000_000
MAX_METRICS, MAX_SLICES, MAX_CURVES, MAX_POINTS, MAX_LABELS, MAX_TEXT, MAX_NOTES = 200, 200, 50, 1000, 50, 500, 50
_SPECIAL = ("NaN", "Infinity", "-Infinity")

Reader = Callable[[Any], Any]
"""Returns a value that fits, or None."""


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
    found: dict[str, Any] = _fields(_DOCUMENT)(said) or {}
    found.setdefault("metrics", {})
    return found


def _text(value: Any) -> str | None:
    return value[:MAX_TEXT] if isinstance(value, str) else None


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value if value in _SPECIAL else None
    return value if math.isfinite(value) and abs(value) < 1e300 else None


def _finite(value: Any) -> Any:
    return None if isinstance(value, str) else _number(value)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _way(value: Any) -> str | None:
    return value if value in ("max", "min") else None


def _list(reader: Reader, most: int) -> Reader:
    """Read a list; what does not fit is left out."""
    return lambda value: (
        [each for item in value[:most] if (each := reader(item)) is not None] if isinstance(value, list) else None
    )


def _column(reader: Reader, most: int = MAX_POINTS) -> Reader:
    """Read a list of which all fits: of two columns, each value belongs to one of the other."""

    def read(value: Any) -> list[Any] | None:
        if not isinstance(value, list) or len(value) > most:
            return None
        found = [reader(item) for item in value]
        return None if None in found else found

    return read


def _fields(readers: Mapping[str, Reader]) -> Reader:
    def read(value: Any) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            return None
        found = {name: reader(value[name]) for name, reader in readers.items() if name in value}
        return {name: each for name, each in found.items() if each is not None}

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
    whole = _fields({**readers, **alone})

    def read(value: Any) -> dict[str, Any] | None:
        found = whole(value)
        if found is None or found.keys() < {*readers} | {*alone}:
            return None
        return found if len({len(found[name]) for name in readers}) == 1 else None

    return read


def _metric(value: Any) -> dict[str, Any] | None:
    found: dict[str, Any] | None = _fields(_METRIC)(value)
    return found if found and "value" in found else None


def _confusion(value: Any) -> dict[str, Any] | None:
    found = _fields({"labels": _column(_text, MAX_LABELS), "counts": _column(_column(_whole, MAX_LABELS), MAX_LABELS)})(value)
    if not found or "labels" not in found or "counts" not in found:
        return None
    size = len(found["labels"])
    fits = size and len(found["counts"]) == size and all(len(row) == size for row in found["counts"])
    return found if fits else None


def _histogram(value: Any) -> dict[str, Any] | None:
    found = _fields({name: _column(_finite) for name in ("target", "prediction", "edges")} | {"rows": _column(_whole)})(value)
    if not found or len(found) < 4 or len(found["target"]) != len(found["prediction"]):
        return None
    return found if len(found["edges"]) == len(found["rows"]) + 1 else None


_METRIC: dict[str, Reader] = {
    **dict.fromkeys(("value", "low", "high", "baseline", "difference", "difference_low", "difference_high"), _number),
    "method": _text,
    "better": _way,
}
_MODEL = _fields(dict.fromkeys(("uri", "name", "version", "digest", "run"), _text))
_CURVE = _fields(
    {
        "label": _text,
        "rows": _whole,
        **dict.fromkeys(("auc", "average_precision", "brier"), _finite),
        "roc": _columns({"fpr": _column(_finite), "tpr": _column(_finite)}),
        "pr": _columns({"recall": _column(_finite), "precision": _column(_finite)}),
        "calibration": _columns(
            {**{name: _column(_finite) for name in ("predicted", "observed", "low", "high")}, "rows": _column(_whole)}
        ),
        "thresholds": _columns(
            {"threshold": _column(_finite), "hits": _column(_whole), "alarms": _column(_whole)},
            {"positives": _whole, "negatives": _whole},
        ),
    }
)
_DOCUMENT: dict[str, Reader] = {
    "model_type": _text,
    "model": _MODEL,
    "dataset": _fields({"name": _text, "digest": _text, "targets": _text, "rows": _whole, "columns": _whole}),
    "intervals": _fields({"level": _finite, "resamples": _whole}),
    "metrics": _by_name(_metric, MAX_METRICS),
    "notes": _list(_text, MAX_NOTES),
    "classes": _whole,
    "positive": _text,
    "confusion": _confusion,
    "curves": _list(_CURVE, MAX_CURVES),
    "residuals": _histogram,
    "slices": _fields(
        {
            "metric": _text,
            "fewest_rows": _whole,
            "rows": _list(_fields({"name": _text, "rows": _whole, "metrics": _by_name(_metric, MAX_METRICS)}), MAX_SLICES),
        }
    ),
    "baseline": _fields(
        {
            "model": _MODEL,
            "mcnemar": _fields({"only_candidate": _whole, "only_baseline": _whole, "p_value": _finite}),
            "curves": _list(_CURVE, MAX_CURVES),
        }
    ),
    "thresholds": _list(_fields({"metric": _text, "passed": _flag, "text": _text}), MAX_METRICS),
}
