"""An MLflow server that is written through its REST API by MLflow's client: it gives runs and experiments ids of its own.

A run carries the tag ``runfolio.run_id`` with the id that it has in the folio, and ``runfolio.unfinished`` until all of it is there: so the
same again writes only what is new, and a run that was cut short is gone on with. Times of experiments and versions are the server's.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any
from urllib.parse import unquote, urlsplit

import mlflow
from mlflow import entities as theirs
from mlflow.tracking import MlflowClient

from runfolio.errors import UsageError
from runfolio.transfer.mlflow_asking import has_logged_models, without_secret
from runfolio.transfer.mlflow_reader import MlflowReader
from runfolio.transfer.mlflow_server_registry import ServerRegistry, pages
from runfolio.transfer.source import Point, SourceExperiment, SourceLogged, SourceRun
from runfolio.transfer.target import UNFINISHED_TAG, Home, LoggedWork, RunWork, Written

ID_TAG = "runfolio.run_id"
MODEL_TAG = "runfolio.model_id"
PARENT_TAG = "mlflow.parentRunId"
_POINTS = 1000
_TEXTS, _CHARACTERS = 100, 100_000
_ENDLESS = 1.7976931348623157e308


class ServerTarget(ServerRegistry):
    """An MLflow server.

    Parameters
    ----------
    uri : str
        ``http://…`` or ``https://…``. A user and password in it are given to MLflow's client as it takes them from the environment.
    """

    keeps_ids = False

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        if parts.username:
            os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(parts.username)
            os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(parts.password or "")
        # Seven attempts, each after twice the time, are four minutes before MLflow says that a server is gone; these are half a minute.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")
        self._uri = without_secret(uri)
        mlflow.set_tracking_uri(self._uri)
        super().__init__(MlflowClient(self._uri, self._uri))
        ask = lambda token: self._client.search_experiments(theirs.ViewType.ALL, 1000, page_token=token)  # noqa: E731
        self._experiments = {item.name: item for item in pages(ask)}
        self.logged = has_logged_models(self._client)
        self._halves: dict[str, str] = {}
        self._half_models: dict[str, str] = {}
        self._parents: dict[str, str] = {}
        self._unmeasured: dict[str, set[str]] = {}
        for item in self._experiments.values():
            self._index(item.experiment_id)

    def _index(self, experiment_id: str) -> None:
        """Learn which runs and logged models of an experiment came from a folio; one that a folio was taken from is known by its id."""
        ask = lambda token: self._client.search_runs([experiment_id], "", theirs.ViewType.ALL, 1000, None, token)  # noqa: E731
        for run in pages(ask):
            tags, there = run.data.tags, run.info.run_id
            known = self._halves if UNFINISHED_TAG in tags else self._runs
            known[tags.get(ID_TAG, there)] = there
            if ID_TAG in tags and PARENT_TAG in tags:
                self._parents[there] = tags[PARENT_TAG]
        if self.logged:
            ask = lambda token: self._client.search_logged_models([experiment_id], max_results=100, page_token=token)  # noqa: E731
            for model in pages(ask):
                tags = model.tags or {}
                known = self._half_models if UNFINISHED_TAG in tags else self._models
                known[tags.get(MODEL_TAG, model.model_id)] = model.model_id

    @property
    def uri(self) -> str:
        """Where it is, without secrets."""
        return self._uri

    def reader(self) -> MlflowReader:
        """Return the same store as one that is read."""
        return MlflowReader(self._uri)

    # Experiments

    def experiment(self, item: SourceExperiment, *, dry_run: bool) -> Home:
        """Return the experiment of that name, made with its tags if it is missing."""
        with self._asked(f"experiment {item.name}: it cannot be written"):
            found = self._experiments.get(item.name)
            made = found is None
            if found is None:
                if dry_run:
                    return Home("", "", True)
                mark = {UNFINISHED_TAG: "true"} if item.deleted else {}
                found = self._client.get_experiment(self._client.create_experiment(item.name, tags={**item.tags, **mark}))
                self._experiments[item.name] = found
            elif found.lifecycle_stage == "active" and not dry_run:
                for key, text in item.tags.items():
                    if key not in found.tags:
                        self._client.set_experiment_tag(found.experiment_id, key, text)
            return Home(found.experiment_id, found.artifact_location, made)

    def finish_experiment(self, item: SourceExperiment, home: Home) -> None:
        """Delete an experiment that is deleted in the folio, once its runs are there: a server writes none into a deleted one."""
        found = self._experiments[item.name]
        if UNFINISHED_TAG in found.tags and found.lifecycle_stage == "active":
            with self._asked(f"experiment {item.name}: it cannot be deleted there"):
                self._client.delete_experiment(home.experiment_id)

    def finish_runs(self) -> list[tuple[str, str]]:
        """Let runs name parents that were written after them; return which could not, and why."""
        lost = []
        for there, parent in self._parents.items():
            known = self._runs.get(parent)
            if known is None or known == parent:
                continue
            with self._asked(f"run {there}: its parent cannot be written"):
                if self._client.get_run(there).info.lifecycle_stage == "deleted":
                    lost.append((f"run {there}", f"it is deleted there, and goes on naming its parent as {parent}"))
                else:
                    self._client.set_tag(there, PARENT_TAG, known)
        return lost

    # Runs

    def run_there(self, run_id: str) -> str | None:
        """Return the id there of a run that is there whole, or None."""
        return self._runs.get(run_id)

    def held(self, points: Sequence[Point]) -> tuple[list[Point], str]:
        """Return the points; what the server's own store changes shows when they are read back."""
        return list(points), ""

    def _tags(self, run: SourceRun) -> dict[str, str]:
        tags = {**run.tags, ID_TAG: run.run_id}
        if PARENT_TAG in tags:
            tags[PARENT_TAG] = self._runs.get(tags[PARENT_TAG], tags[PARENT_TAG])
        return tags

    def write_run(self, work: RunWork) -> str:
        """Write a run, or go on with one that was cut short; return its id there."""
        run = work.run
        with self._asked("it cannot be written"):
            there = self._halves.get(run.run_id)
            if there is None:
                tags = {ID_TAG: run.run_id, UNFINISHED_TAG: "true", "mlflow.user": run.user}
                made = self._client.create_run(work.home.experiment_id, run.start, tags, run.name)
                there = self._halves[run.run_id] = made.info.run_id
            for made_model in work.made:
                self._write_logged(made_model, work.home, there)
            self._texts(there, run)
            self._points(there, work)
            if run.inputs:
                self._client.log_inputs(there, [_input(item) for item in run.inputs])
            if work.folder is not None and any(work.folder.iterdir()):
                self._client.log_artifacts(there, str(work.folder))
            self._links(there, run)
            self._end(there, run)
        del self._halves[run.run_id]
        self._runs[run.run_id] = there
        if PARENT_TAG in run.tags and run.tags[PARENT_TAG] not in self._runs:
            self._parents[there] = run.tags[PARENT_TAG]
        return there

    def _texts(self, there: str, run: SourceRun) -> None:
        for batch in _batches(self._tags(run)):
            self._client.log_batch(there, tags=[theirs.RunTag(key, text) for key, text in batch])
        for batch in _batches(run.params):
            self._client.log_batch(there, params=[theirs.Param(key, text) for key, text in batch])

    def _points(self, there: str, work: RunWork) -> None:
        """Write the points that are not there, each with the logged model that it was measured of."""
        uses: dict[str, tuple[str, str, str]] = {}
        for model in work.measured:
            for run_id, key, dataset, digest in model.metrics if self.logged else ():
                if run_id != work.run.run_id:
                    continue
                if model.model_id not in self._models or key in uses:
                    self._unmeasured.setdefault(model.model_id, set()).add(key)
                else:
                    uses[key] = model.model_id, dataset, digest
        known = self._client.get_run(there).data.metrics
        for key, points in work.histories.items():
            fresh = list(points)
            if key in known:
                had = Counter(
                    _alike(Point(item.value, item.timestamp, item.step)) for item in self._client.get_metric_history(there, key)
                )
                fresh = [point for point in points if not _taken(had, point)]
            more: dict[str, Any] = {}
            if key in uses:
                model_id, dataset, digest = uses[key]
                more = {"model_id": self._models[model_id], "run_id": there}
                more.update({"dataset_name": dataset, "dataset_digest": digest} if dataset and digest else {})
            items = iter(fresh)
            while batch := [theirs.Metric(key, *point, **more) for point in islice(items, _POINTS)]:
                self._client.log_batch(there, metrics=batch)

    def _links(self, there: str, run: SourceRun) -> None:
        if not self.logged or not (run.read or run.made):
            return
        found = self._client.get_run(there)
        read = {item.model_id for item in found.inputs.model_inputs or ()}
        made = {item.model_id for item in found.outputs.model_outputs or ()} if found.outputs else set()
        models = [self._models[model_id] for model_id in run.read if model_id in self._models]
        if fresh := [theirs.LoggedModelInput(model_id) for model_id in models if model_id not in read]:
            self._client.log_inputs(there, models=fresh)
        steps = [(self._models[model_id], step) for model_id, step in run.made if model_id in self._models]
        if outputs := [theirs.LoggedModelOutput(model_id, step) for model_id, step in steps if model_id not in made]:
            self._client.log_outputs(there, outputs)

    def _end(self, there: str, run: SourceRun) -> None:
        # MLflow's client ends a run now where it has no end, and prints the run's address.
        status = theirs.RunStatus.from_string(run.status)
        self._client._tracking_client.store.update_run_info(there, status, run.end, run.name)
        wanted = {**run.tags, ID_TAG: run.run_id, UNFINISHED_TAG: ""}
        for key in self._client.get_run(there).data.tags:
            if key not in wanted:  # which MLflow's client sets itself
                self._client.delete_tag(there, key)
        self._client.delete_tag(there, UNFINISHED_TAG)
        if run.deleted:
            self._client.delete_run(there)

    def run_location(self, run_id: str) -> str | None:
        """Return where the files of a run are there, or None if it is not there."""
        there = self._runs.get(run_id)
        if there is None:
            return None
        with self._asked(f"run {run_id}: it cannot be read"):
            return str(self._client.get_run(there).info.artifact_uri)

    def expected(self, written: Written) -> Written:
        """Return a run with the ids that its parent, and logged models, have there."""
        run, named = written.run, self._models
        mapped = replace(
            run,
            tags=self._tags(run),
            read=[named.get(model_id, model_id) for model_id in run.read],
            made=[(named.get(model_id, model_id), step) for model_id, step in run.made],
        )
        return replace(written, run=mapped, logged={named.get(key, key): files for key, files in written.logged.items()})

    # Logged models

    def write_logged(self, work: LoggedWork, home: Home) -> str:
        """Write a logged model that no run made; return its id there."""
        with self._asked(f"logged model {work.model.model_id}: it cannot be written"):
            return self._write_logged(work, home, None)

    def _write_logged(self, work: LoggedWork, home: Home, run_id: str | None) -> str:
        model = work.model
        if model.model_id in self._models:
            return self._models[model.model_id]
        there = self._half_models.get(model.model_id)
        if there is None:
            tags = {**model.tags, MODEL_TAG: model.model_id, UNFINISHED_TAG: "true"}
            made = self._client.create_logged_model(
                home.experiment_id, model.name, run_id, tags, dict(model.params), model.model_type or None
            )
            there = self._half_models[model.model_id] = str(made.model_id)
        if work.folder is not None and any(work.folder.iterdir()):
            self._client.log_model_artifacts(there, str(work.folder))
        if model.status in ("READY", "FAILED"):
            self._client.finalize_logged_model(there, theirs.LoggedModelStatus(model.status))
        self._client.delete_logged_model_tag(there, UNFINISHED_TAG)
        self._models[model.model_id] = there
        return there

    def logged_location(self, model_id: str) -> str | None:
        """Return where the files of a logged model are there, or None if it is not there."""
        there = self._models.get(model_id)
        if there is None:
            return None
        with self._asked(f"logged model {model_id}: it cannot be read"):
            return str(self._client.get_logged_model(there).artifact_location)

    def measure(self, model: SourceLogged, histories: Mapping[tuple[str, str], Sequence[Point]]) -> None:
        """Write nothing: a server takes a model's metric only with the point of the run, which :meth:`write_run` writes.

        Raises
        ------
        UsageError
            Where a run measured it before it was there, or several models by one name: that point is with its run alone.
        """
        if said := self._unmeasured.pop(model.model_id, None):
            raise UsageError(f"metrics that were measured of it are with their run alone: {', '.join(sorted(said))}")


def _batches(texts: Mapping[str, str]) -> Iterator[list[tuple[str, str]]]:
    """Yield texts, as many at once as MLflow's server takes in one request."""
    batch: list[tuple[str, str]] = []
    size = 0
    for key, text in texts.items():
        if batch and (len(batch) == _TEXTS or size + len(text) > _CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append((key, text))
        size += len(text)
    if batch:
        yield batch


def _alike(point: Point) -> tuple[str, int, int]:
    """Return a point as it is found again: NaN equals NaN, and what a database holds of an infinity equals it."""
    value = float(point.value) + 0.0
    if abs(value) >= _ENDLESS:
        value = float("inf") if value > 0 else float("-inf")
    return repr(value), point.timestamp, point.step


def _taken(had: Counter[tuple[str, int, int]], point: Point) -> bool:
    alike = _alike(point)
    had[alike] -= 1
    return had[alike] >= 0


def _input(item: Any) -> Any:
    data = item.dataset
    made = theirs.Dataset(data.name, data.digest, data.source_type or "", data.source or "", data.schema, data.profile)
    return theirs.DatasetInput(made, [theirs.InputTag(tag.key, tag.value) for tag in item.tags])
