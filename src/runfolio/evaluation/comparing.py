"""What the numbers say beyond themselves: their intervals, each slice, and the difference to a baseline on the same rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.evaluation.intervals import Interval, Resampling, draws, intervals, mcnemar, paired_hits, quantiles
from runfolio.evaluation.slices import Slice
from runfolio.evaluation.statistics import Counted, better_of

FEWEST_ROWS = 5
"""Of a part that is resampled: of fewer rows, draws say nothing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A metric against that of the baseline.

    Parameters
    ----------
    baseline, by : float
        The baseline's value, and how much more the candidate has.
    between : tuple of float, or None
        Where the difference lies: the quantiles of a paired bootstrap.
    """

    baseline: float
    by: float
    between: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What was found of some rows.

    Parameters
    ----------
    rows : int
    values : Mapping of str to float
    intervals : Mapping of str to Interval
    differences : Mapping of str to Difference
    """

    rows: int
    values: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    differences: Mapping[str, Difference] = field(default_factory=dict)


def looked_at(counted: Counted, baseline: Counted | None, resampling: Resampling) -> Part:
    """Compute values, intervals and differences of some rows.

    Parameters
    ----------
    counted : Counted
    baseline : Counted or None
        The other model, on the same rows.
    resampling : Resampling
    """
    import numpy

    ones = numpy.ones((1, counted.rows))
    both = [counted] if baseline is None else [counted, baseline]
    values = [{name: float(found[0]) for name, found in each.metrics(ones).items()} for each in both]
    drawn = draws(resampling if counted.rows >= FEWEST_ROWS else Resampling(resampling.level, 0), *both)
    finite = {name: value for name, value in values[0].items() if math.isfinite(value)}
    found = {name: each for name, each in intervals(counted, drawn[0], resampling.level).items() if name in finite}
    differences = {}
    if baseline is not None:
        for name in finite:
            old = values[1].get(name, math.nan)
            if math.isfinite(old):
                pairs = name in drawn[0] and name in drawn[1]
                between = quantiles(drawn[0][name] - drawn[1][name], resampling.level) if pairs else None
                differences[name] = Difference(old, finite[name] - old, between)
    return Part(counted.rows, finite, found, differences)


def by_slice(
    parts: Sequence[Slice], counted: Counted, baseline: Counted | None, resampling: Resampling
) -> list[tuple[str, Part]]:
    """Look at each slice on its own; one without rows has nothing to say.

    Parameters
    ----------
    parts : sequence of Slice
    counted, baseline : Counted
    resampling : Resampling
    """
    made = []
    for part in parts:
        if part.chosen.any():
            other = baseline.part(part.chosen) if baseline is not None else None
            made.append((part.name, looked_at(counted.part(part.chosen), other, resampling)))
        else:
            made.append((part.name, Part(0)))
    return made


def worst(found: Sequence[tuple[str, Part]], fewest: int) -> dict[str, float]:
    """Return the metrics that tell of the worst slice: ``worst_slice_…``, and with a baseline ``worst_slice_delta_…``.

    Parameters
    ----------
    found : sequence of pairs of name and Part
    fewest : int
        Rows that a slice must have to count.
    """
    made: dict[str, float] = {}
    counting = [part for _, part in found if part.rows >= fewest]
    for name in sorted({name for part in counting for name in part.values}):
        worse = max if better_of(name) == "min" else min
        made[f"worst_slice_{name}"] = worse(part.values[name] for part in counting if name in part.values)
        changes = [part.differences[name].by for part in counting if name in part.differences]
        if changes:
            made[f"worst_slice_delta_{name}"] = worse(changes)
    return made


def deltas(whole: Part) -> dict[str, float]:
    """Return the metrics that tell of the difference to the baseline: ``delta_…``, ``delta_…_low``, ``delta_…_high``."""
    made = {}
    for name, difference in whole.differences.items():
        made[f"delta_{name}"] = difference.by
        if difference.between is not None:
            made[f"delta_{name}_low"], made[f"delta_{name}_high"] = difference.between
    return made


def tested(counted: Any, baseline: Any) -> dict[str, Any] | None:
    """Return McNemar's test of which of two classifiers is right more often; None of a regression."""
    found = paired_hits(counted, baseline)
    if found is None:
        return None
    return {"only_candidate": found[0], "only_baseline": found[1], "p_value": mcnemar(*found)}
