"""diff/compare.py: runs side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.diff import Row, compare_runs
from runfolio.diff.compare import KINDS
from runfolio.errors import NotFoundError, UsageError
from runfolio.records import DatasetInput, MetricSummary, Run, RunStatus
from tests.strategies import runs


def metric(value: float) -> MetricSummary:
    return MetricSummary(value, 0, 0, 1, value, value)


ONE = Run(
    "a", "wine", "otter", RunStatus.FINISHED, 1000, 2000, params={"depth": "3", "seed": "1"}, metrics={"acc": metric(0.5)},
    tags={"t": "x"}, code={"commit": "c1", "dirty": True}, entry={"script": "t.py"}, environment={"python": "3.11"},
    inputs=(DatasetInput("wine", "d1", tags={"mlflow.data.context": "training"}),),
)  # fmt: skip
TWO = replace(
    ONE, run_id="b", params={"depth": "5", "seed": "1", "only": "b"}, metrics={"acc": metric(0.75), "loss": metric(1.0)}, end=4000
)


def rows(kind: str, *compared: Run, **options: str) -> list[Row]:
    return [row for row in compare_runs(compared, **options).rows if row.kind == kind]


def test_a_param_that_a_run_lacks_differs() -> None:
    assert rows("param", ONE, TWO) == [
        Row("param", "depth", ("3", "5"), True),
        Row("param", "only", (None, "b"), True),
        Row("param", "seed", ("1", "1"), False),
    ]


def test_metrics_are_compared_with_the_first_run() -> None:
    assert rows("metric", ONE, TWO) == [
        Row("metric", "acc", (0.5, 0.75), True, (0.0, 0.25)),
        Row("metric", "loss", (None, 1.0), True, (None, None)),
    ]


def test_metrics_are_compared_with_a_named_baseline() -> None:
    assert rows("metric", ONE, TWO, baseline="b")[0].deltas == (-0.25, 0.0)
    assert compare_runs([ONE, TWO], "b").baseline == 1


def test_nan_is_the_same_as_nan_and_infinity_as_infinity() -> None:
    for value in (float("nan"), float("inf")):
        found = rows("metric", replace(ONE, metrics={"m": metric(value)}), replace(TWO, metrics={"m": metric(value)}))
        assert (found[0].differs, found[0].deltas) == (False, (0.0, 0.0))


def test_only_differences_keeps_the_rows_that_differ() -> None:
    found = compare_runs([ONE, TWO]).only_differences()
    assert [(row.kind, row.key) for row in found.rows] == [
        ("attribute", "duration_ms"), ("param", "depth"), ("param", "only"), ("metric", "acc"), ("metric", "loss"),
    ]  # fmt: skip


def test_code_datasets_and_environment_have_rows() -> None:
    found = {(row.kind, row.key): row.values for row in compare_runs([ONE]).rows}
    assert found["code", "commit"] == ("c1",) and found["code", "dirty"] == ("true",) and found["code", "script"] == ("t.py",)
    assert found["dataset", "training: wine"] == ("d1",) and found["environment", "python"] == ("3.11",)


def test_one_run_differs_from_nothing() -> None:
    assert compare_runs([ONE]).only_differences().rows == ()


def test_no_run_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="at least one"):
        compare_runs([])


def test_an_unknown_baseline_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="'zz'"):
        compare_runs([ONE], "zz")


@given(st.lists(runs(), min_size=1, max_size=3))
def test_every_row_has_a_value_for_every_run(compared: list[Run]) -> None:
    found = compare_runs(compared)
    assert all(len(row.values) == len(compared) for row in found.rows)
    assert all(row.differs for row in found.only_differences().rows)
    assert [KINDS.index(row.kind) for row in found.rows] == sorted(KINDS.index(row.kind) for row in found.rows)
    assert not compare_runs([compared[0]] * 2).only_differences().rows
