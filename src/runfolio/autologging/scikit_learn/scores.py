"""Metrics of an estimator on the data it was trained on, by MLflow's names: ``training_accuracy_score``, ``training_r2_score``.

The estimator predicts once, and all metrics (and plots) are of those predictions.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.scikit_learn import forests
from runfolio.autologging.scikit_learn.arguments import FitData, takes_weights
from runfolio.autologging.scikit_learn.growing import Grown
from runfolio.autologging.scikit_learn.search import is_without_model

PREFIX = "training_"
_MANY_CLASSES = 10
"""From here on, the classes' pairs take scikit-learn longer than a small fit."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What an estimator says of its training data.

    Parameters
    ----------
    labels : ndarray, shape (n,) or (n, outputs)
    probabilities : ndarray, shape (n, classes), optional
        None where it has none.
    """

    labels: Any
    probabilities: Any = None


def predictions_of(log: RunLog, estimator: Any, data: FitData, grown: Grown | None = None) -> Predictions | None:
    """Predict the training data; None where the estimator cannot, or there is nothing to compare with.

    Parameters
    ----------
    log : RunLog
    estimator : estimator
    data : FitData
    grown : Grown, optional
        What the trees of a forest said while it was fitted.
    """
    if data.y is None or not hasattr(estimator, "predict") or not (is_classifier(estimator) or is_regressor(estimator)):
        return None
    with log.guard("metrics of the training data"):
        probabilities = None
        if is_classifier(estimator) and hasattr(estimator, "predict_proba"):
            with log.guard("the probabilities of the classes"):
                probabilities = forests.probabilities(estimator, data.X, grown)
                if probabilities is None:
                    probabilities = estimator.predict_proba(data.X)
        labels = _likeliest(estimator, probabilities)
        if labels is None:
            labels = forests.values(estimator, data.X, grown)
        return Predictions(estimator.predict(data.X) if labels is None else labels, probabilities)
    return None


def _likeliest(estimator: Any, probabilities: Any) -> Any:
    """Return the likeliest classes where an estimator's ``predict`` says just that; None where it may say something else.

    A forest predicts by asking all its trees, and would be asked twice.
    """
    from sklearn.ensemble._forest import ForestClassifier

    if getattr(probabilities, "ndim", 0) != 2 or inspect.unwrap(type(estimator).predict) is not inspect.unwrap(
        ForestClassifier.predict
    ):
        return None
    return estimator.classes_.take(probabilities.argmax(axis=1))


def log_scores(log: RunLog, estimator: Any, data: FitData, predicted: Predictions | None, pos_label: Any) -> None:
    """Log the metrics of the training data by one write."""
    made: dict[str, Any] = {}
    if predicted is not None:
        parts = _of_classifier(data, predicted, pos_label) if is_classifier(estimator) else _of_regressor(data, predicted)
        for name, compute in parts.items():
            with log.guard(f"the metric {PREFIX}{name}"):
                made[PREFIX + name] = compute()
        if PREFIX + "mean_squared_error" in made:
            made[PREFIX + "root_mean_squared_error"] = made[PREFIX + "mean_squared_error"] ** 0.5
    if hasattr(estimator, "score") and data.y is not None and not is_without_model(estimator):
        with log.guard(f"the metric {PREFIX}score"):
            made[PREFIX + "score"] = _score(estimator, data, made)
    log.metrics(made)


def scores_itself(estimator: Any) -> bool:
    """Tell whether an estimator has a score of its own: the mixins' are metrics of predictions, for which it need not predict again."""
    from sklearn.base import ClassifierMixin, RegressorMixin

    return hasattr(estimator, "score") and not any(_has_score_of(each, estimator) for each in (ClassifierMixin, RegressorMixin))


def _has_score_of(mixin: Any, estimator: Any) -> bool:
    found = getattr(type(estimator), "score", None)
    return found is not None and inspect.unwrap(found) is inspect.unwrap(mixin.score)


def _score(estimator: Any, data: FitData, made: dict[str, Any]) -> Any:
    from sklearn.base import ClassifierMixin, RegressorMixin

    for mixin, name in ((ClassifierMixin, "accuracy_score"), (RegressorMixin, "r2_score")):
        if PREFIX + name in made and _has_score_of(mixin, estimator):
            return made[PREFIX + name]
    weighted = {"sample_weight": data.weights} if takes_weights(estimator.score) else {}
    return estimator.score(data.X, data.y, **weighted)


