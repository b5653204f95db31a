"""CatBoost's callback, for ``fit(callbacks=[…])``; CatBoost takes callbacks on the CPU only.

CatBoost shows a callback each iteration's metrics, and neither params nor model nor the end: a run that was started for it ends as
FINISHED when the callback is let go, which is right after ``fit(callbacks=[RunfolioCallback()])``. In a run of your own
(``with runfolio.start_run():``) an error ends it as FAILED; all else that a training has, ``runfolio.catboost.autolog`` logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio.autologging.loggers.joining import Ending, JoinedRun, Wanted, checked_every


class _Joined(JoinedRun):
    def if_let_go(self) -> str:
        return "FINISHED"


class RunfolioCallback(Ending):
    """Log a training's metrics to the active run, or to one that begins with it.

    Parameters
    ----------
    log_every_n : int
        Iterations between two points of the metrics.
    params : Mapping, optional
        Logged when training begins: CatBoost does not show them. ``model.get_params()``, for example.
    experiment_name, run_name, tags, run_id : optional
        Of the run, where none is active; `run_id` goes on with a run.
    """

    def __init__(
        self,
        *,
        log_every_n: int = 1,
        params: Mapping[str, Any] | None = None,
        experiment_name: str | None = None,
        run_name: str | None = None,
        tags: Mapping[str, Any] | None = None,
        run_id: str | None = None,
    ) -> None:
        self.every, self.params = checked_every(log_every_n), dict(params or {})
        self.to: JoinedRun = _Joined("catboost", Wanted(experiment_name, run_name, tags, run_id))
        self._next: int | None = None

    def after_iteration(self, info: Any) -> bool:
        """Log an iteration; CatBoost calls it, and goes on for True."""
        if self._next is None or info.iteration < self._next:  # another training
            self.to.begin()
            self.to.write("the params", lambda log: log.params(self.params))
        self._next = info.iteration + 1
        if (info.iteration - 1) % self.every == 0:
            made = {
                f"{data}-{name}": points[-1] for data, found in info.metrics.items() for name, points in found.items() if points
            }
            self.to.write("the metrics of an iteration", lambda log: log.metrics(made, info.iteration - 1), step=True)
        return True
