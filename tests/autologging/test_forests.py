"""A forest's predictions of its training data, made in threads and in another order of rows: bit for bit its own."""

from __future__ import annotations

import threading
from typing import Any

import pytest

pytestmark = pytest.mark.frameworks
sklearn = pytest.importorskip("sklearn")
numpy = pytest.importorskip("numpy")
from sklearn.datasets import make_classification, make_regression  # noqa: E402
from sklearn.ensemble import (  # noqa: E402
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression  # noqa: E402

from runfolio.autologging.scikit_learn import forests  # noqa: E402

ROWS = 2_500
"""Enough for two threads."""


def classes(count: int) -> tuple[Any, Any]:
    made: tuple[Any, Any] = make_classification(ROWS, 8, n_informative=5, n_classes=count, random_state=0)
    return made


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("jobs", [None, 2])
def test_probabilities_are_the_forests_own(kind: Any, count: int, jobs: int | None) -> None:
    features, target = classes(count)
    forest = kind(23, max_depth=7, random_state=0, n_jobs=jobs).fit(features, target)
    found, own = forests.probabilities(forest, features), forest.set_params(n_jobs=None).predict_proba(features)
    assert found is not None and found.dtype == own.dtype and numpy.array_equal(found, own)


@pytest.mark.parametrize("form", ["float32", "fortran", "frame", "few rows", "missing values"])
def test_data_may_be_in_any_form(form: str) -> None:
    features, target = classes(2)
    if form == "few rows":
        features, target = features[:20], target[:20]
    elif form == "missing values":
        features[::7, 2] = numpy.nan
    elif form == "frame":
        pandas = pytest.importorskip("pandas")
        features = pandas.DataFrame(features, columns=[f"column {each}" for each in range(8)])
    else:
        features = features.astype(numpy.float32) if form == "float32" else numpy.asfortranarray(features)
    forest = RandomForestClassifier(11, random_state=0).fit(features, target)
    assert numpy.array_equal(forests.probabilities(forest, features), forest.predict_proba(features))


@pytest.mark.parametrize("kind", [RandomForestRegressor, ExtraTreesRegressor])
def test_values_are_the_forests_own(kind: Any) -> None:
    features, target = make_regression(ROWS, 8, noise=3.0, random_state=0)
    forest = kind(23, max_depth=7, random_state=0).fit(features, target)
    found, own = forests.values(forest, features), forest.predict(features)
    assert found is not None and found.shape == own.shape and numpy.array_equal(found, own)


class Careful(RandomForestClassifier):  # type: ignore[misc] # scikit-learn has no types
    def predict_proba(self, X: Any) -> Any:
        return numpy.clip(super().predict_proba(X), 0.1, 0.9)


def test_what_is_no_forest_of_one_output_says_it_itself() -> None:
    scipy = pytest.importorskip("scipy.sparse")
    features, target = classes(2)
    few, wanted = features[:200], target[:200]
    several = numpy.column_stack([wanted, 1 - wanted])
    assert forests.probabilities(RandomForestClassifier(3).fit(few, several), few) is None
    assert forests.values(RandomForestRegressor(3).fit(few, several), few) is None
    assert forests.probabilities(Careful(3).fit(few, wanted), few) is None
    assert forests.probabilities(LogisticRegression().fit(few, wanted), few) is None
    assert forests.values(GradientBoostingRegressor(n_estimators=3).fit(few, wanted), few) is None
    sparse = scipy.csr_matrix(numpy.where(few > 0, few, 0.0))
    assert forests.probabilities(RandomForestClassifier(3).fit(sparse, wanted), sparse) is None


def test_of_another_scikit_learn_nothing_private_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    features, target = classes(2)
    forest = RandomForestClassifier(3, random_state=0).fit(features, target)
    monkeypatch.setattr(type(forest.estimators_[0]), "predict_proba", lambda self, X: None)
    assert forests.probabilities(forest, features) is None
    monkeypatch.undo()
    assert forests.probabilities(forest, features) is not None
    monkeypatch.delattr("sklearn.ensemble._forest.BaseForest._validate_X_predict")
    assert forests.probabilities(forest, features) is None


def test_a_tree_that_fails_ends_the_prediction_and_its_threads() -> None:
    features, target = classes(2)
    forest = RandomForestClassifier(5, random_state=0).fit(features, target)
    forest.estimators_[3] = RandomForestClassifier(1).fit(features[:, :3], target).estimators_[0]
    with pytest.raises(ValueError, match="features"):
        forests.probabilities(forest, features)
    assert not [each for each in threading.enumerate() if each.name.startswith("runfolio-forest")]
