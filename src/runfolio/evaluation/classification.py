"""The metrics of a classification, by MLflow's names and with scikit-learn's values.

Of two classes the counts are those of the positive one. Where a metric is not defined for the rows (an area under a curve of one class), it
is left out and said, rather than logged as something that it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError, missing_package
from runfolio.evaluation.labels import Labels
from runfolio.evaluation.statistics import Classified, classified

AVERAGES = ("weighted", "macro", "micro")


@dataclass(frozen=True, slots=True)
class Answers:
    """What a classifier said of the rows.

    Parameters
    ----------
    labels : Labels
    targets, answers : ndarray, shape (n,)
    probabilities : ndarray, shape (n, k), or None
        In the order of the labels.
    weights : ndarray, shape (n,), or None
    average : str
        How more than two classes are averaged.
    """

    labels: Labels
    targets: Any
    answers: Any
    probabilities: Any = None
    weights: Any = None
    average: str = "weighted"

    @property
    def counted(self) -> Classified:
        """The same for resampling."""
        return classified(
            self.labels.codes(self.targets),
            self.labels.codes(self.answers),
            len(self.labels),
            self.probabilities,
            self.weights,
            "binary" if self.labels.binary else self.average,
        )


@dataclass(frozen=True, slots=True)
class Found:
    """Metrics, and what could not be computed.

    Parameters
    ----------
    metrics : dict of str to float
    notes : list of str
    """

    metrics: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def sklearn_metrics() -> Any:
    """Return scikit-learn's module of metrics.

    Raises
    ------
    MissingPackageError
        If it is not installed.
    """
    try:
        from sklearn import metrics
    except ImportError as error:
        raise missing_package("scikit-learn", "models", "evaluate a model") from error
    return metrics


def classification_metrics(said: Answers) -> Found:
    """Compute the default metrics of a classification.

    Parameters
    ----------
    said : Answers

    Raises
    ------
    UsageError
        If `average` is none of scikit-learn's.
    """
    if said.average not in AVERAGES:
        raise UsageError(f"evaluator_config: average: {said.average!r} is none of {', '.join(AVERAGES)}.")
    found = Found(_counts(said) if said.labels.binary else {})
    found.metrics.update(_common(said))
    if said.probabilities is not None:
        _add_areas(said, found)
    return found


def _counts(said: Answers) -> dict[str, float]:
    matrix = sklearn_metrics().confusion_matrix(said.targets, said.answers, labels=said.labels.values)
    names = ("true_negatives", "false_positives", "false_negatives", "true_positives")
    return dict(zip(names, map(int, matrix.ravel()), strict=True))


def _common(said: Answers) -> dict[str, float]:
    metrics, weights = sklearn_metrics(), said.weights
    how = {"average": "binary", "pos_label": said.labels.positive} if said.labels.binary else {"average": said.average}
    how |= {"sample_weight": weights, "zero_division": 0.0}
    made = {
        "example_count": len(said.targets),
        "accuracy_score": float(metrics.accuracy_score(said.targets, said.answers, sample_weight=weights)),
        "recall_score": float(metrics.recall_score(said.targets, said.answers, **how)),
        "precision_score": float(metrics.precision_score(said.targets, said.answers, **how)),
        "f1_score": float(metrics.f1_score(said.targets, said.answers, **how)),
    }
    if said.probabilities is not None:
        made["log_loss"] = log_loss(said)
    return made


def log_loss(said: Answers) -> float:
    """Return the log loss; probabilities that do not sum to one are normed, without a warning for each call."""
    import numpy

    normed = said.probabilities / said.probabilities.sum(axis=1, keepdims=True)
    order = numpy.argsort(said.labels.values, kind="stable")
    return float(
        sklearn_metrics().log_loss(said.targets, normed[:, order], labels=said.labels.ascending, sample_weight=said.weights)
    )


def _add_areas(said: Answers, found: Found) -> None:
    metrics, weights = sklearn_metrics(), said.weights
    lacking = [value for value in said.labels.values.tolist() if not (said.targets == value).any()]
    if lacking:
        found.notes.append(f"roc_auc is not defined: no row is of the class {', '.join(map(repr, lacking[:10]))}.")
    if said.labels.binary:
        scores = said.probabilities[:, 1]
        is_positive = said.targets == said.labels.positive
        if not lacking:
            found.metrics["roc_auc"] = float(metrics.roc_auc_score(is_positive, scores, sample_weight=weights))
        if is_positive.any():
            found.metrics["precision_recall_auc"] = float(
                metrics.average_precision_score(is_positive, scores, sample_weight=weights)
            )
    elif not lacking and said.average in ("macro", "weighted"):
        areas = one_by_one(said, metrics.roc_auc_score)
        import numpy

        support = numpy.bincount(said.labels.codes(said.targets), weights=weights, minlength=len(said.labels))
        found.metrics["roc_auc"] = float(numpy.average(areas, weights=support if said.average == "weighted" else None))


def one_by_one(said: Answers, area: Callable[..., Any]) -> list[float]:
    """Return a score of each class against all others; NaN for a class without rows, or with all of them."""
    made = []
    for at, label in enumerate(said.labels.values.tolist()):
        is_label = said.targets == label
        defined = is_label.any() and not is_label.all()
        made.append(float(area(is_label, said.probabilities[:, at], sample_weight=said.weights)) if defined else float("nan"))
    return made


def per_class(said: Answers, *, areas: bool) -> Any:
    """Return the metrics of each class against all others, as MLflow's ``per_class_metrics.csv`` has them: a DataFrame.

    Parameters
    ----------
    said : Answers
    areas : bool
        Whether the areas under the curves are among them.
    """
    import numpy
    import pandas

    metrics = sklearn_metrics()
    rows = []
    for label in said.labels.values.tolist():
        two = Labels(numpy.array([0, 1]), 1)
        one = Answers(two, (said.targets == label).astype(int), (said.answers == label).astype(int), None, said.weights)
        rows.append({"positive_class": label, **_counts(one), **_common(one)})
    made = pandas.DataFrame(rows)
    if areas and said.probabilities is not None:
        made["roc_auc"] = one_by_one(said, metrics.roc_auc_score)
        made["precision_recall_auc"] = one_by_one(said, metrics.average_precision_score)
    return made
