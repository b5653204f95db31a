"""A callback for Ray Tune's own loop: each trial becomes a run, as with Ray's ``MLflowLoggerCallback``.

>>> from ray import tune                                                       # doctest: +SKIP
>>> from runfolio.sweeps.ray import RunfolioLoggerCallback                     # doctest: +SKIP
>>> tune.Tuner(train, param_space=space, run_config=tune.RunConfig(            # doctest: +SKIP
...     callbacks=[RunfolioLoggerCallback(experiment_name="digits")])).fit()

Ray calls it in the process that conducts the search, where the folio is; the trials' own processes need none. Several trials go on at
once, so none of their runs is the active one. A fault of the logging is recorded in the trial's run, and never stops the search. Where
a run is active, the trials are its children.
"""

from __future__ import annotations

import functools
import numbers
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runfolio.autologging.guarding import guard
from runfolio.autologging.options import Options
from runfolio.autologging.run_log import RunLog
from runfolio.tracking import fluent
from runfolio.tracking.client import RunfolioClient
from runfolio.tracking.session import Session, session
from runfolio.tracking.starting import start_live


class TrialLogging:
    """Log the trials of a search, each to a run of its own.

    Parameters
    ----------
    tracking_uri : str, optional
        The folio; the one in force by default.
    registry_uri, tracking_token : optional
        Arguments of MLflowLoggerCallback's, without effect.
    experiment_name : str, optional
        Made if it is missing; the one in force by default.
    tags : Mapping, optional
        Of each run.
    save_artifact : bool
        Keep the files of a trial's folder when it has ended.
    log_params_on_trial_end : bool
        Log a trial's params when it ends in place of when it starts.
    """

    def __init__(
        self,
        tracking_uri: str | None = None,
        *,
        registry_uri: str | None = None,
        experiment_name: str | None = None,
        tags: Mapping[str, Any] | None = None,
        tracking_token: str | None = None,
        save_artifact: bool = False,
        log_params_on_trial_end: bool = False,
    ) -> None:
        self.tracking_uri, self.experiment_name, self.tags = tracking_uri, experiment_name, dict(tags or {})
        self.save_artifact, self.late = save_artifact, log_params_on_trial_end
        self._runs: dict[str, tuple[Session, RunLog]] = {}

    def __getstate__(self) -> dict[str, Any]:
        # Ray keeps its callbacks with the search; runs are of this process.
        return {**self.__dict__, "_runs": {}}

    def log_trial_start(self, trial: Any) -> None:
        """Start a trial's run; one that is tried again goes on with its run."""
        with guard("a run", framework="ray"):
            if trial.trial_id not in self._runs:
                self._runs[trial.trial_id] = self._start(trial)
            if not self.late:
                self._params(trial)

    def _start(self, trial: Any) -> tuple[Session, RunLog]:
        held = session(self.tracking_uri)
        if self.experiment_name:
            experiment = held.folio.experiments.get_or_create(self.experiment_name)
        else:
            experiment = fluent.experiment_in_force(held)
        active = fluent.active_run()
        outer = {"mlflow.parentRunId": active.info.run_id} if active is not None and active.held is held else {}
        live = start_live(held, experiment, name=str(trial), tags={**self.tags, **outer, "trial_name": str(trial)})
        return held, RunLog("ray", Options(), live)

    def _params(self, trial: Any) -> None:
        _, log = self._runs[trial.trial_id]
        with log.guard("the params"):
            log.params(dict(_flat(trial.config)))

    def log_trial_result(self, iteration: int, trial: Any, result: Mapping[str, Any]) -> None:
        """Log the numbers that a trial reports, at its time step or iteration."""
        known = self._runs.get(trial.trial_id)
        if known is None:
            return
        with known[1].guard("a result"):
            step = result.get("timesteps_total") or result["training_iteration"]
            made = {
                name: value for name, value in _flat(result) if isinstance(value, numbers.Real) and not isinstance(value, bool)
            }
            known[1].metrics({name: float(value) for name, value in made.items()}, int(step))

    def log_trial_end(self, trial: Any, failed: bool = False) -> None:
        """End a trial's run."""
        known = self._runs.get(trial.trial_id)
        if known is None:
            return
        held, log = known
        if self.late:
            self._params(trial)
        with log.guard("the files"):
            if self.save_artifact and trial.local_path and Path(trial.local_path).is_dir():
                RunfolioClient(held.uri).log_artifacts(log.run_id, trial.local_path)
        with log.guard("the end of the run"):
            log.live.end("FAILED" if failed else "FINISHED")
            held.sealed(log.live)
            del self._runs[trial.trial_id]

    def on_experiment_end(self, trials: Any, **info: Any) -> None:
        """End the runs of trials that were interrupted; Ray calls it."""
        for held, log in self._runs.values():
            with log.guard("the end of the run"):
                log.live.end("KILLED")
                held.sealed(log.live)
        self._runs.clear()


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings, each with the way to it, as Ray does: ``model/depth``."""
    if isinstance(value, Mapping) and (value or not name):
        for key, each in value.items():
            yield from _flat(each, f"{name}/{key}" if name else str(key))
    else:
        yield name, value


def __getattr__(name: str) -> object:
    # A subclass of Ray's: made when it is asked for, since Ray takes seconds to import.
    if name in ("RunfolioLoggerCallback", "MLflowLoggerCallback"):
        return _callback_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@functools.cache
def _callback_class() -> type:
    from ray.tune.logger import LoggerCallback

    class RunfolioLoggerCallback(TrialLogging, LoggerCallback):
        __doc__ = TrialLogging.__doc__

    RunfolioLoggerCallback.__module__, RunfolioLoggerCallback.__qualname__ = __name__, "RunfolioLoggerCallback"
    return RunfolioLoggerCallback
