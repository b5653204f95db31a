"""What a forest says of its training data, tree by tree: each is asked while the next one is grown.

A forest that grows in one thread (``n_jobs`` is None) leaves the other processors idle, and gives up Python's lock while it grows; what its
trees say of the rows that they are grown on, which its metrics are of, is then there as the fit ends. A thread asks them, in their order,
so that the sums are those of :mod:`~runfolio.autologging.scikit_learn.forests` bit for bit.

Which tree is done is told by a private function of scikit-learn. Where it is not called as expected (in workers' threads and processes,
by another version), nothing is known here, and the trees are asked after the fit.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from runfolio.autologging.run_log import RunLog

GROWS = "_parallel_build_trees"
"""scikit-learn's function that grows one tree: of the tree, …, the rows, …"""
_MODULE = "sklearn.ensemble._forest"
_MOST_ROWS = 50_000
"""Rows that are put in order, and so copied; more are asked about as they are."""
_PAUSE_S = 0.25
"""How long the thread sleeps until it looks for trees again. To be woken for each would cost the training 0.07 ms a tree; each 0.05 s,
trees find the rows gone from the processor's caches (0.22 s of CPU for 300 of them; each 0.2 s 0.17, each 1 s 0.16). Those that are left
when the fit has ended are dealt to all processors."""
_WHAT = "what a forest's trees say while it grows"

_here = threading.local()


def free_processors() -> int:
    """Return how many threads may work here."""
    # scikit-learn has loaded it, and it knows what a container, or a worker among others, is granted.
    joblib = sys.modules["joblib"]
    return max(1, min(int(joblib.effective_n_jobs(-1)), int(joblib.cpu_count())))


class Said(NamedTuple):
    """What the first trees of a forest said.

    Parameters
    ----------
    rows : ndarray, shape (n, m)
    order : ndarray of int, shape (n,)
        Rows that are much alike stand beside each other.
    sums : ndarray, shape (n,) or (n, classes)
        Over the trees, of the rows in that order.
    trees : int
        How many.
    """

    rows: Any
    order: Any
    sums: Any
    trees: int


class Grown:
    """The trees of a forest that is fitted, and the thread that asks them.

    Parameters
    ----------
    log : RunLog
    name : {"predict_proba", "predict"}
        What they are asked.
    """

    def __init__(self, log: RunLog, name: str) -> None:
        self._log, self._name = log, name
        self._trees: list[Any] = []
        self._rows: Any = None
        self._said: Said | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, tree: Any, rows: Any) -> None:
        """Take a tree that has been grown on some rows: between two trees a training has its own data in the processor's caches."""
        if self._rows is None:
            self._begin(tree, rows)
        self._trees.append(tree)

    def _begin(self, tree: Any, rows: Any) -> None:
        self._rows = rows
        if _is_dense(rows) and getattr(tree, "n_outputs_", 0) == 1:
            thread = threading.Thread(target=self._ask_all, name="runfolio-growing")
            with suppress(RuntimeError):  # no more threads are to be had
                thread.start()
                self._thread = thread

    def stop(self, *, whole: bool) -> None:
        """Ask no more trees; wait for the one that is asked now, if the fit is whole: else nobody will read what it says."""
        self._stop.set()
        if whole and self._thread is not None:
            self._thread.join()

    def said_by(self, trees: Sequence[Any]) -> Said | None:
        """Return what the first of a forest's trees said; None where these are not the ones that were seen to grow."""
        seen = len(self._trees) == len(trees) and all(one is other for one, other in zip(self._trees, trees, strict=True))
        return self._said if seen else None

    def _ask_all(self) -> None:
        with self._log.guard(_WHAT):
            near = ask = None
            while not self._stop.wait(_PAUSE_S):
                for tree in self._trees[0 if self._said is None else self._said.trees :]:
                    if self._said is None:
                        ask = inspect.unwrap(getattr(type(tree), self._name))
                        if "check_input" not in inspect.signature(ask).parameters:
                            return
                        near, self._said = self._begun(tree)
                    assert ask is not None
                    self._said.sums[:] += ask(tree, near, check_input=False)
                    self._said = self._said._replace(trees=self._said.trees + 1)
                    if self._stop.is_set():
                        return

    def _begun(self, tree: Any) -> tuple[Any, Said]:
        import numpy

        rows, few = self._rows, len(self._rows) <= _MOST_ROWS
        order = numpy.argsort(tree.tree_.apply(rows), kind="stable") if few else numpy.arange(len(rows))
        shape = (len(rows), tree.n_classes_) if self._name == "predict_proba" else (len(rows),)
        return (rows[order] if few else rows), Said(rows, order, numpy.zeros(shape), 0)


@contextmanager
def watched(log: RunLog, estimator: Any) -> Iterator[Grown | None]:
    """Ask the trees that are grown within, if an estimator is a forest of scikit-learn's own, and there is a processor for it."""
    made = _here.grown = _grown(log, estimator)
    whole = False
    try:
        yield made
        whole = True
    finally:
        _here.grown = None
        if made is not None:
            made.stop(whole=whole)


def _grown(log: RunLog, estimator: Any) -> Grown | None:
    # A class of the user's own may be fitted on other rows than it is asked about.
    if type(estimator).__module__ != _MODULE or free_processors() == 1:
        return None
    module = sys.modules[_MODULE]
    for kind, name in (("ForestClassifier", "predict_proba"), ("ForestRegressor", "predict")):
        if isinstance(estimator, getattr(module, kind)):
            return Grown(log, name)
    return None


def telling(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Grow a tree, and tell the training of this thread about it: the replacement of :data:`GROWS`."""
    tree = original(*args, **kwargs)
    grown: Grown | None = getattr(_here, "grown", None)
    if grown is not None and len(args) > 2:
        grown.add(tree, args[2])
    return tree


def _is_dense(rows: Any) -> bool:
    return type(rows).__module__ == "numpy" and getattr(rows, "ndim", 0) == 2 and rows.dtype.name == "float32"
