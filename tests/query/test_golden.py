"""The golden table holds for the evaluator; it is the contract for the index and the site."""

from __future__ import annotations

from typing import Any

import pytest

from runfolio.errors import UsageError
from runfolio.query import matches, parse_filter, parse_order_by, sort_runs
from tests.query.golden_table import golden, golden_runs


def name_of(case: dict[str, Any]) -> str:
    return f"{case['filter']!a} {case['order_by']}"


@pytest.mark.parametrize("case", [case for case in golden()["cases"] if "expect" in case], ids=name_of)
def test_evaluator_finds_what_the_table_says(case: dict[str, Any]) -> None:
    wanted = parse_filter(case["filter"])
    found = sort_runs([run for run in golden_runs() if matches(wanted, run)], parse_order_by(case["order_by"]))
    assert [run.run_id for run in found] == case["expect"]


@pytest.mark.parametrize("case", [case for case in golden()["cases"] if case.get("error")], ids=name_of)
def test_parser_refuses_what_the_table_says_and_points_at_the_place(case: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        parse_filter(case["filter"])
        parse_order_by(case["order_by"])
    *_, quoted, caret = caught.value.message.split("\n")
    assert caret.strip() == "^"
    assert len(caret) <= len(quoted) + 1


def test_the_table_has_at_least_120_cases_and_no_case_twice() -> None:
    names = [name_of(case) for case in golden()["cases"]]
    assert len(names) >= 120
    assert len(set(names)) == len(names)


def test_the_table_lists_all_tags_of_its_runs() -> None:
    assert [run.all_tags for run in golden_runs()] == [value["tags"] for value in golden()["runs"]]