def _of_classifier(data: FitData, predicted: Predictions, pos_label: Any) -> dict[str, Callable[[], Any]]:
    from sklearn import metrics

    average = "weighted" if pos_label is None else "binary"
    y, labels, probabilities = _in_one_dimension(data.y), predicted.labels, predicted.probabilities

    @functools.cache
    def shares() -> Any:
        # What precision_score, recall_score and f1_score each compute, and keep one of.
        return metrics.precision_recall_fscore_support(
            y, labels, pos_label=pos_label, average=average, sample_weight=data.weights
        )

    made: dict[str, Callable[[], Any]] = {
        "precision_score": lambda: shares()[0],
        "recall_score": lambda: shares()[1],
        "f1_score": lambda: shares()[2],
        "accuracy_score": lambda: metrics.accuracy_score(y, labels, sample_weight=data.weights),
    }
    if probabilities is not None and not isinstance(probabilities, list):  # a list: of several outputs, each with its own classes
        made["log_loss"] = lambda: metrics.log_loss(y, probabilities, sample_weight=data.weights)
        scores = probabilities[:, 1] if getattr(probabilities, "shape", ())[1:] == (2,) else probabilities
        made["roc_auc"] = lambda: (
            pairwise_auc(y, scores)
            if data.weights is None and getattr(scores, "shape", ())[1:] >= (_MANY_CLASSES,)
            else metrics.roc_auc_score(y, scores, average="weighted", sample_weight=data.weights, multi_class="ovo")
        )
    return made


def pairwise_auc(targets: Any, probabilities: Any) -> float:
    """Return ``roc_auc_score(…, multi_class="ovo", average="weighted")``: the mean AUC of all pairs of classes, by their rows.

    An AUC is the share of pairs of rows that stand in order (Mann and Whitney), which one sort of a class's scores tells for all other
    classes. scikit-learn computes two curves for each pair of classes: for a thousand of them more than ten minutes, here 0.1 s.

    Parameters
    ----------
    targets : array, shape (n,)
    probabilities : ndarray, shape (n, classes)

    Raises
    ------
    ValueError
        If not every class has a row.
    """
    import numpy

    classes, at, rows = numpy.unique(numpy.asarray(targets), return_inverse=True, return_counts=True)
    number = len(classes)
    if number != probabilities.shape[1]:
        raise ValueError(f"the targets have {number} classes, and the probabilities {probabilities.shape[1]}")
    aucs = numpy.empty((number, number))
    for each in range(number):
        scores = probabilities[:, each]
        own = numpy.sort(scores[at == each])
        above = len(own) - (numpy.searchsorted(own, scores, "left") + numpy.searchsorted(own, scores, "right")) / 2
        aucs[each] = numpy.bincount(at, above, number) / (len(own) * rows)
    first, second = numpy.triu_indices(number, 1)
    pairs = (aucs[first, second] + aucs[second, first]) / 2
    return float(numpy.average(pairs, weights=rows[first] + rows[second]))


def _in_one_dimension(targets: Any) -> Any:
    """Return targets that are one column as estimators read them: the curve of several classes has no other form for them."""
    if getattr(targets, "shape", ())[1:] != (1,):
        return targets
    import numpy

    return numpy.asarray(targets).ravel()


def _of_regressor(data: FitData, predicted: Predictions) -> dict[str, Callable[[], Any]]:
    from sklearn import metrics

    given = {"sample_weight": data.weights, "multioutput": "uniform_average"}
    return {
        "mean_squared_error": lambda: metrics.mean_squared_error(data.y, predicted.labels, **given),
        "mean_absolute_error": lambda: metrics.mean_absolute_error(data.y, predicted.labels, **given),
        "r2_score": lambda: metrics.r2_score(data.y, predicted.labels, **given),
    }


def is_classifier(estimator: Any) -> bool:
    """Tell whether an estimator predicts classes."""
    from sklearn.base import is_classifier as of_sklearn

    return bool(of_sklearn(estimator))


def is_regressor(estimator: Any) -> bool:
    """Tell whether an estimator predicts numbers."""
    from sklearn.base import is_regressor as of_sklearn

    return bool(of_sklearn(estimator))
