"""What operators mean on values that are odd."""

from __future__ import annotations

import re
from math import isnan

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runfolio.query import compile_like, matches, parse_filter, parse_order_by, sort_experiments, sort_runs
from runfolio.records import Experiment, MetricSummary, Run

letters = st.text(alphabet="aAbB%_é\nςσΣ.*", max_size=8)


def naive_like(pattern: str, text: str) -> bool:
    source = "".join(".*" if letter == "%" else "." if letter == "_" else re.escape(letter) for letter in pattern)
    return re.fullmatch(source, text, re.DOTALL) is not None


@example("a%a", "a")
@example("ab%bc", "abc")
@example("%a%a", "a")
@given(letters, letters)
def test_like_is_the_regular_expression_that_it_spells(pattern: str, text: str) -> None:
    assert compile_like(pattern, ignore_case=False)(text) == naive_like(pattern, text)


@given(letters)
def test_ilike_ignores_case_also_where_a_capital_has_two_small_forms(text: str) -> None:
    pattern = text.replace("%", "_")
    assert compile_like(pattern.upper(), ignore_case=True)(text)
    assert compile_like(pattern[:3].upper() + "%", ignore_case=True)(text)


def test_like_with_many_wildcards_ends_soon() -> None:
    assert not compile_like("%a" * 200 + "b", ignore_case=False)("a" * 6000)


def test_experiment_ids_of_imported_experiments_are_looked_up() -> None:
    run = Run("a", "wine")
    assert matches(parse_filter("experiment_id = 'wine'"), run)
    assert matches(parse_filter("experiment_id = '123'"), run, {"wine": "123"})
    assert matches(parse_filter("experiment_id = '0'"), Run("a", "default"))


def test_nan_matches_only_different_and_not_null() -> None:
    run = Run("a", "wine", metrics={"m": MetricSummary(float("nan"), 0, 0)})
    true = [sign for sign in ("=", "!=", "<", "<=", ">", ">=") if matches(parse_filter(f"metrics.m {sign} 1"), run)]
    assert true == ["!="]
    assert matches(parse_filter("metrics.m IS NOT NULL"), run)


@pytest.fixture
def experiments() -> list[Experiment]:
    return [
        Experiment("0", "default", "Default"),
        Experiment("7", "wine", "Wine", created=10, updated=30, tags={"team": "red"}),
        Experiment("iris", "iris", "iris", created=20, updated=20),
        Experiment("a", "a", "a", created=10),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("name = 'Wine'", ["7"]),
        ("name ILIKE 'I%'", ["iris"]),
        ("experiment_id IN ('0', '7')", ["7", "0"]),
        ("tags.team = 'red'", ["7"]),
        ("tags.team IS NULL", ["iris", "a", "0"]),
        ("creation_time >= 20", ["iris"]),
        ("last_update_time IS NULL", ["a", "0"]),
        ("", ["iris", "a", "7", "0"]),
    ],
)
def test_experiments_are_found_newest_first(experiments: list[Experiment], text: str, found: list[str]) -> None:
    wanted = parse_filter(text, "experiments")
    made = sort_experiments([item for item in experiments if matches(wanted, item)])
    assert [item.experiment_id for item in made] == found


def test_experiments_are_ordered_by_tag_with_missing_last(experiments: list[Experiment]) -> None:
    for direction in ("ASC", "DESC"):
        made = sort_experiments(experiments, parse_order_by([f"tags.team {direction}"], "experiments"))
        assert [item.experiment_id for item in made] == ["7", "iris", "a", "0"]


@given(st.lists(st.floats() | st.none(), max_size=12))
def test_order_is_numbers_nan_missing_in_both_directions(values: list[float | None]) -> None:
    runs = [
        Run(f"r{place:02}", "x", metrics={} if value is None else {"m": MetricSummary(value, 0, 0)})
        for place, value in enumerate(values)
    ]
    for direction in (1, -1):
        made = sort_runs(runs, parse_order_by([f"metrics.m {'ASC' if direction == 1 else 'DESC'}"]))
        found = [run.metrics["m"].last if run.metrics else None for run in made]
        numbers = [value for value in values if value is not None and not isnan(value)]
        assert found[: len(numbers)] == sorted(numbers, reverse=direction == -1)
        rest = found[len(numbers) :]
        assert rest == sorted(rest, key=lambda value: value is None)
