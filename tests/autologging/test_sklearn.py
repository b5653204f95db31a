"""scikit-learn's estimators log themselves: what stands in the run, with and without the options."""

from __future__ import annotations

import inspect
import json
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.autologging.guarding import TAG
from runfolio.autologging.scikit_learn import scores
from runfolio.errors import UsageError
from tests.autologging.reading import artifacts, runs, text

pytestmark = pytest.mark.frameworks
sklearn = pytest.importorskip("sklearn")
numpy = pytest.importorskip("numpy")
from sklearn import linear_model, metrics  # noqa: E402
from sklearn.base import BaseEstimator, TransformerMixin  # noqa: E402
from sklearn.cluster import KMeans  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine  # noqa: E402
from sklearn.ensemble import RandomForestClassifier, VotingClassifier  # noqa: E402
from sklearn.experimental import enable_halving_search_cv  # noqa: E402, F401
from sklearn.feature_selection import SelectFromModel  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import LabelEncoder, StandardScaler  # noqa: E402
from sklearn.tree import DecisionTreeClassifier  # noqa: E402

PLAIN = {"log_models": False, "log_datasets": False}
"""Options of tests that are about something else: the model is most of the time of a small fit."""


@pytest.fixture(scope="module")
def wine() -> tuple[Any, Any]:
    data: tuple[Any, Any] = load_wine(return_X_y=True)
    return data


@pytest.fixture(scope="module")
def two_classes() -> tuple[Any, Any]:
    frame, target = load_breast_cancer(return_X_y=True, as_frame=True)
    return frame.iloc[:200, :5], target[:200]


def test_fit_without_a_run_makes_one_that_ends_with_it(folio: Path, two_classes: Any) -> None:
    runfolio.sklearn.autolog(extra_tags={"team": "red"}, log_input_examples=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(*two_classes)
    (run,) = runs()
    assert run.info.status == "FINISHED" and runfolio.active_run() is None
    assert run.data.params["logisticregression__C"] == "0.5"
    assert set(run.data.params) == set(model.get_params())
    tags = run.data.tags
    assert (tags["estimator_name"], tags["mlflow.autologging"], tags["team"]) == ("Pipeline", "sklearn", "red")
    assert TAG not in tags
    assert run.data.metrics["training_accuracy_score"] == metrics.accuracy_score(two_classes[1], model.predict(two_classes[0]))
    assert run.data.metrics["training_score"] == model.score(*two_classes)
    assert {"estimator.html", "model/MLmodel", "model/input_example.json", "training_confusion_matrix.png"} < set(artifacts(run))
    assert {"training_roc_curve.png", "training_precision_recall_curve.png"} < set(artifacts(run))
    (entry,) = run.inputs.dataset_inputs
    assert (entry.tags[0].value, entry.dataset.name) == ("train", "dataset")
    loaded = runfolio.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    assert loaded.metadata.signature.inputs.input_names() == list(two_classes[0].columns)
    assert (loaded.predict(two_classes[0]) == model.predict(two_classes[0])).all()


def test_fit_within_a_run_logs_to_it_and_leaves_it_open(folio: Path, wine: Any) -> None:
    runfolio.sklearn.autolog(**PLAIN)
    with runfolio.start_run() as run:
        runfolio.log_param("mine", 1)
        DecisionTreeClassifier(max_depth=2).fit(*wine)
        assert runfolio.active_run().info.run_id == run.info.run_id  # type: ignore[union-attr]
        runfolio.log_metric("after", 2)
    (found,) = runs()
    assert (found.data.params["mine"], found.data.params["max_depth"], found.data.metrics["after"]) == ("1", "2", 2.0)
    assert "mlflow.autologging" not in found.data.tags


def test_exclusive_leaves_the_users_run_alone(folio: Path, wine: Any) -> None:
    runfolio.sklearn.autolog(exclusive=True, **PLAIN)
    with runfolio.start_run():
        DecisionTreeClassifier().fit(*wine)
    DecisionTreeClassifier().fit(*wine)
    users, own = runs()
    assert (len(users.data.params), "max_depth" in own.data.params) == (0, True)


def test_second_fit_in_a_run_keeps_the_first_ones_params_and_says_so(
    folio: Path, wine: Any, caplog: pytest.LogCaptureFixture
) -> None:
    runfolio.sklearn.autolog(**PLAIN)
    with runfolio.start_run():
        DecisionTreeClassifier(max_depth=2).fit(*wine)
        DecisionTreeClassifier(max_depth=3).fit(*wine)
    (run,) = runs()
    assert run.data.params["max_depth"] == "2"
    assert "other values of max_depth already" in caplog.text


def test_training_that_fails_fails_as_without_us_and_its_run_says_failed(folio: Path, wine: Any) -> None:
    runfolio.sklearn.autolog()
    with pytest.raises(ValueError, match="inconsistent numbers"):
        LogisticRegression().fit(wine[0], wine[1][:3])
    (run,) = runs()
    assert run.info.status == "FAILED" and run.data.params["C"] == "1.0"


@pytest.mark.parametrize(
    ("search", "children"),
    [
        (lambda: GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2, 3, 4, 5, 6]}, cv=2), 5),
        (
            lambda: RandomizedSearchCV(
                DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2, 3]}, n_iter=2, cv=2, random_state=0
            ),
            2,
        ),
        (lambda: HalvingGridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2, 3]}, cv=2, random_state=0), 4),
    ],
    ids=["grid", "random", "halving"],
)
def test_search_has_its_best_candidates_as_child_runs(folio: Path, wine: Any, search: Any, children: int) -> None:
    runfolio.sklearn.autolog(log_datasets=False)
    fitted = search().fit(*wine)
    parent, *found = runs()
    assert len(found) == children
    assert {each.data.tags["mlflow.parentRunId"] for each in found} == {parent.info.run_id}
    assert all(each.info.status == "FINISHED" and "criterion" in each.data.params for each in found)
    best = found[0].data
    assert best.params["max_depth"] == parent.data.params["best_max_depth"] == str(fitted.best_params_["max_depth"])
    assert best.metrics["mean_test_score"] == parent.data.metrics["best_cv_score"] == fitted.best_score_
    assert "max_depth" not in parent.data.params and "estimator" in parent.data.params
    assert {"cv_results.csv", "best_estimator/MLmodel", "model/MLmodel"} < set(artifacts(parent))
    assert len(text(parent, "cv_results.csv").splitlines()) == 1 + len(fitted.cv_results_["params"])


