"""Optuna's own loop, recorded by a callback as Optuna's MLflowCallback records it."""

from __future__ import annotations

from pathlib import Path

import pytest

import runfolio
from runfolio.records import RunStatus
from tests.sweeps.conftest import children

optuna = pytest.importorskip("optuna", reason="NOT TESTED: optuna is not installed")


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
