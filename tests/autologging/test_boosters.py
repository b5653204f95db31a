"""XGBoost, LightGBM, CatBoost and statsmodels log their training; what MLflow logs too is held by :mod:`.test_beside_mlflow`."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.autologging.guarding import TAG
from runfolio.tracking.datasets import arrays
from runfolio.tracking.datasets.digests import digest_arrays
from tests.autologging.reading import artifacts, points, runs, text

pytestmark = pytest.mark.frameworks
sklearn = pytest.importorskip("sklearn")
from sklearn.datasets import load_breast_cancer  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402, F401
from sklearn.model_selection import GridSearchCV  # noqa: E402

PLAIN = {"log_models": False, "log_datasets": False}


@pytest.fixture(scope="module")
def cells() -> tuple[Any, Any]:
    frame, target = load_breast_cancer(return_X_y=True, as_frame=True)
    frame.columns = [name.replace(" ", "_") for name in frame.columns]
    return frame.iloc[:240, :6], target[:240]


def test_metrics_that_come_later_or_are_no_finite_numbers_are_points_too(folio: Path, cells: Any) -> None:
    xgboost = pytest.importorskip("xgboost")
    runfolio.xgboost.autolog(log_models=False, log_datasets=False)
    said = iter([[("a", 0.5)], [("a", float("nan")), ("b@1", 1.0)], [("a", 2.0), ("b@1", float("inf"))]])
    data = xgboost.DMatrix(*cells)
    xgboost.train(
        {"nthread": 1, "disable_default_eval_metric": True}, data, 3, evals=[(data, "all")], verbose_eval=False,
        custom_metric=lambda *_: next(said),
    )  # fmt: skip
    (run,) = runs()
    assert TAG not in run.data.tags
    assert str(points(run, "all-a")) == "[(0, 0.5), (1, nan), (2, 2.0)]"
    assert points(run, "all-b_at_1") == [(1, 1.0), (2, float("inf"))]


def test_booster_has_a_point_an_iteration_and_its_best_one_last(folio: Path, cells: Any) -> None:
    xgboost = pytest.importorskip("xgboost")
    runfolio.xgboost.autolog(importance_types=["weight", "gain"], registered_model_name="cells")
    X, y = cells
    train, test = xgboost.DMatrix(X[:160], y[:160]), xgboost.DMatrix(X[160:], y[160:])
    seen: dict[str, Any] = {}
    booster = xgboost.train(
        {"eta": 0.9, "objective": "binary:logistic", "nthread": 1}, train, 60, evals=[(test, "test")],
        early_stopping_rounds=2, evals_result=seen, verbose_eval=False,
    )  # fmt: skip
    (run,) = runs()
    made = points(run, "test-logloss")
    assert [value for _, value in made[:-1]] == seen["test"]["logloss"]
    assert made[-1] == (len(seen["test"]["logloss"]), seen["test"]["logloss"][booster.best_iteration])
    assert run.data.metrics["best_iteration"] == booster.best_iteration < run.data.metrics["stopped_iteration"]
    assert run.data.metrics["best_score"] == pytest.approx(booster.best_score)
    assert json.loads(text(run, "feature_importance_gain.json")) == booster.get_score(importance_type="gain")
    assert {"feature_importance_gain.png", "feature_importance_weight.png", "model/model.xgb"} < set(artifacts(run))
    loaded = runfolio.pyfunc.load_model("models:/cells/1")
    assert loaded.metadata.signature.inputs.input_names() == list(X.columns)
    assert TAG not in run.data.tags


def test_users_own_callbacks_are_called_and_their_list_is_left_alone(folio: Path, cells: Any) -> None:
    xgboost = pytest.importorskip("xgboost")
    seen: list[int] = []

    class Mine(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            seen.append(epoch)
            return epoch == 2

    runfolio.xgboost.autolog(**PLAIN)
    callbacks = [Mine()]
    xgboost.train({"nthread": 1}, xgboost.DMatrix(*cells), 10, callbacks=callbacks)
    assert (seen, len(callbacks)) == ([0, 1, 2], 1)


@pytest.mark.parametrize("package", ["xgboost", "lightgbm"])
def test_estimator_is_what_is_kept_and_later_metrics_are_added(folio: Path, cells: Any, package: str) -> None:
    module = pytest.importorskip(package)
    getattr(runfolio, package).autolog(log_input_examples=True)
    kind = module.XGBClassifier if package == "xgboost" else module.LGBMClassifier
    quiet = {} if package == "xgboost" else {"verbose": -1}
    X_test, y_test = cells
    model = kind(n_estimators=3, max_depth=2, n_jobs=1, random_state=0, **quiet).fit(X_test, y_test)
    value = sklearn.metrics.accuracy_score(y_test, model.predict(X_test))
    model.score(X_test, y_test)
    (run,) = runs()
    assert run.data.metrics["accuracy_score_X_test"] == value == run.data.metrics[f"{kind.__name__}_score_X_test"]
    assert run.data.params["max_depth"] == "2" and "model/input_example.json" in artifacts(run)
    loaded = getattr(runfolio, package).load_model(f"runs:/{run.info.run_id}/model")
    assert type(loaded) is kind and (loaded.predict(X_test) == model.predict(X_test)).all()


def test_boosters_within_a_search_are_its_children_and_no_runs_of_their_own(folio: Path, cells: Any) -> None:
    xgboost = pytest.importorskip("xgboost")
    runfolio.autolog(**PLAIN)
    GridSearchCV(xgboost.XGBClassifier(n_estimators=2, n_jobs=1), {"max_depth": [1, 2]}, cv=2).fit(*cells)
    parent, *children = runs()
    assert len(children) == 2 and {each.data.tags["mlflow.parentRunId"] for each in children} == {parent.info.run_id}
    assert parent.data.tags["mlflow.autologging"] == "sklearn"


def test_lightgbm_stops_early_by_its_callback(folio: Path, cells: Any) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    runfolio.lightgbm.autolog(**PLAIN)
    X, y = cells
    train = lightgbm.Dataset(X[:160], y[:160])
    test = lightgbm.Dataset(X[160:], y[160:])
    params = {"objective": "binary", "num_threads": 1, "verbose": -1, "learning_rate": 0.9, "metric": ["auc", "binary_logloss"]}
    booster = lightgbm.train(params, train, 60, valid_sets=test, callbacks=[lightgbm.early_stopping(2, verbose=False)])
    (run,) = runs()
    made = points(run, "valid_0-binary_logloss")
    assert run.data.metrics["best_iteration"] == booster.best_iteration
    assert made[-1][1] == made[booster.best_iteration - 1][1] == booster.best_score["valid_0"]["binary_logloss"]
    assert json.loads(text(run, "feature_importance_gain.json")).keys() == set(X.columns)


@pytest.mark.parametrize("data", ["table", "pool"])
def test_catboost_logs_as_the_other_boosters_do(folio: Path, cells: Any, data: str) -> None:
    catboost = pytest.importorskip("catboost")
    runfolio.catboost.autolog()
    X, y = cells
    model = catboost.CatBoostClassifier(
        iterations=40,
        learning_rate=0.9,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
        early_stopping_rounds=2,
        random_seed=0,
    )
    if data == "pool":
        model.fit(catboost.Pool(X[:160], y[:160]), eval_set=catboost.Pool(X[160:], y[160:]))
    else:
        model.fit(X[:160], y[:160], eval_set=(X[160:], y[160:]))
    (run,) = runs()
    result = model.get_evals_result()
    for part in ("learn", "validation"):
        assert [value for _, value in points(run, f"{part}-Logloss")][: len(result[part]["Logloss"])] == result[part]["Logloss"]
    assert run.data.metrics["best_iteration"] == model.get_best_iteration()
    assert run.data.metrics["best_score"] == model.get_best_score()["validation"]["Logloss"]
    assert (run.data.params["iterations"], run.data.params["boosting_type"]) == ("40", "Plain")
    assert {"feature_importance_PredictionValuesChange.json", "feature_importance_PredictionValuesChange.png"} < set(
        artifacts(run)
    )
    assert (runfolio.catboost.load_model(f"runs:/{run.info.run_id}/model").predict(X) == model.predict(X)).all()
    assert [each.tags[0].value for each in run.inputs.dataset_inputs] == ["train", "eval"]
    assert TAG not in run.data.tags


def test_statsmodels_fit_that_calls_other_fits_is_one_run(folio: Path, cells: Any) -> None:
    formula = pytest.importorskip("statsmodels.formula.api")
    runfolio.statsmodels.autolog(registered_model_name="radius")
    frame = cells[0].assign(y=cells[1])
    results = formula.ols("mean_radius ~ mean_texture", frame).fit(cov_type="HC1")
    (run,) = runs()
    assert run.data.params["cov_type"] == "HC1"
    assert run.data.metrics["rsquared"] == pytest.approx(results.rsquared)
    assert "OLS Regression Results" in text(run, "model_summary.txt")
    assert (runfolio.statsmodels.load_model("models:/radius/1").params == results.params).all()


@pytest.mark.parametrize("package", ["xgboost", "lightgbm", "catboost", "statsmodels"])
def test_disable_puts_every_function_back(package: str) -> None:
    module = pytest.importorskip("statsmodels.api" if package == "statsmodels" else package)

    def functions() -> list[Any]:
        owners = [module, *(each for each in vars(module).values() if inspect.isclass(each)), sklearn.metrics]
        owners += [module.sklearn] if hasattr(module, "sklearn") else []
        return [each for owner in owners for each in vars(owner).values()]

    before = functions()
    for first, second in ((package, "sklearn"), ("sklearn", package)):
        for name in (first, second):
            getattr(runfolio, name).autolog()
        assert len(before) == len(functions()) or package != "statsmodels"
        assert any(one is not other for one, other in zip(before, functions(), strict=False))
        for name in (first, second):
            getattr(runfolio, name).autolog(disable=True)
        after = functions()
        assert len(before) == len(after) and all(one is other for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_data_that_is_trained_on_and_evaluated_is_hashed_once(
    folio: Path, cells: Any, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    module = pytest.importorskip(library)
    hashed: list[int] = []

    def counted(*given: Any) -> tuple[str, int | None]:
        hashed.append(len(given[0]))
        return digest_arrays(*given)

    monkeypatch.setattr(arrays, "digest_arrays", counted)
    getattr(runfolio, library).autolog(log_models=False)
    X, y = cells[0].to_numpy(), cells[1].to_numpy()
    if library == "xgboost":
        train, test = module.DMatrix(X[:160], y[:160]), module.DMatrix(X[160:], y[160:])
        module.train({"nthread": 1}, train, 2, evals=[(train, "seen"), (test, "test"), (train, "again")], verbose_eval=False)
    else:
        train, test = (module.Dataset(X[part], y[part], free_raw_data=False) for part in (slice(160), slice(160, None)))
        module.train(
            {"num_threads": 1, "verbose": -1}, train, 2, valid_sets=[train, test, train], valid_names=["seen", "test", "again"]
        )
    (run,) = runs()
    found = [(each.dataset.name, each.tags[0].value, each.dataset.digest) for each in run.inputs.dataset_inputs]
    one, other = found[0][2], found[2][2]
    assert found == [("dataset", "train", one), ("seen", "eval", one), ("test", "eval", other), ("again", "eval", one)]
    assert one != other and len(hashed) == 2 and TAG not in run.data.tags


def test_name_of_a_file_is_no_row_of_an_example(folio: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    (tmp_path / "rows.svm").write_text("1 0:1 1:2\n0 0:2 1:1\n" * 20)
    runfolio.lightgbm.autolog(log_input_examples=True, log_datasets=False)
    lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(str(tmp_path / "rows.svm")), 1)
    (run,) = runs()
    assert TAG not in run.data.tags and "the data is a file, or was made into the framework's own form" in caplog.text
    loaded = runfolio.models.get_model_info(f"runs:/{run.info.run_id}/model")
    assert loaded.signature is None and loaded.saved_input_example_info is None
