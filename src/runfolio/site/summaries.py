"""What several pages say of an experiment in few words: how many runs, the best one, how it came to be the best."""

from __future__ import annotations

from collections import Counter

from runfolio._dataclass import dataclass
from runfolio.index import RunRow
from runfolio.site.gather import ExperimentData, Site

FAILED = frozenset(("FAILED", "KILLED"))


@dataclass(frozen=True, slots=True)
class Summary:
    """An experiment in few words.

    Parameters
    ----------
    runs, failed, killed : int
    last_start : int or None
        Of the newest run, milliseconds since the epoch, UTC.
    compute_ms : int
        Sum of the runs' durations.
    metric : str
        Its objective; empty where it has none.
    direction : str
        ``max``, ``min`` or empty.
    best : RunRow or None
        The best run by the objective.
    best_value, baseline_value : float or None
        Of the objective.
    steps : tuple of (int, float)
        When the best value so far changed, and to what, oldest first.
    """

    runs: int
    failed: int
    killed: int
    last_start: int | None
    compute_ms: int
    metric: str
    direction: str
    best: RunRow | None
    best_value: float | None
    baseline_value: float | None
    steps: tuple[tuple[int, float], ...]

    @property
    def change(self) -> float | None:
        """The best value less the baseline's; None where one of them is missing, or they are the same run's."""
        return None if self.best_value is None or self.baseline_value is None else self.best_value - self.baseline_value


def summary_of(site: Site, item: ExperimentData) -> Summary:
    """Sum an experiment up."""
    if item.summary is None:
        item.summary = _summary(site, item)
    assert isinstance(item.summary, Summary)
    return item.summary


def _summary(site: Site, item: ExperimentData) -> Summary:
    values = site.objective_values(item)
    objective = item.objective
    best = site.best(item, 1)[0] if values else None
    baseline = site.by_id.get(item.experiment.baseline or "")
    statuses = Counter([row.status for row in item.rows])
    return Summary(
        runs=len(item.rows),
        failed=statuses["FAILED"],
        killed=statuses["KILLED"],
        last_start=item.rows[-1].start if item.rows else None,
        compute_ms=sum(row.end - row.start for row in item.rows if row.end is not None and row.end > row.start),
        metric=objective.metric if objective else "",
        direction=objective.direction if objective else "",
        best=best,
        best_value=values.get(best.pk) if best else None,
        baseline_value=values.get(baseline.pk) if baseline and baseline is not best else None,
        steps=_steps(item, values),
    )


def _steps(item: ExperimentData, values: dict[int, float]) -> tuple[tuple[int, float], ...]:
    made: list[tuple[int, float]] = []
    if item.objective is None:
        return ()
    larger = item.objective.direction == "max"
    for row in item.rows:
        value = values.get(row.pk)
        if value is not None and (not made or (value > made[-1][1] if larger else value < made[-1][1])):
            made.append((row.start, value))
    return tuple(made)
