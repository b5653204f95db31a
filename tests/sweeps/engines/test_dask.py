"""A sweep on a real Dask scheduler with worker processes that have no git: killed workers and a killed sweep lose and double nothing."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import runfolio
from runfolio.errors import StateError, UsageError
from runfolio.folio import initialise, open_folio
from runfolio.objects.places import open_bucket
from runfolio.query import parse_filter
from runfolio.records import Run
from runfolio.records import sweeps as tags
from tests.sweeps.engines.clusters import DaskProcesses, dask_processes, sweep_process

pytest.importorskip("distributed", reason="NOT TESTED: the package distributed is not installed")
pytest.importorskip("optuna", reason="NOT TESTED: the package optuna is not installed")
pytestmark = [pytest.mark.xdist_group("dask"), pytest.mark.frameworks]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    with dask_processes(tmp_path_factory.mktemp("dask")) as made:
        yield made


def trials_of(folder: Path, sweep: str) -> list[Run]:
    with closing(open_folio(folder)) as folio:
        found = folio.runs.search(parse_filter(f"tags.`mlflow.parentRunId` = '{sweep}'"))
        for run in found:
            entry = folio.runs.artifacts(run).get("weights.txt")
            if entry is not None:
                assert folio.store.read(entry.digest) == f"weights of {tags.trial_number(run)}".encode()
        return found


def test_killed_workers_and_a_killed_sweep_leave_every_trial_there_once(
    folio_dir: Path, tmp_path: Path, cluster: DaskProcesses
) -> None:
    facts = tmp_path / "facts.json"
    said = {"kill_worker": [3, 17], "kill_parent": 25, "trials": 40, "folder": str(tmp_path)}
    facts.write_text(json.dumps({**said, "engine": {"engine": "dask", "address": cluster.address}}))
    before = cluster.deaths
    first = sweep_process(folio_dir, facts, tmp_path / "search.py")
    assert first.returncode == -signal.SIGKILL, first.stderr
    second = sweep_process(folio_dir, facts, tmp_path / "search.py")
    assert second.returncode == 0, second.stderr
    answer = json.loads(second.stdout)
    assert answer["trials"] == 40 and cluster.deaths - before == 2
    runs = trials_of(folio_dir, answer["sweep"])
    assert sorted(tags.trial_number(run) for run in runs) == list(range(40))
    assert {run.status.value for run in runs} == {"FINISHED"}
    assert min(run.metrics["value"].last for run in runs) == answer["best"]
    assert all("weights.txt" in run.artifacts for run in runs)


def test_a_scheduler_that_is_killed_stops_the_sweep_which_goes_on_with_another(folio_dir: Path, tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    said = {"kill_worker": [], "kill_parent": -1, "kill_scheduler": 9, "trials": 16, "folder": str(tmp_path)}
    with dask_processes(tmp_path / "first", size=2) as first:
        facts.write_text(
            json.dumps({**said, "scheduler": first.scheduler, "engine": {"engine": "dask", "address": first.address}})
        )
        ended = sweep_process(folio_dir, facts, tmp_path / "search.py", DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT="3s")
    assert ended.returncode == 1 and "--resume" in ended.stderr and "Dask scheduler at" in ended.stderr, ended.stderr
    with dask_processes(tmp_path / "second", size=2) as second:
        facts.write_text(json.dumps({**said, "engine": {"engine": "dask", "address": second.address}}))
        resumed = sweep_process(folio_dir, facts, tmp_path / "search.py")
    assert resumed.returncode == 0, resumed.stderr
    runs = trials_of(folio_dir, json.loads(resumed.stdout)["sweep"])
    finished = [tags.trial_number(run) for run in runs if run.status.value == "FINISHED"]
    assert sorted(finished) == list(range(16)) and len(runs) == 16


SPACE = {"x": {"type": "float", "low": -1, "high": 1}}


@pytest.fixture
def here(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folio_dir)
    return folio_dir


def test_a_client_that_is_there_is_used_and_stays_open(here: Path, cluster: DaskProcesses) -> None:
    from distributed import Client

    with Client(cluster.address, set_as_default=False) as client:
        found = runfolio.sweep("tests.sweeps.engines.train:nested", SPACE, trials=3, seed=1, engine="dask", address=client)
        assert client.status == "running"
    assert [tags.trial_number(run) for run in sorted(trials_of(here, found.run_id), key=lambda run: run.run_id)] == [0, 1, 2]


def test_a_program_runs_on_workers_and_logs_to_its_trials_run(here: Path, cluster: DaskProcesses) -> None:
    code = "import sys, runfolio; runfolio.log_metric('loss', float(sys.argv[1]) ** 2); print('tried', sys.argv[1])"
    found = runfolio.sweep(
        [sys.executable, "-c", code, "{x}"],
        SPACE,
        metrics={"loss": "minimize"},
        trials=4,
        seed=2,
        engine="dask",
        address=cluster.address,
    )
    runs = trials_of(here, found.run_id)
    assert [run.status.value for run in runs] == ["FINISHED"] * 4
    assert all("console.log" in run.artifacts for run in runs)
    assert found.best_value == min(run.metrics["loss"].last for run in runs)


def test_a_bucket_takes_the_runs_of_workers_that_have_its_credentials(
    repo_dir: Path, cluster: DaskProcesses, s3_endpoint: str, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    initialise(repo_dir, commit=True, artifacts=f"s3://{s3_bucket}/wine?endpoint={s3_endpoint}").folio.close()
    monkeypatch.chdir(repo_dir)
    found = runfolio.sweep("tests.sweeps.engines.train:square", SPACE, trials=8, seed=2, engine="dask", address=cluster.address)
    assert sorted(tags.trial_number(run) for run in trials_of(repo_dir, found.run_id)) == list(range(8))
    assert list(open_bucket(f"s3://{s3_bucket}/wine?endpoint={s3_endpoint}").list("inbox/")) == []


def test_a_pruner_judges_trials_on_workers_by_what_was_known_when_they_were_asked(here: Path, cluster: DaskProcesses) -> None:
    found = runfolio.sweep(
        "tests.sweeps.engines.train:stepwise", SPACE, trials=12, seed=5, sampler="random", engine="dask", address=cluster.address, n_jobs=1,
        pruner={"type": "median", "n_startup_trials": 2, "n_warmup_steps": 1},
    )  # fmt: skip
    states = [run.tags[tags.STATE_TAG] for run in trials_of(here, found.run_id)]
    assert len(states) == 12 and set(states) == {"complete", "pruned"}


def test_a_trial_that_kills_each_worker_has_failed_and_the_others_have_not(here: Path, cluster: DaskProcesses) -> None:
    (cluster.calls / "always-1").touch()
    found = runfolio.sweep(
        "tests.sweeps.engines.train:square",
        SPACE,
        trials=4,
        seed=5,
        sampler="random",
        engine="dask",
        address=cluster.address,
        attempts=1,
    )
    runs = sorted(trials_of(here, found.run_id), key=lambda run: run.run_id)
    assert [run.status.value for run in runs] == ["FINISHED", "FAILED", "FINISHED", "FINISHED"]
    assert "3 workers of Dask died at it" in runs[1].tags[tags.FAULT_TAG]


def test_a_scheduler_that_is_not_named_or_not_there_is_told(here: Path) -> None:
    with pytest.raises(UsageError, match="dask: name the scheduler: --address"):
        runfolio.sweep("tests.sweeps.engines.train:square", SPACE, trials=1, engine="dask")
    with pytest.raises(StateError, match=r"the Dask scheduler at tcp://127.0.0.1:1 does not answer"):
        runfolio.sweep(
            "tests.sweeps.engines.train:square", SPACE, trials=1, engine="dask", address="tcp://127.0.0.1:1",
            engine_config={"connect_timeout": 1},
        )  # fmt: skip


def test_workers_that_do_not_see_the_folder_of_the_store_are_refused_before_any_trial(
    here: Path, cluster: DaskProcesses, tmp_path: Path
) -> None:
    from runfolio.sweeps.engines.dask import DaskCluster
    from runfolio.sweeps.engines.outbox import Delivery

    there = DaskCluster(cluster.address, {})
    try:
        with pytest.raises(StateError, match=rf"The Dask worker tcp://.*: {tmp_path}/objects on .* is not the folder"):
            there.open(Delivery(str(tmp_path / "objects"), mark=os.urandom(16).hex()))
    finally:
        there.close(now=True)
