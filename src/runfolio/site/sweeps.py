"""Sweeps as pages show them: the best trials, the course, the front, which params matter, how far replicates are apart.

A document is an artifact, which anybody with access to the object store may have written:
:func:`runfolio.formats.sweeps.decode_sweep` has made plain numbers and texts of it, and only runs of this site are linked. A
sweep that was killed before it wrote one still shows what it searches.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runfolio.records import sweeps as tags
from runfolio.site.links import run_page
from runfolio.site.spelling import spelled
from runfolio.site.svg.evaluations import slice_axis, slice_bar
from runfolio.site.svg.plot import round_ticks
from runfolio.site.svg.sweeps import STRONG, Axis, bar, course, front, parallel
from runfolio.site.words import count_words, number_words

if TYPE_CHECKING:
    from runfolio.site.gather import Site

MOST_BEST, MOST_SPREADS, MOST_AXES, MOST_COMPARED = 10, 12, 8, 8
_PILLS = {"complete": "pill-good", "pruned": "pill-accent", "failed": "pill-bad", "open": "pill-warn"}


def without_document(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the run's tags tell of a sweep that has left no document."""
    said = detail["tags"]
    facts = [("Objective", said.get(tags.OBJECTIVE_TAG, "")), ("Planned", said.get(tags.TRIALS_TAG, ""))]
    for title, key in (("Sampler", tags.SAMPLER_TAG), ("Pruner", tags.PRUNER_TAG)):
        try:
            facts.append((title, str(json.loads(said.get(key, "{}")).get("type", ""))))
        except (ValueError, AttributeError, RecursionError):
            continue  # somebody's own tag of that name
    made: dict[str, Any] = dict.fromkeys(("course", "front", "parallel"), "")
    made.update(
        facts=[(key, value[:300]) for key, value in facts if value and value != "none"], best=[], counts=[], importance=[]
    )
    return {**made, "missing": True, "metrics": [], "params": [], "spreads": None, "compared": "", "more": 0, "method": ""}


def laid_out(site: Site, document: Mapping[str, Any], root: str) -> dict[str, Any]:
    """Lay a document out for the template.

    Parameters
    ----------
    site : Site
    document : Mapping
        Of :func:`~runfolio.formats.sweeps.decode_sweep`.
    root : str
    """
    metrics = document["metrics"]
    complete = [trial for trial in document["trials"] if trial["state"] == "complete"]
    ranked = _ranked(complete, document["best"], metrics)
    params = _params_by_importance(document, complete)
    best = [_row(site, trial, metrics, params, trial["number"] in document["best"], root) for trial in ranked[:MOST_BEST]]
    one = len(metrics) == 1
    values = [(trial["number"], spelled(trial["values"][0])) for trial in complete]
    named = [row["run"] for row in best if row["run"]][:MOST_COMPARED]
    return {
        "missing": False,
        "facts": _facts(document),
        "counts": [(state, f"{document['counts'][state]:,}", _PILLS[state]) for state in _PILLS if document["counts"][state]],
        "metrics": [{"name": each["name"], "arrow": "↑" if each["direction"] == "maximize" else "↓"} for each in metrics],
        "params": params[:MOST_AXES],
        "best": best,
        "more": max(0, (len(document["best"]) if not one else 0) - MOST_BEST),
        "compared": f"{root}compare.html#r={','.join(named)}" if len(named) > 1 else "",
        "course": course(values, metrics[0]["direction"], metrics[0]["name"]) if one else "",
        "front": "" if one else _front(complete, document["best"], metrics),
        "importance": _importance(document),
        "method": (document["importance"] or {}).get("method", ""),
        "parallel": _parallel(document, ranked, params),
        "spreads": _spreads(ranked, metrics, document["replicates"]),
    }


def _facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    replicates = document["replicates"]
    facts = [
        ("Objective", document["objective"]),
        ("Sampler", document["sampler"]),
        ("Pruner", document["pruner"] if document["pruner"] != "none" else ""),
        ("Seed", "" if document["seed"] is None else str(document["seed"])),
        ("Replicates", f"{replicates['param']}: {', '.join(replicates['values'][:8])}" if replicates else ""),
        ("Planned", count_words(document["planned"], "trial") if document["planned"] else ""),
    ]
    return [(key, value) for key, value in facts if value]


def _ranked(complete: Sequence[Any], best: Sequence[int], metrics: Sequence[Any]) -> list[Any]:
    """Order trials: with one metric by its value, with several those of the front first."""
    sign = -1.0 if metrics[0]["direction"] == "maximize" else 1.0
    front_at = {number: at for at, number in enumerate(best)} if len(metrics) > 1 else {}

    def key(trial: Any) -> tuple[int, float, int]:
        value = sign * spelled(trial["values"][0])
        return (front_at.get(trial["number"], len(front_at)), value if value == value else math.inf, trial["number"])

    return sorted(complete, key=key)


