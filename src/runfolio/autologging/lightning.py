"""What a fit of Lightning's Trainer logs: the optimizer, metrics of epochs and steps, early stopping, checkpoints, summary and model.

The Trainer calls a callback of ours. Its package has two names (``lightning.pytorch`` and ``pytorch_lightning``), so that the callback's
base is taken from the one that the Trainer is of.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Mapping
from typing import Any

from runfolio.autologging.checkpoints import Checkpoints
from runfolio.autologging.guarding import guard
from runfolio.autologging.options import Options
from runfolio.autologging.run_log import RunLog, active_log
from runfolio.autologging.training import Call, Recording
from runfolio.flavors.pytorch import save_model
from runfolio.tracking.client import RunfolioClient
from runfolio.tracking.flavor_models import logs

PACKAGES = ("lightning.pytorch", "pytorch_lightning")
_EARLY = ("monitor", "mode", "patience", "min_delta", "stopped_epoch")
_log_model = logs(save_model)


def record_fit(log: RunLog, call: Call) -> Recording:
    """Log a call of ``Trainer.fit``."""
    trainer = call.args[0]
    package = _package(trainer)
    early = next((each for each in trainer.callbacks if isinstance(each, package.callbacks.EarlyStopping)), None)
    if early is not None:
        log.params({name: getattr(early, name) for name in _EARLY if hasattr(early, name)})
    watch = Watch(log)
    trainer.callbacks = [each for each in trainer.callbacks if not isinstance(each, _callback_of(package.__name__))]
    trainer.callbacks.append(_callback_of(package.__name__)(watch))
    yield
    if early is not None and early.stopped_epoch:
        with log.guard("early stopping"):
            _log_early_stopping(log, early)
    with log.guard("the model's summary"):
        module = importlib.import_module(f"{package.__name__}.utilities.model_summary")
        log.text(str(module.ModelSummary(trainer.lightning_module, max_depth=-1)), "model_summary.txt")
    if log.options.log_models and trainer.is_global_zero:
        with log.guard("the model"):
            _log_model(trainer.lightning_module, "model", registered_model_name=log.options.registered_model_name)
        best = getattr(trainer.checkpoint_callback, "best_model_path", None)
        if early is not None and best:
            with log.guard("the restored checkpoint"):
                from pathlib import Path

                log.file(Path(best), f"restored_model_checkpoint/{Path(best).name}")


def _package(trainer: Any) -> Any:
    name = next(each for each in PACKAGES if any(kind.__module__.startswith(f"{each}.") for kind in type(trainer).__mro__))
    return importlib.import_module(name)


def _log_early_stopping(log: RunLog, early: Any) -> None:
    made = {"stopped_epoch": early.stopped_epoch, "restored_epoch": early.stopped_epoch - max(1, early.patience)}
    log.metrics({**made, "best_score": float(early.best_score), "wait_count": early.wait_count})


class Watch:
    """What is logged while a Trainer fits; each part guarded, so that none of it reaches the training.

    Parameters
    ----------
    log : RunLog
    """

    def __init__(self, log: RunLog) -> None:
        self.log: RunLog | None = log
        more = log.options.more
        self.epochs, self.steps = more["log_every_n_epoch"], more["log_every_n_step"]
        names = ("monitor", "mode", "save_best_only", "save_weights_only", "save_freq")
        chosen = {name: more[f"checkpoint_{name}"] for name in names}
        self.checkpoints = Checkpoints(".pth", **chosen) if more["checkpoint"] else None
        self._of_steps: set[str] = set()
        self._of_epochs: set[str] = set()
        self._optimizers = 1
        self._saved = 0

    def __getstate__(self) -> dict[str, Any]:
        """Leave the run behind: a copy in another process logs nothing."""
        return {**self.__dict__, "log": None}

    def start(self, trainer: Any) -> None:
        """Log how it is optimized."""
        if self.log is None:
            return
        with self.log.guard("the optimizer"):
            self.log.tags({"Mode": "training"})
            params = {"epochs": trainer.max_epochs}
            self._optimizers = len(trainer.optimizers) or 1
            if trainer.optimizers:
                optimizer = getattr(trainer.optimizers[0], "_optimizer", trainer.optimizers[0])
                params |= {"optimizer_name": type(optimizer).__name__, **getattr(optimizer, "defaults", {})}
            self.log.params(params)

    def batch(self, trainer: Any) -> None:
        """Log metrics of a step, if they are wanted, and a checkpoint, if one is due."""
        if self.log is None:
            return
        if self.steps:
            with self.log.guard("the metrics of a step"):
                found = trainer.callback_metrics
                kept = {
                    name: value for name, value in found.items() if name not in self._of_epochs and f"{name}_step" not in found
                }
                self._of_steps.update(kept)
                if (trainer.global_step // self._optimizers + 1) % self.steps == 0:
                    self.log.metrics(_numbers(kept), trainer.global_step)
        if self.checkpoints is not None and self.checkpoints.due(trainer.global_step, self._saved):
            self._saved = trainer.global_step
            self._checkpoint(trainer)

    def epoch(self, trainer: Any) -> None:
        """Log metrics of an epoch, and a checkpoint, if one is due."""
        if self.log is None or trainer.sanity_checking:
            return
        with self.log.guard("the metrics of an epoch"):
            kept = {name: value for name, value in trainer.callback_metrics.items() if name not in self._of_steps}
            self._of_epochs.update(kept)
            if self.epochs and (trainer.current_epoch + 1) % self.epochs == 0:
                self.log.metrics(_numbers(kept), trainer.current_epoch)
        if self.checkpoints is not None and self.checkpoints.each_epoch:
            self._checkpoint(trainer)

    def _checkpoint(self, trainer: Any) -> None:
        assert self.log is not None
        assert self.checkpoints is not None
        with self.log.guard("a checkpoint"):
            metrics, write = _numbers(trainer.callback_metrics), writer(trainer, weights_only=self.checkpoints.weights_only)
            self.checkpoints.consider(self.log, trainer.current_epoch, trainer.global_step, metrics, write)

    def tested(self, trainer: Any) -> None:
        """Log metrics of a test, also after the run has ended."""
        if self.log is None:
            return
        with self.log.guard("the metrics of a test"):
            client = RunfolioClient()
            client.set_tag(self.log.run_id, "Mode", "testing")
            for name, value in _numbers(trainer.callback_metrics).items():
                client.log_metric(self.log.run_id, name, value)


def _numbers(found: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in found.items()}


def writer(trainer: Any, *, weights_only: bool) -> Any:
    """Return what writes a checkpoint of a Trainer: without its barrier, which other ranks would wait at."""

    def write(path: str) -> None:
        held = trainer._checkpoint_connector.dump_checkpoint(weights_only)
        trainer.strategy.save_checkpoint(held, path)

    return write


@functools.cache
def _callback_of(package: str) -> type:
    """Return the callback's class for a package."""

    class RunfolioLog(importlib.import_module(package).Callback):  # type: ignore[misc]
        """Logs a fit to runfolio."""

        def __init__(self, watch: Watch) -> None:
            self.watch = watch

        def on_train_start(self, trainer: Any, module: Any) -> None:
            if trainer.is_global_zero:
                self.watch.start(trainer)

        def on_train_batch_end(self, trainer: Any, module: Any, *rest: Any) -> None:
            if trainer.is_global_zero:
                self.watch.batch(trainer)

        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            if trainer.is_global_zero:
                self.watch.epoch(trainer)

        def on_test_end(self, trainer: Any, module: Any) -> None:
            if trainer.is_global_zero:
                self.watch.tested(trainer)

    return RunfolioLog


