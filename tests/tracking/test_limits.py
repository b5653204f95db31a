"""MLflow's limits and error cases, row by row of its validation rules (2.22, ``mlflow/utils/validation.py`` and its SQL store)."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio import MlflowClient, MlflowException
from runfolio.entities import Metric, Param, RunTag

BAD = "INVALID_PARAMETER_VALUE"
MISSING = "RESOURCE_DOES_NOT_EXIST"
THERE = "RESOURCE_ALREADY_EXISTS"


@pytest.fixture(autouse=True)
def _folio(folio_dir: Path) -> None:
    runfolio.set_tracking_uri(folio_dir)


@pytest.fixture
def run_id() -> str:
    with runfolio.start_run() as run:
        return str(run.info.run_id)


def refused(code: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(MlflowException) as caught:
        call(*args, **kwargs)
    assert caught.value.error_code == code, caught.value
    return str(caught.value)


VERBS: dict[str, Callable[[str], Any]] = {
    "metric": lambda key: runfolio.log_metric(key, 1),
    "param": lambda key: runfolio.log_param(key, 1),
    "tag": lambda key: runfolio.set_tag(key, 1),
    "tag at the start": lambda key: runfolio.start_run(nested=True, tags={key: "1"}),
    "metrics": lambda key: runfolio.log_metrics({"good": 1, key: 1}),
    "params": lambda key: runfolio.log_params({"good": 1, key: 1}),
    "tags": lambda key: runfolio.set_tags({"good": 1, key: 1}),
}
GOOD_KEYS = ["a", "a" * 250, "a/b", "a.b", "a-b", "a_b", "a b", "a:b", "über/größe", "名前", "a/b/c.d", "1", "a..b", "-", "a."]
BAD_KEYS = [
    "",
    "a" * 251,
    ".",
    "..",
    "../a",
    "a/../b",
    "/a",
    "a/",
    "a//b",
    "./a",
    "a/./b",
    "a\nb",
    "a\tb",
    "a=b",
    "a,b",
    "a*b",
    "a\\b",
]


@pytest.mark.parametrize("verb", VERBS)
def test_names_that_mlflow_takes_are_taken(verb: str) -> None:
    with runfolio.start_run():
        for key in GOOD_KEYS:
            VERBS[verb](key)
            if verb == "tag at the start":
                runfolio.end_run()


@pytest.mark.parametrize("verb", VERBS)
def test_names_that_mlflow_refuses_are_refused(verb: str) -> None:
    with runfolio.start_run() as run:
        for key in BAD_KEYS:
            said = refused(BAD, VERBS[verb], key)
            assert repr(key)[:20] in said or key == ""
    data = runfolio.get_run(run.info.run_id).data
    assert (data.metrics, data.params) == ({}, {})
    assert "good" not in data.tags


@pytest.mark.parametrize("verb", ["metric", "param", "tag"])
def test_a_name_that_is_no_text_is_refused(verb: str) -> None:
    with runfolio.start_run():
        for key in (None, 5, b"a", ["a"]):
            refused(BAD, VERBS[verb], key)  # type: ignore[arg-type]


def test_a_long_param_is_cut_at_6000_characters_and_the_run_says_so() -> None:
    with runfolio.start_run() as run:
        runfolio.log_param("whole", "x" * 6000)
        runfolio.log_param("long", "x" * 6001)
        runfolio.log_params({"wide": "é" * 7000})
    params = runfolio.get_run(run.info.run_id).data.params
    assert [len(params[key]) for key in ("whole", "long", "wide")] == [6000] * 3


def test_a_long_tag_is_cut_at_8000_characters() -> None:
    with runfolio.start_run(tags={"start": "x" * 9000}) as run:
        runfolio.set_tag("whole", "x" * 8000)
        runfolio.set_tag("long", "x" * 8001)
    tags = runfolio.get_run(run.info.run_id).data.tags
    assert [len(tags[key]) for key in ("start", "whole", "long")] == [8000] * 3


def test_a_long_param_may_be_logged_again() -> None:
    with runfolio.start_run():
        runfolio.log_param("long", "x" * 7000)
        runfolio.log_param("long", "x" * 7000)


def test_a_param_is_written_once() -> None:
    with runfolio.start_run() as run:
        assert runfolio.log_param("p", 1) == 1
        runfolio.log_param("p", 1)
        runfolio.log_param("p", "1")
        said = refused(BAD, runfolio.log_param, "p", 2)
        assert "'1'" in said
        assert "'2'" in said
        refused(BAD, runfolio.log_params, {"q": 1, "p": 3})
    assert runfolio.get_run(run.info.run_id).data.params == {"p": "1"}
    refused(BAD, MlflowClient().log_param, run.info.run_id, "p", 2)
    with runfolio.start_run(run_id=run.info.run_id):
        refused(BAD, runfolio.log_param, "p", 2)


def test_tags_may_be_overwritten() -> None:
    with runfolio.start_run() as run:
        runfolio.set_tag("t", 1)
        runfolio.set_tag("t", None)
    assert runfolio.get_run(run.info.run_id).data.tags["t"] == "None"


def test_a_key_twice_in_one_batch_is_refused(run_id: str) -> None:
    client = MlflowClient()
    refused(BAD, client.log_batch, run_id, params=[Param("p", "1"), Param("p", "2")])
    client.log_batch(run_id, tags=[RunTag("t", "1")], metrics=[Metric("m", 1, 1, 0), Metric("m", 2, 2, 1)])
    data = client.get_run(run_id).data
    assert (data.params, data.metrics) == ({}, {"m": 2.0})


def test_batches_of_any_size_are_taken_whole(run_id: str) -> None:
    client = MlflowClient()
    metrics = [Metric("m", step, step, step) for step in range(2500)]
    params, tags = [Param(f"p{n}", str(n)) for n in range(250)], [RunTag(f"t{n}", str(n)) for n in range(250)]
    client.log_batch(run_id, metrics, params, tags)
    data = client.get_run(run_id).data
    assert (len(client.get_metric_history(run_id, "m")), len(data.params)) == (2500, 250)
    assert sum(key.startswith("t") for key in data.tags) == 250


def test_a_metric_is_a_number() -> None:
    with runfolio.start_run() as run:
        for value in (None, "", "x", "1,5", [1], {}, 1j, object(), b"1"):
            refused(BAD, runfolio.log_metric, "m", value)
            refused(BAD, runfolio.log_metrics, {"good": 1, "m": value})
    assert runfolio.get_run(run.info.run_id).data.metrics == {}


def test_truth_values_and_text_that_spells_a_number_are_numbers_as_in_mlflow() -> None:
    with runfolio.start_run() as run:
        runfolio.log_metric("converged", True)
        runfolio.log_metrics({"stopped": False, "read": " 1e3\n"})
        MlflowClient().log_metric(run.info.run_id, "by client", True)
        MlflowClient().log_batch(run.info.run_id, [Metric("in a batch", "0.5", 1, 0)])  # type: ignore[arg-type]
    assert runfolio.get_run(run.info.run_id).data.metrics == {
        "converged": 1.0, "stopped": 0.0, "read": 1000.0, "by client": 1.0, "in a batch": 0.5,
    }  # fmt: skip


def test_every_float_comes_back() -> None:
    values = [0, -1, 2**63, 1e308, -1e-308, 5e-324, float("inf"), float("-inf"), float("nan")]
    with runfolio.start_run() as run:
        for number, value in enumerate(values):
            runfolio.log_metric(f"m{number}", value)
    found = runfolio.get_run(run.info.run_id).data.metrics
    for number, value in enumerate(values):
        [point] = MlflowClient().get_metric_history(run.info.run_id, f"m{number}")
        for held in (found[f"m{number}"], point.value):
            assert held == float(value) or (math.isnan(held) and math.isnan(value))


def test_numbers_of_numpy_are_numbers() -> None:
    numpy = pytest.importorskip("numpy", reason="numpy is not installed: its numbers are not logged")
    with runfolio.start_run() as run:
        runfolio.log_metrics(
            {"f4": numpy.float32(0.5), "i8": numpy.int64(3), "array": numpy.array(2.5), "one": numpy.array([1.5])}
        )
        runfolio.log_metric("flag", numpy.bool_(True))
        refused(BAD, runfolio.log_metric, "two", numpy.array([1.0, 2.0]))
    assert runfolio.get_run(run.info.run_id).data.metrics == {"f4": 0.5, "i8": 3.0, "array": 2.5, "one": 1.5, "flag": 1.0}


def test_a_step_is_a_whole_number_of_64_bits() -> None:
    with runfolio.start_run():
        for step in ("1", 1.5, True, 2**63, -(2**63) - 1):
            refused(BAD, runfolio.log_metric, "m", 1, step=step)
            refused(BAD, runfolio.log_metrics, {"m": 1}, step=step)
        for timestamp in (2**63, -1, "x"):
            refused(BAD, runfolio.log_metric, "m", 1, timestamp=timestamp)
            refused(BAD, runfolio.log_metrics, {"m": 1}, timestamp=timestamp)


def test_the_latest_value_has_the_largest_step_then_time_then_value() -> None:
    with runfolio.start_run() as run:
        for value, timestamp, step in ((9, 9, 1), (1, 10, 3), (5, 12, 3), (4, 12, 3), (float("nan"), 11, 3), (7, 1, -5)):
            MlflowClient().log_metric(run.info.run_id, "m", value, timestamp, step)
    assert runfolio.get_run(run.info.run_id).data.metrics == {"m": 5.0}


def test_an_experiment_needs_a_name_of_at_most_500_characters() -> None:
    for name in ("", " ", "\t", None, "x" * 501):
        refused(BAD, runfolio.create_experiment, name)


def test_an_experiment_name_is_there_once_also_where_it_is_deleted() -> None:
    made = runfolio.create_experiment("wine")
    assert runfolio.create_experiment("x" * 500) != made
    refused(THERE, runfolio.create_experiment, "wine")
    runfolio.delete_experiment(made)
    refused(THERE, runfolio.create_experiment, "wine")
    refused(BAD, runfolio.set_experiment, "wine")
    refused(BAD, runfolio.start_run, experiment_id=made)


@pytest.mark.parametrize("unknown", ["f" * 32, "nothing"])
def test_an_unknown_run_is_named(unknown: str) -> None:
    client = MlflowClient()
    for call in (runfolio.get_run, runfolio.delete_run, runfolio.get_parent_run, client.restore_run, client.list_artifacts):
        assert unknown in refused(MISSING, call, unknown)
    refused(MISSING, runfolio.start_run, run_id=unknown)
    refused(MISSING, client.log_metric, unknown, "m", 1)
    refused(MISSING, client.get_metric_history, unknown, "m")
    refused(MISSING, runfolio.start_run, parent_run_id=unknown)


def test_an_unknown_experiment_is_named_or_none() -> None:
    assert runfolio.get_experiment_by_name("nowhere") is None
    for call in (runfolio.get_experiment, runfolio.delete_experiment, MlflowClient().restore_experiment):
        refused(MISSING, call, "987654")
    refused(MISSING, MlflowClient().rename_experiment, "987654", "x")
    refused(MISSING, runfolio.start_run, experiment_id="987654")
    assert runfolio.search_runs(["987654"], output_format="list") == []
    assert runfolio.search_runs([], output_format="list") == []


def test_a_deleted_run_takes_nothing(run_id: str) -> None:
    client = MlflowClient()
    runfolio.delete_run(run_id)
    for call in (
        lambda: client.log_metric(run_id, "m", 1),
        lambda: client.log_param(run_id, "p", 1),
        lambda: client.set_tag(run_id, "t", 1),
        lambda: client.log_batch(run_id, params=[Param("p", "1")]),
        lambda: runfolio.start_run(run_id=run_id),
    ):
        refused(BAD, call)
    client.restore_run(run_id)
    client.log_metric(run_id, "m", 1)


def test_a_run_that_is_deleted_while_it_goes_on_takes_nothing_but_its_end() -> None:
    client = MlflowClient()
    live = client.create_run("0").info.run_id
    client.delete_run(live)
    for call in (
        lambda: client.log_metric(live, "m", 1),
        lambda: client.log_param(live, "p", 1),
        lambda: client.set_tag(live, "t", 1),
        lambda: client.log_batch(live, params=[Param("p", "1")]),
        lambda: client.log_text(live, "x", "a.txt"),
    ):
        refused(BAD, call)
    client.restore_run(live)
    client.log_metric(live, "m", 1)
    client.delete_run(live)
    client.set_terminated(live)
    ended = client.get_run(live)
    assert (ended.info.status, ended.info.lifecycle_stage) == ("FINISHED", "deleted")
    assert (ended.data.metrics, ended.data.params) == ({"m": 1.0}, {})


def test_an_empty_new_name_changes_nothing(run_id: str) -> None:
    MlflowClient().update_run(run_id, name="wanted")
    MlflowClient().update_run(run_id, name="")
    assert runfolio.get_run(run_id).info.run_name == "wanted"


@pytest.mark.parametrize("view", [0, 4, "ALL", None])
def test_an_unknown_view_is_refused(view: Any) -> None:
    refused(BAD, runfolio.search_runs, ["0"], run_view_type=view)
    refused(BAD, runfolio.search_experiments, view)


def test_a_deleted_experiment_hides_its_runs_and_brings_them_back(run_id: str) -> None:
    made = runfolio.create_experiment("wine")
    with runfolio.start_run(experiment_id=made) as run:
        pass
    runfolio.delete_experiment(made)
    assert runfolio.get_experiment(made).lifecycle_stage == "deleted"
    assert runfolio.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    refused(BAD, MlflowClient().rename_experiment, made, "other")
    MlflowClient().restore_experiment(made)
    assert runfolio.get_run(run.info.run_id).info.lifecycle_stage == "active"


def test_a_tag_that_is_not_there_cannot_be_taken_away(run_id: str) -> None:
    refused(MISSING, MlflowClient().delete_tag, run_id, "nothing")
    with runfolio.start_run():
        refused(MISSING, runfolio.delete_tag, "nothing")


def test_an_unknown_status_is_refused(run_id: str) -> None:
    for status in ("DONE", "", "finished?", 99):
        with runfolio.start_run():
            refused(BAD, runfolio.end_run, status)
            assert runfolio.active_run() is not None
        refused(BAD, MlflowClient().update_run, run_id, status)


def test_a_wrong_filter_is_refused() -> None:
    for bad in ("m > 1", "metrics.m ~ 1", "params.p = 1", "metrics.m = 'x'", "tags.t >", "a.b.c = 'x' OR status = 'F'"):
        refused(BAD, runfolio.search_runs, filter_string=bad)


def test_a_wrong_order_is_refused() -> None:
    for bad in ("metrics.m sideways", "nothing", "metrics."):
        refused(BAD, runfolio.search_runs, order_by=[bad])


def test_pages_have_their_limits() -> None:
    client = MlflowClient()
    refused(BAD, client.search_runs, ["0"], max_results=50_001)
    refused(BAD, client.search_runs, ["0"], max_results=-1)
    refused(BAD, client.search_runs, ["0"], page_token="garbage")
    refused(BAD, client.search_experiments, max_results=0)


def test_an_artifact_stays_in_its_run(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("x")
    with runfolio.start_run() as run:
        for path in ("../out.txt", "/etc/out.txt", "a/../../out.txt", "..", "a\x00b"):
            refused(BAD, runfolio.log_text, "x", path)
            refused(BAD, runfolio.log_artifact, tmp_path / "file.txt", path)
    assert MlflowClient().list_artifacts(run.info.run_id) == []


def test_keys_that_are_folders_of_each_other_are_kept() -> None:
    with runfolio.start_run() as run:
        runfolio.log_metrics({"a": 1, "a/b": 2, "A": 3})
        runfolio.log_params({"a": 1, "a/b": 2, "A": 3})
    data = runfolio.get_run(run.info.run_id).data
    assert data.metrics == {"a": 1.0, "a/b": 2.0, "A": 3.0}
    assert data.params == {"a": "1", "a/b": "2", "A": "3"}


def test_values_of_any_kind_become_text() -> None:
    given = {
        "none": None,
        "flag": True,
        "list": [1, "a"],
        "newline": "a\nb",
        "quote": "\"'",
        "nul": "a\x00b",
        "emoji": "🦊",
        "lone": "\ud800",
    }
    with runfolio.start_run() as run:
        runfolio.log_params(given)
        runfolio.set_tags(given)
    data = runfolio.get_run(run.info.run_id).data
    for key, value in given.items():
        assert data.params[key] == data.tags[key] == str(value)


def test_a_run_that_is_resumed_takes_the_description_as_in_mlflow(run_id: str) -> None:
    with runfolio.start_run(run_id=run_id, description="second day", tags={"day": "2"}):
        pass
    tags = runfolio.get_run(run_id).data.tags
    assert (tags["mlflow.note.content"], tags["day"]) == ("second day", "2")
    refused(BAD, runfolio.start_run, run_id=run_id, description="a", tags={"mlflow.note.content": "b"})


def test_experiment_0_can_be_named_by_its_number() -> None:
    runfolio.set_experiment("another")
    with runfolio.start_run(experiment_id=0) as run:  # type: ignore[arg-type]
        assert run.info.experiment_id == "0"
    assert len(runfolio.search_runs(experiment_ids=["0"], output_format="list")) == 1


@pytest.mark.parametrize("given", [b"bytes", 5, None, {"a": 1}])
def test_text_that_is_none_is_refused(given: Any) -> None:
    with runfolio.start_run() as run:
        assert type(given).__name__ in refused(BAD, runfolio.log_text, given, "notes.txt")
    assert MlflowClient().list_artifacts(run.info.run_id) == []
