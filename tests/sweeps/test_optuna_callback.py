"""Optuna's own loop, recorded by a callback as Optuna's MLflowCallback records it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import runfolio
from runfolio.records import RunStatus
from tests.sweeps.conftest import children

optuna = pytest.importorskip("optuna", reason="NOT TESTED: optuna is not installed")

MLFLOW = os.environ.get("RUNFOLIO_MLFLOW", "")


def objective(trial):
    x = trial.suggest_float("x", -4, 4)
    kind = trial.suggest_categorical("kind", ["a", "b"])
    if trial.number == 3:
        raise ValueError("no")
    for step in range(3):
        trial.report(x * x + step, step)
        if trial.number == 4:
            raise optuna.TrialPruned
    runfolio.log_metric("inner", x)
    return x * x + (kind == "b")


def test_each_trial_is_a_run_and_the_study_reads_as_a_sweep(folio_here: Path) -> None:
    from runfolio.sweeps.optuna import RunfolioCallback

    study = optuna.create_study(study_name="bowl", sampler=optuna.samplers.TPESampler(seed=1))
    with RunfolioCallback(metric_name="cost") as callback:
        study.optimize(callback.track(objective), n_trials=12, callbacks=[callback], catch=(ValueError,))
        run_id = callback.run_id
    assert run_id is not None
    runs = children(folio_here, run_id)
    assert len(runs) == 12
    for run, trial in zip(runs, study.trials, strict=True):
        assert {name: str(value) for name, value in trial.params.items()} == dict(run.params) or trial.number == 3
        if trial.state.name == "COMPLETE":
            assert run.metrics["cost"].last == trial.value
            assert run.metrics["inner"].last == trial.params["x"]
            assert run.metrics["cost.reported"].count == 3
    assert runs[3].status is RunStatus.FAILED
    assert runs[3].tags["runfolio.sweep.error"] == "ValueError: no"
    assert runs[4].tags["runfolio.sweep.state"] == "pruned"
    found = runfolio.sweeps.load("bowl")
    assert found.best is not None
    assert (found.best.number, found.best_value) == (study.best_trial.number, study.best_value)
    assert found.best_params == study.best_params
    assert found.document["counts"] == {"complete": 10, "pruned": 1, "failed": 1, "open": 0}
    assert runfolio.get_run(run_id).info.status == "FINISHED"
    assert '"runfolio-sweep"' in runfolio.artifacts.load_text(f"runs:/{run_id}/sweep.json")


def test_optunas_own_form_works_with_the_import_changed(folio_here: Path) -> None:
    from runfolio.sweeps.optuna import MLflowCallback

    callback = MLflowCallback(metric_name=["near", "far"], create_experiment=False)

    @callback.track_in_mlflow()
    def two(trial):
        x = trial.suggest_float("x", 0, 1)
        trial.set_user_attr("note", "n")
        return x, 1 - x

    study = optuna.create_study(directions=["minimize", "minimize"])
    study.optimize(two, n_trials=3, callbacks=[callback])
    callback.finish()
    callback.finish()
    (sweep,) = runfolio.search_runs(filter_string="tags.`runfolio.sweep.metrics` != ''", output_format="list")
    runs = children(folio_here, sweep.info.run_id)
    assert [(run.metrics["near"].last, run.metrics["far"].last) for run in runs] == [
        tuple(trial.values) for trial in study.trials
    ]
    assert runs[0].tags["note"] == "n"


THEIRS = """
import json, sys
sys.path.append(sys.argv[1])
import mlflow, optuna, warnings
from optuna_integration import MLflowCallback
warnings.simplefilter("ignore")
from objective import objective

callback = MLflowCallback(tracking_uri=sys.argv[2], metric_name="cost", tag_study_user_attrs=True)
study = optuna.create_study(study_name="bowl", sampler=optuna.samplers.RandomSampler(seed=1))
study.set_user_attr("owner", "ada")
study.optimize(objective, n_trials=5, callbacks=[callback])
client = mlflow.MlflowClient(sys.argv[2])
runs = client.search_runs([client.get_experiment_by_name("bowl").experiment_id])
print(json.dumps([[run.info.status, run.data.params, run.data.metrics, run.data.tags] for run in runs]))
"""


def test_a_trial_has_what_optunas_own_callback_logs_to_mlflow(folio_here: Path, tmp_path: Path) -> None:
    from runfolio.sweeps.optuna import RunfolioCallback

    if not Path(MLFLOW or "-", "mlflow").is_dir() or importlib.util.find_spec("optuna_integration") is None:
        pytest.skip("NOT TESTED: RUNFOLIO_MLFLOW names no folder with MLflow in it, or optuna-integration is not installed")
    code = "def objective(trial):\n    trial.set_user_attr('note', trial.number)\n"
    code += "    return trial.suggest_float('x', -4, 4) ** 2 + trial.suggest_int('n', 1, 3, log=True)\n"
    (tmp_path / "objective.py").write_text(code)
    command = [sys.executable, "-c", THEIRS, MLFLOW, f"file:{tmp_path / 'mlruns'}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    theirs = {tags["number"]: (*said, tags) for *said, tags in json.loads(done.stdout.splitlines()[-1])}

    made: dict[str, object] = {}
    exec(code, made)
    study = optuna.create_study(study_name="bowl", sampler=optuna.samplers.RandomSampler(seed=1))
    study.set_user_attr("owner", "ada")
    with RunfolioCallback(metric_name="cost", tag_study_user_attrs=True) as callback:
        study.optimize(made["objective"], n_trials=5, callbacks=[callback])
        parent = callback.run_id
    assert parent is not None
    for run in children(folio_here, parent):
        status, params, metrics, tags = theirs[run.tags["number"]]
        assert (run.status.value, dict(run.params)) == (status, params)
        assert {name: metric.last for name, metric in run.metrics.items()} == metrics
        wanted = {key: value for key, value in tags.items() if not key.startswith("mlflow.")}
        found = {key: value for key, value in run.tags.items() if not key.startswith(("mlflow.", "runfolio."))}
        assert found.keys() == wanted.keys()
        assert {key for key in wanted if found[key] != wanted[key]} == {"datetime_start", "datetime_complete"}
    assert len(theirs) == 5