@pytest.mark.parametrize(("scoring", "best"), [(None, {"best_cv_score"}), (["accuracy", "f1_macro"], set())])
def test_search_that_fits_no_best_estimator_logs_what_it_found(folio: Path, wine: Any, scoring: Any, best: set[str]) -> None:
    runfolio.sklearn.autolog()
    GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2]}, cv=2, refit=False, scoring=scoring).fit(*wine)
    parent, *children = runs()
    assert TAG not in parent.data.tags
    assert set(parent.data.metrics) == best
    assert len(children) == 2
    assert {"cv_results.csv", "model/MLmodel"} <= set(artifacts(parent))
    assert not any(path.startswith("best_estimator") for path in artifacts(parent))


def test_signature_is_that_of_predicting_the_first_rows(folio: Path, two_classes: Any) -> None:
    runfolio.sklearn.autolog()
    model = DecisionTreeClassifier().fit(two_classes[0], two_classes[1].map({0: "no", 1: "yes"}))
    signature = runfolio.models.get_model_info(f"runs:/{runs()[0].info.run_id}/model").signature
    assert signature == runfolio.models.infer_signature(two_classes[0][:5], model.predict(two_classes[0][:5]))


def test_number_of_child_runs_is_the_users(folio: Path, wine: Any) -> None:
    for most in (0, 2, None):
        runfolio.sklearn.autolog(max_tuning_runs=most, **PLAIN)
        GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2, 3]}, cv=2).fit(*wine)
    assert len(runs()) == (1 + 0) + (1 + 2) + (1 + 3)
    with pytest.raises(UsageError, match="max_tuning_runs"):
        runfolio.sklearn.autolog(max_tuning_runs=-1)


