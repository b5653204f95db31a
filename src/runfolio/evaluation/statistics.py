"""Metrics as functions of how often each row counts: what resampling needs, in numpy, without a loop over rows or draws.

``metrics(counts)`` takes a draw a line and counts row ``i`` of it ``counts[draw, i]`` times. With ones it gives what scikit-learn gives
(the tests hold it to that). What is not defined (a precision without an answer, a ROC curve of one class) is NaN here, and left out above.
"""

from __future__ import annotations

from typing import Any, Protocol

from runfolio._dataclass import dataclass

GREATER = frozenset(
    "accuracy_score recall_score precision_score f1_score roc_auc precision_recall_auc r2_score score exact_match".split()
)
LESS = frozenset(
    "log_loss mean_absolute_error mean_squared_error root_mean_squared_error max_error mean_absolute_percentage_error".split()
)
MOST_CURVES = 20
"""Classes beyond which the area under ROC curves is not resampled: each is a sort of its own."""


def better_of(metric: str) -> str | None:
    """Return which way a metric of the house is better: ``"max"``, ``"min"``, or None where it is not a matter of better."""
    return "max" if metric in GREATER else "min" if metric in LESS else None


class Counted(Protocol):
    """Metrics of some rows, each counted so many times."""

    @property
    def rows(self) -> int:
        """How many rows there are."""

    def metrics(self, counts: Any) -> dict[str, Any]:
        """Return the metrics, ndarray, shape (b,), by name; `counts` : ndarray of float, shape (b, n)."""

    def part(self, chosen: Any) -> Counted:
        """Return the same of some of the rows: `chosen` : ndarray of bool, shape (n,)."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """Rows by their class, to be summed class by class.

    Parameters
    ----------
    order : ndarray of int, shape (n,)
    starts, present : ndarray of int, shape (c,)
        Where each class that has rows begins in that order, and which it is.
    classes : int
    """

    order: Any
    starts: Any
    present: Any
    classes: int

    def totals(self, weight: Any) -> Any:
        """Return the weight of each class; `weight` : ndarray, shape (b, n) → ndarray, shape (b, classes)."""
        import numpy

        made = numpy.zeros((len(weight), self.classes))
        made[:, self.present] = numpy.add.reduceat(weight[:, self.order], self.starts, axis=1)
        return made


def grouping(places: Any, classes: int) -> Grouping:
    """Group rows by class; `places` : ndarray of int, shape (n,), n ≥ 1."""
    import numpy

    order = numpy.argsort(places, kind="stable")
    present, starts = numpy.unique(places[order], return_index=True)
    return Grouping(order, starts, present, classes)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows by their score, to compute areas under curves for any weights.

    Parameters
    ----------
    order : ndarray of int, shape (n,)
        The highest score first.
    starts : ndarray of int
        Where rows of one score begin in that order.
    positive : ndarray of bool, shape (n,)
        In that order.
    """

    order: Any
    starts: Any
    positive: Any

    def areas(self, weight: Any) -> tuple[Any, Any]:
        """Return the area under the ROC curve and the average precision; NaN where one of the two classes has no weight.

        Parameters
        ----------
        weight : ndarray, shape (b, n)

        Returns
        -------
        tuple of ndarray, shape (b,)
        """
        import numpy

        ordered = weight[:, self.order]
        ups = numpy.add.reduceat(ordered * self.positive, self.starts, axis=1)
        downs = numpy.add.reduceat(ordered * ~self.positive, self.starts, axis=1)
        above = numpy.cumsum(ups, axis=1)
        answers = above + numpy.cumsum(downs, axis=1)
        with numpy.errstate(divide="ignore", invalid="ignore"):
            area = ((above - ups / 2) * downs).sum(axis=1) / (above[:, -1] * downs.sum(axis=1))
            average = (ups * numpy.nan_to_num(above / answers)).sum(axis=1) / above[:, -1]
        return area, average


def ranking(positive: Any, scores: Any) -> Ranking:
    """Sort rows by score; `positive` : ndarray of bool, `scores` : ndarray, both of shape (n,), n ≥ 1."""
    import numpy

    order = numpy.argsort(-scores, kind="stable")
    ordered = scores[order]
    starts = numpy.flatnonzero(numpy.r_[True, ordered[1:] != ordered[:-1]])
    return Ranking(order, starts, positive[order])


