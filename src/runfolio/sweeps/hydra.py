"""A callback for Hydra: each job is a run with its composed config, and a multirun is the parent of its jobs.

In the application's config::

    hydra:
      callbacks:
        runfolio:
          _target_: runfolio.sweeps.hydra.RunfolioCallback
          experiment_name: digits
          metric: accuracy        # what the task returns, as a metric
          direction: maximize     # then the multirun reads as a sweep

The config is logged as params (``model.depth``) and as the artifact ``config.yaml``. What the task logs goes to its job's run. A
launcher that runs jobs in other processes takes the callback along; they log to the same folio.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from typing import Any

from runfolio.records import Experiment
from runfolio.records.names import MAX_PARAM_LENGTH
from runfolio.sweeps.outside import end_child, end_parent, start_child, start_parent, sweep_tags
from runfolio.sweeps.settings import WAYS, read_metrics
from runfolio.sweeps.trials import TrialState
from runfolio.tracking import fluent
from runfolio.tracking.live import LiveRun
from runfolio.tracking.session import Session, is_tracking_uri_set, session, set_tracking_uri

_parents: dict[str, tuple[Session, LiveRun]] = {}
_jobs: list[tuple[Session, fluent.ActiveRun]] = []


class RunfolioCallback:
    """Logs Hydra's jobs; it has the methods of Hydra's ``Callback``, and needs nothing of it.

    Parameters
    ----------
    experiment_name : str, optional
        Made if it is missing; the one in force by default.
    run_name : str, optional
        Of a run, or of the parent of a multirun; the job's name by default.
    metric : str
        Name of the number that the task returns; a mapping that it returns has its own names.
    direction : str, optional
        ``minimize`` or ``maximize``: which way the metric is better.
    tags : Mapping, optional
    """

    def __init__(
        self,
        experiment_name: str | None = None,
        run_name: str | None = None,
        metric: str = "value",
        direction: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self.experiment_name, self.run_name, self.metric = experiment_name, run_name, metric
        self.direction = None if direction is None else read_metrics(metric, direction)[0][1]
        self.tags = {str(key): str(value) for key, value in (tags or {}).items()}
        self.parent: str | None = None

    def _held(self) -> tuple[Session, Experiment]:
        held = session()
        if not is_tracking_uri_set():
            # A job may run in a folder of its own, or in another process.
            set_tracking_uri(held.location)
            held = session()
        if self.experiment_name:
            return held, held.folio.experiments.get_or_create(self.experiment_name)
        return held, fluent.experiment_in_force(held)

    def on_compose_config(self, config: Any, config_name: str | None, overrides: Any) -> None:
        """Do nothing: the composed config is logged when the job starts."""

    def on_run_start(self, config: Any, **kwargs: Any) -> None:
        """Do nothing: a single run is one job."""

    def on_run_end(self, config: Any, **kwargs: Any) -> None:
        """Do nothing."""

    def on_multirun_start(self, config: Any, **kwargs: Any) -> None:
        """Start the parent."""
        held, experiment = self._held()
        made = dict(self.tags)
        if self.direction in WAYS:
            sampler = str(config.hydra.sweeper.get("_target_", "hydra")).rsplit(".", 1)[-1]
            made.update(sweep_tags([(self.metric, str(self.direction))], sampler, str(config.hydra.job.name)))
        live = start_parent(held, experiment, self.run_name or str(config.hydra.job.name), made)
        self.parent = live.run_id
        _parents[live.run_id] = (held, live)

    def on_multirun_end(self, config: Any, **kwargs: Any) -> None:
        """End the parent."""
        held, live = _parents.pop(self.parent or "", (None, None))
        if held is not None and live is not None:
            end_parent(held, live, "FINISHED", is_sweep=self.direction is not None)
        self.parent = None

    def on_job_start(self, config: Any, **kwargs: Any) -> None:
        """Start the job's run, with its config."""
        from omegaconf import OmegaConf, open_dict

        held, experiment = self._held()
        job, number = config.hydra.job, 0
        if self.parent is not None:
            number = int(job.get("num") or 0)
        name = self.run_name if self.parent is None else None
        active = start_child(held, experiment, self.parent, number, name or f"{job.name}-{number}", self.tags)
        _jobs.append((held, active))
        own = config.copy()
        with open_dict(own):
            own.pop("hydra", None)
        plain = OmegaConf.to_container(own, resolve=True, throw_on_missing=False)
        active.live.batch((), dict(_flat(plain)), {"hydra.overrides": " ".join(map(str, config.hydra.overrides.task))[:8000]})
        active.live.artifact_bytes(OmegaConf.to_yaml(own, resolve=True).encode(), "config.yaml")

    def on_job_end(self, config: Any, job_return: Any, **kwargs: Any) -> None:
        """Log what the task returned, and end the job's run."""
        if not _jobs:
            return
        held, active = _jobs.pop()
        if job_return.status.name != "COMPLETED":
            error = job_return._return_value
            active.live.artifact_bytes("".join(traceback.format_exception(error)).encode("utf-8", "replace"), "traceback.txt")
            end_child(held, active, TrialState.FAILED, {}, f"{type(error).__name__}: {error}")
            return
        end_child(held, active, TrialState.COMPLETE, self._values(job_return.return_value))

    def _values(self, said: Any) -> dict[str, float]:
        if isinstance(said, (int, float)) and not isinstance(said, bool):
            return {self.metric: float(said)}
        if isinstance(said, Mapping):
            found = {str(name): float(each) for name, each in said.items() if isinstance(each, (int, float))}
            return {self.metric: found[self.metric], **found} if self.metric in found else found
        return {}


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves of a config, each with the way to it."""
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from _flat(each, f"{name}.{key}" if name else str(key))
    elif name:
        yield name, str(value)[:MAX_PARAM_LENGTH]
