"""Callbacks that Keras calls while it fits: they log, and nothing that goes wrong in them reaches the training.

Keras takes the numbers of each batch off the device for any callback that asks for batches; so only callbacks that were told to log steps
have the method.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from runfolio.autologging.checkpoints import Checkpoints
from runfolio.autologging.guarding import guard
from runfolio.autologging.options import Options
from runfolio.autologging.run_log import RunLog, active_log
from runfolio.errors import UsageError


def checked_rhythm(log_every_epoch: bool, log_every_n_steps: int | None) -> None:
    """Do nothing if metrics are asked for by epochs or by steps.

    Raises
    ------
    UsageError
        If by both, or by neither.
    """
    if log_every_epoch and log_every_n_steps is not None:
        raise UsageError("log_every_n_steps needs log_every_epoch=False: metrics are logged by epochs or by steps.")
    if not log_every_epoch and log_every_n_steps is None:
        raise UsageError("log_every_epoch=False needs log_every_n_steps=…: metrics are logged by epochs or by steps.")


class Writing(Protocol):
    """What a callback writes to."""

    def write(self, what: str, do: Callable[[RunLog], None], *, step: bool = False) -> None:
        """Log something; whatever goes wrong stays here. `step`: the training has gone on."""


class Target:
    """Where a callback writes: the run of the training that is logged, or whichever is active.

    Parameters
    ----------
    log : RunLog or None
    framework : str
        Of a callback that a user made.
    """

    def __init__(self, log: RunLog | None, framework: str = "keras") -> None:
        self._log, self._framework = log, framework

    def write(self, what: str, do: Callable[[RunLog], None], *, step: bool = False) -> None:
        """Log something; whatever goes wrong, also with the run itself, stays here."""
        if self._log is not None:
            with self._log.guard(what):
                do(self._log)
            return
        with guard(what, framework=self._framework):
            log = active_log(self._framework, Options())
            with log.guard(what):
                do(log)


@functools.cache
def callback_bases() -> tuple[type, type]:
    """Return the callback that logs epochs, and the one that logs steps."""
    import keras

    class RunfolioLog(keras.callbacks.Callback):  # type: ignore[misc]
        """Logs a fit to runfolio.

        Parameters
        ----------
        to : Target or JoinedRun
        prefix : str
            Of the optimizer's params.
        every : int, optional
            Steps; None for epochs.
        """

        def __init__(self, to: Writing, prefix: str, every: int | None = None) -> None:
            super().__init__()
            self.to, self.prefix, self.every = to, prefix, every

        def on_train_begin(self, logs: Any = None) -> None:
            def optimizer(log: RunLog) -> None:
                log.params({f"{self.prefix}{key}": value for key, value in self.model.optimizer.get_config().items()})

            def summary(log: RunLog) -> None:
                lines: list[str] = []
                self.model.summary(print_fn=lambda line, *args, **kwargs: lines.append(line))
                log.text("\n".join(lines), "model_summary.txt")

            self.to.write("the optimizer", optimizer)
            self.to.write("the model's summary", summary)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if self.every is None and logs:
                self.to.write("the metrics of an epoch", lambda log: log.metrics(numbers(logs), epoch), step=True)

        def on_test_end(self, logs: Any = None) -> None:
            def validation(log: RunLog) -> None:
                log.metrics({f"validation_{key}": value for key, value in numbers(logs).items()})

            if logs:
                self.to.write("the metrics of a validation", validation)

    class RunfolioStepLog(RunfolioLog):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            def step(log: RunLog) -> None:
                at = int(self.model.optimizer.iterations.numpy())
                if logs and self.every and at % self.every == 0:
                    log.metrics(numbers(logs), at)

            self.to.write("the metrics of a step", step, step=True)

    return RunfolioLog, RunfolioStepLog


def training_log(log: RunLog, prefix: str, every: int | None) -> Any:
    """Return the callback that logs a fit: by epochs, or by every so many steps."""
    by_epochs, by_steps = callback_bases()
    return by_epochs(Target(log), prefix) if every is None else by_steps(Target(log), prefix, every)


@functools.cache
def user_callback(framework: str, prefix: str) -> type:
    """Return MLflow's ``MlflowCallback`` of a framework, which users give to ``fit`` themselves."""
    by_steps = callback_bases()[1]

    class MlflowCallback(by_steps):  # type: ignore[misc,valid-type]
        """Log a fit to the active run, without autologging.

        Parameters
        ----------
        log_every_epoch : bool
        log_every_n_steps : int, optional
            In place of epochs.
        """

        def __init__(self, log_every_epoch: bool = True, log_every_n_steps: int | None = None) -> None:
            checked_rhythm(log_every_epoch, log_every_n_steps)
            super().__init__(Target(None, framework), prefix, log_every_n_steps)

    return MlflowCallback


