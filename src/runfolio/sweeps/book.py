"""The trials of a sweep as it goes: which are over, which go on, which have to be run again; and what becomes of one with replicates.

Pure bookkeeping: no run is written here, no point drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.sweeps.trials import TrialResult, TrialState


@dataclass(slots=True)
class TrialEntry:
    """One trial.

    Parameters
    ----------
    number : int
    params : Mapping
        Without the replicates' own.
    point, distributions, sampled : str
        JSON; see :mod:`runfolio.records.sweeps`.
    results : dict of int to TrialResult
        By the replicate's place; 0 where there are none.
    attempts : dict of int to list of str
        Run ids, by the replicate's place, that were begun.
    state : TrialState or None
        None while it goes on.
    """

    number: int
    params: Mapping[str, Any] = field(default_factory=dict)
    point: str = ""
    distributions: str = ""
    sampled: str = ""
    results: dict[int, TrialResult] = field(default_factory=dict)
    attempts: dict[int, list[str]] = field(default_factory=dict)
    state: TrialState | None = None
    duration_ms: int = 0

    def open_places(self, repeats: int) -> list[int]:
        """List the places of replicates that have no result."""
        return [place for place in range(repeats) if place not in self.results]

    def take(self, result: TrialResult) -> bool:
        """Take a result; False for one that is there already."""
        place = result.replicate or 0
        if place in self.results:
            return False
        self.results[place] = result
        if result.distributions:
            self.distributions = result.distributions
        if result.point:
            self.point = result.point
        return True

    def settled(self, repeats: int) -> TrialState | None:
        """Return how the trial ended, if that is known: all replicates are over, or one of them decides."""
        states = [result.state for result in self.results.values()]
        if TrialState.FAILED in states:
            return TrialState.FAILED
        first = self.results.get(0)
        if first is not None and first.state is TrialState.PRUNED:
            return TrialState.PRUNED
        if len(states) < repeats:
            return None
        return TrialState.COMPLETE if any(state is TrialState.COMPLETE for state in states) else TrialState.PRUNED

    @property
    def samples(self) -> list[tuple[float, ...]]:
        """The values of the replicates that are complete."""
        return [self.results[place].values for place in sorted(self.results) if self.results[place].state is TrialState.COMPLETE]

    @property
    def values(self) -> tuple[float, ...]:
        """The trial's values: the mean over its replicates."""
        return tuple(math.fsum(each) / len(each) for each in zip(*self.samples, strict=True))

    @property
    def spreads(self) -> tuple[float, ...]:
        """The standard deviation of each value over the replicates (of a sample: n - 1); 0 for one replicate."""
        made = []
        for each in zip(*self.samples, strict=True):
            mean = math.fsum(each) / len(each)
            made.append(math.sqrt(math.fsum((value - mean) ** 2 for value in each) / (len(each) - 1)) if len(each) > 1 else 0.0)
        return tuple(made)

    @property
    def reported(self) -> Mapping[int, float]:
        """What the first replicate reported: the pruner is asked about it alone."""
        first = self.results.get(0)
        return first.reported if first is not None else {}

    @property
    def fault(self) -> str:
        """Why it failed."""
        return next((result.fault for result in self.results.values() if result.state is TrialState.FAILED), "")

    @property
    def runs(self) -> tuple[str, ...]:
        """Run ids of its replicates that are over."""
        return tuple(self.results[place].run_id for place in sorted(self.results))


def is_better(value: float, than: float | None, way: str) -> bool:
    """Tell whether a value is better than another one."""
    return than is None or (value > than if way == "maximize" else value < than)


def dominates(one: tuple[float, ...], other: tuple[float, ...], ways: tuple[str, ...]) -> bool:
    """Tell whether a point is at least as good as another in every metric, and better in one."""
    signed = [(a, b) if way == "minimize" else (-a, -b) for a, b, way in zip(one, other, ways, strict=True)]
    return all(a <= b for a, b in signed) and any(a < b for a, b in signed)


def pareto(entries: list[TrialEntry], ways: tuple[str, ...]) -> list[TrialEntry]:
    """Return the complete trials that no other one dominates, best in the first metric first."""
    done = [entry for entry in entries if entry.state is TrialState.COMPLETE]
    if not done:
        return []
    sign = -1.0 if ways[0] == "maximize" else 1.0
    order = sorted(done, key=lambda entry: (sign * entry.values[0], entry.number))
    if len(ways) == 1:
        return [entry for entry in order if entry.values == order[0].values][:1]
    return [entry for entry in order if not any(dominates(other.values, entry.values, ways) for other in order)]
