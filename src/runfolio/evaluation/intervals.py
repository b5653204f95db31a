"""How sure a metric is: Wilson's interval for a share of rows, a bootstrap for anything else, and pairs for a difference.

A share of rows that count alike (accuracy, recall and precision of two classes) has Wilson's score interval, which is honest near 0 and 1
and of few rows. Everything else is resampled: rows are drawn with replacement, the metric is computed of each draw, and the interval
lies between the quantiles (percentile bootstrap). Two models on the same rows are resampled together, so that what both find hard
cancels out; for accuracy the exact test of McNemar is told, too. A fixed seed gives the same interval every time.

>>> low, high = wilson(9, 10, 0.95)
>>> round(low, 3), round(high, 3)
(0.596, 0.982)
>>> round(mcnemar(1, 9), 4)
0.0215
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.evaluation.statistics import Classified, Counted

WILSON, BOOTSTRAP = "wilson", "bootstrap"
BUDGET = 20_000_000
"""Rows drawn for one interval at most: many rows are resampled fewer times, and need it less."""
FEWEST = 100
_EXACT, _AT_ONCE = 1000, 2_000_000


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are made.

    Parameters
    ----------
    level : float
        Of confidence: 0.95.
    resamples : int
        At most; see :data:`BUDGET`. None are made of 0.
    seed : int
    """

    level: float = 0.95
    resamples: int = 1000
    seed: int = 0

    def times(self, rows: int) -> int:
        """Return how often so many rows are resampled."""
        return min(self.resamples, max(FEWEST, BUDGET // max(1, rows))) if self.resamples else 0


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a metric lies.

    Parameters
    ----------
    low, high : float
    method : str
        ``wilson`` or ``bootstrap``.
    """

    low: float
    high: float
    method: str


def wilson(hits: float, rows: float, level: float) -> tuple[float, float]:
    """Return Wilson's score interval of a share (E. B. Wilson, JASA 22, 1927).

    Parameters
    ----------
    hits, rows : float
    level : float
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = hits / rows
    middle = share + z * z / (2 * rows)
    half = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    whole = 1 + z * z / rows
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of McNemar's test: exact up to a thousand rows that only one got right, then the normal one.

    Parameters
    ----------
    only_first, only_second : int
        Rows that only the one, or only the other, got right.
    """
    both = only_first + only_second
    if not both:
        return 1.0
    if both > _EXACT:
        z = (abs(only_first - only_second) - 1) / math.sqrt(both)
        return math.erfc(max(0.0, z) / math.sqrt(2))
    fewer = min(only_first, only_second)
    tail = sum(math.comb(both, at) for at in range(fewer + 1))
    return min(1.0, float(tail / (1 << (both - 1))))


def draws(resampling: Resampling, *counted: Counted) -> list[dict[str, Any]]:
    """Resample rows, and return the metrics of all draws of each of those that stand on these rows.

    Parameters
    ----------
    resampling : Resampling
    *counted : Counted
        One, or several of the same rows, which are drawn together.

    Returns
    -------
    list of dict of str to ndarray, shape (draws,)
        One for each; empty where nothing is resampled.
    """
    import numpy

    generator = numpy.random.default_rng(resampling.seed)
    rows, left = counted[0].rows, resampling.times(counted[0].rows)
    made: list[list[dict[str, Any]]] = [[] for _ in counted]
    while left > 0:
        count = min(left, max(1, _AT_ONCE // rows))
        left -= count
        drawn = generator.integers(0, rows, (count, rows)) + numpy.arange(count)[:, None] * rows
        counts = numpy.bincount(drawn.ravel(), minlength=count * rows).reshape(count, rows).astype(float)
        for held, each in zip(made, counted, strict=True):
            held.append(each.metrics(counts))
    return [{name: numpy.concatenate([part[name] for part in held]) for name in held[0]} if held else {} for held in made]


def intervals(counted: Counted, drawn: Mapping[str, Any], level: float) -> dict[str, Interval]:
    """Return the interval of each metric that has one.

    Parameters
    ----------
    counted : Counted
    drawn : Mapping of str to ndarray, shape (draws,)
        Its metrics of each draw.
    level : float
    """
    made = {name: Interval(*wilson(*share, level), WILSON) for name, share in shares(counted).items()}
    for name, values in drawn.items():
        found = quantiles(values, level) if name not in made else None
        if found is not None:
            made[name] = Interval(*found, BOOTSTRAP)
    return made


def quantiles(values: Any, level: float) -> tuple[float, float] | None:
    """Return the two quantiles between which a share `level` of the values lies; None where most of them are not defined."""
    import numpy

    finite = values[numpy.isfinite(values)]
    if len(finite) < max(2, len(values) // 2):
        return None
    low, high = numpy.quantile(finite, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def shares(counted: Counted) -> dict[str, tuple[float, float]]:
    """Return the metrics that are shares of rows which count alike: hits and rows of each."""
    if not isinstance(counted, Classified) or counted.weights is not None:
        return {}
    hit = counted.true == counted.answered
    made = {"accuracy_score": (float(hit.sum()), float(counted.rows))}
    if counted.average == "binary":
        made["recall_score"] = (float((hit & (counted.true == 1)).sum()), float((counted.true == 1).sum()))
        made["precision_score"] = (float((hit & (counted.answered == 1)).sum()), float((counted.answered == 1).sum()))
    return {name: share for name, share in made.items() if share[1]}


def paired_hits(first: Any, second: Any) -> tuple[int, int] | None:
    """Return how many rows only the first, and only the second got right; None where they are not classifications."""
    if not isinstance(first, Classified) or not isinstance(second, Classified):
        return None
    one, other = first.true == first.answered, second.true == second.answered
    return int((one & ~other).sum()), int((other & ~one).sum())
