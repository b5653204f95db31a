"""The callbacks of XGBoost, LightGBM and CatBoost, given as their users give them."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.autologging.guarding import TAG
from runfolio.errors import UsageError
from tests.autologging.reading import artifacts, points, runs

pytestmark = pytest.mark.frameworks
xgboost = pytest.importorskip("xgboost")
lightgbm = pytest.importorskip("lightgbm")
catboost = pytest.importorskip("catboost")
from sklearn.datasets import load_breast_cancer  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402

X, Y = load_breast_cancer(return_X_y=True)
ONE = {"objective": "binary:logistic", "eta": 0.3, "nthread": 1}
TREES = {"objective": "binary", "verbose": -1, "num_threads": 1, "learning_rate": 0.9}


class Broken(xgboost.callback.TrainingCallback):
    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        if epoch == 2:
            raise RuntimeError("no more")
        return False


def boost(*callbacks: Any, rounds: int = 40) -> tuple[Any, dict[str, Any]]:
    seen: dict[str, Any] = {}
    train, test = xgboost.DMatrix(X[::2], Y[::2]), xgboost.DMatrix(X[1::2], Y[1::2])
    booster = xgboost.train(
        ONE,
        train,
        rounds,
        evals=[(test, "test")],
        early_stopping_rounds=3,
        evals_result=seen,
        verbose_eval=False,
        callbacks=callbacks,
    )
    return booster, seen


def trees(*callbacks: Any, rounds: int = 40) -> Any:
    data = lightgbm.Dataset(X[::2], Y[::2])
    return lightgbm.train(
        TREES, data, rounds, valid_sets=[lightgbm.Dataset(X[1::2], Y[1::2])], valid_names=["test"], callbacks=callbacks
    )


def test_xgboosts_training_is_a_run_of_its_own_with_params_metrics_and_the_model(folio: Path) -> None:
    callback = runfolio.xgboost.RunfolioCallback(experiment_name="cells", run_name="first", tags={"team": "red"}, log_models=True)
    booster, seen = boost(callback)
    assert runfolio.active_run() is None
    run = runfolio.get_run(callback.run_id)
    assert (run.info.status, run.info.run_name, run.data.tags["team"]) == ("FINISHED", "first", "red")
    assert runfolio.get_experiment(run.info.experiment_id).name == "cells"
    assert [value for _, value in points(run, "test-logloss")] == seen["test"]["logloss"]
    assert run.data.metrics["best_iteration"] == booster.best_iteration < run.data.metrics["stopped_iteration"]
    # What was given, as it was given (the booster says 0.300000012), and what XGBoost chose.
    assert {"eta": "0.3", "nthread": "1", "max_depth": "6", "objective": "binary:logistic"}.items() <= run.data.params.items()
    assert {"feature_importance_weight.json", "model/MLmodel"} <= set(artifacts(run)) and TAG not in run.data.tags
    assert runfolio.xgboost.load_model(f"runs:/{run.info.run_id}/model").num_boosted_rounds() == booster.num_boosted_rounds()


def test_the_active_run_is_joined_and_left_open(folio: Path) -> None:
    with runfolio.start_run() as active:
        boost(runfolio.xgboost.RunfolioCallback(importance_types=()))
        trees(runfolio.lightgbm.RunfolioCallback(), rounds=3)
        assert runfolio.active_run() is active
    (run,) = runs()
    assert run.info.run_id == active.info.run_id and {"test-logloss", "test-binary_logloss"} <= run.data.metrics.keys()


def test_a_training_that_fails_is_a_failed_run_and_the_next_one_does_not_join_it(folio: Path) -> None:
    with pytest.raises(RuntimeError) as kept:
        boost(runfolio.xgboost.RunfolioCallback(), Broken())
    boost(runfolio.xgboost.RunfolioCallback(), rounds=3)  # the error still holds the first one's frames, as in a notebook
    with pytest.raises(RuntimeError), runfolio.xgboost.RunfolioCallback() as callback:
        boost(callback, Broken())
    assert [(run.info.status, len(points(run, "test-logloss"))) for run in runs()] == [
        ("FAILED", 3),
        ("FINISHED", 3),
        ("FAILED", 3),
    ]
    assert kept.value.args == ("no more",) and runfolio.active_run() is None


def test_each_fit_of_a_search_is_a_run(folio: Path) -> None:
    callback = runfolio.xgboost.RunfolioCallback(run_name="fold", importance_types=())
    model = xgboost.XGBClassifier(n_estimators=2, n_jobs=1, callbacks=[callback])
    GridSearchCV(model, {"max_depth": [1, 3]}, cv=2, refit=False).fit(X, Y)
    assert sorted(run.data.params["max_depth"] for run in runs()) == ["1", "1", "3", "3"]
    assert {run.info.status for run in runs()} == {"FINISHED"}


def test_cross_validations_log_the_mean_and_spread_of_their_folds(folio: Path) -> None:
    made = xgboost.cv(ONE, xgboost.DMatrix(X, Y), 3, nfold=2, seed=1, callbacks=[runfolio.xgboost.RunfolioCallback()])
    other = lightgbm.cv(TREES, lightgbm.Dataset(X, Y), 3, nfold=2, callbacks=[runfolio.lightgbm.RunfolioCallback()])
    first, second = runs()
    for column in ("test-logloss-mean", "test-logloss-std", "train-logloss-mean"):
        assert [value for _, value in points(first, column)] == pytest.approx(list(made[column]))
    assert [value for _, value in points(second, "valid-binary_logloss-mean")] == other["valid binary_logloss-mean"]
    assert [value for _, value in points(second, "valid-binary_logloss-stdv")] == other["valid binary_logloss-stdv"]


def test_lightgbms_early_stopping_ends_the_run_and_an_error_fails_it(folio: Path) -> None:
    seen: dict[str, Any] = {}
    callback = runfolio.lightgbm.RunfolioCallback()
    booster = trees(lightgbm.early_stopping(3, verbose=False), lightgbm.record_evaluation(seen), callback)
    del callback
    assert runfolio.active_run() is None
    (run,) = runs()
    assert run.info.status == "FINISHED" and run.data.metrics["best_iteration"] == booster.best_iteration < 40
    assert [value for _, value in points(run, "test-binary_logloss")] == seen["test"]["binary_logloss"]
    assert run.data.params["learning_rate"] == "0.9" and run.data.params["num_boost_round"] == "40"

    def broken(env: Any) -> None:
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        trees(runfolio.lightgbm.RunfolioCallback(), broken)
    trees(runfolio.lightgbm.RunfolioCallback(), rounds=2)
    assert [run.info.status for run in runs()] == ["FINISHED", "FAILED", "FINISHED"]


def test_catboosts_iterations_are_logged_and_the_run_ends_with_the_fit(folio: Path) -> None:
    model = catboost.CatBoostClassifier(iterations=9, verbose=False, allow_writing_files=False, thread_count=1, random_seed=0)
    model.fit(
        X[::2], Y[::2], eval_set=(X[1::2], Y[1::2]), callbacks=[runfolio.catboost.RunfolioCallback(params=model.get_params())]
    )
    assert runfolio.active_run() is None
    (run,) = runs()
    made = model.get_evals_result()
    assert [value for _, value in points(run, "validation-Logloss")] == made["validation"]["Logloss"]
    assert [step for step, _ in points(run, "learn-Logloss")] == list(range(9))
    assert run.info.status == "FINISHED" and run.data.params["iterations"] == "9"


def test_every_n_iterations_and_the_last_one(folio: Path) -> None:
    with runfolio.start_run():
        xgboost.train(ONE, (data := xgboost.DMatrix(X, Y)), 8, evals=[(data, "x")], verbose_eval=False,
            callbacks=[runfolio.xgboost.RunfolioCallback(log_every_n=3)])  # fmt: skip
        trees(runfolio.lightgbm.RunfolioCallback(log_every_n=5), rounds=8)
    (run,) = runs()
    assert [step for step, _ in points(run, "x-logloss")] == [0, 3, 6, 7]
    assert [step for step, _ in points(run, "test-binary_logloss")] == [0, 5, 7]
    for kind in (runfolio.xgboost.RunfolioCallback, runfolio.lightgbm.RunfolioCallback, runfolio.catboost.RunfolioCallback):
        with pytest.raises(UsageError, match="log_every_n: a whole number from 1 is expected; found 0"):
            kind(log_every_n=0)


def test_what_cannot_be_logged_stands_in_the_run(folio: Path) -> None:
    boost(runfolio.xgboost.RunfolioCallback(importance_types=["beauty", "gain"]))
    (run,) = runs()
    assert run.info.status == "FINISHED" and run.data.tags[TAG] == "the features' importance (beauty)"
    assert "feature_importance_gain.json" in artifacts(run)


def test_a_run_that_its_user_ends_meanwhile_still_gets_its_points(folio: Path) -> None:
    class Ends(xgboost.callback.TrainingCallback):  # type: ignore[misc,name-defined]
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            runfolio.end_run() if epoch == 1 else None
            return False

    boost(runfolio.xgboost.RunfolioCallback(), Ends(), rounds=4)
    (run,) = runs()
    assert run.info.status == "FINISHED" and [step for step, _ in points(run, "test-logloss")] == [0, 1, 2, 3]


def test_without_a_folio_training_goes_on_and_says_so_once(
    tmp_path: Path, pinned_git: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert boost(runfolio.xgboost.RunfolioCallback(), rounds=3)[0].num_boosted_rounds() == 3
    assert caplog.text.count("could not be logged") == 1 and "xgboost: a run could not be logged" in caplog.text


def test_only_the_first_of_processes_that_train_together_logs(folio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    trees(runfolio.lightgbm.RunfolioCallback(), rounds=2)
    assert runs() == []


def test_a_copy_knows_what_is_wanted_and_begins_a_run_of_its_own(folio: Path) -> None:
    for kind in (runfolio.xgboost.RunfolioCallback, runfolio.lightgbm.RunfolioCallback, runfolio.catboost.RunfolioCallback):
        callback = kind(run_name="copied", tags={"team": "red"})
        for made in (copy.deepcopy(callback), pickle.loads(pickle.dumps(callback))):
            assert type(made) is kind and made.to.wanted == callback.to.wanted and made.to is not callback.to
