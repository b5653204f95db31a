"""review/text.py, review/runs.py: a change and runs side by side in a terminal of any width."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runfolio.diff import compare_runs
from runfolio.records import Run
from runfolio.records.runs import MetricSummary
from runfolio.records.visible import INVISIBLE
from runfolio.review.options import ReportOptions
from runfolio.review.parts import BAD, GOOD
from runfolio.review.runs import COLUMNS, comparison_document, comparison_markdown, comparison_text
from runfolio.review.text import columns_of, report_text, text_lines
from tests.review import changes
from tests.review.hosts_markdown import read

OPTIONS = ReportOptions()
RUNS = list(changes.improved().experiments[0].added)


def test_the_verdict_comes_first() -> None:
    lines = report_text(changes.improved(), OPTIONS, 200).splitlines()
    assert lines[:2] == [
        "The best result improved",
        (
            "wine: accuracy improved by 0.0247 (95 % Welch interval +0.0107 to +0.0386, 3 and 3 seeds; best of 3 configurations tried, "
            "interval widened for it), against the best so far."
        ),
    ]


@pytest.mark.parametrize("width", [40, 64, 80, 100, 160])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(width: int) -> None:
    text = report_text(changes.everything(), OPTIONS, width)
    assert max(columns_of(line) for line in text.splitlines()) <= width
    words = set("".join(report_text(changes.everything(), OPTIONS, 2_000).split()))
    assert words <= set("".join(text.split()))
    joined = "".join(text.split())
    assert all("".join(part.split()) in joined for part in ("best of 3 configurations tried", "forest-100-seed3 of wine"))


def test_tables_lose_no_letter_where_there_is_room_for_columns() -> None:
    wide, narrow = (report_text(changes.everything(), OPTIONS, width) for width in (2_000, 100))
    assert sorted("".join(narrow.split())) == sorted("".join(wide.split()))


def test_a_table_becomes_a_list_where_there_is_no_room_for_columns() -> None:
    lines = report_text(changes.promoted(), ReportOptions(sections=("promotions",)), 60).splitlines()
    assert lines[:4] == ["Promotions", "- wine-quality", "  Version: 2", "  Stage: Staging → Production"]


def test_lines_say_how_they_look() -> None:
    lines = text_lines(changes.promoted(), OPTIONS, 160)
    assert lines[0].strong
    assert lines[0].tone == BAD
    assert {line.tone for line in lines if line.text.startswith("failed ")} == {BAD}
    assert {line.tone for line in lines if line.text.startswith("passed ")} == {GOOD}


@settings(max_examples=30, deadline=None)
@given(
    st.text(alphabet=st.sampled_from("a漢é\u0301\u202e\x1b[31m\r\n\t`|\U000e0041 "), min_size=1, max_size=30),
    st.sampled_from([40, 80]),
)
def test_nothing_acts_on_a_terminal(text: str, width: int) -> None:
    lines = report_text(changes.hostile(text), OPTIONS, width).splitlines()
    assert all(not INVISIBLE.search(line) for line in lines)


def test_wide_letters_take_two_columns() -> None:
    lines = report_text(changes.hostile("漢字"), OPTIONS, 80).splitlines()
    assert max(map(columns_of, lines)) <= 80


def test_runs_side_by_side_show_metrics_first_and_their_differences() -> None:
    text = comparison_text(compare_runs(RUNS[:2]).only_differences(), RUNS[:2], OPTIONS)
    lines = text.splitlines()
    assert lines[:3] == ["2 runs side by side", "Differences are from the run forest-400-seed2.", ""]
    assert lines[3] == "Metrics"
    assert lines[5].split() == ["accuracy", "0.9840", "0.9810", "(−0.0030)"]


def test_equal_runs_do_not_differ() -> None:
    assert "They do not differ." in comparison_text(compare_runs(RUNS[:1] * 2).only_differences(), RUNS[:1] * 2, OPTIONS)


def test_more_runs_than_fit_are_counted() -> None:
    text = comparison_markdown(compare_runs(RUNS).only_differences(), RUNS, OPTIONS)
    assert f"The first {COLUMNS} are shown, and 2 more runs not." in text
    assert {len(row) for rows in read(text).tables for row in rows} == {COLUMNS + 1}


def test_hostile_runs_side_by_side_do_nothing() -> None:
    found = [run for item in changes.hostile("@a`|<b>").experiments for run in item.added][:2]
    seen = read(comparison_markdown(compare_runs(found), found, OPTIONS))
    assert seen.links == seen.strange == seen.unbalanced == []
    assert "@" not in seen.outside_text


def test_json_has_every_row() -> None:
    comparison = compare_runs(RUNS[:2])
    document = comparison_document(comparison)
    assert [row["key"] for row in document["rows"]] == [row.key for row in comparison.rows]
    assert document["baseline"] == RUNS[0].run_id


SCHEMA: dict[str, Any] = json.loads(files("runfolio.review").joinpath("comparison.schema.json").read_text("utf-8"))
COMPARED = Draft202012Validator(SCHEMA)


def odd_runs() -> list[Run]:
    """Return runs of which one has what the other has not, and values that JSON has no word for."""
    points = {key: MetricSummary(value, 0, 0) for key, value in (("nan", math.nan), ("inf", -math.inf), ("one", 1.0))}
    one, other = RUNS[:2]
    return [replace(one, metrics=points, user="ada"), replace(other, metrics={}, params={}, name="", user="")]


@pytest.mark.parametrize("runs", [RUNS, odd_runs(), odd_runs()[::-1]], ids=["many", "odd", "odd, turned"])
def test_json_of_runs_side_by_side_is_as_its_schema_says(runs: list[Run]) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    document = json.loads(json.dumps(comparison_document(compare_runs(runs)), allow_nan=False))
    COMPARED.validate(document)
    assert all(len(row["values"]) == len(runs) for row in document["rows"])


@pytest.mark.parametrize(
    "spoil", [{"baseline": None}, {"run_ids": []}, {"surprise": 1}, {"rows": [{"kind": "metric", "key": "x"}]}]
)
def test_the_schema_of_runs_side_by_side_refuses_what_is_none(spoil: dict[str, Any]) -> None:
    assert not COMPARED.is_valid(comparison_document(compare_runs(RUNS)) | spoil)
