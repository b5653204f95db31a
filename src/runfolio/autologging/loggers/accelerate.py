"""Accelerate's tracker, for ``Accelerator(log_with=RunfolioTracker("project"))``: arguments and methods are those of its ``MLflowTracker``.

With an Accelerate that has ``register_tracker_class``, the name is known to it once :mod:`runfolio.accelerate` is imported:
``Accelerator(log_with="runfolio")``.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from runfolio.autologging.importing import when_imported
from runfolio.autologging.loggers import wishes
from runfolio.autologging.loggers.joining import Ending, JoinedRun, Wanted
from runfolio.tracking import fluent
from runfolio.tracking.client import RunfolioClient

NAME = "runfolio"
TABLE = "accelerate.tracking"


class AcceleratorLogging(Ending):
    """Log what an ``Accelerator`` is given: to the active run, else to a run that ``init_trackers`` begins and ``end_training`` ends.

    Only the main process logs.

    Parameters
    ----------
    experiment_name : str, optional
        Made if it is missing; ``RUNFOLIO_EXPERIMENT_NAME`` (or ``MLFLOW_EXPERIMENT_NAME``) goes before it.
    logging_dir : optional
        An argument of MLflowTracker's, without effect: files lie in the folio's store.
    run_id : str, optional
        Go on with this run.
    tags : Mapping or str, optional
        A mapping or its JSON; ``RUNFOLIO_TAGS`` (or ``MLFLOW_TAGS``) goes before it.
    nested_run : bool
        Where a run is active, start a child of it; also by ``RUNFOLIO_NESTED_RUN`` (or ``MLFLOW_NESTED_RUN``).
    run_name, description : str, optional
    """

    name = NAME
    requires_logging_directory = False
    main_process_only = True

    def __init__(
        self,
        experiment_name: str | None = None,
        logging_dir: str | os.PathLike[str] | None = None,
        run_id: str | None = None,
        tags: Mapping[str, Any] | str | None = None,
        nested_run: bool = False,
        run_name: str | None = None,
        description: str | None = None,
    ) -> None:
        super().__init__()
        experiment = wishes.variable("EXPERIMENT_NAME") or experiment_name
        chosen = wishes.tags() or wishes.tags(tags)
        nested = wishes.switched("NESTED_RUN") or nested_run
        self.to = JoinedRun("accelerate", Wanted(experiment, run_name, chosen, run_id, nested, description))

    def _is_main(self) -> bool:
        from accelerate.state import PartialState

        return bool(PartialState().is_main_process)

    def start(self) -> None:
        """Begin the run; ``init_trackers`` calls it."""
        if self._is_main():
            self.to.begin()

    @property
    def tracker(self) -> Any:
        """The active run, which is what MLflowTracker gives; None in processes that do not log."""
        return self.to.own or fluent.active_run()

    def store_init_configuration(self, values: Mapping[str, Any]) -> None:
        """Log the configuration as params."""
        if self._is_main():
            self.to.write("the configuration", lambda log: log.params(values))

    def log(self, values: Mapping[str, Any], step: int | None = None, **kwargs: Any) -> None:
        """Log metrics of a step; what is no number is left out, as with MLflowTracker."""
        if self._is_main():
            self.to.write("metrics", lambda log: log.metrics(values, step), step=True)

    def log_figure(self, figure: Any, artifact_file: str, **save_kwargs: Any) -> None:
        """Store a figure."""
        if self._is_main():
            self.to.write(
                "a figure", lambda log: RunfolioClient().log_figure(log.run_id, figure, artifact_file, save_kwargs=save_kwargs)
            )

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Store the files of a folder."""
        if self._is_main():
            self.to.write("files", lambda log: RunfolioClient().log_artifacts(log.run_id, local_dir, artifact_path))

    def log_artifact(self, local_path: str, artifact_path: str | None = None) -> None:
        """Store a file."""
        if self._is_main():
            self.to.write("a file", lambda log: RunfolioClient().log_artifact(log.run_id, local_path, artifact_path))

    def finish(self, status: str = "FINISHED") -> None:
        """End the run if it was begun here; ``end_training`` calls it."""
        if self._is_main():
            super().finish(status)


@functools.cache
def tracker_class() -> type:
    """Return the tracker: a subclass of Accelerate's, which is imported for it."""
    from accelerate.tracking import GeneralTracker

    class RunfolioTracker(AcceleratorLogging, GeneralTracker):
        __doc__ = AcceleratorLogging.__doc__

    RunfolioTracker.__module__, RunfolioTracker.__qualname__ = "runfolio.accelerate", "RunfolioTracker"
    return RunfolioTracker


def register() -> None:
    """Make ``log_with="runfolio"`` known to Accelerate, as soon as that is imported."""
    when_imported(TABLE, _enter)


def _enter(module: ModuleType) -> None:
    known = getattr(module, "LOGGER_TYPE_TO_CLASS", None)
    if hasattr(module, "register_tracker_class") and isinstance(known, dict) and NAME not in known:
        module.register_tracker_class(tracker_class())
