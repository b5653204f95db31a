"""Compare a run with the one that was made of it again: metrics point by point, files by their bytes, params, datasets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from runfolio._dataclass import dataclass
from runfolio.records.reproductions import ORDER, ArtifactCounts, Deviation, Outcome
from runfolio.records.runs import ArtifactEntry, MetricPoint, Run

MOST_METRICS = 200
MOST_NAMES = 50
MIN_REPLICATES = 3
"""Runs whose least and greatest value say something of the spread."""

Points = Mapping[str, Sequence[tuple[int, float]]]
Spread = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of the comparison of metrics.

    Parameters
    ----------
    verdict : Outcome
        The worst of all.
    compared, exact : int
    metrics : Mapping of str to Deviation
        Those that are not exact; the worst where they are very many.
    """

    verdict: Outcome
    compared: int
    exact: int
    metrics: Mapping[str, Deviation]


def points_by_key(points: Iterable[MetricPoint]) -> dict[str, list[tuple[int, float]]]:
    """Gather (step, value) of each metric, in the order of steps; of one step, in that of logging."""
    made: dict[str, list[tuple[int, float]]] = {}
    for point in points:
        made.setdefault(point.key, []).append((point.step, point.value))
    for found in made.values():
        found.sort(key=lambda pair: pair[0])
    return made


def compare_metrics(original: Points, made: Points, *, tolerance: float, spread: Spread, ignored: Sequence[str] = ()) -> Compared:
    """Compare every point of every metric.

    Parameters
    ----------
    original, made : Mapping of str to sequence of (step, value)
    tolerance : float
        Relative.
    spread : Mapping of str to (float, float)
        Least and greatest last value of each metric over the replicates.
    ignored : sequence of str
        Patterns of metrics that are left out.
    """
    found: dict[str, Deviation] = {}
    keys = sorted(key for key in original.keys() | made.keys() if not any(fnmatchcase(key, item) for item in ignored))
    for key in keys:
        if key not in original or key not in made:
            last = (original.get(key) or made.get(key) or [(0, math.nan)])[-1][1]
            was, now = (last, None) if key in original else (None, last)
            found[key] = Deviation(Outcome.DIFFERS, was, now)
            continue
        deviation = _deviation(original[key], made[key], tolerance, spread.get(key))
        if deviation is not None:
            found[key] = deviation
    outcomes = [item.outcome for item in found.values()]
    verdict = max(outcomes, key=ORDER.index, default=Outcome.EXACT)
    kept = sorted(found, key=lambda key: (-ORDER.index(found[key].outcome), -_finite(found[key].relative), key))[:MOST_METRICS]
    return Compared(verdict, len(keys), len(keys) - len(found), {key: found[key] for key in sorted(kept)})


def _deviation(
    old: Sequence[tuple[int, float]], new: Sequence[tuple[int, float]], tolerance: float, spread: tuple[float, float] | None
) -> Deviation | None:
    """Return where two histories are furthest apart; None where they are the same, bit for bit."""
    last = len(old) - 1
    worst: tuple[float, int] | None = None
    for at, ((_, was), (_, now)) in enumerate(zip(old, new, strict=False)):
        away = relative(was, now)
        if (away > 0 or not _same(was, now)) and (worst is None or away >= worst[0]):
            worst = away, at
    steps = [step for step, _ in old] == [step for step, _ in new]
    if worst is None and steps:
        return None
    away, at = worst or (0.0, last)
    was, now = old[at][1], new[min(at, len(new) - 1)][1]
    step = old[at][0] if at != last else None
    outcome = Outcome.WITHIN_TOLERANCE if away <= tolerance and steps else Outcome.DIFFERS
    # The spread is one of last values: where only the way there differs, it says nothing.
    other_end = relative(old[-1][1], new[-1][1]) > tolerance
    if outcome is Outcome.DIFFERS and steps and other_end and spread is not None and spread[0] <= new[-1][1] <= spread[1]:
        outcome = Outcome.WITHIN_SPREAD
    if not steps:  # another number of points, or at other steps: there is no deviation of values that says it
        return Deviation(outcome, old[-1][1], new[-1][1], relative(old[-1][1], new[-1][1]), None)
    return Deviation(outcome, was, now, away, step)


def relative(was: float, now: float) -> float:
    """Return ``|was - now| / max(|was|, |now|)``; 0 for the same number, infinite where one is no number or infinite.

    >>> relative(2.0, 1.0), relative(0.0, -0.0), relative(float("nan"), float("nan")), relative(1.0, float("inf"))
    (0.5, 0.0, 0.0, inf)
    """
    if was == now or (was != was and now != now):
        return 0.0
    if not (math.isfinite(was) and math.isfinite(now)):
        return math.inf
    return abs(was / 2 - now / 2) / (max(abs(was), abs(now)) / 2)


def _same(was: float, now: float) -> bool:
    """Tell whether two numbers have the same bits; one NaN is like another."""
    return (was != was and now != now) or (was == now and math.copysign(1, was) == math.copysign(1, now))


def _finite(value: float) -> float:
    return value if value == value else math.inf


def compare_artifacts(
    old: Mapping[str, ArtifactEntry], new: Mapping[str, ArtifactEntry], same_but_for_names: Sequence[str] = ()
) -> ArtifactCounts:
    """Count the files that have the same bytes.

    Parameters
    ----------
    old, new : Mapping of str to ArtifactEntry
    same_but_for_names : sequence of str
        Paths of files that differ in nothing but the run and the time that they name.
    """
    alike = set(same_but_for_names)
    both = old.keys() & new.keys()
    same = {path for path in both if old[path].digest == new[path].digest or path in alike}
    missing = old.keys() - new.keys()
    names = sorted((both - same) | missing)
    return ArtifactCounts(len(same), len(both) - len(same), len(missing), len(new.keys() - old.keys()), tuple(names[:MOST_NAMES]))


def changed_params(old: Run, new: Run) -> dict[str, tuple[str, str]]:
    """Return the params that differ, then and now."""
    names = sorted(old.params.keys() | new.params.keys())
    pairs = {name: (old.params.get(name, ""), new.params.get(name, "")) for name in names}
    return {name: pair for name, pair in list(pairs.items()) if pair[0] != pair[1]}


def changed_inputs(old: Run, new: Run) -> dict[str, tuple[str, str]]:
    """Return the datasets that the two runs logged and whose digests differ, then and now."""

    def digests(run: Run) -> dict[str, str]:
        made: dict[str, list[str]] = {}
        for item in run.inputs:
            made.setdefault(f"{item.name} ({item.context})" if item.context else item.name, []).append(item.digest)
        return {name: ", ".join(sorted(found)) for name, found in made.items()}

    before, after = digests(old), digests(new)
    names = sorted(before.keys() | after.keys())
    return {name: (before.get(name, ""), after.get(name, "")) for name in names if before.get(name) != after.get(name)}


def spread_of(replicates: Sequence[Run]) -> dict[str, tuple[float, float]]:
    """Return the least and the greatest last value of each metric that all replicates have; nothing of too few."""
    if len(replicates) < MIN_REPLICATES:
        return {}
    keys = set.intersection(*(set(run.metrics) for run in replicates))
    made = {}
    for key in keys:
        values = [run.metrics[key].last for run in replicates]
        if all(math.isfinite(value) for value in values):
            made[key] = min(values), max(values)
    return made
