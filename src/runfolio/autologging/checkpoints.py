"""Checkpoints of a model while it trains: when one is due, what it is called, and its way into the run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from runfolio.autologging.run_log import RunLog
from runfolio.errors import UsageError
from runfolio.tracking.checkpoints import FOLDER, LATEST_TAG


class Checkpoints:
    """What decides whether a checkpoint is logged; the arguments of MLflow's ``MlflowModelCheckpointCallback``.

    Parameters
    ----------
    suffix : str
        Of the file, as in ``".pth"``.
    monitor : str
        Name of the metric that decides which is best.
    mode : {"min", "max"}
    save_best_only : bool
        Log a checkpoint only if it is better than all before it; it takes the place of the last.
    save_weights_only : bool
        Leave out the state of the optimizer.
    save_freq : "epoch" or int
        After each epoch, or after so many batches.

    Raises
    ------
    UsageError
        If they do not fit together.
    """

    def __init__(
        self,
        suffix: str,
        monitor: str = "val_loss",
        mode: str = "min",
        save_best_only: bool = True,
        save_weights_only: bool = False,
        save_freq: str | int = "epoch",
    ) -> None:
        if save_best_only and (not monitor or mode not in ("min", "max")):
            raise UsageError(f"save_best_only needs monitor=… and mode 'min' or 'max', not {monitor!r} and {mode!r}.")
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise UsageError(f"save_freq takes 'epoch' or a number of batches, not {save_freq!r}.")
        self.monitor, self.mode, self.best_only = monitor, mode, save_best_only
        self.weights_only, self.freq = save_weights_only, save_freq
        self._suffix = suffix
        self._best: float | None = None
        self._said = False

    @property
    def each_epoch(self) -> bool:
        """Whether one is due after each epoch."""
        return self.freq == "epoch"

    def due(self, step: int, last: int) -> bool:
        """Return whether one is due after a batch, the last having been logged after the batch `last`."""
        return isinstance(self.freq, int) and step - last >= self.freq

    def consider(self, log: RunLog, epoch: int, step: int, metrics: Mapping[str, float], write: Callable[[str], None]) -> None:
        """Log a checkpoint if it is worth it.

        Parameters
        ----------
        log : RunLog
        epoch, step : int
        metrics : dict
        write : callable
            Writes the checkpoint to a path.
        """
        if self.best_only and not self._is_better(log, metrics):
            return
        place, file, told = self._names(epoch, step)
        with tempfile.TemporaryDirectory(prefix="runfolio-") as folder:
            path = Path(folder) / file
            write(str(path))
            log.file(path, f"{place}/{file}")
        log.json({**metrics, "epoch": epoch, "global_step": step}, f"{place}/{told}")
        log.tags({LATEST_TAG: f"{place}/{file}"})
        if self.best_only:
            self._best = metrics[self.monitor]

    def _is_better(self, log: RunLog, metrics: Mapping[str, float]) -> bool:
        if self.monitor not in metrics:
            if not self._said:
                self._said = True
                log.say(
                    f"no checkpoints: there is no metric {self.monitor!r}; name one of {', '.join(metrics) or 'none'}, or save all"
                )
            return False
        value = metrics[self.monitor]
        return self._best is None or (value < self._best if self.mode == "min" else value > self._best)

    def _names(self, epoch: int, step: int) -> tuple[str, str, str]:
        """Return folder, file and the file of metrics, as MLflow calls them."""
        weights = ".weights" if self.weights_only else ""
        if self.best_only:
            return FOLDER, f"latest_checkpoint{weights}{self._suffix}", "latest_checkpoint_metrics.json"
        folder = f"epoch_{epoch}" if self.each_epoch else f"global_step_{step}"
        return f"{FOLDER}/{folder}", f"checkpoint{weights}{self._suffix}", "checkpoint_metrics.json"
