"""Did it get better? Said only where the numbers carry it.

Replicates are runs whose params are the same but for one, by default the seed. Of each side the configuration with the best mean is
taken. Where both have replicates, Welch's 95 % interval of the difference of their means says *improved*, *regressed* or *within
noise*; where one has a single run, the difference is given and nothing is claimed. The best of many tries is better than a typical
one by luck alone, so the number of configurations tried is always told.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runfolio.diff.statistics import mean_interval, welch_interval
from runfolio.records.experiments import Objective

IMPROVED, REGRESSED, NOISE, SINGLE, FIRST, NOTHING, OTHER_DATA = (
    "improved", "regressed", "within noise", "single run", "first result", "no result", "not comparable: different data",
)  # fmt: skip


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
        Half the width of the mean's 95 % interval; NaN for a single run.
    """

    trials: tuple[Trial, ...]
    mean: float
    half: float


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
        Welch's 95 % interval of it; None without replicates on both sides.
    tried : int
        Configurations among the new runs.
    """

    word: str
    before: Group | None
    after: Group | None
    difference: float | None
    low: float | None
    high: float | None
    tried: int


def judge(before: Iterable[Trial], after: Iterable[Trial], objective: Objective) -> Verdict:
    """Compare the best configuration of the new runs with the best of the earlier ones.

    Parameters
    ----------
    before, after : iterable of Trial
        The runs there were, and the new ones.
    objective : Objective
    """
    earlier, new = _groups(before, objective), _groups(after, objective)
    old, best = _best(earlier, objective), _best(new, objective)
    if best is None or old is None:
        return Verdict(NOTHING if best is None else FIRST, old, best, None, None, None, len(new))
    difference = best.mean - old.mean
    if _data(best) != _data(old):
        return Verdict(OTHER_DATA, old, best, difference, None, None, len(new))
    if len(old.trials) < 2 or len(best.trials) < 2:
        return Verdict(SINGLE, old, best, difference, None, None, len(new))
    low, high = welch_interval([trial.value for trial in old.trials], [trial.value for trial in best.trials])
    moved = IMPROVED if (difference > 0) == (objective.direction == "max") else REGRESSED
    return Verdict(NOISE if low <= 0 <= high else moved, old, best, difference, low, high, len(new))


def _groups(trials: Iterable[Trial], objective: Objective) -> list[Group]:
    made: dict[tuple[tuple[str, str], ...], list[Trial]] = defaultdict(list)
    for trial in trials:
        made[tuple(sorted((key, value) for key, value in trial.params.items() if key != objective.replicate))].append(trial)
    return [Group(tuple(found), *mean_interval([trial.value for trial in found])) for found in made.values()]


def _best(groups: Iterable[Group], objective: Objective) -> Group | None:
    sign = 1 if objective.direction == "max" else -1
    return max(groups, key=lambda group: (sign * group.mean, len(group.trials), group.trials[0].run_id), default=None)


def _data(group: Group) -> frozenset[str]:
    return frozenset().union(*(trial.data for trial in group.trials))


def is_number(value: object) -> bool:
    """Tell whether a verdict can use a value: NaN and infinities carry none."""
    return isinstance(value, (int, float)) and math.isfinite(value)
