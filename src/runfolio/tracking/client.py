"""The object API: MLflow's client, over a folio.

``RunfolioClient`` (importable as ``MlflowClient``) names every run and experiment by id and keeps no active run. Names, arguments,
defaults, limits and error codes are MLflow's; ``tests/tracking/test_client.py`` holds them.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runfolio._dataclass import replace
from runfolio.errors import DeletedError, NotFoundError, UsageError
from runfolio.records import Lifecycle, ViewType
from runfolio.records.names import check_experiment_id, check_key
from runfolio.records.times import check_moment
from runfolio.tracking import entities
from runfolio.tracking.artifacts import RunFiles
from runfolio.tracking.experiments import ExperimentVerbs
from runfolio.tracking.live import LiveRun
from runfolio.tracking.names import artifact_uri
from runfolio.tracking.operations import Done
from runfolio.tracking.registry import RegistryVerbs
from runfolio.tracking.searching import search_experiments, search_runs
from runfolio.tracking.starting import start_live

TERMINAL = ("FINISHED", "FAILED", "KILLED")


class RunfolioClient(ExperimentVerbs, RunFiles, RegistryVerbs):
    """Runs and experiments of a folio, by id; registered models by name.

    Parameters
    ----------
    tracking_uri : str, optional
        As for :func:`runfolio.set_tracking_uri`; the one in force by default.
    registry_uri : str, optional
        Taken for MLflow's sake: registry and runs are one folio.

    Examples
    --------
    >>> client = RunfolioClient()                                    # doctest: +SKIP
    >>> run = client.create_run("0")                                 # doctest: +SKIP
    >>> client.log_metric(run.info.run_id, "accuracy", 0.98)         # doctest: +SKIP
    >>> client.set_terminated(run.info.run_id)                       # doctest: +SKIP
    """

    def __init__(self, tracking_uri: str | os.PathLike[str] | None = None, registry_uri: str | None = None) -> None:
        super().__init__(tracking_uri)

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: Mapping[str, Any] | None = None,
        run_name: str | None = None,
    ) -> entities.Run:
        """Start a run that goes on until :meth:`set_terminated`."""
        _one_name(run_name, tags)
        held = self._session()
        live = start_live(held, self._experiment(experiment_id), name=run_name, tags=tags, start=start_time)
        return self.get_run(live.run_id)

    def get_run(self, run_id: str) -> entities.Run:
        """Return a run as it is now; no git process is started."""
        folio = self._session().folio
        record = folio.runs.get(run_id)
        found = folio.experiments.by_slug(record.experiment)
        if found is not None and found.lifecycle is Lifecycle.DELETED:
            record = replace(record, lifecycle=Lifecycle.DELETED)  # deleting an experiment hides its runs
        return entities.run_entity(record, found.experiment_id if found else record.experiment, artifact_uri(record.run_id))

    def get_parent_run(self, run_id: str) -> entities.Run | None:
        """Return the run of which this one is a child, or None."""
        parent = self._session().folio.runs.get(run_id).parent
        return self.get_run(parent) if parent else None

    def log_metric(
        self,
        run_id: str,
        key: str,
        value: float,
        timestamp: int | None = None,
        step: int | None = None,
        synchronous: bool | None = None,
    ) -> Done | None:
        """Log one point of a metric."""
        self._log(run_id, lambda live: live.metric(key, value, timestamp, step))
        return Done() if synchronous is False else None

    def log_param(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> Any:
        """Log a param and return its value."""
        self._log(run_id, lambda live: live.param(key, value))
        return Done() if synchronous is False else value

    def set_tag(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> Done | None:
        """Set a tag; an ended run is changed by a new commit."""
        self._log(run_id, lambda live: live.tag(key, value))
        return Done() if synchronous is False else None

    def delete_tag(self, run_id: str, key: str) -> None:
        """Take a tag away.

        Raises
        ------
        NotFoundError
            If the run has no such tag.
        """
        check_key(key, "tag")
        record = self._session().folio.runs.get(run_id)
        if record.lifecycle is Lifecycle.DELETED:
            raise DeletedError(f"The run {run_id} must be in the 'active' state. Current state is deleted.")
        if key not in record.tags:
            raise NotFoundError(f"No tag with name: {key} in run with id {run_id}")
        self._log(run_id, lambda live: live.untag(key))

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[entities.Metric] = (),
        params: Sequence[entities.Param] = (),
        tags: Sequence[entities.RunTag] = (),
        synchronous: bool | None = None,
    ) -> Done | None:
        """Log many things at once: valid ones all, or none."""
        points = [(item.key, item.value, item.timestamp, item.step) for item in metrics]
        self._log(run_id, lambda live: live.batch(points, _by_key(params, "param"), _by_key(tags, "tag")))
        return Done() if synchronous is False else None

    def log_inputs(self, run_id: str, datasets: Sequence[Any] | None = None, models: Sequence[Any] | None = None) -> None:
        """Log datasets that a run read (:class:`~runfolio.entities.DatasetInput`)."""
        from runfolio.tracking.datasets import stored_input

        for item in datasets or ():
            stored = stored_input(item)
            self._log(run_id, functools.partial(LiveRun.input, item=stored))

    def update_run(self, run_id: str, status: str | None = None, name: str | None = None) -> None:
        """Change a run's status or name; an empty one changes nothing, as in MLflow."""
        if name is not None and not isinstance(name, str):
            raise UsageError(f"Invalid run name {name!r}: a name is text.")
        if name:
            self._log(run_id, lambda live: live.writer.event("name", name))
        if status is not None:
            self._status(run_id, entities.RunStatus.from_string(str(status)), None)

    def rename_run(self, run_id: str, name: str) -> None:
        """Give a run another name."""
        self.update_run(run_id, name=name)

    def set_terminated(self, run_id: str, status: str | None = None, end_time: int | None = None) -> None:
        """End a run; returns once it can no longer be lost."""
        self._status(run_id, entities.RunStatus.from_string(status or "FINISHED"), end_time)

    def _status(self, run_id: str, status: str, end_time: int | None) -> None:
        if end_time is not None:
            end_time = check_moment(end_time, "end_time")
        held = self._session()
        live = held.run(run_id)
        if live.brief or status not in TERMINAL:
            try:
                live.writer.event("end", status, end_time if end_time is not None else live.record.end or _now())
            finally:
                if live.brief and live.seal_brief():
                    held.sealed(live)
            return
        live.end(status, end_time)
        held.sealed(live)

    def delete_run(self, run_id: str) -> None:
        """Hide a run; :meth:`restore_run` brings it back."""
        self._life(run_id, Lifecycle.DELETED)

    def restore_run(self, run_id: str) -> None:
        """Bring a deleted run back."""
        self._life(run_id, Lifecycle.ACTIVE)

    def _life(self, run_id: str, lifecycle: Lifecycle) -> None:
        held = self._session()
        record = held.folio.runs.get(run_id)
        if record.lifecycle is lifecycle:
            return
        live = held.live.get(run_id)
        if live is not None and not live.closed:
            live.mark(lifecycle, _now())
            return
        header = {"amend": True, "run_id": run_id, "experiment": record.experiment, "start": record.start}
        writer = held.folio.start(header)
        writer.event("life", lifecycle.value, _now())
        amended = LiveRun(held.folio, held.redactor, writer, record, brief=True)
        if amended.seal_brief():
            held.sealed(amended)

    def get_metric_history(self, run_id: str, key: str) -> entities.PagedList[entities.Metric]:
        """Return every point of a metric, in the order in which they were logged."""
        runs = self._session().folio.runs
        points = runs.history(runs.get(run_id), key)
        return entities.PagedList([entities.Metric(point.key, point.value, point.timestamp, point.step) for point in points])

    def search_runs(
        self,
        experiment_ids: Sequence[str] | str | None,
        filter_string: str = "",
        run_view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> entities.PagedList[entities.Run]:
        """Search runs of some experiments by MLflow's filter and order-by grammar; ``docs/search.md`` describes both."""
        ids = [experiment_ids] if isinstance(experiment_ids, (str, int)) else list(experiment_ids or ())
        return search_runs(self._session().folio, ids, filter_string, run_view_type, max_results, order_by, page_token)

    def search_experiments(
        self,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int | None = 1000,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> entities.PagedList[entities.Experiment]:
        """Search experiments by MLflow's filter and order-by grammar."""
        return search_experiments(self._session().folio, view_type, max_results, filter_string or "", order_by, page_token)

    def flush(self) -> None:
        """Commit the runs that have ended, now."""
        self._session().commit(wait=True)

    def _experiment(self, experiment_id: str) -> Any:
        text = check_experiment_id(experiment_id)
        found = self._session().folio.experiments.by_id(text)
        if found is None:
            raise NotFoundError(f"No Experiment with id={text} exists. List them: runfolio experiments list --all")
        return found


def _by_key(items: Iterable[Any], kind: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for item in items:
        if item.key in made and kind == "param":
            raise UsageError(f"Duplicate parameter keys have been submitted: {item.key!r}. Send each key once.")
        made[item.key] = item.value
    return made


def _one_name(run_name: str | None, tags: Mapping[str, Any] | None) -> None:
    tagged = (tags or {}).get("mlflow.runName")
    if run_name and tagged and run_name != tagged:
        raise UsageError(
            f"Both run_name={run_name!r} and the tag mlflow.runName={tagged!r} are given, and they differ. Give one."
        )


def _now() -> int:
    return time.time_ns() // 1_000_000


MlflowClient = RunfolioClient
"""Under the name that MLflow's scripts import from ``mlflow.tracking.client``."""
