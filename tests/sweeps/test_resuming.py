"""A sweep that was interrupted goes on where it was: nothing lost, nothing done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import StateError, UsageError
from runfolio.records import RunStatus
from tests.conftest import git
from tests.faults.repositories import environment
from tests.sweeps import objectives
from tests.sweeps.conftest import children

pytest.importorskip("optuna", reason="NOT TESTED: optuna is not installed")

SPACE = {"x": {"type": "float", "low": -4, "high": 4}, "kind": ["a", "b"]}
SCRIPT = """
import os, signal, sys
import runfolio
from tests.sweeps import objectives

calls = 0
def objective(trial):
    global calls
    calls += 1
    value = {call}
    if calls == {kill_at}:
        os.kill(os.getpid(), signal.SIGKILL)
    return value

runfolio.sweep(objective, {space}, name="killed", seed=9, **{more!r})
"""


def killed_sweep(folder: Path, kill_at: int, *, call: str, space: Any, **more: Any) -> None:
    """Run a sweep in a process that kills itself within a trial."""
    code = SCRIPT.format(call=call, kill_at=kill_at, space=space, more=more)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment(PYTHONPATH=os.getcwd()), capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def bowl(trial: Any) -> float:
    return objectives.bowl(**trial.params)


@pytest.fixture
def killed(folio_dir: Path) -> Path:
    """A folio with a sweep of 20 trials that was killed within its eighth."""
    killed_sweep(folio_dir, 8, call="objectives.bowl(**trial.params)", space=SPACE, trials=20, sampler="tpe")
    return folio_dir


def test_a_killed_sweep_ends_up_as_one_that_was_not(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(killed)
    resumed = runfolio.sweep(bowl, SPACE, name="killed", resume=True)
    whole = runfolio.sweep(bowl, SPACE, name="whole", trials=20, sampler="tpe", seed=9)
    assert [trial.params for trial in resumed.trials] == [trial.params for trial in whole.trials]
    assert [trial.values for trial in resumed.trials] == [trial.values for trial in whole.trials]
    runs = children(killed, resumed.run_id)
    assert len(runs) == 21
    cut = [run for run in runs if run.status is RunStatus.KILLED]
    assert [run.tags["runfolio.sweep.trial"] for run in cut] == ["7"]
    again = next(run for run in runs if run.tags.get("runfolio.sweep.retry_of") == cut[0].run_id)
    assert again.params == cut[0].params


def test_a_finished_sweep_is_resumed_for_more_trials(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(killed)
    first = runfolio.sweep(bowl, resume="killed")
    more = runfolio.sweep(bowl, resume=first.run_id, trials=25)
    assert [trial.runs for trial in more.trials[:20]] == [trial.runs for trial in first.trials]
    assert len(more.trials) == 25
    runfolio.flush()
    run = runfolio.get_run(first.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["runfolio.sweep.trials"] == "25"
    assert json.loads(runfolio.artifacts.load_text(f"runs:/{first.run_id}/sweep.json"))["counts"]["complete"] == 25


def test_resumed_after_recover_and_from_another_clone(killed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.faults.repositories import runfolio as command

    assert command(killed, "recover").returncode == 0
    git(tmp_path, "clone", "-q", str(killed), "clone")
    monkeypatch.chdir(tmp_path / "clone")
    found = runfolio.sweep(bowl, resume="killed")
    assert len(found.trials) == 20
    runs = children(tmp_path / "clone", found.run_id)
    assert len(runs) == 21


def test_pruning_goes_on_with_what_was_reported(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = {"x": {"type": "float", "low": -4, "high": 4}}
    pruner = {"type": "median", "n_startup_trials": 3}
    killed_sweep(folio_dir, 12, call="objectives.reporting(trial)", space=space, trials=24, sampler="random", pruner=pruner)
    monkeypatch.chdir(folio_dir)
    resumed = runfolio.sweep(objectives.reporting, resume="killed")
    whole = runfolio.sweep(objectives.reporting, space, trials=24, sampler="random", pruner=pruner, seed=9)
    assert [(trial.state, trial.params) for trial in resumed.trials] == [(trial.state, trial.params) for trial in whole.trials]
    assert resumed.count("pruned") > 2


def test_an_objective_that_draws_goes_on_with_what_was_drawn(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_sweep(folio_dir, 12, call="objectives.drawing(trial)", space=None, trials=20)
    monkeypatch.chdir(folio_dir)
    resumed = runfolio.sweep(objectives.drawing, resume="killed")
    whole = runfolio.sweep(objectives.drawing, trials=20, seed=9)
    assert [trial.params for trial in resumed.trials] == [trial.params for trial in whole.trials]


def test_replicates_that_are_there_are_not_run_again(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = {"x": {"type": "float", "low": -4, "high": 4}}
    call = "objectives.with_seed(**trial.params)"
    killed_sweep(folio_dir, 8, call=call, space=space, trials=6, replicates={"seed": [1, 2, 3]}, sampler="random")
    monkeypatch.chdir(folio_dir)
    found = runfolio.sweep(objectives.with_seed, resume="killed")
    runs = [run for run in children(folio_dir, found.run_id) if run.status is RunStatus.FINISHED]
    assert sorted((run.tags["runfolio.sweep.trial"], run.params["seed"]) for run in runs) == [
        (str(number), str(seed)) for number in range(6) for seed in (1, 2, 3)
    ]
    assert all(trial.values["value"] == pytest.approx(trial.params["x"] + 2) for trial in found.trials)


def test_ctrl_c_seals_the_trial_and_the_sweep(folio_here: Path) -> None:
    def objective(x: float, kind: str) -> float:
        if runfolio.active_run().data.tags["runfolio.sweep.trial"] == "3":
            raise KeyboardInterrupt
        return objectives.bowl(x, kind)

    with pytest.raises(KeyboardInterrupt):
        runfolio.sweep(objective, SPACE, name="stopped", trials=8, seed=2, sampler="random")
    assert runfolio.active_run() is None
    runfolio.flush()
    sweep = runfolio.search_runs(filter_string="attributes.run_name = 'stopped'", output_format="list")[0]
    assert sweep.info.status == "KILLED"
    assert [run.status.value for run in children(folio_here, sweep.info.run_id)] == ["FINISHED"] * 3 + ["KILLED"]
    found = runfolio.sweep(objectives.bowl, name="stopped", resume=True)
    assert (found.run_id, found.count("complete")) == (sweep.info.run_id, 8)


def test_a_sweep_that_goes_on_is_not_resumed(folio_here: Path) -> None:
    code = (
        "import runfolio, signal\n"
        "def objective(x):\n    print('in', flush=True)\n    signal.pause()\n"
        "runfolio.sweep(objective, {'x': [1, 2]}, name='busy', sampler='grid')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=folio_here, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        with pytest.raises(StateError, match="goes on in another process"):
            runfolio.sweep(lambda x: x, name="busy", resume=True)
    finally:
        process.kill()
        process.communicate()
    assert runfolio.sweep(lambda x: x, name="busy", resume=True).count("complete") == 2


def test_what_contradicts_the_record_is_refused_all_at_once(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(killed)
    with pytest.raises(UsageError) as found:
        runfolio.sweep(bowl, {"x": [1, 2]}, resume="killed", seed=4, direction="maximize")
    assert [line.split(":")[0] for line in found.value.message.splitlines()[:3]] == ["metrics", "space", "seed"]
    with runfolio.start_run(run_name="plain"):
        pass
    with pytest.raises(UsageError, match=r"is not a sweep's own"):
        runfolio.sweep(bowl, resume="plain")


def test_tags_that_somebody_broke_are_told_or_passed_over(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(killed)
    found = runfolio.sweep(bowl, resume="killed")
    runfolio.flush()
    client = runfolio.MlflowClient()
    first, second = found.trials[0].runs[0], found.trials[1].runs[0]
    client.set_tag(first, "runfolio.sweep.values", "[not json")
    client.set_tag(second, "runfolio.sweep.point", '{"x": 99, "kind": 7}')
    runfolio.flush()
    again = runfolio.sweep(bowl, resume="killed")
    assert again.count("complete") + again.count("failed") == 20
    assert again.trials[0].runs[0] != first
    client.set_tag(found.run_id, "runfolio.sweep.metrics", "{")
    with pytest.raises(runfolio.errors.DamagedError, match="do not describe a sweep"):
        runfolio.sweep(bowl, resume=found.run_id)
