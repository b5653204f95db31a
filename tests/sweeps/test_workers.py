"""Sweeps over several processes: workers that die, plans that are executed twice."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import runfolio
from runfolio.folio import open_folio
from runfolio.records import RunStatus, new_run_id
from runfolio.sweeps.objectives import Imported
from runfolio.sweeps.trials import Place, TrialPlan, TrialState
from runfolio.sweeps.work import run_trial
from tests.faults.repositories import environment
from tests.sweeps import objectives
from tests.sweeps.conftest import children

pytest.importorskip("optuna", reason="NOT TESTED: optuna is not installed")


def test_workers_write_what_one_process_would(folio_here: Path) -> None:
    alone, both = (
        runfolio.sweep(objectives.logging_bowl, objectives.SPACE, trials=12, sampler="random", seed=4, n_jobs=jobs)
        for jobs in (1, 2)
    )
    assert [trial.params for trial in alone.trials] == [trial.params for trial in both.trials]
    assert [trial.values for trial in alone.trials] == [trial.values for trial in both.trials]
    for run in children(folio_here, both.run_id):
        assert run.metrics["loss"].count == 3
        assert run.code == children(folio_here, alone.run_id)[0].code
        assert run.environment["lock"] == children(folio_here, alone.run_id)[0].environment["lock"]


def test_a_function_of_a_script_goes_along(folio_here: Path) -> None:
    factor = 3
    found = runfolio.sweep(lambda x: factor * x, {"x": [1, 2, 3, 4]}, sampler="grid", n_jobs=2)
    assert sorted(trial.values["value"] for trial in found.trials) == [3, 6, 9, 12]


def test_an_objective_draws_and_is_judged_in_a_worker(folio_here: Path) -> None:
    found = runfolio.sweep(objectives.drawing, trials=8, seed=1, n_jobs=2)
    assert all(set(trial.params) == {"x", "depth"} for trial in found.trials)
    space = {"x": {"type": "float", "low": -4, "high": 4}}
    pruner = {"type": "median", "n_startup_trials": 3}
    found = runfolio.sweep(objectives.reporting, space, pruner=pruner, sampler="random", trials=20, seed=3, n_jobs=2)
    assert found.count("pruned") > 0
    assert found.count("complete") + found.count("pruned") == 20


def test_what_is_drawn_holds_for_all_replicates(folio_here: Path) -> None:
    found = runfolio.sweep(objectives.drawing, trials=5, seed=1, n_jobs=2, replicates=3)
    for number in range(5):
        runs = [run for run in children(folio_here, found.run_id) if run.tags["runfolio.sweep.trial"] == str(number)]
        assert len(runs) == 3
        assert len({(run.params["x"], run.params["depth"]) for run in runs}) == 1


def test_a_trial_whose_worker_was_killed_is_run_again(folio_here: Path, tmp_path: Path) -> None:
    mark = tmp_path / "calls"
    found = runfolio.sweep(objectives.kills_its_worker_once, {"x": [1, 2, 3], "mark": str(mark)}, sampler="grid", n_jobs=2)
    assert [trial.state for trial in found.trials] == ["complete"] * 3
    runs = children(folio_here, found.run_id)
    killed = [run for run in runs if run.status is RunStatus.KILLED]
    assert len(killed) == 1
    assert len(runs) == 4
    again = next(run for run in runs if run.tags.get("runfolio.sweep.retry_of") == killed[0].run_id)
    assert again.params == killed[0].params
    assert again.run_id in {run_id for trial in found.trials for run_id in trial.runs}


def test_a_trial_that_always_kills_its_worker_fails_after_some_attempts(folio_here: Path) -> None:
    found = runfolio.sweep(objectives.always_kills, {"x": [1, 2]}, sampler="grid", n_jobs=2, attempts=2)
    assert [trial.state for trial in found.trials] == ["failed", "failed"]
    assert found.trials[0].fault == "its worker process died by SIGKILL, 2 times in a row"
    assert len(children(folio_here, found.run_id)) == 4


def plan_in(folder: Path, uri: str) -> TrialPlan:
    folio = open_folio(folder)
    experiment = folio.experiments.by_id("0")
    folio.close()
    assert experiment is not None
    return TrialPlan(
        new_run_id(), 7, new_run_id(), {"x": 2.0, "kind": "a"}, '{"x": 2.0, "kind": 0}', Imported("tests.sweeps.objectives:bowl"), ("value",),
        Place(uri, experiment),
    )  # fmt: skip


@pytest.mark.parametrize("offline", [False, True])
def test_a_plan_that_is_executed_twice_writes_one_run(folio_here: Path, tmp_path: Path, offline: bool) -> None:
    plan = plan_in(folio_here, f"spool:{tmp_path / 'spool'}" if offline else str(folio_here))
    plan = pickle.loads(pickle.dumps(plan))
    first = run_trial(plan)
    assert first.state is TrialState.COMPLETE
    assert run_trial(plan) == first
    runfolio.tracking.session.session(plan.place.uri).commit(wait=True)
    assert run_trial(plan).values == first.values


def test_an_execution_that_died_is_begun_anew_under_its_id(folio_here: Path) -> None:
    plan = plan_in(folio_here, str(folio_here))
    held = runfolio.tracking.session.session(plan.place.uri)
    writer = held.folio.spool.create(plan.run_id, {"schema": 1, "run_id": plan.run_id, "experiment": "default", "start": 1})
    writer.close(durable=False)
    found = run_trial(plan)
    assert found.state is TrialState.COMPLETE
    assert held.folio.runs.get(plan.run_id).metrics["value"].last == found.values[0]


def test_ctrl_c_ends_the_trials_of_workers_as_killed(folio_here: Path) -> None:
    code = (
        "import os, runfolio, signal\n"
        "def objective(x):\n    os.write(1, b'in\\n')\n    signal.pause()\n"
        "runfolio.sweep(objective, {'x': [1, 2, 3]}, name='stopped', sampler='grid', n_jobs=2)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=folio_here, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["in\n", "in\n"]
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert "KeyboardInterrupt" in said
    (sweep,) = runfolio.search_runs(filter_string="attributes.run_name = 'stopped'", output_format="list")
    assert sweep.info.status == "KILLED"
    runs = children(folio_here, sweep.info.run_id)
    assert [run.status.value for run in runs] == ["KILLED", "KILLED"]
    assert not any("the process died" in notice for run in runs for notice in run.notices)
    assert runfolio.sweep(lambda x: x, name="stopped", resume=True).count("complete") == 3
