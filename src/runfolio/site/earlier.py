"""The best configuration of earlier runs, found without reading all of them.

The mean of a configuration is no better than its best run. So runs are taken by their value, the best first, each with its replicates,
until the next one is worse than the best mean so far: mostly a few queries of the index. Where that needs many, or what a public site
hides may join configurations, every record is read instead. The answer is the same.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from runfolio.diff.verdict import Trial, best_group, group_trials, is_number
from runfolio.query import Filter
from runfolio.query.grammar import PARAMS, Clause
from runfolio.records import Objective, Run

if TYPE_CHECKING:
    from runfolio.index import RunRow
    from runfolio.site.gather import ExperimentData, Site

MOST_ASKED = 50
"""Configurations that are asked for one by one."""
_CLAUSES = 20
_ROUNDING = 1e-12


def earlier_trials(site: Site, item: ExperimentData, objective: Objective, newer: Collection[str]) -> list[Trial]:
    """Return trials of an experiment among which is its best configuration, whole.

    Parameters
    ----------
    site : Site
    item : ExperimentData
    objective : Objective
        Its own.
    newer : collection of str
        Ids of runs that are not looked at.
    """
    rows = [row for row in item.rows if row.run_id not in newer]
    found = None if site.options.public else _best(site, rows, item, objective)
    if found is not None:
        return found
    made = (_of_record(record, objective.metric) for record in site.records(rows))
    return [trial for trial in made if trial]


def _best(site: Site, rows: list[RunRow], item: ExperimentData, objective: Objective) -> list[Trial] | None:
    """Return the trials of the best configurations; None where one by one would be too many."""
    values = site.objective_values(item)
    sign = 1 if objective.direction == "max" else -1
    there = [(values[row.pk], row) for row in rows if math.isfinite(values.get(row.pk, math.nan))]
    places = {row.run_id: place for place, row in enumerate(rows)}
    made: dict[str, Trial] = {}
    mean, asked = -math.inf, 0
    for value, row in sorted(there, key=lambda pair: -sign * pair[0]):
        if sign * value < mean - abs(mean) * _ROUNDING:
            break
        if row.run_id in made:
            continue
        asked += 1
        group = _replicates(site, row.run_id, objective, places) if asked <= MOST_ASKED else None
        if group is None:
            return None
        made.update((trial.run_id, trial) for trial in group)
        best = best_group(group_trials(group, objective), objective)
        mean = max(mean, sign * best.mean) if best else mean
    return sorted(made.values(), key=lambda trial: places[trial.run_id])


def _replicates(site: Site, run_id: str, objective: Objective, places: Mapping[str, int]) -> list[Trial] | None:
    """Return the trials with the params of one run, but for the replicate key; None where the index cannot tell them."""
    run = site.index.get_run(run_id)
    wanted = _configuration(run, objective) if run else {}
    if run is None or not wanted:
        return None
    clauses = tuple(Clause(PARAMS, key, "=", value) for key, value in sorted(wanted.items())[:_CLAUSES])
    found = {item.run_id: item for item in site.index.search_runs(Filter(clauses), (), [run.experiment])} | {run_id: run}
    same = [item for item in found.values() if item.run_id in places and _configuration(item, objective) == wanted]
    return [
        Trial(
            item.run_id,
            item.name,
            item.params,
            item.metrics[objective.metric].last,
            frozenset(data.digest for data in item.inputs),
        )
        for item in sorted(same, key=lambda item: places[item.run_id])
        if objective.metric in item.metrics and is_number(item.metrics[objective.metric].last)
    ]


def _configuration(run: Run, objective: Objective) -> dict[str, str]:
    return {key: value for key, value in run.params.items() if key != objective.replicate}


def _of_record(record: Mapping[str, Any], metric: str) -> Trial | None:
    value = record.get("metrics", {}).get(metric, {}).get("last")
    if not is_number(value):
        return None
    data = frozenset(item["digest"] for item in record.get("inputs", ()))
    return Trial(record["run_id"], record.get("name", ""), record.get("params", {}), value, data)