@functools.cache
def _saver() -> tuple[type, type]:
    """Return the callback that logs checkpoints of epochs, and the one for those of batches."""
    import keras

    class RunfolioCheckpoints(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self, to: Target, checkpoints: Checkpoints) -> None:
            super().__init__()
            self.to, self.checkpoints = to, checkpoints
            self.epoch = self.saved = 0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch = epoch

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if self.checkpoints.each_epoch:
                self.to.write("a checkpoint", lambda log: self.consider(log, logs, self.step()))

        def step(self) -> int:
            return int(self.model.optimizer.iterations.numpy())

        def consider(self, log: RunLog, logs: Any, step: int) -> None:
            self.checkpoints.consider(log, self.epoch, step, numbers(logs or {}), self.save)

        def save(self, path: str) -> None:
            if self.checkpoints.weights_only:
                self.model.save_weights(path, overwrite=True)
            else:
                self.model.save(path, overwrite=True)

    class RunfolioBatchCheckpoints(RunfolioCheckpoints):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            def batches(log: RunLog) -> None:
                step = self.step()
                if self.checkpoints.due(step, self.saved):
                    self.saved = step
                    self.consider(log, logs, step)

            self.to.write("a checkpoint", batches)

    return RunfolioCheckpoints, RunfolioBatchCheckpoints


def checkpoint_log(log: RunLog, checkpoints: Checkpoints) -> Any:
    """Return the callback that logs checkpoints."""
    of_epochs, of_batches = _saver()
    return (of_epochs if checkpoints.each_epoch else of_batches)(Target(log), checkpoints)


@functools.cache
def user_checkpoint_callback() -> type:
    """Return MLflow's ``MlflowModelCheckpointCallback``, which users give to ``fit`` themselves."""
    of_batches = _saver()[1]

    class MlflowModelCheckpointCallback(of_batches):  # type: ignore[misc,valid-type]
        """Log checkpoints to the active run.

        Parameters
        ----------
        monitor, mode, save_best_only, save_weights_only, save_freq
            See :class:`runfolio.autologging.checkpoints.Checkpoints`.
        """

        def __init__(
            self,
            monitor: str = "val_loss",
            mode: str = "min",
            save_best_only: bool = True,
            save_weights_only: bool = False,
            save_freq: str | int = "epoch",
        ) -> None:
            checkpoints = Checkpoints(SUFFIX[save_weights_only], monitor, mode, save_best_only, save_weights_only, save_freq)
            super().__init__(Target(None, "tensorflow"), checkpoints)

    return MlflowModelCheckpointCallback


SUFFIX = {False: ".keras", True: ".h5"}
"""Of whole checkpoints, and of weights alone. MLflow writes ``.h5`` for both, in which Keras 3 loses losses and metrics."""


def numbers(logs: Mapping[str, Any]) -> dict[str, float]:
    """Return what Keras says of a batch or epoch as numbers."""
    return {key: float(value) for key, value in logs.items()}
