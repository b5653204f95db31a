"""What a forest says of the data it was trained on: bit for bit its own answer, in less time.

Each of its trees is asked about each row, which is all that such a prediction costs. Where a forest asks in one thread (``n_jobs`` is
None), a user would wait for it twice as long as two processors need: here the rows are dealt to threads, since a tree gives up Python's
lock while it is asked. Rows that the first tree leads to the same leaf stand beside each other, for they take much the same way through the
others: the processor guesses it more often, which saves a seventh. Each row's sum is over the trees in their order, whoever makes it, so
that equal fits log equal metrics.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from runfolio.autologging.scikit_learn.growing import Grown, free_processors

_LEAST_ROWS = 1_000
"""Of a thread: with fewer, threads wait for Python's lock as long as they work."""
_MOST_ROWS = 50_000
"""Rows that are put in order, and so copied, at once by a thread."""


def probabilities(estimator: Any, features: Any, grown: Grown | None = None) -> Any | None:
    """Return what ``predict_proba`` of a forest says; None where the estimator must say it itself.

    Parameters
    ----------
    estimator : forest
    features : data, shape (n, m)
        That it was fitted on.
    grown : Grown, optional
        What its trees said while it was fitted.
    """
    from sklearn.ensemble._forest import ForestClassifier

    if not _asks(estimator, "predict_proba", ForestClassifier):
        return None
    return _mean(estimator, "predict_proba", features, (estimator.n_classes_,), grown)


def values(estimator: Any, features: Any, grown: Grown | None = None) -> Any | None:
    """Return what ``predict`` of a forest that predicts numbers says; None where the estimator must say it itself."""
    from sklearn.ensemble._forest import ForestRegressor

    if not _asks(estimator, "predict", ForestRegressor):
        return None
    return _mean(estimator, "predict", features, (), grown)


def _asks(estimator: Any, name: str, forest: Any) -> bool:
    """Tell whether an estimator's method is a forest's own, about one output, and has in it what is used here."""
    found = getattr(type(estimator), name, None)
    own = found is not None and inspect.unwrap(found) is inspect.unwrap(getattr(forest, name))
    return own and getattr(estimator, "n_outputs_", 0) == 1


def _mean(estimator: Any, name: str, features: Any, shape: tuple[int, ...], grown: Grown | None) -> Any | None:
    """Return the mean of what all trees say of each row."""
    import numpy

    trees = estimator.estimators_
    ask = inspect.unwrap(getattr(type(trees[0]), name))
    if "check_input" not in inspect.signature(ask).parameters or not hasattr(estimator, "_validate_X_predict"):
        return None  # another scikit-learn: neither is promised
    said = None if grown is None else grown.said_by(trees)
    rows = estimator._validate_X_predict(features) if said is None else said.rows
    if not isinstance(rows, numpy.ndarray) or any(type(each) is not type(trees[0]) for each in trees):
        return None
    order = numpy.argsort(trees[0].tree_.apply(rows), kind="stable") if said is None else said.order
    made = numpy.zeros((len(rows), *shape)) if said is None else said.sums
    left = trees if said is None else trees[said.trees :]

    def fill(first: int, last: int, stopped: Callable[[], bool]) -> None:
        near, sums = rows[order[first:last]], made[first:last]
        for tree in left:
            if stopped():
                return
            sums += ask(tree, near, check_input=False)

    if left:
        _in_threads(fill, len(order))
    made /= len(trees)
    found = numpy.empty_like(made)
    found[order] = made
    return found


def _in_threads(fill: Callable[[int, int, Callable[[], bool]], None], length: int) -> None:
    """Call a function with parts of a range, as many at a time as processors are free for this process."""
    threads = max(1, min(free_processors(), length // _LEAST_ROWS))
    count = max(1, threads * -(-length // (threads * _MOST_ROWS)))
    edges = [length * each // count for each in range(count + 1)]
    stop = threading.Event()
    if threads == 1:
        for first, last in pairwise(edges):
            fill(first, last, stop.is_set)
        return
    with ThreadPoolExecutor(threads, "runfolio-forest") as pool:
        try:
            for _ in pool.map(lambda ends: fill(ends[0], ends[1], stop.is_set), pairwise(edges)):
                pass
        finally:
            stop.set()  # an interrupted training does not wait for what nobody will read