@functools.cache
def checkpoint_callback() -> type:
    """Return MLflow's ``MlflowModelCheckpointCallback``, for the package of Lightning that is imported."""
    name = next((each for each in PACKAGES if each in sys.modules), PACKAGES[0])

    class MlflowModelCheckpointCallback(importlib.import_module(name).Callback):  # type: ignore[misc]
        """Log checkpoints to the active run while a Trainer fits.

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
            self.checkpoints = Checkpoints(".pth", monitor, mode, save_best_only, save_weights_only, save_freq)
            self._saved = 0

        def on_train_batch_end(self, trainer: Any, module: Any, *rest: Any) -> None:
            if trainer.is_global_zero and self.checkpoints.due(trainer.global_step, self._saved):
                self._saved = trainer.global_step
                self._consider(trainer)

        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            if trainer.is_global_zero and self.checkpoints.each_epoch:
                self._consider(trainer)

        def _consider(self, trainer: Any) -> None:
            with guard("a checkpoint", framework="pytorch"):
                log, write = active_log("pytorch", Options()), writer(trainer, weights_only=self.checkpoints.weights_only)
                with log.guard("a checkpoint"):
                    self.checkpoints.consider(
                        log, trainer.current_epoch, trainer.global_step, _numbers(trainer.callback_metrics), write
                    )

    return MlflowModelCheckpointCallback