@dataclass(frozen=True, slots=True)
class Classified:
    """Targets and answers of a classification; made by :func:`classified`.

    Parameters
    ----------
    true, answered : ndarray of int, shape (n,)
        Places among the labels; of two, 1 is the positive one.
    classes : int
    probabilities : ndarray, shape (n, k), or None
    weights : ndarray, shape (n,), or None
    average : str
        How classes are averaged: ``binary``, ``weighted``, ``macro``, ``micro``.
    by_true, by_answer : Grouping
    rankings : tuple of Ranking
        Of each class whose areas are computed.
    """

    true: Any
    answered: Any
    classes: int
    probabilities: Any
    weights: Any
    average: str
    by_true: Grouping
    by_answer: Grouping
    rankings: tuple[Ranking, ...]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.true)

    def part(self, chosen: Any) -> Classified:
        """Return the same of some of the rows."""
        held = [values if values is None else values[chosen] for values in (self.probabilities, self.weights)]
        return classified(self.true[chosen], self.answered[chosen], self.classes, held[0], held[1], self.average)

    def metrics(self, counts: Any) -> dict[str, Any]:
        """Return the metrics, each row counted so many times."""
        weight = counts if self.weights is None else counts * self.weights
        support, told = self.by_true.totals(weight), self.by_answer.totals(weight)
        hits = self.by_true.totals(weight * (self.true == self.answered))
        total = weight.sum(axis=1)
        made = {"accuracy_score": _share(hits.sum(axis=1), total), **_averaged(hits, told, support, self.average)}
        if self.probabilities is not None:
            made["log_loss"] = _share(weight @ self._losses(), total)
            made |= self._areas(weight, support)
        return made

    def _losses(self) -> Any:
        import numpy

        # As scikit-learn: rows are normed to one, and no probability is quite 0 or 1.
        least = numpy.finfo(self.probabilities.dtype).eps
        held = self.probabilities[numpy.arange(self.rows), self.true] / self.probabilities.sum(axis=1)
        return -numpy.log(numpy.clip(held, least, 1 - least))

    def _areas(self, weight: Any, support: Any) -> dict[str, Any]:
        import numpy

        found = [ranked.areas(weight) for ranked in self.rankings]
        if self.average == "binary":
            return {"roc_auc": found[0][0], "precision_recall_auc": found[0][1]}
        if not found:
            return {}
        areas = numpy.stack([area for area, _ in found], axis=1)
        # A draw without a row of some class has no area of it: NaN, whatever that class would weigh.
        return {
            "roc_auc": (areas * support).sum(axis=1) / support.sum(axis=1) if self.average == "weighted" else areas.mean(axis=1)
        }


def classified(
    true: Any, answered: Any, classes: int, probabilities: Any = None, weights: Any = None, average: str = "binary"
) -> Classified:
    """Return the rows of a classification, grouped by class and ranked by score; see :class:`Classified`."""
    ranked: list[int] = []
    if probabilities is not None:
        ranked = [1] if average == "binary" else list(range(classes)) if average in ("weighted", "macro") else []
    rankings = tuple(ranking(true == at, probabilities[:, at]) for at in ranked) if len(ranked) <= MOST_CURVES else ()
    groups = grouping(true, classes), grouping(answered, classes)
    return Classified(true, answered, classes, probabilities, weights, average, *groups, rankings)


def _averaged(hits: Any, told: Any, support: Any, average: str) -> dict[str, Any]:
    import numpy

    if average == "binary":
        hits, told, support = hits[:, 1:], told[:, 1:], support[:, 1:]
    elif average == "micro":
        hits, told, support = (values.sum(axis=1, keepdims=True) for values in (hits, told, support))
    with numpy.errstate(divide="ignore", invalid="ignore"):
        parts = [hits / support, hits / told, 2 * hits / (told + support)]
    if average == "binary":
        found = [values[:, 0] for values in parts]
    else:
        # A class without a row, or an answer, counts as 0, as with scikit-learn's zero_division=0; one with neither is not there.
        there = ((told + support) > 0).astype(float)
        share = support if average == "weighted" else there
        found = [_share((numpy.nan_to_num(values) * share).sum(axis=1), share.sum(axis=1)) for values in parts]
    return dict(zip(("recall_score", "precision_score", "f1_score"), found, strict=True))


@dataclass(frozen=True, slots=True)
class Measured:
    """Targets and answers of a regression.

    Parameters
    ----------
    true, answered : ndarray of float, shape (n,)
    weights : ndarray, shape (n,), or None
    """

    true: Any
    answered: Any
    weights: Any = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.true)

    def part(self, chosen: Any) -> Measured:
        """Return the same of some of the rows."""
        return Measured(self.true[chosen], self.answered[chosen], None if self.weights is None else self.weights[chosen])

    def metrics(self, counts: Any) -> dict[str, Any]:
        """Return the metrics, each row counted so many times."""
        import numpy

        weight = counts if self.weights is None else counts * self.weights
        total = weight.sum(axis=1)
        error = self.answered - self.true
        # Around the mean of all rows, so that squares of large numbers do not eat the difference.
        centred = self.true - self.true.mean()
        squared = _share(weight @ error**2, total)
        spread = _share(weight @ centred**2, total) - _share(weight @ centred, total) ** 2
        shares = numpy.abs(error) / numpy.maximum(numpy.abs(self.true), numpy.finfo(float).eps)
        with numpy.errstate(divide="ignore", invalid="ignore"):
            explained = numpy.where(spread > 0, 1 - squared / spread, numpy.nan)
        return {
            "mean_absolute_error": _share(weight @ numpy.abs(error), total),
            "mean_squared_error": squared,
            "root_mean_squared_error": numpy.sqrt(squared),
            "mean_absolute_percentage_error": _share(weight @ shares, total),
            "r2_score": explained,
        }


def _share(part: Any, whole: Any) -> Any:
    import numpy

    with numpy.errstate(divide="ignore", invalid="ignore"):
        return numpy.where(whole > 0, part / whole, numpy.nan)