def test_estimators_within_one_and_cross_validation_make_no_runs(folio: Path, wine: Any) -> None:
    runfolio.sklearn.autolog(**PLAIN)
    VotingClassifier([("a", DecisionTreeClassifier()), ("b", KMeansLabels())]).fit(*wine)
    RandomForestClassifier(4, n_jobs=2).fit(*wine)
    assert len(runs()) == 2
    cross_val_score(DecisionTreeClassifier(), *wine, cv=2)
    assert len(runs()) == 2


class KMeansLabels(DecisionTreeClassifier):
    """A user's own class, whose fit calls that of its parent."""

    def fit(self, X: Any, y: Any = None, **more: Any) -> Any:
        return super().fit(X, y, **more)


def test_trainings_in_threads_of_the_users_each_have_a_run(folio: Path, wine: Any) -> None:
    runfolio.sklearn.autolog(**PLAIN)
    gate = threading.Barrier(4)

    def train(depth: int) -> None:
        gate.wait()
        RandomForestClassifier(8, max_depth=depth, n_jobs=2).fit(*wine)

    threads = [threading.Thread(target=train, args=(depth,)) for depth in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.data.params["max_depth"] for run in runs()) == ["1", "2", "3", "4"]
    assert all("training_score" in run.data.metrics for run in runs())


def test_unlabelled_data_has_no_metrics_and_that_is_said(folio: Path, wine: Any, caplog: pytest.LogCaptureFixture) -> None:
    runfolio.sklearn.autolog()
    model = KMeans(2, n_init=1, random_state=0)
    labels = model.fit_predict(wine[0])
    (run,) = runs()
    assert (len(run.data.metrics), run.data.params["n_clusters"]) == (0, "2")
    assert (runfolio.pyfunc.load_model(f"runs:/{run.info.run_id}/model").predict(wine[0]) == labels).all()
    assert "no targets" in caplog.text


def test_metrics_after_the_fit_are_added_to_its_run(folio: Path) -> None:
    runfolio.sklearn.autolog(log_models=False)
    X_train, y_train = load_diabetes(return_X_y=True)
    X_test, y_test = X_train[:50], y_train[:50]
    model = LinearRegression().fit(X_train, y_train)
    predicted = model.predict(X_test)
    value = metrics.r2_score(y_test, predicted)
    metrics.r2_score(y_true=y_test, y_pred=model.predict(X_train[:50]))
    score = model.score(X_test, y_test)
    X_test = X_train[50:80]
    model.score(X_test, y_train[50:80])
    metrics.r2_score(y_test, y_test + 1.0)
    (run,) = runs()
    logged = {key: each for key, each in run.data.metrics.items() if not key.startswith("training_")}
    assert set(logged) == {
        "r2_score_X_test", "r2_score-2_unknown_dataset", "LinearRegression_score_X_test", "LinearRegression_score-2_X_test-2",
    }  # fmt: skip
    assert logged["r2_score_X_test"] == value == logged["LinearRegression_score_X_test"] == score
    info = json.loads(text(run, "metric_info.json"))
    assert info["r2_score_X_test"] == "r2_score(y_true=y_test, y_pred=predicted)"
    assert info["LinearRegression_score_X_test"] == "LinearRegression.score(X=X_test, y=y_test)"
    # Two predictions of equal data are of one dataset.
    assert [each.tags[0].value for each in run.inputs.dataset_inputs] == ["train", "eval"]


def test_metrics_of_a_run_that_is_active_are_added_to_it(folio: Path, wine: Any) -> None:
    runfolio.sklearn.autolog(**PLAIN)
    with runfolio.start_run():
        model = DecisionTreeClassifier(max_depth=1, random_state=0).fit(*wine)
        model.score(*wine)
    (run,) = runs()
    assert any(key.startswith("DecisionTreeClassifier_score_") for key in run.data.metrics)


