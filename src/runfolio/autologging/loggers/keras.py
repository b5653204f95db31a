"""Keras' callback, for ``model.fit(callbacks=[…])`` on any backend: what :mod:`runfolio.autologging.keras` logs, without patching."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from runfolio.autologging.keras_callbacks import callback_bases, checked_rhythm
from runfolio.autologging.loggers.joining import Ending, JoinedRun, Wanted
from runfolio.autologging.options import Options
from runfolio.flavors.keras import save_model
from runfolio.tracking.flavor_models import logs

_log_model = logs(save_model)


@functools.cache
def callback_class(prefix: str) -> type:
    """Return the callback: a subclass of Keras', which is imported for it.

    Parameters
    ----------
    prefix : str
        Of the optimizer's params.
    """
    by_epochs, by_steps = callback_bases()

    class RunfolioCallback(Ending, by_epochs):  # type: ignore[misc,valid-type] # made when it is asked for
        """Log a fit to the active run, or to one that begins and ends with it.

        Parameters
        ----------
        log_every_epoch : bool
        log_every_n_steps : int, optional
            In place of epochs.
        log_models : bool
            Keep the model when training has ended.
        experiment_name, run_name, tags, run_id : optional
            Of the run, where none is active; `run_id` goes on with a run.
        """

        def __new__(cls, log_every_epoch: bool = True, log_every_n_steps: int | None = None, **_: Any) -> RunfolioCallback:
            by_steps = cls is RunfolioCallback and log_every_n_steps is not None
            made: RunfolioCallback = super().__new__(RunfolioStepCallback if by_steps else cls)
            return made

        def __init__(
            self,
            log_every_epoch: bool = True,
            log_every_n_steps: int | None = None,
            *,
            log_models: bool = False,
            experiment_name: str | None = None,
            run_name: str | None = None,
            tags: Mapping[str, Any] | None = None,
            run_id: str | None = None,
        ) -> None:
            checked_rhythm(log_every_epoch, log_every_n_steps)
            wanted = Wanted(experiment_name, run_name, tags, run_id)
            super().__init__(JoinedRun("keras", wanted, options=Options(log_models=log_models)), prefix, log_every_n_steps)

        def on_train_begin(self, logs: Any = None) -> None:
            self.to.begin()
            self.to.write("the params", lambda log: log.params({"epochs": self.params.get("epochs")}))
            super().on_train_begin(logs)

        def on_train_end(self, logs: Any = None) -> None:
            if self.to.options.log_models:
                self.to.keep(_log_model, self.model)
            self.to.end("FINISHED")

    class RunfolioStepCallback(RunfolioCallback, by_steps):  # type: ignore[misc,valid-type]
        """The one that asks Keras for the numbers of each batch, which costs time."""

    RunfolioCallback.__module__, RunfolioCallback.__qualname__ = "runfolio.keras", "RunfolioCallback"
    return RunfolioCallback
