"""What a table shows of runs is what their records say, and is read without them; values are there once they are asked for."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from math import isnan
from pathlib import Path

import pytest

from runfolio.formats.runs import encode_run
from runfolio.index import Index, question
from runfolio.query import parse_filter, parse_order_by
from runfolio.records import Run, ViewType
from runfolio.records.briefs import RunBrief, brief_of
from tests.index.history import History, make_run, metric, path_of


def comparable(briefs: Sequence[RunBrief]) -> list[object]:
    """NaN equals nothing, not even itself."""
    return [
        (
            brief._replace(metrics={}, tags_json=""),
            [(key, "NaN" if isnan(value) else value) for key, value in brief.metrics.items()],
        )
        for brief in briefs
    ] + [brief.all_tags for brief in briefs]


def filled(index: Index) -> tuple[int, int]:
    """How many rows there are of metrics, and of params and tags."""
    db = index._database.connection()
    return db.execute("SELECT (SELECT count(*) FROM numbers), (SELECT count(*) FROM texts)").fetchone()  # type: ignore[no-any-return]


@pytest.fixture
def index(history: History) -> Index:
    made = Index.open()
    made.update(
        history.repo,
        history.commit_runs([Run(f"r{n}", "wine", start=n, params={"p": str(n)}, metrics={"m": metric(n)}) for n in range(5)]),
    )
    return made


@pytest.mark.parametrize("filter_text", ["", "metrics.k > 0.1", "params.k LIKE '%a%'", "attributes.status = 'FINISHED'"])
@pytest.mark.parametrize("overlay", [[], [make_run(900, "live")]])
def test_briefs_say_what_the_records_say(many: History, filter_text: str, overlay: list[Run]) -> None:
    index = Index.open()
    index.update(many.repo, many.repo.resolve("main"))
    wanted, order = parse_filter(filter_text), parse_order_by(["metrics.k DESC"])
    found = index.search_runs(wanted, order, view=ViewType.ALL, limit=150, offset=3, overlay=overlay)
    assert len(found) > 20
    briefs = index.search_briefs(wanted, order, view=ViewType.ALL, limit=150, offset=3, overlay=overlay)
    assert comparable(briefs) == comparable([brief_of(run) for run in found])


def test_a_page_of_briefs_decodes_no_record(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    index.search_briefs()  # whatever is decoded while it is loaded

    def refuse(data: bytes, path: str) -> Run:
        raise AssertionError(path)

    monkeypatch.setattr(question, "decode_lately", refuse)
    assert [(brief.run_id, brief.params, brief.metrics) for brief in index.search_briefs(limit=1)] == [
        ("r4", {"p": "4"}, {"m": 4.0})
    ]


def test_the_newest_runs_and_attributes_are_found_without_values(index: Index) -> None:
    assert len(index.search_briefs(limit=3)) == 3
    assert index.count(parse_filter("attributes.status = 'RUNNING'"), view=ViewType.ALL) == 5
    assert filled(index) == (0, 0)


@pytest.mark.parametrize("asked", [{"filter": parse_filter("metrics.m >= 0")}, {"order": parse_order_by(["params.p"])}])
def test_the_first_question_about_a_value_fills_all(index: Index, asked: dict[str, object]) -> None:
    assert len(index.search_runs(**asked)) == 5  # type: ignore[arg-type]
    assert filled(index) == (5, 5)


def test_values_that_are_there_are_kept_up(index: Index, history: History) -> None:
    above = parse_filter("metrics.m > 2.5")
    assert index.count(above) == 2
    changed, late = Run("r4", "wine", start=4), Run("late", "wine", start=9, metrics={"m": metric(8.0), "new": metric(1.0)})
    gone = Run("r3", "wine", start=3)
    tip = history.commit({path_of(changed): encode_run(changed), path_of(late): encode_run(late), path_of(gone): None})
    index.update(history.repo, tip)
    assert [run.run_id for run in index.search_runs(above)] == ["late"]
    assert filled(index) == (5, 3)
    assert [run.run_id for run in index.search_runs(parse_filter("metrics.new = 1"))] == ["late"]


def test_a_file_has_its_values_in_the_next_process_too(tmp_path: Path, history: History) -> None:
    tip, wanted = history.commit_runs([Run("a", "wine", params={"p": "1"})]), parse_filter("params.p = '1'")
    for _ in range(2):
        index = Index.open(tmp_path / "index.sqlite")
        index.update(history.repo, tip)
        assert (index.count(wanted), filled(index)) == (1, (0, 1))
        index.close()


def test_briefs_that_are_damaged_in_the_file_are_read_from_git_again(tmp_path: Path, history: History) -> None:
    tip, file = history.commit_runs([Run("a", "wine", params={"p": "1"})]), tmp_path / "index.sqlite"
    index = Index.open(file)
    index.update(history.repo, tip)
    index.close()
    with sqlite3.connect(file) as db:
        db.execute("UPDATE briefs SET facts = '['")
    db.close()
    index.update(history.repo, tip)
    assert [brief.params for brief in index.search_briefs()] == [{"p": "1"}]