def test_disable_puts_every_function_back(folio: Path, wine: Any) -> None:
    def functions() -> list[Any]:
        kinds = [LogisticRegression, DecisionTreeClassifier, GridSearchCV, type(make_pipeline(StandardScaler()))]
        found = [each for kind in kinds for each in vars(kind).values()]
        return [*found, *(getattr(each, "fn", None) for each in found), *vars(metrics).values()]

    before = functions()
    runfolio.sklearn.autolog()
    assert any(one is not other for one, other in zip(before, functions(), strict=True))
    runfolio.sklearn.autolog(disable=True)
    assert all(one is other for one, other in zip(before, functions(), strict=True))
    LogisticRegression(max_iter=5000).fit(StandardScaler().fit_transform(wine[0]), wine[1])
    assert runs() == []


def test_patched_estimators_keep_signatures_and_pickles(wine: Any) -> None:
    before = inspect.signature(LogisticRegression.fit)
    runfolio.sklearn.autolog()
    assert inspect.signature(LogisticRegression.fit) == before
    assert pickle.loads(pickle.dumps(metrics.accuracy_score)) is metrics.accuracy_score
    scorer = metrics.make_scorer(metrics.f1_score, average="macro")
    assert pickle.loads(pickle.dumps(scorer))._score_func is metrics.f1_score
    assert not hasattr(make_pipeline(StandardScaler()), "predict")


