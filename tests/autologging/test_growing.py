"""A forest's trees, asked while it grows: bit for bit what it says itself, and nothing where they are not the ones that grew."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.autologging.guarding import TAG
from runfolio.autologging.options import Options
from runfolio.autologging.run_log import RunLog, active_log
from runfolio.autologging.sessions import session

pytestmark = pytest.mark.frameworks
sklearn = pytest.importorskip("sklearn")
numpy = pytest.importorskip("numpy")
from sklearn.datasets import make_classification, make_regression  # noqa: E402
from sklearn.ensemble import (  # noqa: E402
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
)
from sklearn.pipeline import make_pipeline  # noqa: E402

from runfolio.autologging.scikit_learn import forests, growing  # noqa: E402

ROWS, TREES = 1_500, 23


@pytest.fixture
def log(folio: Path, monkeypatch: pytest.MonkeyPatch) -> RunLog:
    monkeypatch.setattr(growing, "free_processors", lambda: 2)  # also where the tests' worker is granted one
    monkeypatch.setattr(growing, "_PAUSE_S", 0.001)
    runfolio.sklearn.autolog()
    runfolio.start_run()
    return active_log("sklearn", Options(silent=True))


def data(kind: Any) -> tuple[Any, Any]:
    if issubclass(kind, (RandomForestRegressor, ExtraTreesRegressor)):
        made: tuple[Any, Any] = make_regression(ROWS, 8, noise=3.0, random_state=0)
    else:
        made = make_classification(ROWS, 8, n_informative=5, n_classes=3, random_state=0)
    return made


def grown(log: RunLog, estimator: Any, features: Any, target: Any, *, until: int = 0) -> growing.Grown | None:
    """Fit within a session, as a training is, and return what was seen to grow, after so many trees were asked."""
    with session("sklearn"), growing.watched(log, estimator) as made:
        estimator.fit(features, target)
        deadline = time.monotonic() + 20
        while until and (made is None or made._said is None or made._said.trees < until):
            assert made is not None and made._thread is not None and time.monotonic() < deadline, "no tree was asked"
            made._thread.join(0.001)
    return made


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier, RandomForestRegressor, ExtraTreesRegressor])
@pytest.mark.parametrize("until", [1, TREES])
@pytest.mark.parametrize("form", ["dense", "missing values", "many rows"])
def test_what_trees_said_while_the_forest_grew_is_its_own_prediction(
    log: RunLog, kind: Any, until: int, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if form == "many rows":
        monkeypatch.setattr(growing, "_MOST_ROWS", ROWS - 1)
    features, target = data(kind)
    if form == "missing values":
        features[::7, 2] = numpy.nan
    forest = kind(TREES, max_depth=7, random_state=0)
    made = grown(log, forest, features, target, until=until)
    assert made is not None and made.said_by(forest.estimators_) is not None
    ask = forests.values if hasattr(forest, "predict") and not hasattr(forest, "predict_proba") else forests.probabilities
    found, own = ask(forest, features, made), ask(forest, features)
    mine = forest.predict(features) if ask is forests.values else forest.predict_proba(features)
    assert found is not None and found.dtype == mine.dtype and numpy.array_equal(found, mine) and numpy.array_equal(found, own)
    assert TAG not in runfolio.get_run(log.run_id).data.tags


def test_forest_logs_the_metrics_of_its_own_predictions(folio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "_PAUSE_S", 0.001)
    features, target = data(RandomForestClassifier)
    runfolio.sklearn.autolog(log_models=False)
    forest = RandomForestClassifier(TREES, max_depth=7, random_state=0).fit(features, target)
    run = runfolio.last_active_run()
    assert run is not None and TAG not in run.data.tags
    labels = forest.predict(features)
    assert run.data.metrics["training_accuracy_score"] == sklearn.metrics.accuracy_score(target, labels)
    assert run.data.metrics["training_log_loss"] == sklearn.metrics.log_loss(target, forest.predict_proba(features))


class Scaled(RandomForestClassifier):  # type: ignore[misc] # scikit-learn has no types
    def fit(self, X: Any, y: Any) -> Any:
        return super().fit(X * 3, y)


def test_nothing_is_known_of_what_is_no_forest_that_grows_here(log: RunLog) -> None:
    features, target = data(RandomForestClassifier)
    for other in (Scaled(3), make_pipeline(RandomForestClassifier(3)), RandomTreesEmbedding(3)):
        assert grown(log, other, features, target) is None
    workers = RandomForestClassifier(3, n_jobs=2)
    assert grown(log, workers, features, target).said_by(workers.estimators_) is None  # type: ignore[union-attr]
    several = RandomForestClassifier(3)
    made = grown(log, several, features, numpy.column_stack([target, target]))
    assert made is not None and made._thread is None and made.said_by(several.estimators_) is None
    scipy = pytest.importorskip("scipy.sparse")
    made = grown(log, RandomForestClassifier(3), scipy.csr_matrix(features), target)
    assert made is not None and made._thread is None


def test_forest_that_goes_on_from_an_earlier_one_is_asked_after_the_fit(log: RunLog) -> None:
    features, target = data(RandomForestClassifier)
    forest = RandomForestClassifier(3, warm_start=True, random_state=0).fit(features, target).set_params(n_estimators=TREES)
    made = grown(log, forest, features, target, until=1)
    assert made is not None and made.said_by(forest.estimators_) is None
    assert numpy.array_equal(forests.probabilities(forest, features, made), forest.predict_proba(features))


def test_one_processor_is_the_trainings(log: RunLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "free_processors", lambda: 1)
    assert grown(log, RandomForestClassifier(3), *data(RandomForestClassifier)) is None


def test_fit_that_fails_ends_the_thread(log: RunLog) -> None:
    features, target = data(RandomForestClassifier)
    forest = RandomForestClassifier(TREES, random_state=0)
    with pytest.raises(ZeroDivisionError), session("sklearn"), growing.watched(log, forest):
        forest.fit(features, target)
        raise ZeroDivisionError
    for each in threading.enumerate():
        if each.name == "runfolio-growing":
            each.join(10)
            assert not each.is_alive()
    assert getattr(growing._here, "grown", None) is None


def test_where_no_thread_is_to_be_had_the_forest_is_asked_after_the_fit(log: RunLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    features, target = data(RandomForestClassifier)
    forest = RandomForestClassifier(3, random_state=0)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        made = grown(log, forest, features, target)
    assert numpy.array_equal(forests.probabilities(forest, features, made), forest.predict_proba(features))
    assert TAG not in runfolio.get_run(log.run_id).data.tags


def test_tree_that_cannot_be_asked_stands_in_the_run_and_the_forest_is_asked(
    log: RunLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any, X: Any, check_input: bool = True) -> Any:
        raise ValueError("no answer")

    features, target = data(RandomForestClassifier)
    forest = RandomForestClassifier(TREES, random_state=0)
    with monkeypatch.context() as patched:
        patched.setattr("sklearn.tree.DecisionTreeClassifier.predict_proba", broken)
        with session("sklearn"), growing.watched(log, forest) as made:
            forest.fit(features, target)
            assert made is not None and made._thread is not None
            made._thread.join(20)
    assert runfolio.get_run(log.run_id).data.tags[TAG] == growing._WHAT
    assert numpy.array_equal(forests.probabilities(forest, features, made), forest.predict_proba(features))
