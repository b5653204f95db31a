"""Values of the wrong kind, and of kinds that data frames give: taken where MLflow takes them, else refused in words."""

from __future__ import annotations

import copy
import datetime
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import runfolio
from runfolio import RunfolioClient
from runfolio.errors import UsageError


@pytest.fixture(autouse=True)
def _folio(folio_dir: Path) -> None:
    runfolio.set_tracking_uri(folio_dir)


@pytest.fixture
def two() -> None:
    for name in ("wine", "digits"):
        runfolio.set_experiment(name)
        with runfolio.start_run(run_name=f"of {name}"):
            runfolio.log_metric("m", 1)
    runfolio.set_experiment("Default")


def names(found: Any) -> list[str]:
    return sorted(run.info.run_name for run in found)


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series, pd.Index, iter])
def test_ids_and_names_may_be_any_column(two: None, kind: Any) -> None:
    ids = kind(["wine", "digits"])
    assert names(runfolio.search_runs(ids, output_format="list")) == ["of digits", "of wine"]
    assert names(runfolio.search_runs(experiment_names=kind(["wine"]), output_format="list")) == ["of wine"]


def test_one_text_is_one_experiment(two: None) -> None:
    # It was taken letter by letter, and nothing was found.
    assert names(runfolio.search_runs("wine", output_format="list")) == ["of wine"]
    assert names(runfolio.search_runs(experiment_names="digits", output_format="list")) == ["of digits"]


def test_a_name_that_no_experiment_has_is_told(two: None, capsys: pytest.CaptureFixture[str]) -> None:
    found = runfolio.search_runs(experiment_names=["wine", "Wine"], output_format="list")
    assert names(found) == ["of wine"]
    assert "there is no experiment 'Wine' here" in capsys.readouterr().err


def test_no_limit_and_numbers_of_numpy(two: None) -> None:
    everything: dict[str, Any] = {"search_all_experiments": True, "output_format": "list"}
    assert len(runfolio.search_runs(max_results=None, **everything)) == 2
    assert len(runfolio.search_runs(max_results=np.int64(1), **everything)) == 1
    assert len(runfolio.search_experiments(max_results=np.int64(2))) == 2
    refused: tuple[Any, ...] = (True, np.bool_(True), 1.5, 0, "1")
    for wrong in refused:
        with pytest.raises(UsageError, match="max_results"):
            runfolio.search_runs(max_results=wrong, **everything)


@pytest.mark.parametrize("wrong", [3, 1.5, object()])
def test_what_cannot_be_listed_is_refused(wrong: Any) -> None:
    for asked in ({"experiment_ids": wrong}, {"experiment_names": wrong}):
        with pytest.raises(UsageError, match="is a list of texts"):
            runfolio.search_runs(**asked)


@pytest.mark.parametrize("wrong", [[1], {"a": 1}, np.array([1, 2])])
def test_a_view_that_has_no_hash_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match="Unknown view type"):
        runfolio.search_runs(run_view_type=wrong)


def test_a_moment_is_a_number() -> None:
    client = RunfolioClient()
    run = client.create_run("0", start_time=np.int64(1_700_000_000_000))
    assert run.info.start_time == 1_700_000_000_000
    client.set_terminated(run.info.run_id, end_time=np.float64(1_700_000_005_000.7))
    ended = client.get_run(run.info.run_id)
    assert (ended.info.status, ended.info.end_time) == ("FINISHED", 1_700_000_005_000)


@pytest.mark.parametrize("wrong", ["x", b"3", [1], float("nan"), float("inf"), -1, 10**400, datetime.datetime.now()])
def test_a_moment_that_is_none_is_refused_and_the_run_goes_on(wrong: Any) -> None:
    client = RunfolioClient()
    with pytest.raises(UsageError, match="Invalid start_time"):
        client.create_run("0", start_time=wrong)
    run = client.create_run("0")
    with pytest.raises(UsageError, match="Invalid end_time"):
        client.set_terminated(run.info.run_id, end_time=wrong)
    client.log_metric(run.info.run_id, "m", 1)
    client.set_terminated(run.info.run_id)
    assert client.get_run(run.info.run_id).info.status == "FINISHED"


@pytest.mark.parametrize("wrong", [[1, 2], Path("a/b"), pd.DataFrame({"a": [1]}), pd.NaT, b"x", "a\0b"])
def test_an_experiment_is_not_named_by_what_is_no_text(wrong: Any) -> None:
    with pytest.raises(UsageError, match="Invalid experiment name"):
        runfolio.set_experiment(wrong)
    assert [item.name for item in runfolio.search_experiments()] == ["Default"]


def test_a_number_is_the_name_that_it_spells() -> None:
    assert runfolio.set_experiment(7).name == "7"  # type: ignore[arg-type]
    assert runfolio.set_experiment(np.int64(8)).name == "8"


def test_a_run_ends_by_no_status_as_finished() -> None:
    with runfolio.start_run() as run:
        runfolio.end_run(None)
    assert runfolio.get_run(run.info.run_id).info.status == "FINISHED"


def test_artifacts_are_named_by_text_or_path(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    assert runfolio.artifacts.load_text(tmp_path / "a.txt") == "hello"
    assert runfolio.artifacts.download_artifacts(tmp_path / "a.txt") == str(tmp_path / "a.txt")
    verbs: tuple[Any, ...] = (
        runfolio.artifacts.load_text,
        runfolio.artifacts.download_artifacts,
        runfolio.artifacts.list_artifacts,
    )
    for verb in verbs:
        with pytest.raises(UsageError, match="Not a URI of an artifact: 3 is int"):
            verb(3)


def test_yaml_that_is_none_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [1, 2\n")
    with pytest.raises(runfolio.RunfolioError, match=r"a\.yaml is not YAML"):
        runfolio.artifacts.load_dict(str(tmp_path / "a.yaml"))


def test_an_active_run_goes_to_another_process_as_what_is_known_of_it() -> None:
    with runfolio.start_run(run_name="held") as run:
        runfolio.log_metric("m", 1)
        there = pickle.loads(pickle.dumps(run))
        again = copy.deepcopy(run)
    for taken in (there, again):
        assert type(taken) is runfolio.entities.Run
        assert (taken.info.run_id, taken.data.metrics) == (run.info.run_id, {"m": 1.0})
