"""Metrics for resampling beside scikit-learn's, and intervals beside what is known of them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from runfolio.evaluation.intervals import Resampling, draws, intervals, mcnemar, quantiles, wilson
from runfolio.evaluation.statistics import Classified, Measured, classified

numpy = pytest.importorskip("numpy")
metrics = pytest.importorskip("sklearn.metrics")


def made(classes: int, rows: int = 200, average: str = "binary", seed: int = 0) -> Classified:
    generator = numpy.random.default_rng(seed)
    true = generator.integers(0, classes, rows)
    probabilities = generator.dirichlet(numpy.ones(classes), rows).round(2) + 0.01  # ties, and rows that do not sum to one
    return classified(true, generator.integers(0, classes, rows), classes, probabilities, None, average)


def wanted(rows: Classified, counts: Any) -> dict[str, float]:
    true, said, weight = rows.true, rows.answered, counts if rows.weights is None else counts * rows.weights
    probabilities = rows.probabilities / rows.probabilities.sum(axis=1, keepdims=True)
    how = {"average": rows.average, "sample_weight": weight, "zero_division": 0.0}
    found = {
        "accuracy_score": metrics.accuracy_score(true, said, sample_weight=weight),
        "recall_score": metrics.recall_score(true, said, **how),
        "precision_score": metrics.precision_score(true, said, **how),
        "f1_score": metrics.f1_score(true, said, **how),
        "log_loss": metrics.log_loss(true, probabilities, sample_weight=weight, labels=range(rows.classes)),
    }
    if rows.average == "binary":
        scores = rows.probabilities[:, 1]
        found["roc_auc"] = metrics.roc_auc_score(true, scores, sample_weight=weight)
        found["precision_recall_auc"] = metrics.average_precision_score(true, scores, sample_weight=weight)
    elif rows.average in ("weighted", "macro"):
        areas = [metrics.roc_auc_score(true == at, rows.probabilities[:, at], sample_weight=weight) for at in range(rows.classes)]
        support = numpy.bincount(true, weight, rows.classes)
        found["roc_auc"] = numpy.average(areas, weights=support if rows.average == "weighted" else None)
    return found


@pytest.mark.parametrize(("classes", "average"), [(2, "binary"), (4, "weighted"), (4, "macro"), (4, "micro")])
def test_counted_metrics_are_scikit_learns(classes: int, average: str) -> None:
    rows = made(classes, average=average)
    generator = numpy.random.default_rng(1)
    counts = numpy.stack(
        [numpy.ones(rows.rows), generator.integers(0, 4, rows.rows), generator.integers(0, 2, rows.rows)]
    ).astype(float)
    found = rows.metrics(counts)
    for at, line in enumerate(counts):
        assert {name: values[at] for name, values in found.items()} == pytest.approx(wanted(rows, line), rel=1e-9)


def test_counted_errors_are_scikit_learns() -> None:
    generator = numpy.random.default_rng(0)
    true, said, weights = generator.normal(1e6, 1, 100), generator.normal(1e6, 1, 100), generator.uniform(1, 2, 100)
    counts = generator.integers(0, 3, (3, 100)).astype(float)
    found = Measured(true, said, weights).metrics(counts)
    for at, line in enumerate(counts * weights):
        assert found["r2_score"][at] == pytest.approx(metrics.r2_score(true, said, sample_weight=line), rel=1e-6)
        assert found["mean_absolute_error"][at] == pytest.approx(metrics.mean_absolute_error(true, said, sample_weight=line))
        assert found["root_mean_squared_error"][at] == pytest.approx(
            metrics.mean_squared_error(true, said, sample_weight=line) ** 0.5
        )
        share = metrics.mean_absolute_percentage_error(true, said, sample_weight=line)
        assert found["mean_absolute_percentage_error"][at] == pytest.approx(share)


def test_what_is_not_defined_is_not_a_number() -> None:
    one_class = classified(numpy.zeros(3, int), numpy.zeros(3, int), 2, numpy.full((3, 2), 0.5))
    found = one_class.metrics(numpy.ones((1, 3)))
    assert math.isnan(found["roc_auc"][0])
    assert math.isnan(found["precision_score"][0])
    assert found["accuracy_score"][0] == 1
    assert math.isnan(Measured(numpy.ones(3), numpy.ones(3)).metrics(numpy.ones((1, 3)))["r2_score"][0])


def test_wilsons_interval_is_the_published_one() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    for hits, rows, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(hits, rows, 0.95) == pytest.approx((low, high), abs=5e-5)


def test_mcnemars_test_is_exact_for_few_rows_and_near_it_for_many() -> None:
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 5) == 1
    assert mcnemar(1, 9) == pytest.approx(2 * (1 + 10) / 1024)
    assert mcnemar(480, 520) == pytest.approx(mcnemar(481, 521), rel=0.02)  # the one exact, the other by the normal distribution


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    held = 0
    for seed in range(100):
        generator = numpy.random.default_rng(seed)
        rows = Measured(numpy.zeros(80), generator.normal(0, 1, 80))
        drawn = draws(Resampling(0.9, 300, seed), rows)[0]
        found = intervals(rows, drawn, 0.9)["mean_absolute_error"]
        held += found.low <= (2 / math.pi) ** 0.5 <= found.high
    assert 80 <= held <= 97


def test_a_seed_gives_the_same_draws_and_pairs_are_drawn_together() -> None:
    one, other = made(2, seed=1), made(2, seed=2)
    again = draws(Resampling(resamples=50), one, other)
    assert [{key: values.tolist() for key, values in each.items()} for each in draws(Resampling(resamples=50), one, other)] == [
        {key: values.tolist() for key, values in each.items()} for each in again
    ]
    same = draws(Resampling(resamples=50), one, one)
    assert (same[0]["f1_score"] == same[1]["f1_score"]).all()


def test_many_rows_are_resampled_fewer_times() -> None:
    assert Resampling().times(100) == 1000
    assert Resampling().times(100_000) == 200
    assert Resampling().times(10_000_000) == 100
    assert Resampling(resamples=0).times(100) == 0
    assert draws(Resampling(resamples=0), made(2)) == [{}]


def test_no_interval_is_told_where_most_draws_have_no_value() -> None:
    assert quantiles(numpy.array([1.0, numpy.nan, numpy.nan, numpy.nan]), 0.95) is None
