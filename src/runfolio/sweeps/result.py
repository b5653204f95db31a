"""What a sweep found, as Python has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.sweeps.book import TrialEntry, pareto
from runfolio.sweeps.settings import SweepSettings
from runfolio.sweeps.trials import TrialState


@dataclass(frozen=True, slots=True)
class TrialSummary:
    """One trial of a sweep.

    Parameters
    ----------
    number : int
    state : str
        ``complete``, ``pruned``, ``failed``, or ``open`` where it is not over.
    params : Mapping
    values : Mapping of str to float
        By metric; over replicates the mean.
    spreads : Mapping of str to float
        Standard deviation over the replicates, by metric; empty where each trial runs once.
    samples : tuple of Mapping
        Values by metric of each replicate that is complete.
    runs : tuple of str
        Run ids of what is over.
    fault : str
        Why it failed.
    """

    number: int
    state: str
    params: Mapping[str, Any]
    values: Mapping[str, float] = field(default_factory=dict)
    spreads: Mapping[str, float] = field(default_factory=dict)
    samples: tuple[Mapping[str, float], ...] = ()
    runs: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True)
class SweepResult:
    """What a sweep found.

    Parameters
    ----------
    run_id : str
        Of the sweep's own run: the parent of all others.
    name : str
    metrics : Mapping of str to str
        ``minimize`` or ``maximize`` by name.
    trials : tuple of TrialSummary
        By number.
    importance : Mapping of str to Mapping of str to float
        By metric: how much each param explains of it, summing up to 1; empty where it cannot be said.
    document : Mapping
        As ``sweep.json`` has it.
    """

    run_id: str
    name: str
    metrics: Mapping[str, str]
    trials: tuple[TrialSummary, ...]
    importance: Mapping[str, Mapping[str, float]]
    document: Mapping[str, Any] = field(repr=False, default_factory=dict)
    _study: Any = field(repr=False, default=None)

    @property
    def study(self) -> Any:
        """Optuna's study, in memory: for its plots and statistics."""
        return self._study

    @property
    def pareto_front(self) -> tuple[TrialSummary, ...]:
        """The complete trials that no other one is better than in every metric; with one metric the best alone."""
        by_number = {trial.number: trial for trial in self.trials}
        return tuple(by_number[number] for number in self.document.get("best", ()))

    @property
    def best(self) -> TrialSummary | None:
        """The best trial; None where none is complete. With several metrics the first of the front: the best in the first metric."""
        front = self.pareto_front
        return front[0] if front else None

    @property
    def best_params(self) -> Mapping[str, Any]:
        """The params of the best trial; empty where none is complete."""
        return self.best.params if self.best else {}

    @property
    def best_value(self) -> float | None:
        """The best trial's value of the first metric."""
        return self.best.values[next(iter(self.metrics))] if self.best else None

    @property
    def best_run_id(self) -> str | None:
        """Run id of the best trial; of its first replicate."""
        return self.best.runs[0] if self.best and self.best.runs else None

    def count(self, state: str) -> int:
        """Return how many trials ended so."""
        return sum(trial.state == state for trial in self.trials)

    def frame(self) -> Any:
        """Return the trials as a table: a row each, with params, values and spreads as columns.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas

        rows = []
        for trial in self.trials:
            row: dict[str, Any] = {"number": trial.number, "state": trial.state}
            row.update({f"params.{name}": value for name, value in trial.params.items()})
            row.update({f"metrics.{name}": value for name, value in trial.values.items()})
            row.update({f"spread.{name}": value for name, value in trial.spreads.items()})
            rows.append({**row, "run_id": trial.runs[0] if trial.runs else None, "error": trial.fault})
        return pandas.DataFrame(rows)

    trials_frame = frame


def summary_of(entry: TrialEntry, settings: SweepSettings) -> TrialSummary:
    """Return a trial as the result shows it."""
    complete = entry.state is TrialState.COMPLETE
    values = dict(zip(settings.names, entry.values, strict=True)) if complete else {}
    samples = tuple(dict(zip(settings.names, each, strict=True)) for each in entry.samples)
    spreads = dict(zip(settings.names, entry.spreads, strict=True)) if complete and settings.replicates else {}
    return TrialSummary(
        entry.number, str(entry.state or "open"), dict(entry.params), values, spreads, samples if settings.replicates else (),
        entry.runs, entry.fault,
    )  # fmt: skip


def front_of(book: Mapping[int, TrialEntry], settings: SweepSettings) -> list[int]:
    """Return the numbers of the best trials."""
    return [entry.number for entry in pareto(list(book.values()), settings.directions)]
