"""Lightning's CLI and Trainer, logged to runfolio: a logger, and the callback that keeps the CLI's config.

>>> from lightning.pytorch.cli import LightningCLI                                             # doctest: +SKIP
>>> cli = LightningCLI(                                                                        # doctest: +SKIP
...     Net, Data, save_config_callback=runfolio.pytorch.SaveConfigCallback,
...     trainer_defaults={"logger": {"class_path": "runfolio.pytorch.RunfolioLogger"}},
... )

The classes are made when they are asked for: Lightning takes seconds to import, and has two names.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from runfolio.autologging.lightning import PACKAGES
from runfolio.records.names import MAX_PARAM_LENGTH
from runfolio.tracking import fluent, fluent_logging
from runfolio.tracking.client import RunfolioClient


def _package() -> str:
    return next((each for each in PACKAGES if each in sys.modules), PACKAGES[0])


def flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves of nested mappings, each with the way to it."""
    if hasattr(value, "as_dict"):
        value = value.as_dict()
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from flat(each, f"{name}.{key}" if name else str(key))
    elif name:
        yield name, str(value)[:MAX_PARAM_LENGTH]


@functools.cache
def logger_class() -> type:
    """Return the logger, for the package of Lightning that is imported."""
    package = _package()
    base = importlib.import_module(f"{package}.loggers").Logger
    rank_zero_only = importlib.import_module(f"{package}.utilities").rank_zero_only

    class RunfolioLogger(base):  # type: ignore[misc, valid-type]  # a class of Lightning's, which is imported when it is needed
        """Logs a Trainer's metrics and hyperparameters: to the active run, else to a run of its own.

        Parameters
        ----------
        experiment_name : str, optional
            Made if it is missing; the one in force by default.
        run_name : str, optional
        tags : dict of str to str, optional
        """

        def __init__(
            self, experiment_name: str | None = None, run_name: str | None = None, tags: dict[str, str] | None = None
        ) -> None:
            super().__init__()
            self._experiment_name, self._run_name, self._tags = experiment_name, run_name, tags
            self._run_id: str | None = None
            self._own: Any = None

        @property
        def name(self) -> str:
            """The experiment's name."""
            return self._experiment_name or "runfolio"

        @property
        def version(self) -> str:
            """The run's id."""
            return self.run_id

        @property
        def experiment(self) -> RunfolioClient:
            """A client of the folio, for what a logger has no method for."""
            return RunfolioClient()

        @property
        def run_id(self) -> str:
            """Of the run that is logged to; started if there is none."""
            if self._run_id is None:
                active = fluent.active_run()
                if active is None:
                    if self._experiment_name:
                        fluent.set_experiment(self._experiment_name)
                    active = self._own = fluent.start_run(run_name=self._run_name, tags=self._tags)
                self._run_id = active.info.run_id
            return self._run_id

        @rank_zero_only  # type: ignore[untyped-decorator]
        def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
            """Log metrics of a step."""
            fluent_logging.log_metrics({name: float(value) for name, value in metrics.items()}, step=step, run_id=self.run_id)

        @rank_zero_only  # type: ignore[untyped-decorator]
        def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
            """Log hyperparameters; one that is logged already keeps its value."""
            known = RunfolioClient().get_run(self.run_id).data.params
            given = params if isinstance(params, Mapping) else vars(params)
            fluent_logging.log_params({name: text for name, text in flat(given) if name not in known}, run_id=self.run_id)

        @rank_zero_only  # type: ignore[untyped-decorator]
        def finalize(self, status: str) -> None:
            """End the run, if it is the logger's own."""
            super().finalize(status)
            own, self._own = self._own, None
            if own is not None and fluent.active_run() is own:
                fluent.end_run("FINISHED" if status == "success" else "FAILED")

    RunfolioLogger.__module__, RunfolioLogger.__qualname__ = "runfolio.pytorch", "RunfolioLogger"
    return RunfolioLogger


@functools.cache
def save_config_class() -> type:
    """Return the callback that keeps the CLI's config in the run."""
    base = importlib.import_module(f"{_package()}.cli").SaveConfigCallback

    class SaveConfigCallback(base):  # type: ignore[misc, valid-type]  # as above
        """Logs the CLI's config: as params, and as the artifact ``config.yaml``; to the Trainer's logger's run, else the active one."""

        def __init__(self, parser: Any, config: Any, **kwargs: Any) -> None:
            super().__init__(parser, config, **{**kwargs, "save_to_log_dir": False})

        def save_config(self, trainer: Any, pl_module: Any, stage: str) -> None:
            """Log the config; Lightning calls it once, in the first process."""
            kind: Any = logger_class()
            logger = next((each for each in trainer.loggers if isinstance(each, kind)), None)
            run_id = logger.run_id if logger is not None else None
            config = self.config.get(stage, self.config) if hasattr(self.config, "get") else self.config
            said = {name: text for name, text in flat(config) if name not in ("config", "subcommand")}
            if run_id is None:
                run_id = (fluent.active_run() or fluent.start_run()).info.run_id
            known = RunfolioClient().get_run(run_id).data.params
            fluent_logging.log_params({name: text for name, text in said.items() if name not in known}, run_id=run_id)
            text = self.parser.dump(self.config, skip_none=False)
            RunfolioClient().log_bytes(run_id, text.encode(), self.config_filename)

    SaveConfigCallback.__module__, SaveConfigCallback.__qualname__ = "runfolio.pytorch", "SaveConfigCallback"
    return SaveConfigCallback
