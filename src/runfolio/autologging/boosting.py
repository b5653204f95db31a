"""What gradient boosting has in common: a point of each metric an iteration, early stopping, and how important features are."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from runfolio.autologging import drawing
from runfolio.autologging.preparing import plots, prepare
from runfolio.autologging.run_log import RunLog, key_of


class Iterations:
    """The metrics of each iteration: written as they come, and kept to know those of the best one.

    A training calls it each few milliseconds, with its own data in the processor's caches: what is told anew each time are values alone.

    Parameters
    ----------
    log : RunLog
    """

    def __init__(self, log: RunLog) -> None:
        self._log, self.guard = log, log.guard("the metrics of an iteration")
        self._names: tuple[str, ...] = ()
        self._spelled: list[Any] | None = None
        self._row = log.live.writer.row
        self.made: list[tuple[tuple[str, ...], Sequence[Any]]] = []
        """Of each iteration the metrics' names and values."""
        prepare(plots)  # of the features' importance

    def add(self, metrics: Mapping[str, Any]) -> None:
        """Write the metrics of the iteration that has ended; a fault is recorded and never reaches the training."""
        with self.guard:
            self.add_row(tuple(metrics), list(metrics.values()))

    def add_row(self, names: tuple[str, ...], values: Sequence[Any]) -> None:
        """Write the metrics of the iteration that has ended; the caller holds the guard.

        Parameters
        ----------
        names : tuple of str
        values : sequence of length len(names)
        """
        if names != self._names:
            self._names, self._spelled = names, None
        step = len(self.made)
        self.made.append((self._names, values))
        if self._spelled is None or not self._row(self._spelled, values, time.time_ns() // 1_000_000, step):
            self._log.metrics(dict(zip(names, values, strict=True)), step)
            spelled = [self._log.live.spelled(key_of(name)) for name in names]
            self._spelled = None if None in spelled else spelled

    def early_stopping(self, *, stopped: int, best: int, score: float | None, row: int) -> None:
        """Write when training stopped, which iteration was best, and its metrics once more as the last ones.

        Parameters
        ----------
        stopped, best : int
            As the framework counts.
        score : float, optional
            Of the best iteration, on the data that decided.
        row : int
            The best iteration, counted from 0.
        """
        self._log.metrics({"stopped_iteration": stopped, "best_iteration": best, "best_score": score})
        if 0 <= row < len(self.made):
            self._log.metrics(dict(zip(*self.made[row], strict=True)), step=len(self.made))


def log_importances(log: RunLog, kind: str, names: Sequence[str], values: Any, *, indent: int | None = None) -> None:
    """Log how important the features are, as JSON and as a plot.

    Parameters
    ----------
    log : RunLog
    kind : str
        Of importance; part of the files' names.
    names : sequence of length n
    values : ndarray, shape (n,) or (n, classes)
    indent : int, optional
        Of the JSON.
    """
    numbers = values.tolist() if hasattr(values, "tolist") else list(values)
    path = f"feature_importance_{kind}"
    log.text(json.dumps(dict(zip(names, numbers, strict=True)), indent=indent), f"{path}.json")
    if names:
        what = f"the plot of the features' importance ({kind})"
        log.aside(what, lambda: log.bytes(drawing.importances(names, values, kind=kind), f"{path}.png"))
