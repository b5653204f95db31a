"""XGBoost's callback, for ``xgboost.train(callbacks=[…])``, ``xgboost.cv`` and the estimators: ``XGBClassifier(callbacks=[…])``.

Names are those of :mod:`runfolio.autologging.xgboost`. The booster's own params are logged: those that were given, and those that it
chose. Of a cross-validation there is no booster, and a point is the mean of the folds, beside its standard deviation.
"""

from __future__ import annotations

import functools
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runfolio.autologging.boosting import log_importances
from runfolio.autologging.loggers.joining import Ending, JoinedRun, Wanted, checked_every
from runfolio.autologging.options import Options
from runfolio.autologging.run_log import RunLog
from runfolio.flavors.xgboost import save_model
from runfolio.tracking.flavor_models import logs

_log_model = logs(save_model)


class BoosterLogging(Ending):
    """Log a training to the active run, or to one that begins and ends with it.

    Parameters
    ----------
    log_every_n : int
        Iterations between two points of the metrics.
    log_models : bool
        Keep the booster.
    importance_types : sequence of str
        Of the features, each as JSON and plot.
    experiment_name, run_name, tags, run_id : optional
        Of the run, where none is active; `run_id` goes on with a run.
    """

    def __init__(
        self,
        *,
        log_every_n: int = 1,
        log_models: bool = False,
        importance_types: Sequence[str] = ("weight",),
        experiment_name: str | None = None,
        run_name: str | None = None,
        tags: Mapping[str, Any] | None = None,
        run_id: str | None = None,
    ) -> None:
        super().__init__()
        self.every, self.importance_types = checked_every(log_every_n), tuple(importance_types)
        self.to = JoinedRun("xgboost", Wanted(experiment_name, run_name, tags, run_id), options=Options(log_models=log_models))
        self._first = True
        self._last: tuple[int, Mapping[str, Mapping[str, Sequence[Any]]]] = (-1, {})

    def before_training(self, model: Any) -> Any:
        """Begin the run."""
        self._first, self._last = True, (-1, {})
        if _is_first():
            self.to.begin()
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Mapping[str, Sequence[Any]]]) -> bool:
        """Log an iteration; False goes on."""
        if not _is_first():
            return False
        if self._first and _is_booster(model):
            self.to.write("the params", lambda log: log.params(dict(_params(json.loads(model.save_config())))))
        self._first, self._last = False, (epoch, evals_log)
        if epoch % self.every == 0:
            self._points()
        return False

    def after_training(self, model: Any) -> Any:
        """Log what comes of the training, and end the run."""
        if _is_first():
            if self._last[0] % self.every:
                self._points()
            if _is_booster(model):
                self._results(model)
            self.to.end("FINISHED")
        return model

    def _points(self) -> None:
        epoch, evals_log = self._last
        self.to.write("the metrics of an iteration", lambda log: log.metrics(dict(_last(evals_log)), epoch), step=True)

    def _results(self, model: Any) -> None:
        def early_stopping(log: RunLog) -> None:
            if model.attr("best_iteration") is not None:
                best = {"best_iteration": int(model.attr("best_iteration")), "best_score": float(model.attr("best_score"))}
                log.metrics({"stopped_iteration": self._last[0], **best})

        self.to.write("early stopping", early_stopping)
        for kind in self.importance_types:
            self.to.write(f"the features' importance ({kind})", functools.partial(_importances, model, kind))
        if self.to.options.log_models:
            self.to.keep(_log_model, model, signature=False)


@functools.cache
def callback_class() -> type:
    """Return the callback: a subclass of XGBoost's, which is imported for it."""
    import xgboost

    class RunfolioCallback(BoosterLogging, xgboost.callback.TrainingCallback):
        __doc__ = BoosterLogging.__doc__

    RunfolioCallback.__module__, RunfolioCallback.__qualname__ = "runfolio.xgboost", "RunfolioCallback"
    return RunfolioCallback


def _is_first() -> bool:
    import xgboost

    return bool(xgboost.collective.get_rank() == 0)


def _is_booster(model: Any) -> bool:
    """Tell a booster from the boosters of a cross-validation."""
    import xgboost

    return isinstance(model, xgboost.Booster)


def _last(evals_log: Mapping[str, Mapping[str, Sequence[Any]]]) -> Iterator[tuple[str, float]]:
    for data, made in evals_log.items():
        for name, points in made.items():
            if isinstance(points[-1], tuple):
                yield f"{data}-{name}-mean", float(points[-1][0])
                yield f"{data}-{name}-std", float(points[-1][1])
            else:
                yield f"{data}-{name}", float(points[-1])


def _params(config: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the params in a booster's configuration: what stands in parts that are called ``…_param``."""
    if isinstance(config, Mapping):
        for key, value in config.items():
            if isinstance(value, str) and name.endswith("_param"):
                yield key, _short(value)
            else:
                yield from _params(value, key)


def _short(text: str) -> str:
    """Return a number as it was most likely given: XGBoost spells the nearest one of 32 bits, 0.300000012 for 0.3."""
    try:
        exact = struct.pack("f", float(text))
    except (ValueError, OverflowError):
        return text
    if text.lstrip("-").isdecimal():
        return text
    return next((short for digits in range(1, 9) if struct.pack("f", float(short := f"{float(text):.{digits}g}")) == exact), text)


def _importances(model: Any, kind: str, log: RunLog) -> None:
    scores = model.get_score(importance_type=kind)
    log_importances(log, kind, list(scores), list(scores.values()))
