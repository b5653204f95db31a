"""Did it get better? Said only where the numbers carry it.

Replicates are runs whose params are the same but for one, by default the seed; a run that was made again with the same seed is none. Of
the new runs the configuration with the best mean is taken, and compared with a baseline, or with the best configuration of the earlier
runs.

- Where both have replicates, Welch's interval of the difference of their means says *improved*, *regressed* or *within noise*.
- Where one side has a single run and the other three replicates or more, the interval in which one more run of those replicates would
  fall (Student's prediction interval) says *within noise* if the single run lies in it. Outside it nothing is claimed: one run is one.
- Where each seed reads data of its own (a split that it draws), only the seeds that both sides have are compared.
- Where both have a single run, the difference is given and nothing is claimed; so where the replicates of both sides show no spread at all,
  because the seed does nothing or the metric is too coarse to tell.

The best of many tries is better than a typical one by luck alone: the number of configurations tried is always told, and the interval
is widened for it (Bonferroni: 1 - 0.05 / n for the best of n), so that the best of twenty equals is not called better.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

from runfolio._dataclass import dataclass
from runfolio.diff.statistics import mean_interval, prediction_interval, values_of_replicates, welch_interval
from runfolio.records.experiments import Objective

IMPROVED, REGRESSED, NOISE, SINGLE, FIRST, NOTHING, OTHER_DATA = (
    "improved", "regressed", "within noise", "single run", "first result", "no result", "not comparable: different data",
)  # fmt: skip
WELCH, PREDICTION = "Welch's interval", "prediction interval"
LEVEL = 0.95
_SPREAD = 3
"""Replicates that a prediction interval needs; of two it is so wide that it says nothing."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a verdict looks at of one run.

    Parameters
    ----------
    run_id, name : str
    params : Mapping of str to str
    value : float
        Of the objective; finite.
    data : frozenset of str
        Digests of the datasets that it read.
    """

    run_id: str
    name: str
    params: Mapping[str, str]
    value: float
    data: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Group:
    """The replicates of one configuration.

    Parameters
    ----------
    trials : tuple of Trial
    mean : float
    half : float
        Half the width of the mean's 95 % interval; NaN for a single replicate.
    values : tuple of float
        One a replicate: runs of one seed count as one.
    """

    trials: tuple[Trial, ...]
    mean: float
    half: float
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a change made the best better.

    Parameters
    ----------
    word : str
        One of the constants of this module.
    before, after : Group or None
        The best configuration of each side.
    difference : float or None
        Of the means, `after` less `before`.
    low, high : float or None
        Interval of it, where the replicates carry one.
    tried : int
        Configurations among the new runs.
    method : str
        What the interval is: :data:`WELCH`, :data:`PREDICTION`, or empty.
    level : float
        Its confidence, widened for the number tried.
    apart : int
        Runs left out of both sides, because the other side has none of their seed: where each seed reads data of its own, only those of
        the same data are compared.
    """

    word: str
    before: Group | None
    after: Group | None
    difference: float | None
    low: float | None
    high: float | None
    tried: int
    method: str = ""
    level: float = LEVEL
    apart: int = 0


def judge(before: Iterable[Trial], after: Iterable[Trial], objective: Objective) -> Verdict:
    """Compare the best configuration of the new runs with the best of the earlier ones.

    Parameters
    ----------
    before, after : iterable of Trial
        The runs there were, or only those of a baseline and its replicates; and the new ones.
    objective : Objective
    """
    new = group_trials(after, objective)
    old, best = best_group(group_trials(before, objective), objective), best_group(new, objective)
    tried = len(new)
    if best is None or old is None:
        return Verdict(NOTHING if best is None else FIRST, old, best, None, None, None, tried)
    difference = best.mean - old.mean
    apart = 0
    if _data(best) != _data(old):
        shared = _of_shared_seeds(old, best, objective)
        if shared is None:
            return Verdict(OTHER_DATA, old, best, difference, None, None, tried)
        apart = len(old.trials) + len(best.trials) - sum(len(group.trials) for group in shared)
        old, best = shared
        difference = best.mean - old.mean
    level = 1 - (1 - LEVEL) / tried
    values, others = old.values, best.values
    if len(values) > 1 and len(others) > 1:
        low, high = welch_interval(values, others, level)
        if len(set(values)) == len(set(others)) == 1 and difference:  # no seed moved anything: this is one number against another
            return Verdict(SINGLE, old, best, difference, None, None, tried, apart=apart)
        moved = IMPROVED if (difference > 0) == (objective.direction == "max") else REGRESSED
        return Verdict(NOISE if low <= 0 <= high else moved, old, best, difference, low, high, tried, WELCH, level, apart)
    if max(len(values), len(others)) >= _SPREAD:
        half = prediction_interval(max(values, others, key=len), level)[1]
        low, high = difference - half, difference + half
        return Verdict(NOISE if low <= 0 <= high else SINGLE, old, best, difference, low, high, tried, PREDICTION, level, apart)
    return Verdict(SINGLE, old, best, difference, None, None, tried, apart=apart)


def group_trials(trials: Iterable[Trial], objective: Objective) -> list[Group]:
    """Join replicates: runs whose params are the same but for the objective's replicate key."""
    made: dict[tuple[tuple[str, str], ...], list[Trial]] = defaultdict(list)
    for trial in trials:
        made[tuple(sorted((key, value) for key, value in trial.params.items() if key != objective.replicate))].append(trial)
    return [_group(found, objective) for found in made.values()]


def _group(trials: list[Trial], objective: Objective) -> Group:
    values = values_of_replicates((trial.params.get(objective.replicate), trial.value) for trial in trials)
    return Group(tuple(trials), *mean_interval(values), values)


def best_group(groups: Iterable[Group], objective: Objective) -> Group | None:
    """Return the group with the best mean; of equals the one with more replicates, then the newest."""
    sign = 1 if objective.direction == "max" else -1
    return max(groups, key=lambda group: (sign * group.mean, len(group.trials), group.trials[0].run_id), default=None)


def _of_shared_seeds(old: Group, new: Group, objective: Objective) -> tuple[Group, Group] | None:
    """Return both sides with only the seeds that both have; None where there is none, or one of them read other data."""
    key = objective.replicate
    seeds = {trial.params[key] for trial in old.trials if key in trial.params}
    seeds &= {trial.params[key] for trial in new.trials if key in trial.params}
    made = [[trial for trial in group.trials if trial.params.get(key) in seeds] for group in (old, new)]
    read = [{(trial.params[key], trial.data) for trial in trials} for trials in made]
    if not seeds or read[0] != read[1]:
        return None
    return _group(made[0], objective), _group(made[1], objective)


def _data(group: Group) -> frozenset[str]:
    return frozenset().union(*(trial.data for trial in group.trials))


def is_number(value: object) -> bool:
    """Tell whether a verdict can use a value: NaN and infinities carry none."""
    return isinstance(value, (int, float)) and math.isfinite(value)
