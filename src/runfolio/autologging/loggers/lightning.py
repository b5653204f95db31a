"""Lightning's logger, for ``Trainer(logger=…)`` and the CLI's YAML: names and arguments are those of its ``MLFlowLogger``.

It serves ``lightning.pytorch`` and ``pytorch_lightning``, whichever is imported, or both. A Trainer ends its loggers after each fit and
each test; what is logged after that goes on with the same run.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import re
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runfolio.autologging.lightning import PACKAGES
from runfolio.autologging.loggers.joining import Ending, JoinedRun, Wanted
from runfolio.autologging.run_log import RunLog
from runfolio.errors import UsageError
from runfolio.tracking.client import RunfolioClient
from runfolio.tracking.session import set_tracking_uri

_ENDS = {"success": "FINISHED", "finished": "FINISHED", "failed": "FAILED", "killed": "KILLED"}
_TOLD = ("monitor", "mode", "save_last", "save_top_k", "save_weights_only", "_every_n_train_steps", "_every_n_val_epochs")
_NOT_IN_NAMES = re.compile("[^a-zA-Z0-9_/. -]+")


class LightningLogging(Ending):
    """Log a Trainer's metrics, hyperparameters and checkpoints: to the active run, else to a run of its own.

    Parameters
    ----------
    experiment_name : str, optional
        Made if it is missing; the one in force by default.
    run_name : str, optional
    tracking_uri : str, optional
        The folio; the one in force by default.
    tags : Mapping, optional
    save_dir : str
        Where Lightning's ``ModelCheckpoint`` puts its files, below the ids of experiment and run.
    log_model : bool or "all"
        Keep the checkpoints that ``ModelCheckpoint`` holds when training has ended, or each as it is saved (``"all"``, or
        ``save_top_k=-1``): ``<checkpoint>/<checkpoint>.ckpt``, with ``metadata.yaml`` and ``aliases.txt``.
    prefix : str
        Of all metrics, before a ``-``.
    artifact_location, synchronous : optional
        Arguments of MLFlowLogger's, without effect: files lie in the folio's store, and logging is a matter of microseconds.
    run_id : str, optional
        Go on with this run.
    """

    LOGGER_JOIN_CHAR = "-"

    def __init__(
        self,
        experiment_name: str | None = None,
        run_name: str | None = None,
        tracking_uri: str | None = None,
        tags: dict[str, Any] | None = None,
        save_dir: str | None = "lightning_logs",
        log_model: bool | str = False,
        prefix: str = "",
        artifact_location: str | None = None,
        run_id: str | None = None,
        synchronous: bool | None = None,
    ) -> None:
        super().__init__()
        if log_model not in (True, False, "all"):
            raise UsageError(f'log_model: True, False or "all" is expected; found {log_model!r}.')
        self.to = JoinedRun("lightning", Wanted(experiment_name, run_name, tags, run_id), resumes=True)
        self._uri, self._save_dir, self._log_model, self._prefix = tracking_uri, save_dir, log_model, prefix
        self._logged: dict[str, float] = {}
        self._checkpoints: Any = None

    def _is_first(self) -> bool:
        raise NotImplementedError

    def _begun(self) -> bool:
        """Begin the run if this process logs, and none was begun."""
        if not self._is_first():
            return False
        if not self.to.begun:
            if self._uri:
                set_tracking_uri(self._uri)
            self.to.begin()
        return self.to.run_id is not None

    @property
    def run_id(self) -> str | None:
        """Of the run that is logged to; begun if there is none. None in processes that do not log."""
        return self.to.run_id if self._begun() else None

    @property
    def experiment_id(self) -> str | None:
        """Of the run's experiment."""
        return self.to.experiment_id if self._begun() else None

    @property
    def name(self) -> str | None:
        """The experiment's id, as of MLFlowLogger."""
        return self.experiment_id

    @property
    def version(self) -> str | None:
        """The run's id."""
        return self.run_id

    @property
    def save_dir(self) -> str | None:
        """Where checkpoints are saved before they are logged."""
        return self._save_dir

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log metrics of a step."""
        if self._begun():
            before = f"{self._prefix}{self.LOGGER_JOIN_CHAR}" if self._prefix else ""
            made = {
                _NOT_IN_NAMES.sub("", f"{before}{name}"): value.item() if hasattr(value, "item") else value
                for name, value in metrics.items()
            }
            self.to.write("metrics", lambda log: log.metrics(made, step), step=True)

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Log hyperparameters, nested ones as ``optimizer/lr``; one that is logged already keeps its value."""
        if self._begun():
            self.to.write("hyperparameters", lambda log: log.params(dict(flat(params, between="/"))))

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Log checkpoints as they are saved, or remember who saves them."""
        if not self._log_model or not self._begun():
            return
        if self._log_model == "all" or checkpoint_callback.save_top_k == -1:
            self.to.write("checkpoints", lambda log: self._keep(log, checkpoint_callback))
        else:
            self._checkpoints = checkpoint_callback

    def finalize(self, status: str = "success") -> None:
        """Log what checkpoints are to be kept, and end the run, if it is the logger's own."""
        if not self._is_first() or not self.to.begun:
            return
        if self._checkpoints is not None:
            saved, self._checkpoints = self._checkpoints, None
            self.to.write("checkpoints", lambda log: self._keep(log, saved))
        self.to.end(_ENDS.get(status, "FAILED"))

    def _keep(self, log: RunLog, saver: Any) -> None:
        import yaml

        for path, score in _saved(saver).items():
            file = Path(path)
            if not file.is_file() or self._logged.get(path) == file.stat().st_mtime:
                continue
            said = {
                "score": score.item() if hasattr(score, "item") else score,
                "original_filename": file.name,
                "Checkpoint": {name: getattr(saver, name) for name in _TOLD if hasattr(saver, name)},
            }
            aliases = ["latest", "best"] if path == saver.best_model_path else ["latest"]
            log.file(file, f"{file.stem}/{file.name}")
            log.text(yaml.safe_dump(said, default_flow_style=False), f"{file.stem}/metadata.yaml")
            log.text(str(aliases), f"{file.stem}/aliases.txt")
            self._logged[path] = file.stat().st_mtime