def _params_by_importance(document: Mapping[str, Any], complete: Sequence[Any]) -> list[str]:
    """Return the names of params that differ, the most important first."""
    names: list[str] = []
    for shares in (document["importance"] or {"metrics": {}})["metrics"].values():
        names += sorted(shares, key=lambda name: -shares[name])
    names += [name for name, each in document["space"].items() if each["type"] != "fixed"]
    if not document["space"]:
        names += [name for trial in complete for name in trial["params"]]
    there = {name for trial in complete for name in trial["params"]}
    return [name for name in dict.fromkeys(names) if name in there]


def _row(site: Site, trial: Any, metrics: Sequence[Any], params: Sequence[str], front: bool, root: str) -> dict[str, Any]:
    run = next((run_id for run_id in trial["runs"] if run_id in site.by_id), "")
    values = [
        {"value": spelled(value), "spread": spelled(spread) if spread is not None else None}
        for value, spread in zip(trial["values"], trial["spreads"] or [None] * len(metrics), strict=True)
    ]
    shown = [_shown(trial["params"].get(name)) for name in params[:MOST_AXES]]
    return {
        "number": trial["number"],
        "values": values,
        "params": shown,
        "front": front,
        "run": run,
        "href": root + run_page(site, run) if run else "",
    }


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_words(value) if isinstance(value, (int, float)) else str(value)[:60]


def _front(complete: Sequence[Any], best: Sequence[int], metrics: Sequence[Any]) -> Any:
    points = [(spelled(trial["values"][0]), spelled(trial["values"][1])) for trial in complete]
    marked = [at for at, trial in enumerate(complete) if trial["number"] in set(best)]
    return front(points, marked, (metrics[0]["name"], metrics[1]["name"]))


def _importance(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = (document["importance"] or {"metrics": {}})["metrics"]
    return [
        {
            "metric": metric,
            "rows": [
                {"name": name, "share": f"{100 * part:.0f} %", "bar": bar(part)}
                for name, part in sorted(shares.items(), key=lambda item: -item[1])[:12]
            ],
        }
        for metric, shares in found.items()
        if shares
    ]


def _parallel(document: Mapping[str, Any], ranked: Sequence[Any], params: Sequence[str]) -> Any:
    metric = document["metrics"][0]["name"]
    whole = [trial for trial in ranked if math.isfinite(spelled(trial["values"][0]))]
    axes, columns = [], []
    for name in params[: MOST_AXES - 1]:
        values = [trial["params"].get(name) for trial in whole]
        if any(value is None for value in values) or not values:
            continue  # drawn in some trials only: a line would have a gap
        axis = _axis(name, values, document["space"].get(name, {}))
        axes.append(axis)
        order = {word: at for at, word in enumerate(axis.words)}
        columns.append([float(order[_shown(value)]) if axis.words else float(value) for value in values])
    if not columns:
        return ""
    results = [spelled(trial["values"][0]) for trial in whole]
    axes.append(Axis(metric, min(results), max(results)))
    lines = list(zip(*columns, results, strict=True))
    strong = min(STRONG, max(1, len(lines) // 5))
    words = f"{metric} by {', '.join(axis.name for axis in axes[:-1])}: the best {strong} of {len(lines):,} trials stand out"
    return parallel(axes, lines, strong, words)


def _axis(name: str, values: Sequence[Any], dimension: Mapping[str, Any]) -> Axis:
    numeric = all(isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) for value in values)
    if dimension.get("type") == "categorical" or not numeric:
        known = [_shown(value) for value in dimension.get("choices", ())]
        words = tuple(dict.fromkeys([*known, *(_shown(value) for value in values)]))
        return Axis(name, 0.0, float(max(len(words) - 1, 1)), words=words)
    low, high = float(min(values)), float(max(values))
    return Axis(name, low, high, log=bool(dimension.get("log")) and low > 0)


def _spreads(ranked: Sequence[Any], metrics: Sequence[Any], replicates: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return how far the replicates of the best trials are apart in the first metric."""
    if not replicates:
        return None
    rows = []
    for trial in ranked[:MOST_SPREADS]:
        samples = [value for value in (spelled(each[0]) for each in trial["samples"]) if math.isfinite(value)]
        if len(samples) > 1:
            mean = math.fsum(samples) / len(samples)
            rows.append(
                {"number": trial["number"], "low": min(samples), "high": max(samples), "mean": mean, "count": len(samples)}
            )
    if not rows:
        return None
    low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
    pad = (high - low) * 0.04 or abs(low) * 0.05 or 0.5
    scale = low - pad, high + pad, round_ticks(low - pad, high + pad, 4)
    for row in rows:
        row["svg"] = slice_bar(row["mean"], (row["low"], row["high"]), None, scale)
    return {
        "metric": metrics[0]["name"],
        "param": replicates["param"],
        "rows": rows,
        "axis": slice_axis(scale, [number_words(tick) for tick in scale[2]]),
    }
