"""Plots of a classifier on the data it was trained on, by MLflow's names; from the predictions that the metrics are of."""

from __future__ import annotations

from typing import Any

from runfolio.autologging import drawing
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.scikit_learn.arguments import FitData
from runfolio.autologging.scikit_learn.scores import PREFIX, Predictions, is_classifier


def log_plots(log: RunLog, estimator: Any, data: FitData, predicted: Predictions | None) -> None:
    """Log the confusion matrix of a classifier, and the ROC and precision-recall curves where there are two classes."""
    if predicted is None or not is_classifier(estimator) or getattr(predicted.labels, "ndim", 1) > 1:
        return  # rows with several labels have no one confusion matrix
    with log.guard("the plot of the confusion matrix"):
        log.bytes(_confusion_matrix(estimator, data, predicted), f"{PREFIX}confusion_matrix.png")
    if len(_classes(estimator, data)) != 2:
        return
    with log.guard("the plot of the ROC curve"):
        log.bytes(_roc_curve(estimator, data, predicted), f"{PREFIX}roc_curve.png")
    with log.guard("the plot of the precision-recall curve"):
        log.bytes(_precision_recall_curve(estimator, data, predicted), f"{PREFIX}precision_recall_curve.png")


def _classes(estimator: Any, data: FitData) -> list[Any]:
    import numpy

    return list(numpy.unique(numpy.asarray(data.y)))


def _confusion_matrix(estimator: Any, data: FitData, predicted: Predictions) -> bytes:
    import numpy
    from sklearn import metrics

    labels = numpy.unique(numpy.concatenate([numpy.asarray(data.y).ravel(), numpy.asarray(predicted.labels).ravel()]))
    shares = metrics.confusion_matrix(data.y, predicted.labels, sample_weight=data.weights, normalize="true", labels=labels)
    return drawing.confusion_matrix(shares, list(labels))


def _scores(estimator: Any, data: FitData, predicted: Predictions) -> tuple[Any, Any]:
    """Return the score of the second class for each row, and that class."""
    positive = estimator.classes_[1]
    if predicted.probabilities is not None:
        return predicted.probabilities[:, 1], positive
    return estimator.decision_function(data.X), positive


def _roc_curve(estimator: Any, data: FitData, predicted: Predictions) -> bytes:
    from sklearn import metrics

    scores, positive = _scores(estimator, data, predicted)
    false, true, _ = metrics.roc_curve(data.y, scores, pos_label=positive, sample_weight=data.weights)
    return drawing.curve(
        false, true, title="ROC curve", x_label="false positive rate", y_label=f"true positive rate (class {positive})",
        note=f"AUC = {metrics.auc(false, true):.3f}", chance=((0, 1), (0, 1)), steps=False,
    )  # fmt: skip


def _turns(recall: Any) -> Any:
    """Tell which points of the curve are seen: of those with one recall, which are a line straight down, the first and the last."""
    import numpy

    moves = numpy.diff(recall) != 0
    return numpy.concatenate(([True], moves[:-1] | moves[1:], [True]))


def _precision_recall_curve(estimator: Any, data: FitData, predicted: Predictions) -> bytes:
    import numpy
    from sklearn import metrics

    scores, positive = _scores(estimator, data, predicted)
    precision, recall, _ = metrics.precision_recall_curve(data.y, scores, pos_label=positive, sample_weight=data.weights)
    # average_precision_score, which would sort all rows once more for the same curve.
    average = max(0.0, float(-numpy.sum(numpy.diff(recall) * precision[:-1])))
    seen = _turns(recall)
    precision, recall = precision[seen], recall[seen]
    share = float(numpy.average(numpy.asarray(data.y) == positive, weights=data.weights))
    return drawing.curve(
        recall[::-1], precision[::-1], title="Precision-recall curve", x_label=f"recall (class {positive})", y_label="precision",
        note=f"AP = {average:.3f}", chance=((0, 1), (share, share)), steps=True,
    )  # fmt: skip
