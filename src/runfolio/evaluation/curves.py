"""Curves as the document holds them: columns of few, rounded numbers, from which a page draws.

A curve of many points is thinned along its own length, ends and corners kept as far as `POINTS` go; a page of 200 points looks as one of a
million. Calibration has ten bins with Wilson's interval each; the threshold explorer holds hits and false alarms at about a hundred
thresholds, from which all else follows.
"""

from __future__ import annotations

import math
from typing import Any

from runfolio.evaluation.classification import Answers, sklearn_metrics
from runfolio.evaluation.intervals import wilson
from runfolio.evaluation.statistics import Measured

POINTS, THRESHOLDS, DOTS, BARS = 200, 50, 400, 30
DIGITS = 5
MOST_LABELS = 30
OTHER = "all others"


def number(value: Any) -> Any:
    """Return a number as JSON can say it: NaN and the infinities as text, as in records."""
    made = float(value)
    if math.isnan(made):
        return "NaN"
    if math.isinf(made):
        return "Infinity" if made > 0 else "-Infinity"
    return int(made) if made.is_integer() and abs(made) < 1 << 53 else made


def column(values: Any) -> list[Any]:
    """Return numbers rounded to five significant digits."""
    return [number(float(f"{float(value):.{DIGITS}g}")) for value in values]


def thinned(x: Any, y: Any, most: int = POINTS) -> Any:
    """Return which points of a curve to keep: evenly along its length, with both ends.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
    most : int

    Returns
    -------
    ndarray of int
    """
    import numpy

    if len(x) <= most:
        return numpy.arange(len(x))
    length = numpy.r_[0, numpy.cumsum(numpy.abs(numpy.diff(x)) + numpy.abs(numpy.diff(y)))]
    wanted = numpy.linspace(0, length[-1], most)
    return numpy.unique(numpy.r_[0, numpy.searchsorted(length, wanted).clip(0, len(x) - 1), len(x) - 1])


def class_curves(said: Answers, most: int, bins: int) -> list[dict[str, Any]]:
    """Return the curves of each class against all others; of two classes, of the positive one.

    Parameters
    ----------
    said : Answers
    most : int
        Classes beyond which there are none.
    bins : int
        Of calibration.
    """
    if said.probabilities is None or len(said.labels) > max(2, most):
        return []
    places = [1] if said.labels.binary else range(len(said.labels))
    made = []
    for at in places:
        positive = said.targets == said.labels.values.tolist()[at]
        if positive.any() and not positive.all():
            made.append({"label": said.labels.texts[at], **_curves(positive, said.probabilities[:, at], said.weights, bins)})
    return made


def _curves(positive: Any, scores: Any, weights: Any, bins: int) -> dict[str, Any]:
    metrics = sklearn_metrics()
    wrong, right, _ = metrics.roc_curve(positive, scores, sample_weight=weights)
    kept = thinned(wrong, right)
    precision, recall, _ = metrics.precision_recall_curve(positive, scores, sample_weight=weights, drop_intermediate=True)
    held = thinned(recall, precision)
    return {
        "rows": int(positive.sum()),
        "auc": number(metrics.roc_auc_score(positive, scores, sample_weight=weights)),
        "average_precision": number(metrics.average_precision_score(positive, scores, sample_weight=weights)),
        "brier": number(metrics.brier_score_loss(positive, scores.clip(0, 1), sample_weight=weights)),
        "roc": {"fpr": column(wrong[kept]), "tpr": column(right[kept])},
        "pr": {"recall": column(recall[held]), "precision": column(precision[held])},
        "calibration": calibration(positive, scores, bins),
        "thresholds": _explored(positive, scores),
    }


def calibration(positive: Any, scores: Any, bins: int) -> dict[str, Any]:
    """Return how often what was given a probability came true: bins of equal width, those without a row left out."""
    import numpy

    places = numpy.clip((scores * bins).astype(int), 0, bins - 1)
    rows = numpy.bincount(places, minlength=bins)
    there = rows > 0
    hits = numpy.bincount(places, positive, bins)[there]
    said = numpy.bincount(places, scores, bins)[there] / rows[there]
    between = [wilson(hit, count, 0.95) for hit, count in zip(hits, rows[there], strict=True)]
    return {
        "predicted": column(said),
        "observed": column(hits / rows[there]),
        "low": column([low for low, _ in between]),
        "high": column([high for _, high in between]),
        "rows": [int(count) for count in rows[there]],
    }


def _explored(positive: Any, scores: Any) -> dict[str, Any]:
    """Return hits and false alarms at round thresholds and at quantiles of the scores: a rare class lies below any round one."""
    import numpy

    round_ones = numpy.linspace(0, 1, THRESHOLDS + 1)
    own = numpy.quantile(scores, numpy.linspace(0, 1, THRESHOLDS + 1)).round(4)
    at = numpy.unique(numpy.r_[round_ones, own].clip(0, 1))
    hits, alarms = numpy.sort(scores[positive]), numpy.sort(scores[~positive])
    found = [len(values) - numpy.searchsorted(values, at, side="left") for values in (hits, alarms)]
    return {
        "threshold": column(at),
        "hits": [int(value) for value in found[0]],
        "alarms": [int(value) for value in found[1]],
        "positives": len(hits),
        "negatives": len(alarms),
    }


def confusion(said: Answers) -> dict[str, Any]:
    """Return how often each label was called what; of many labels, the most frequent ones, the others as one."""
    import numpy

    true, answered, names = said.labels.codes(said.targets), said.labels.codes(said.answers), said.labels.texts
    if said.labels.binary:
        names = said.labels.texts
    if len(names) > MOST_LABELS:
        frequent = numpy.argsort(-numpy.bincount(true, minlength=len(names)), kind="stable")[: MOST_LABELS - 1]
        kept = numpy.sort(frequent)
        place = numpy.full(len(names), MOST_LABELS - 1)
        place[kept] = numpy.arange(len(kept))
        true, answered, names = place[true], place[answered], [*(names[at] for at in kept), OTHER]
    size = len(names)
    counts = numpy.bincount(true * size + answered, minlength=size * size).reshape(size, size)
    return {"labels": [name[:100] for name in names], "counts": counts.tolist()}


def residuals(said: Measured) -> dict[str, Any]:
    """Return what was wanted against what was answered, of evenly chosen rows, and how the errors of all rows are spread."""
    import numpy

    order = numpy.argsort(said.true, kind="stable")
    chosen = order[numpy.unique(numpy.linspace(0, len(order) - 1, min(DOTS, len(order))).astype(int))]
    errors = said.answered - said.true
    rows, edges = numpy.histogram(errors, bins=min(BARS, max(1, round(len(errors) ** 0.5))))
    return {
        "target": column(said.true[chosen]),
        "prediction": column(said.answered[chosen]),
        "edges": column(edges),
        "rows": [int(count) for count in rows],
    }
