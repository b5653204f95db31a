"""Ray Tune's loggers: ours beside Ray's own for MLflow, told of the same trials through Ray's own list of callbacks.

No cluster is started: its start is bound to half a minute by Ray, which a loaded machine does not meet.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import runfolio
from runfolio.autologging.guarding import TAG
from tests.autologging.reading import artifacts, points

MLFLOW = os.environ.get("RUNFOLIO_MLFLOW", "")
pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.xdist_group("ray"),
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="NOT TESTED: the package ray is not installed"),
]

SEARCH = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
from ray.tune.callback import CallbackList
from ray.tune.experiment import Trial
from runfolio.sweeps.ray import RunfolioLoggerCallback

callbacks = [RunfolioLoggerCallback(experiment_name="digits", tags={"team": "red"})]
if sys.argv[1]:
    sys.path.append(sys.argv[1])
    from ray.air.integrations.mlflow import MLflowLoggerCallback
    callbacks.append(MLflowLoggerCallback(tracking_uri=sys.argv[2] + "/mlruns", experiment_name="digits", tags={"team": "red"}))
told = CallbackList(callbacks)
told.setup()
trials = [Trial("train", stub=True, trial_id=f"{at:08d}", config={"model": {"depth": at}, "rate": 0.1}) for at in range(4)]
for trial in trials:  # all at once, as with several processors
    told.on_trial_start(iteration=0, trials=trials, trial=trial)
for step in range(1, 4):
    for trial in trials:
        result = {"score": trial.config["model"]["depth"] + step, "nested": {"loss": 0.5}, "text": "no number", "done": step == 3,
            "training_iteration": step, "trial_id": "a_b", "config": trial.config, "timesteps_total": None}
        told.on_trial_result(iteration=step, trials=trials, trial=trial, result=result)
told.on_trial_complete(iteration=3, trials=trials, trial=trials[0])
told.on_trial_error(iteration=3, trials=trials, trial=trials[1])
told.on_trial_complete(iteration=3, trials=trials, trial=trials[2])
told.on_experiment_end(trials=trials)  # the last one was interrupted
made = {}
if sys.argv[1]:
    import mlflow
    client = mlflow.MlflowClient(sys.argv[2] + "/mlruns")
    for run in client.search_runs([client.get_experiment_by_name("digits").experiment_id]):
        history = {key: [[point.step, point.value] for point in client.get_metric_history(run.info.run_id, key)] for key in run.data.metrics}
        made[run.info.run_name] = [run.info.status, run.data.params, history, run.data.tags["trial_name"], run.data.tags["team"]]
print(json.dumps(made))
"""


def test_each_trial_is_a_run_as_rays_own_callback_for_mlflow_logs_it(
    folio_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = MLFLOW if Path(MLFLOW or "-", "mlflow").is_dir() else ""
    command = [sys.executable, "-c", SEARCH, theirs, str(tmp_path)]
    done = subprocess.run(command, cwd=folio_dir, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    monkeypatch.chdir(folio_dir)
    found = runfolio.search_runs(experiment_names=["digits"], output_format="list")
    runs = {run.data.params["model/depth"]: run for run in found}
    status = {depth: run.info.status for depth, run in runs.items()}
    assert status == {"0": "FINISHED", "1": "FAILED", "2": "FINISHED", "3": "KILLED"} and len(found) == 4
    assert points(runs["2"], "score") == [(1, 3.0), (2, 4.0), (3, 5.0)] and points(runs["1"], "nested/loss")[-1] == (3, 0.5)
    assert all(TAG not in run.data.tags and artifacts(run) == [] for run in found)
    compared = json.loads(done.stdout.splitlines()[-1])
    for name, (state, params, history, trial, team) in compared.items():
        (ours,) = [run for run in found if run.info.run_name == name]
        # Theirs leaves the run of an interrupted trial running.
        assert (ours.info.status, ours.data.params) == ("KILLED" if state == "RUNNING" else state, params)
        assert (ours.data.tags["trial_name"], ours.data.tags["team"]) == (trial, team)
        # Theirs has truth values as numbers.
        assert {key: [list(point) for point in points(ours, key)] for key in ours.data.metrics} == {
            key: made for key, made in history.items() if key != "done"
        }
    assert len(compared) == (4 if theirs else 0)


def test_it_travels_with_a_search_and_a_fault_of_the_log_does_not_stop_it(
    tmp_path: Path, pinned_git: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("ray.tune")
    from ray.tune.experiment import Trial

    from runfolio.sweeps.ray import RunfolioLoggerCallback

    monkeypatch.chdir(tmp_path)  # no folio
    callback = pickle.loads(pickle.dumps(RunfolioLoggerCallback(experiment_name="digits")))
    trial = Trial("train", stub=True)
    callback.on_trial_start(iteration=0, trials=[trial], trial=trial)
    callback.on_trial_result(iteration=1, trials=[trial], trial=trial, result={"training_iteration": 1, "score": 1.0})
    callback.on_trial_complete(iteration=1, trials=[trial], trial=trial)
    assert "ray: a run could not be logged" in caplog.text
