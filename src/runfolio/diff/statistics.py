"""The little statistics that a fair comparison needs, without a heavy package.

Sources: Welch's interval, B. L. Welch, Biometrika 34 (1947) 28-35; Student's distribution through the regularised incomplete beta
function by Lentz's continued fraction, Numerical Recipes, 3rd ed., section 6.4.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

_STEPS = 400
_TINY = 1e-300


def values_of_replicates(found: Iterable[tuple[str | None, float]]) -> tuple[float, ...]:
    """Return one value a replicate, so that a run that was made twice does not pass for two.

    Runs of one seed are one replicate, whose value is their mean. Runs that name no seed are one each, unless all of them came to the
    same number: a program that fixes its seed itself, run again.

    Parameters
    ----------
    found : iterable of (str or None, float)
        Of each run its seed, or what the replicate key is, and its value.

    Examples
    --------
    >>> values_of_replicates([("1", 0.5), ("2", 0.75), ("1", 0.5)])
    (0.5, 0.75)
    >>> values_of_replicates([(None, 0.5), (None, 0.5)]), values_of_replicates([(None, 0.5), (None, 0.75)])
    ((0.5,), (0.5, 0.75))
    """
    seeded: dict[str, list[float]] = {}
    unseeded: list[float] = []
    for seed, value in found:
        if seed is None:
            unseeded.append(value)
        else:
            seeded.setdefault(seed, []).append(value)
    alone = unseeded[:1] if len(set(unseeded)) == 1 else unseeded
    return (*(values[0] if len(set(values)) == 1 else mean_of(values) for values in seeded.values()), *alone)


def mean_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Return the mean and half the width of its confidence interval.

    Parameters
    ----------
    values : sequence of float
        Finite, at least two for a width; NaN is its width for one.
    level : float

    Examples
    --------
    >>> mean, half = mean_interval([0.97, 0.98, 0.96])
    >>> round(mean, 4), round(half, 4)
    (0.97, 0.0248)
    """
    count = len(values)
    mean = mean_of(values)
    if count < 2:
        return mean, math.nan
    return mean, t_quantile(0.5 + level / 2, count - 1) * math.sqrt(_variance(values, mean) / count)


def welch_interval(before: Sequence[float], after: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Return the confidence interval of the difference of two means, `after` less `before`.

    Parameters
    ----------
    before, after : sequence of float
        Finite, at least two each.
    level : float

    Returns
    -------
    low, high : float

    Examples
    --------
    >>> low, high = welch_interval([0.96, 0.95, 0.97], [0.98, 0.99, 0.985])
    >>> round(low, 4), round(high, 4)
    (0.0042, 0.0458)
    """
    one, other = mean_of(before), mean_of(after)
    first, second = _variance(before, one) / len(before), _variance(after, other) / len(after)
    spread = first + second
    if spread == 0:
        return other - one, other - one
    if not math.isfinite(spread):
        return -math.inf, math.inf
    one_share, other_share = first / spread, second / spread  # of the spread, so that no square leaves the floats
    freedom = 1 / (one_share**2 / (len(before) - 1) + other_share**2 / (len(after) - 1))
    half = t_quantile(0.5 + level / 2, freedom) * math.sqrt(spread)
    return other - one - half, other - one + half


def prediction_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Return the mean, and half the width of the interval in which one more value of the same kind would fall.

    Parameters
    ----------
    values : sequence of float
        Finite, at least two.
    level : float

    Examples
    --------
    >>> mean, half = prediction_interval([0.97, 0.98, 0.96])
    >>> round(mean, 4), round(half, 4)
    (0.97, 0.0497)
    """
    mean = mean_of(values)
    spread = math.sqrt(_variance(values, mean) * (1 + 1 / len(values)))
    return mean, t_quantile(0.5 + level / 2, len(values) - 1) * spread


@lru_cache(maxsize=256)
def t_quantile(probability: float, freedom: float) -> float:
    """Return the quantile of Student's distribution, for a probability of at least one half.

    Examples
    --------
    >>> round(t_quantile(0.975, 2), 4), round(t_quantile(0.975, 30), 4)
    (4.3027, 2.0423)
    """
    low, high = 0.0, 1.0
    while _t_distribution(high, freedom) < probability:
        low, high = high, high * 2
        if high > 1e12:
            return high
    for _ in range(200):
        middle = (low + high) / 2
        if _t_distribution(middle, freedom) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def mean_of(values: Sequence[float]) -> float:
    """Return the mean, also of numbers whose sum no float can hold.

    Examples
    --------
    >>> mean_of([1.7e308, 1.7e308])
    1.7e+308
    """
    try:
        return math.fsum(values) / len(values)
    except OverflowError:  # to divide each first is not enough: thirds of the largest float, each rounded up, are more than it
        small = [math.ldexp(value, -64) for value in values]
        return math.ldexp(max(min(small), min(math.fsum(small) / len(small), max(small))), 64)


def _variance(values: Sequence[float], mean: float) -> float:
    """Return the variance; infinite where no float can hold it."""
    try:
        return math.fsum((value - mean) * (value - mean) for value in values) / (len(values) - 1)
    except OverflowError:
        return math.inf


def _t_distribution(t: float, freedom: float) -> float:
    return 1 - 0.5 * _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # there the fraction converges slowly; the function is symmetric
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    return front * _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    made = d
    for m in range(1, _STEPS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 / _away(1 + term * d), _away(1 + term / c)
            made *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return made


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
