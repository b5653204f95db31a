from __future__ import annotations

import math

from runfolio.site.strips import strip_range


def test_the_best_is_inside_and_the_worst_twentieth_is_not() -> None:
    values = [float(at) for at in range(101)]
    assert strip_range(values, "max") == (5.0, 100.0)
    assert strip_range(values, "min") == (0.0, 95.0)
    assert strip_range(values, "") == (5.0, 95.0)


def test_the_baseline_is_always_inside() -> None:
    assert strip_range([1.0, 2.0], "max", 5.0) == (1.0, 5.0)
    assert strip_range([1.0, 2.0], "max", math.nan) == (1.0, 2.0)


def test_values_that_are_not_finite_do_not_count() -> None:
    assert strip_range([math.nan, math.inf, 3.0], "max") == (3.0, 3.0)
    assert strip_range([math.nan], "max") is None
    assert strip_range([], "min", 1.0) is None
