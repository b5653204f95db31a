"""The index answers exactly what the evaluator says, run by run, whichever way it walks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runfolio.formats.runs import encode_run
from runfolio.index import Index, search
from runfolio.query import Clause, Filter, OrderKey, matches, parse_filter, parse_order_by, sort_runs
from runfolio.query.grammar import NUMBER_OPERATORS, TEXT_OPERATORS, is_number
from runfolio.records import Lifecycle, Run, ViewType
from tests.index.history import NUMBERS, TEXTS, History, make_run
from tests.query.golden_table import golden, golden_runs

WALKS = {"by the narrowest clause": 2000, "in the order asked for": -1}


@pytest.fixture(scope="module")
def golden_index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    history = History(tmp_path_factory.mktemp("golden") / "repo.git")
    index = Index.open()
    index.update(history.repo, history.commit_runs(golden_runs()))
    history.repo.close()
    return index


@pytest.mark.parametrize("narrow", WALKS.values(), ids=WALKS)
@pytest.mark.parametrize("case", [case for case in golden()["cases"] if "expect" in case], ids=lambda case: f"{case['filter']!a}")
def test_golden_table(case: dict[str, Any], narrow: int, golden_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "NARROW", narrow)
    wanted, order = parse_filter(case["filter"]), parse_order_by(case["order_by"])
    found = [run.run_id for run in golden_index.search_runs(wanted, order, view=ViewType.ALL)]
    assert found == case["expect"]
    pages = [run.run_id for at in range(0, 15, 3) for run in golden_index.search_runs(wanted, order, None, ViewType.ALL, 3, at)]
    assert pages == case["expect"]
    assert golden_index.count(wanted, view=ViewType.ALL) == len(case["expect"])


keys = st.sampled_from(
    [(entity, key) for entity in ("metrics", "params", "tags") for key in ("k", "a b", "x.y", "none", "\ud801")]
    + [("tags", "mlflow.runName"), ("tags", "mlflow.user")]
    + [("attributes", key) for key in ("run_id", "run_name", "status", "user_id", "artifact_uri", "start_time", "end_time")]
    + [("attributes", "experiment_id"), ("attributes", "lifecycle_stage")]
)
texts = st.sampled_from([*TEXTS, "%", "a%", "%_", "_%b", "0", "one", "FINISHED", "ann", "a0001", "%0%"])
numbers = st.sampled_from([*NUMBERS[:10], 3, 5, 2**53, 2**53 + 1, 10**18 - 1]) | st.integers(0, 7)


@st.composite
def clauses(draw: st.DrawFn) -> Clause:
    """Clauses that fit what the runs hold."""
    entity, key = draw(keys | st.sampled_from([("datasets", key) for key in ("name", "digest", "context")]))
    operator = draw(st.sampled_from(NUMBER_OPERATORS if is_number(entity, key) else TEXT_OPERATORS))
    if operator.startswith("IS"):
        return Clause(entity, key, operator)
    if operator in ("IN", "NOT IN"):
        return Clause(entity, key, operator, tuple(draw(st.lists(texts, min_size=1, max_size=4))))
    return Clause(entity, key, operator, draw(numbers if is_number(entity, key) else texts))


orders = st.lists(
    st.builds(lambda place, up: OrderKey(place[0], place[1], up), keys, st.booleans()), max_size=3, unique_by=lambda key: key.key
)
scopes = st.none() | st.lists(st.sampled_from(["one", "two", "default", "nowhere"]), max_size=3)
views = st.sampled_from([ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL])
# Seeds below 300 are runs that are committed as well, with other values under the same id.
overlays = st.lists(st.integers(250, 330), max_size=6, unique=True)


@pytest.fixture(scope="module")
def many_index(many: History) -> Index:
    index = Index.open()
    index.update(many.repo, many.repo.resolve("main"))
    return index


def overlay_run(seed: int) -> Run:
    return make_run(seed + 5000, make_run(seed).run_id)


def by_hand(runs: list[Run], wanted: Filter, order: list[OrderKey], slugs: list[str] | None, view: int) -> list[Run]:
    found = [
        run
        for run in runs
        if (slugs is None or run.experiment in slugs)
        and (view == ViewType.ALL or (run.lifecycle is Lifecycle.ACTIVE) == (view == ViewType.ACTIVE_ONLY))
        and matches(wanted, run)
    ]
    return sort_runs(found, order)


@pytest.mark.parametrize("narrow", [2000, 20, -1])
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    made=st.lists(clauses(), max_size=3),
    order=orders,
    slugs=scopes,
    view=views,
    limit=st.none() | st.integers(0, 40),
    offset=st.integers(0, 30) | st.integers(0, 400),
    seeds=overlays,
)
def test_search_is_the_naive_loop(
    many_index: Index,
    monkeypatch: pytest.MonkeyPatch,
    narrow: int,
    made: list[Clause],
    order: list[OrderKey],
    slugs: list[str] | None,
    view: int,
    limit: int | None,
    offset: int,
    seeds: list[int],
) -> None:
    monkeypatch.setattr(search, "NARROW", narrow)
    overlay = [overlay_run(seed) for seed in seeds]
    committed = [make_run(seed) for seed in range(300) if seed not in seeds]
    wanted = Filter(tuple(made))
    expected = by_hand([*committed, *overlay], wanted, order, slugs, view)
    found = many_index.search_runs(wanted, order, slugs, view, limit, offset, overlay)
    page = expected[offset:] if limit is None else expected[offset : offset + limit]
    assert [run.run_id for run in found] == [run.run_id for run in page]
    assert many_index.count(wanted, slugs, view, overlay) == len(expected)


def test_found_runs_are_the_records_themselves(many_index: Index) -> None:
    found = {run.run_id: run for run in many_index.search_runs(view=ViewType.ALL)}
    # As bytes, because a NaN equals nothing.
    expected = {run.run_id: encode_run(run) for run in map(make_run, range(300))}
    assert {key: encode_run(run) for key, run in found.items()} == expected


def test_a_filter_too_long_for_sql_is_answered_all_the_same(many_index: Index) -> None:
    wanted = Filter(tuple(Clause("metrics", "k", "!=", float(place + 1000)) for place in range(3000)))
    expected = by_hand([make_run(seed) for seed in range(300)], wanted, [], None, ViewType.ACTIVE_ONLY)
    assert [run.run_id for run in many_index.search_runs(wanted, limit=10, offset=5)] == [run.run_id for run in expected[5:15]]
    assert many_index.count(wanted) == len(expected)
    order = parse_order_by([f"params.p{place}" for place in range(600)])
    assert len(many_index.search_runs(None, order, limit=7)) == 7


def test_thousands_of_values_in_a_list_are_answered(many_index: Index) -> None:
    ids = [make_run(seed).run_id for seed in range(0, 300, 2)]
    wanted = Filter((Clause("attributes", "run_id", "IN", (*ids, *(f"x{place}" for place in range(40_000)))),))
    assert many_index.count(wanted, view=ViewType.ALL) == len(ids)
    assert many_index.count(experiment_slugs=["one", *(f"s{place}" for place in range(40_000))], view=ViewType.ALL) == sum(
        make_run(seed).experiment == "one" for seed in range(300)
    )


def test_no_experiments_asked_for_finds_nothing(many_index: Index) -> None:
    assert many_index.search_runs(experiment_slugs=[]) == []
    assert many_index.count(experiment_slugs=[]) == 0


def test_imported_experiments_are_searched_by_their_id(history: History) -> None:
    run = Run("a", "wine", start=1)
    history.commit({"experiments/wine.yaml": b"schema: 1\nexperiment_id: '123'\nname: Wine\n"})
    index = Index.open()
    index.update(history.repo, history.commit_runs([run, Run("b", "iris", start=2)]))
    assert [item.run_id for item in index.search_runs(parse_filter("experiment_id = '123'"))] == ["a"]
    assert [item.run_id for item in index.search_runs(None, parse_order_by(["experiment_id DESC"]))] == ["b", "a"]


def test_walking_by_value_uses_the_index(many_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "NARROW", -1)
    asked: list[str] = []
    connection = many_index._database.connection()
    connection.set_trace_callback(asked.append)
    many_index.search_runs(parse_filter("metrics.k > 0.1"), parse_order_by(["metrics.k DESC"]), limit=5)
    connection.set_trace_callback(None)
    (walk,) = [text for text in asked if text.startswith("SELECT r.pk")]
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {walk}")]
    assert "SEARCH d USING COVERING INDEX numbers_by_value (key_id=? AND value>?)" in plan
