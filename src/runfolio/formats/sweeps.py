"""``sweep.json``: what a sweep found, as the site draws it; docs/sweep-format.md tells every field.

A document is an artifact: whoever may write to the object store may write one. So a reader takes from it what has the right shape, within
bounds, as plain numbers and texts, and leaves the rest; a document that is of another format is none.

>>> decode_sweep(b'{"format": "runfolio-sweep", "schema": 1, "metrics": [{"name": "loss", "direction": "minimize"}]}')["trials"]
[]
>>> decode_sweep(b'{"columns": [], "data": []}') is None
True
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from runfolio._pattern import pattern

FORMAT, SCHEMA = "runfolio-sweep", 1
MAX_BYTES = 8_000_000
MAX_TRIALS, MAX_METRICS, MAX_PARAMS, MAX_SAMPLES, MAX_TEXT = 5000, 20, 200, 100, 500
STATES = ("complete", "pruned", "failed", "open")
WAYS = ("minimize", "maximize")
_SPECIAL = ("NaN", "Infinity", "-Infinity")
_RUN_ID = pattern(r"[a-zA-Z0-9][\w\-]{0,255}\Z", re.ASCII)


def decode_sweep(data: bytes) -> dict[str, Any] | None:
    """Read a document; None where the bytes are none.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    dict or None
        All fields are there; a trial that is complete has a value for each metric. NaN and the infinities stay texts.
    """
    if len(data) > MAX_BYTES or FORMAT.encode() not in data:
        return None
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("format") != FORMAT or said.get("schema") != SCHEMA:
        return None
    metrics = [found for each in _list(said.get("metrics"), MAX_METRICS) if (found := _metric(each))]
    if not metrics:
        return None
    trials = [found for each in _list(said.get("trials"), MAX_TRIALS) if (found := _trial(each, len(metrics)))]
    complete: set[Any] = {trial["number"] for trial in trials if trial["state"] == "complete"}
    counts = said.get("counts") if isinstance(said.get("counts"), dict) else {}
    return {
        **{name: _text(said.get(name)) or "" for name in ("name", "objective", "sampler", "pruner")},
        "metrics": metrics,
        "seed": _whole(said.get("seed")),
        "planned": _whole(said.get("planned")),
        "counts": {state: _whole(counts.get(state)) or 0 for state in STATES},  # type: ignore[union-attr]  # a dict, see above
        "space": _space(said.get("space")),
        "trials": trials,
        "best": [each for each in _list(said.get("best"), MAX_TRIALS) if type(each) is int and each in complete],
        "replicates": _replicates(said.get("replicates")),
        "importance": _importance(said.get("importance"), [metric["name"] for metric in metrics]),
    }


def _list(value: Any, most: int) -> list[Any]:
    return value[:most] if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value[:MAX_TEXT] if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else None


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return value if value in _SPECIAL else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) and abs(value) < 1e300 else None


def _metric(value: Any) -> dict[str, str] | None:
    if not isinstance(value, dict) or value.get("direction") not in WAYS:
        return None
    name = _text(value.get("name"))
    return {"name": name, "direction": value["direction"]} if name else None


def _numbers(value: Any, count: int) -> list[Any] | None:
    found = [_number(each) for each in _list(value, count + 1)]
    return found if len(found) == count and None not in found else None


def _trial(value: Any, metrics: int) -> dict[str, Any] | None:
    if not isinstance(value, dict) or value.get("state") not in STATES or _whole(value.get("number")) is None:
        return None
    values = _numbers(value.get("values"), metrics)
    if value["state"] == "complete" and values is None:
        return None
    return {
        "number": value["number"],
        "state": value["state"],
        "params": _params(value.get("params")),
        "values": values or [],
        "spreads": _numbers(value.get("spreads"), metrics) or [],
        "samples": [found for each in _list(value.get("samples"), MAX_SAMPLES) if (found := _numbers(each, metrics))],
        "runs": [each for each in _list(value.get("runs"), MAX_SAMPLES) if isinstance(each, str) and _RUN_ID.match(each)],
        "error": _text(value.get("error")) or "",
    }


def _params(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {}
    made: dict[str, Any] = {}
    for name, each in list(value.items())[:MAX_PARAMS]:
        found = each if isinstance(each, bool) else _text(each) if isinstance(each, str) else _number(each)
        if found is not None:
            made[str(name)[:MAX_TEXT]] = _whole(each) if type(each) is int and _whole(each) is not None else found
    return made


def _space(value: Any) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for name, each in list(value.items())[:MAX_PARAMS] if isinstance(value, dict) else ():
        if not isinstance(each, dict):
            continue
        kind = each.get("type")
        if kind in ("int", "float"):
            low, high = _number(each.get("low")), _number(each.get("high"))
            if isinstance(low, float) and isinstance(high, float) and low <= high:
                made[str(name)[:MAX_TEXT]] = {"type": kind, "low": low, "high": high, "log": each.get("log") is True and low > 0}
        elif kind == "categorical":
            made[str(name)[:MAX_TEXT]] = {
                "type": kind,
                "choices": [str(item)[:MAX_TEXT] for item in _list(each.get("choices"), 200)],
            }
        elif kind == "fixed":
            made[str(name)[:MAX_TEXT]] = {"type": kind, "value": str(each.get("value"))[:MAX_TEXT]}
    return made


def _replicates(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, dict) or not _text(value.get("param")):
        return None
    return {"param": _text(value["param"]), "values": [str(each)[:MAX_TEXT] for each in _list(value.get("values"), MAX_SAMPLES)]}


def _importance(value: Any, names: list[str]) -> dict[str, Any] | None:
    said = value.get("metrics") if isinstance(value, dict) else None
    if not isinstance(said, dict):
        return None
    made: dict[str, dict[str, float]] = {}
    for name in names:
        shares = said.get(name)
        if isinstance(shares, dict):
            found = {str(key)[:MAX_TEXT]: _number(each) for key, each in list(shares.items())[:MAX_PARAMS]}
            made[name] = {key: each for key, each in found.items() if isinstance(each, float) and 0 <= each <= 1.0001}
    return {"method": _text(value.get("method")) or "", "metrics": made} if any(made.values()) else None