def _saved(saver: Any) -> dict[str, Any]:
    """Return the paths of the checkpoints that are there, with their scores."""
    made = {getattr(saver, "last_model_path", ""): getattr(saver, "current_score", None)}
    made[getattr(saver, "best_model_path", "")] = getattr(saver, "best_model_score", None)
    made.update(getattr(saver, "best_k_models", {}))
    return {path: score for path, score in made.items() if path}


def flat(value: Any, name: str = "", *, between: str = ".") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings, namespaces, records and lists of mappings, each with the way to it."""
    if hasattr(value, "as_dict"):
        value = value.as_dict()
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    elif isinstance(value, Namespace):
        value = vars(value)
    elif isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        value = dict(enumerate(value))
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from flat(each, f"{name}{between}{key}" if name else str(key), between=between)
    elif name:
        yield name, value


def packages() -> tuple[str, ...]:
    """Return the names of Lightning that are imported; the newer one where none is."""
    return tuple(each for each in PACKAGES if each in sys.modules) or PACKAGES[:1]


def logger_class() -> type:
    """Return the logger, a subclass of the class of each package of Lightning that is imported."""
    return _logger_of(packages())


@functools.cache
def _logger_of(names: tuple[str, ...]) -> type:
    modules = [importlib.import_module(f"{name}.loggers.logger") for name in names]
    rank_zero_only = importlib.import_module(f"{names[0]}.utilities").rank_zero_only

    class RunfolioLogger(LightningLogging, *[module.Logger for module in modules]):  # type: ignore[misc]
        __doc__ = LightningLogging.__doc__

        def _is_first(self) -> bool:
            return bool(rank_zero_only.rank == 0)

        @property
        def experiment(self) -> Any:
            """A client of the folio, for what a logger has no method for; something that does nothing in processes that do not log."""
            return RunfolioClient() if self._begun() else modules[0].DummyExperiment()

    RunfolioLogger.__module__, RunfolioLogger.__qualname__ = "runfolio.pytorch", "RunfolioLogger"
    return RunfolioLogger
