"""Intervals, against published tables and against simulation."""

from __future__ import annotations

import math
import random
import sys

import pytest

from runfolio.diff.statistics import mean_interval, mean_of, t_quantile, welch_interval


@pytest.mark.parametrize(
    ("probability", "freedom", "expected"),
    # Student's table (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2).
    [(0.975, 1, 12.706), (0.975, 2, 4.303), (0.975, 3, 3.182), (0.975, 5, 2.571), (0.975, 10, 2.228), (0.975, 30, 2.042),
     (0.975, 100, 1.984), (0.95, 7, 1.895), (0.99, 20, 2.528), (0.999, 4, 7.173), (0.5, 9, 0.0)],
)  # fmt: skip
def test_quantiles_are_those_of_the_table(probability: float, freedom: float, expected: float) -> None:
    assert round(t_quantile(probability, freedom), 3) == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize("count", range(1, 12))
@pytest.mark.parametrize("sign", [1, -1])
def test_the_mean_of_the_largest_floats_is_the_largest_float(count: int, sign: int) -> None:
    assert mean_of([sign * sys.float_info.max] * count) == sign * sys.float_info.max


def test_a_single_run_has_no_interval() -> None:
    mean, half = mean_interval([0.5])
    assert mean == 0.5 and math.isnan(half)


def test_the_same_values_twice_differ_by_nothing() -> None:
    assert welch_interval([1.0, 1.0], [1.0, 1.0]) == (0.0, 0.0)
    low, high = welch_interval([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert low == pytest.approx(-high)


def test_the_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    pick = random.Random(7)
    covered = 0
    for _ in range(2000):
        before = [pick.gauss(0, 1) for _ in range(4)]
        after = [pick.gauss(0.5, 3) for _ in range(6)]
        low, high = welch_interval(before, after)
        covered += low <= 0.5 <= high
    assert 0.93 < covered / 2000 < 0.97
