"""LightGBM's callback, for ``lightgbm.train(callbacks=[…])``, ``lightgbm.cv`` and ``fit(callbacks=[…])`` of the estimators.

LightGBM tells no callback that training has ended. A run that was started for it ends after the last iteration; after early stopping
it ends when the callback is let go, which is right after ``train(callbacks=[RunfolioCallback()])``; see also ``finish`` and ``with``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runfolio.autologging.loggers.joining import Ending, JoinedRun, Wanted, checked_every
from runfolio.autologging.run_log import RunLog


class _Joined(JoinedRun):
    """The run of a booster, which knows of its early stopping once it is trained."""

    booster: Any = None

    def if_let_go(self) -> str:
        return "FINISHED" if getattr(self.booster, "best_iteration", 0) > 0 else "FAILED"

    def end(self, status: str) -> None:
        best = getattr(self.booster, "best_iteration", 0)
        if best > 0 and self.own is not None:
            self.write("early stopping", lambda log: log.metrics({"best_iteration": best}))
        self.booster = None
        super().end(status)


class RunfolioCallback(Ending):
    """Log a training to the active run, or to one that begins and ends with it.

    Parameters
    ----------
    log_every_n : int
        Iterations between two points of the metrics.
    experiment_name, run_name, tags, run_id : optional
        Of the run, where none is active; `run_id` goes on with a run.
    """

    order = 15  # before early stopping (30), which ends the iteration
    before_iteration = False

    def __init__(
        self,
        *,
        log_every_n: int = 1,
        experiment_name: str | None = None,
        run_name: str | None = None,
        tags: Mapping[str, Any] | None = None,
        run_id: str | None = None,
    ) -> None:
        self.every = checked_every(log_every_n)
        self.to: _Joined = _Joined("lightgbm", Wanted(experiment_name, run_name, tags, run_id))

    def __call__(self, env: Any) -> None:
        """Log an iteration; LightGBM calls it."""
        if env.iteration == env.begin_iteration:
            self.to.begin()
            self.to.booster = env.model
            self.to.write("the params", lambda log: log.params(_params(env)))
        is_last = env.iteration == env.end_iteration - 1
        if is_last or (env.iteration - env.begin_iteration) % self.every == 0:
            self.to.write("the metrics of an iteration", lambda log: _points(log, env), step=True)
        if is_last:
            self.to.end("FINISHED")


def _params(env: Any) -> dict[str, Any]:
    return {**env.params, "num_boost_round": env.end_iteration - env.begin_iteration}


def _points(log: RunLog, env: Any) -> None:
    log.metrics(dict(_named(env.evaluation_result_list or ())), env.iteration)


def _named(results: Sequence[Any]) -> Iterator[tuple[str, float]]:
    for data, name, value, _, *deviation in results:
        if deviation and deviation[0] is not None:
            yield f"{data}-{name}-mean", value
            yield f"{data}-{name}-stdv", deviation[0]
        else:
            yield f"{data}-{name}", value
