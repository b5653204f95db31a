"""The numbers of a column in one pass: count, extremes, mean, deviation, quantiles, histogram.

Mean and deviation are those of chunks joined (Chan, Golub, LeVeque 1983), each about the mean so far, so that a column of large
numbers that lie close together keeps its deviation. Quantiles and histogram are of all values, or of a sample of fixed size (Li
1994, algorithm L) where there are more.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Sequence
from operator import mul
from typing import NamedTuple

from runfolio.records.datasets import Histogram

STEPS = 20
"""Quantiles are told at 0, 1/20, …, 1."""
MOST_BINS = 24
_SEED = 7
_TRIMMED_FROM = 1000
_TRIM = 0.005


class Shape(NamedTuple):
    """What the distribution of some numbers looks like."""

    quantiles: tuple[float, ...]
    histogram: Histogram
    sampled: int


class NumberStats:
    """Takes numbers in chunks.

    Parameters
    ----------
    sample : int
        How many values are held.
    """

    def __init__(self, sample: int) -> None:
        self.count = 0
        self.not_finite = 0
        self.whole = True
        self.min, self.max = math.inf, -math.inf
        self._mean = self._squares = 0.0
        self._held, self._room = array("d"), sample
        self._random = random.Random(_SEED)
        self._weight, self._next = 1.0, 0

    def add(self, values: Sequence[float], *, whole: bool) -> None:
        """Take some numbers; `whole` tells whether all of them are integers."""
        if not values:
            return
        self.whole &= whole
        if not math.isfinite(sum(values)):
            finite = [value for value in values if math.isfinite(value)]
            self.not_finite += len(values) - len(finite)
            values = finite
            if not values:
                return
        least, most = min(values), max(values)
        self.min, self.max = min(self.min, least), max(self.max, most)
        self._join(values)
        self._hold(values)
        self.count += len(values)

    def _join(self, values: Sequence[float]) -> None:
        about = self._mean if self.count else float(values[0])
        apart = [value - about for value in values]
        total, number = sum(apart), len(values)
        squares = sum(map(mul, apart, apart)) - total * total / number
        mean, whole = about + total / number, self.count + number
        step = mean - self._mean if self.count else 0.0
        self._squares += squares + step * step * self.count * number / whole
        self._mean = self._mean + step * number / whole if self.count else mean

    def _hold(self, values: Sequence[float]) -> None:
        free = self._room - len(self._held)
        if free > 0:
            self._held.extend(values[:free])
            if len(self._held) < self._room:
                return
            self._next = self._room - 1
            self._skip()
        while self._next < self.count + len(values):
            self._held[self._random.randrange(self._room)] = values[self._next - self.count]
            self._skip()

    def _skip(self) -> None:
        self._weight *= math.exp(math.log(1.0 - self._random.random()) / self._room)
        self._next += int(math.log(1.0 - self._random.random()) / math.log1p(-self._weight)) + 1

    @property
    def mean(self) -> float | None:
        """The mean of the finite numbers."""
        return self._mean if self.count else None

    @property
    def std(self) -> float | None:
        """The standard deviation, with ``n - 1``; None of one number."""
        return math.sqrt(max(self._squares, 0.0) / (self.count - 1)) if self.count > 1 else None

    def shape(self) -> Shape | None:
        """Return quantiles and histogram; None where there is no number."""
        if not self.count:
            return None
        held = sorted(self._held)
        quantiles = [held[0]] + [_quantile(held, step / STEPS) for step in range(1, STEPS)] + [held[-1]]
        quantiles[0], quantiles[-1] = self.min, self.max
        return Shape(tuple(quantiles), _histogram(held, self.whole), len(held) if len(held) < self.count else 0)


def _quantile(held: Sequence[float], level: float) -> float:
    """Interpolate linearly between the two nearest values (type 7 of Hyndman and Fan 1996, as numpy does)."""
    place = level * (len(held) - 1)
    below = int(place)
    part = place - below
    return held[below] * (1 - part) + held[below + 1] * part if part else held[below]


def _histogram(held: Sequence[float], whole: bool) -> Histogram:
    """Count values in bins whose width is a power of two; far values, of many, go to the first and last bin."""
    trimmed = len(held) >= _TRIMMED_FROM
    low, high = (_quantile(held, _TRIM), _quantile(held, 1 - _TRIM)) if trimmed else (held[0], held[-1])
    spread = high - low
    if not spread > 0 or not math.isfinite(spread):
        low, high = (held[0], held[-1]) if spread == 0 else (-1.0, 1.0)
        spread = min(high - low, 1e300)
    least = 1.0 if whole else max(abs(low), abs(high), 1e-300) * 2.0**-40
    width = 2.0 ** math.ceil(math.log2(max(spread / MOST_BINS, least)))
    first, last = math.floor(low / width), math.floor(high / width)
    counts = [0] * (last - first + 1)
    for value in held:
        counts[min(max(math.floor(value / width), first), last) - first] += 1
    return Histogram(first * width, width, tuple(counts))
