"""Points of metrics that are sent twice, and kept once, as MLflow's databases keep them: value, time and step are their key.

A client over HTTP sends a call again whose answer got lost; and MLflow 3 logs the metrics of a step again for the model that it logs
after them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

MOST = 20_000
Point = tuple[str, str, str, int, int]


class Repeated:
    """Remembers the points that were logged last.

    Parameters
    ----------
    history : callable
        Returns the points of a run's metric, asked where a point is of a model: what it repeats may be older, or another process's.
    most : int, optional
        How many points are remembered.
    """

    def __init__(self, history: Callable[[str, str], Iterable[Any]], most: int = MOST) -> None:
        self._history, self._most = history, most
        self._guard = threading.Lock()
        self._seen: OrderedDict[Point, None] = OrderedDict()

    def fresh(self, run_id: str, metrics: Sequence[Any]) -> list[Any]:
        """Return those of some points that were not logged yet, each once."""
        with self._guard:
            new = {_point(run_id, item): item for item in metrics if _point(run_id, item) not in self._seen}
        for key in {item.key for item in new.values() if getattr(item, "model_id", None)}:
            for old in self._history(run_id, key):
                new.pop(_point(run_id, old), None)
        return list(new.values())

    def logged(self, run_id: str, metrics: Iterable[Any]) -> None:
        """Remember points that are logged now."""
        with self._guard:
            for item in metrics:
                self._seen[_point(run_id, item)] = None
            while len(self._seen) > self._most:
                self._seen.popitem(last=False)


def _point(run_id: str, item: Any) -> Point:
    return run_id, item.key, repr(item.value), item.timestamp, item.step