def test_without_pillow_the_run_says_so_and_training_goes_on(
    folio: Path, wine: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in [each for each in sys.modules if each.split(".")[0] == "PIL"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "PIL", None)
    runfolio.sklearn.autolog(**PLAIN)
    DecisionTreeClassifier().fit(*wine)
    (run,) = runs()
    assert run.data.metrics["training_score"] == 1.0
    assert run.data.tags[TAG] == "the plot of the confusion matrix"
    assert "pip install pillow" in caplog.text


def test_silent_says_nothing(folio: Path, wine: Any, caplog: pytest.LogCaptureFixture) -> None:
    runfolio.sklearn.autolog(silent=True, log_models=False)
    KMeans(2, n_init=1).fit(wine[0].tolist())
    assert caplog.text == ""
    assert len(runs()) == 1


def test_equal_trainings_have_equal_plots(folio: Path, two_classes: Any) -> None:
    runfolio.sklearn.autolog(log_models=False)
    for _ in range(2):
        DecisionTreeClassifier(max_depth=2, random_state=0).fit(*two_classes)
    from runfolio.folio import open_folio

    folder = open_folio(folio)
    try:
        one, other = (folder.runs.artifacts(folder.runs.get(run.info.run_id)) for run in runs())
        plots = [path for path in one if path.endswith(".png")]
        assert len(plots) == 3 and all(one[path].digest == other[path].digest for path in plots)
    finally:
        folder.close()


@pytest.mark.parametrize("kind", ["LogisticRegression", "RidgeClassifier", "SGDClassifier", "LinearRegression"])
def test_a_metric_of_a_prediction_is_logged_whichever_class_predicts(folio: Path, two_classes: Any, kind: str) -> None:
    X_test, y_test = StandardScaler().fit_transform(two_classes[0]), two_classes[1]
    runfolio.sklearn.autolog(**PLAIN)
    # A linear classifier has its `predict` from a mixin that is no estimator.
    model = getattr(linear_model, kind)().fit(X_test, y_test)
    value = metrics.mean_absolute_error(y_test, model.predict(X_test))
    (run,) = runs()
    assert run.data.metrics["mean_absolute_error_X_test"] == value


def test_what_only_prepares_data_makes_no_run(folio: Path, two_classes: Any) -> None:
    X, y = two_classes
    runfolio.sklearn.autolog(**PLAIN)

    class Doubled(TransformerMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
        def fit(self, X: Any, y: Any = None) -> Doubled:
            return self

        def transform(self, X: Any) -> Any:
            return X * 2

    scaled = Doubled().fit_transform(StandardScaler().fit_transform(X))
    LabelEncoder().fit(y)
    SelectFromModel(DecisionTreeClassifier()).fit(scaled, y)
    ColumnTransformer([("scaled", StandardScaler(), [0])]).fit(X)
    assert runs() == []
    with runfolio.start_run():
        scaled = StandardScaler().fit_transform(X)
        LogisticRegression(C=0.5).fit(scaled, y)
    (run,) = runs()
    assert run.data.tags["estimator_name"] == "LogisticRegression"
    assert set(run.data.params) == set(LogisticRegression().get_params())


@pytest.mark.parametrize("form", ["csr_matrix", "coo_matrix"])
def test_a_model_is_not_lost_by_the_form_of_its_data(folio: Path, wine: Any, form: str) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    runfolio.sklearn.autolog(log_input_examples=True)
    DecisionTreeClassifier().fit(getattr(sparse, form)(wine[0]), wine[1])
    (run,) = runs()
    assert "model/MLmodel" in artifacts(run)
    assert ("model/input_example.json" in artifacts(run)) == (form == "csr_matrix")


def test_targets_in_a_column_have_all_metrics(folio: Path, wine: Any) -> None:
    rows, target = wine
    runfolio.sklearn.autolog(**PLAIN)
    model = RandomForestClassifier(5, random_state=0)
    with pytest.warns(sklearn.exceptions.DataConversionWarning):
        model.fit(rows, target.reshape(-1, 1))
    model.fit(rows, target)
    column, plain = runs()
    assert column.data.metrics == plain.data.metrics and "training_roc_auc" in column.data.metrics
    assert TAG not in column.data.tags


def test_columns_with_several_levels_have_a_model_that_loads(folio: Path, two_classes: Any) -> None:
    pandas = pytest.importorskip("pandas")
    frame = two_classes[0].set_axis(pandas.MultiIndex.from_product([["cell"], range(5)]), axis=1)
    runfolio.sklearn.autolog(log_input_examples=True, log_datasets=False)
    model = DecisionTreeClassifier().fit(frame, two_classes[1])
    (run,) = runs()
    loaded = runfolio.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    assert loaded.predict(frame).tolist() == model.predict(frame).tolist()


@pytest.mark.parametrize("number", [10, 37])
def test_auc_of_many_classes_is_that_of_scikit_learn(number: int) -> None:
    random = numpy.random.default_rng(number)
    targets = numpy.concatenate([numpy.arange(number), random.integers(0, number // 2, 400)]).astype(str)
    shares = random.integers(1, 9, (len(targets), number)).astype(float)  # few values: many rows tie
    shares /= shares.sum(axis=1, keepdims=True)
    wanted = metrics.roc_auc_score(targets, shares, multi_class="ovo", average="weighted")
    assert scores.pairwise_auc(targets, shares) == pytest.approx(wanted, abs=1e-12)
    with pytest.raises(ValueError, match="classes, and the probabilities"):
        scores.pairwise_auc(numpy.delete(targets, number - 1), numpy.delete(shares, number - 1, axis=0))


def test_many_classes_do_not_hold_up_a_training(folio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*args: Any, **options: Any) -> float:
        raise AssertionError("two curves for each of 44,850 pairs of classes")

    monkeypatch.setattr(metrics, "roc_auc_score", slow)
    rows, target = numpy.random.default_rng(0).random((600, 2)), numpy.arange(600) % 300
    runfolio.sklearn.autolog(**PLAIN, log_post_training_metrics=False)
    DecisionTreeClassifier().fit(rows, target)
    (run,) = runs()
    assert run.data.metrics["training_roc_auc"] == 1 and TAG not in run.data.tags


@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss"])
def test_search_by_a_named_score_has_a_model_without_code_by_value(folio: Path, two_classes: Any, scoring: str) -> None:
    runfolio.sklearn.autolog(log_datasets=False, log_post_training_metrics=False, max_tuning_runs=0)
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2]}, scoring=scoring, cv=2).fit(*two_classes)
    (run,) = runs()
    assert TAG not in run.data.tags
    said = runfolio.models.get_model_info(f"runs:/{run.info.run_id}/model").flavors["sklearn"]
    assert said["serialization_format"] == "pickle"
    file = runfolio.artifacts.download_artifacts(f"runs:/{run.info.run_id}/model/model.pkl")
    alone = "import pickle, sys; sys.modules['runfolio'] = None; print(pickle.load(open(sys.argv[1], 'rb')).scorer_)"
    done = subprocess.run([sys.executable, "-c", alone, file], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(search.scorer_), done.stderr
