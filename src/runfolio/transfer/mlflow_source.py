"""An MLflow server or database, read by MLflow's own client, of whichever version is installed; points by :mod:`.mlflow_tables`.

A folder ``mlruns`` is read without MLflow, by :mod:`.mlruns_source`.
"""

from __future__ import annotations

import os
import shutil
import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runfolio.errors import NotFoundError, UsageError, missing_package
from runfolio.transfer.mlflow_asking import has_logged_models, no_folder_left, without_secret
from runfolio.transfer.mlflow_database import is_database, readable
from runfolio.transfer.mlflow_places import asked, below, list_local, own_folder, path_of
from runfolio.transfer.mlflow_tables import Tables
from runfolio.transfer.mlruns_source import open_mlruns
from runfolio.transfer.source import (
    Point,
    Source,
    SourceExperiment,
    SourceFile,
    SourceLogged,
    SourceModel,
    SourceRun,
    SourceVersion,
)

PAGE = 200
POINTS = 25_000
"""Points of a metric that are asked of a server at once: the most that MLflow gives."""


def open_mlflow(uri: str) -> Source:
    """Open an MLflow store.

    Parameters
    ----------
    uri : str
        As for ``mlflow.set_tracking_uri``: ``http://…``, ``sqlite:///…``, ``postgresql://…``, a folder ``mlruns``.

    Raises
    ------
    MissingPackageError
        If MLflow is not installed.
    NotFoundError, UsageError, RemoteError
        If there is no such store, or MLflow cannot open it.
    """
    if urlsplit(uri).scheme == "runfolio":
        raise UsageError(f"{uri!r} is a folio. Runs of two clones come together by runfolio sync.")
    folder = path_of(uri)
    if folder is not None:
        return open_mlruns(folder, uri)
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # Seven attempts, each after twice the time, are four minutes before MLflow says that a server is gone; these are half a minute.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")
    try:
        import mlflow
    except ImportError:
        # The extra brings mlflow-skinny, which opens no database.
        extra = "mlflow" if urlsplit(uri).scheme in ("http", "https") else ""
        raise missing_package("mlflow", extra, "read an MLflow store") from None
    with asked(f"{without_secret(uri)}: MLflow {mlflow.__version__} cannot open it"), no_folder_left():
        address, copy = readable(uri) if is_database(uri) else (uri, None)
        mlflow.set_tracking_uri(address)
        client = mlflow.MlflowClient(address, address)
        client.search_experiments(max_results=1)
        engine = getattr(client._tracking_client.store, "engine", None)
    source = MlflowSource(client, uri, Tables(engine) if engine is not None else None)
    if copy is not None:
        weakref.finalize(source, shutil.rmtree, copy, ignore_errors=True)
    return source


class MlflowSource:
    """An MLflow store.

    Parameters
    ----------
    client : mlflow.MlflowClient
    uri : str
    tables : Tables or None
        Where it is a database.
    """

    def __init__(self, client: Any, uri: str, tables: Tables | None) -> None:
        self.client, self._uri, self._tables = client, uri, tables
        self._knows_logged = hasattr(client, "search_logged_models") if tables is not None else has_logged_models(client)
        self._homes: dict[
            str, tuple[str, bool]
        ] = {}  # of the runs at hand: where their files are, and whether MLflow says there are
        self._refused: list[tuple[str, str]] = []
        self._places: dict[str, str] = {}  # where the files of logged models are

    @property
    def uri(self) -> str:
        """Where it is, without secrets."""
        return without_secret(self._uri)

    def experiments(self) -> Iterator[SourceExperiment]:
        """Yield the experiments, deleted ones too."""
        from mlflow.entities import ViewType

        for item in self._pages(lambda token: self.client.search_experiments(ViewType.ALL, PAGE, page_token=token)):
            yield SourceExperiment(
                item.experiment_id,
                item.name,
                dict(item.tags),
                item.creation_time or 0,
                item.last_update_time or item.creation_time or 0,
                item.lifecycle_stage == "deleted",
            )

    def runs(self, experiment_ids: Sequence[str], since_ms: int | None) -> Iterator[SourceRun]:
        """Yield the runs, deleted ones too, oldest first."""
        from mlflow.entities import ViewType

        if self._tables is not None:
            yield from self._runs_of_tables(self._tables, experiment_ids, since_ms)
            return
        only = f"attributes.start_time >= {since_ms}" if since_ms is not None else ""
        order = ["attributes.start_time ASC"]
        for experiment_id in experiment_ids:
            ask = lambda token: self.client.search_runs([experiment_id], only, ViewType.ALL, PAGE, order, token)  # noqa: B023, E731
            for run in self._pages(ask):
                yield self._run(run)

    def _runs_of_tables(self, tables: Tables, experiment_ids: Sequence[str], since_ms: int | None) -> Iterator[SourceRun]:
        from mlflow.entities import ViewType

        for experiment_id in experiment_ids:
            with self._asked(f"experiment {experiment_id}: its runs cannot be listed"):
                ids = tables.run_ids(experiment_id, since_ms)
            for at in range(0, len(ids), PAGE):
                wanted = ids[at : at + PAGE]
                only = "attributes.run_id IN ({})".format(",".join(f"'{run_id}'" for run_id in wanted))
                with self._asked("MLflow cannot go on reading"):
                    found = {run.info.run_id: run for run in self.client.search_runs([experiment_id], only, ViewType.ALL, PAGE)}
                self._homes.clear()
                made = [
                    self._run(found[run_id]) for run_id in wanted if run_id in found
                ]  # one may have been deleted for good meanwhile
                found.clear()
                yield from made

    def _run(self, run: Any) -> SourceRun:
        if len(self._homes) > 4 * PAGE:
            self._homes.clear()
        self._homes[run.info.run_id] = run.info.artifact_uri or "", "mlflow.log-model.history" in run.data.tags
        return run_of(run)

    def _asked(self, what: str) -> AbstractContextManager[None]:
        return asked(what, self._gone)

    def _gone(self) -> bool:
        try:
            self.client.search_experiments(max_results=1)
        except Exception:  # noqa: BLE001 # of whichever class: it does not answer
            return True
        return False

    def _pages(self, ask: Any) -> Iterator[Any]:
        token = None
        while True:
            with self._asked("MLflow cannot go on reading"):
                page = ask(token)
            yield from page
            token = page.token
            if not token:
                return

    def points(self, run: SourceRun) -> Iterator[tuple[str, Point]]:
        """Yield the points of all metrics of a run."""
        if self._tables is not None:
            with self._asked("its metrics cannot be read"):
                yield from self._tables.points(run.run_id)
            return
        store = self.client._tracking_client.store
        for key in sorted(run.metrics):
            ask = lambda token: store.get_metric_history(run.run_id, key, max_results=POINTS, page_token=token)  # noqa: B023, E731
            for item in self._pages(ask):
                yield key, Point(item.value, item.timestamp, item.step)

    def logged(self, experiment_ids: Sequence[str]) -> Iterator[SourceLogged]:
        """Yield the logged models of experiments; MLflow 2 knows none."""
        if not self._knows_logged:
            return
        for experiment_id in experiment_ids:
            ask = lambda token: self.client.search_logged_models([experiment_id], max_results=PAGE // 2, page_token=token)  # noqa: B023, E731
            for model in self._pages(ask):
                self._places[model.model_id] = model.artifact_location
                yield _logged(model)

    def logged_files(self, model_id: str) -> list[SourceFile]:
        """List the files of a logged model."""
        with self._asked(f"logged model {model_id}: its files cannot be listed"):
            return list(below(lambda path: self.client.list_logged_model_artifacts(model_id, path)))

    def fetch_logged(self, model_id: str, path: str, folder: Path) -> Path:
        """Copy a file of a logged model into a folder."""
        import mlflow

        with self._asked(f"logged model {model_id}, {path}: it cannot be fetched"):
            uri = f"{self._places[model_id].rstrip('/')}/{path}"
            return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))

    def files(self, run_id: str) -> list[SourceFile]:
        """List the files of a run."""
        place = self._local(run_id)
        if place is None:
            with self._asked("its artifacts cannot be listed"):
                # The client of MLflow 3 looks into the run's logged models as well; the server of MLflow 2 refuses that.
                if not self._knows_logged:
                    return list(below(self.client._tracking_client._get_artifact_repo(run_id).list_artifacts))
                return list(below(lambda path: self.client.list_artifacts(run_id, path)))
        if not place.is_dir():
            if self._homes[run_id][1]:
                raise NotFoundError(f"its artifacts are gone: there is no folder {place}")
            return []
        return list_local(place)

    def fetch(self, run_id: str, path: str, folder: Path) -> Path:
        """Copy a file of a run into a folder, or return where it is on this machine."""
        place = self._local(run_id)
        if place is not None:
            return place / path
        with self._asked(f"artifact {path}: it cannot be fetched"):
            return Path(self.client.download_artifacts(run_id, path, str(folder)))

    def _local(self, run_id: str) -> Path | None:
        """Return the folder of a run's files, where it is one of this machine and MLflow's own kind."""
        return own_folder(self._homes.get(run_id, ("", False))[0], run_id, "artifacts")

    def models(self) -> Iterator[SourceModel]:
        """Yield the registered models."""
        for item in self._pages(lambda token: self.client.search_registered_models(max_results=PAGE, page_token=token)):
            named = "name='{}'".format(item.name.replace("'", "''"))
            ask = lambda token: self.client.search_model_versions(named, PAGE, page_token=token)  # noqa: B023, E731
            versions = sorted(
                (version_of(found) for found in self._pages(ask) if found.name == item.name), key=lambda found: found.version
            )
            aliases = {alias: int(version) for alias, version in dict(item.aliases).items()}
            yield SourceModel(
                item.name, item.creation_timestamp or 0, item.description or "", dict(item.tags), aliases, tuple(versions),
                item.last_updated_timestamp or 0,
            )  # fmt: skip

    def fetch_version(self, name: str, version: int, folder: Path) -> Path:
        """Copy the files of a version into a folder."""
        import mlflow

        with self._asked("its files cannot be fetched"):
            uri = self.client.get_model_version_download_uri(name, str(version))
            return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))

    def unread(self, seen: set[str], *, whole: bool) -> Iterator[tuple[str, str]]:
        """Yield what lies among the files of runs and was not taken."""
        yield from self._refused


def run_of(run: Any) -> SourceRun:
    """Return a run of MLflow's as plain values."""
    info, data = run.info, run.data
    return SourceRun(
        info.run_id,
        info.experiment_id,
        info.run_name or "",
        str(info.status),
        info.user_id or "",
        info.start_time or 0,
        info.end_time,
        info.lifecycle_stage == "deleted",
        dict(data.params),
        dict(data.tags),
        dict(data.metrics),
        tuple(run.inputs.dataset_inputs) if run.inputs else (),
        tuple(item.model_id for item in getattr(run.inputs, "model_inputs", None) or ()),
        tuple((item.model_id, item.step) for item in getattr(getattr(run, "outputs", None), "model_outputs", None) or ()),
    )


def _logged(model: Any) -> SourceLogged:
    return SourceLogged(
        model.model_id,
        model.experiment_id,
        model.name,
        model.source_run_id or None,
        str(model.status),
        model.status_message or "",
        model.model_type or "",
        model.creation_timestamp,
        model.last_updated_timestamp,
        dict(model.tags or {}),
        dict(model.params or {}),
        tuple(
            (item.run_id, item.key, item.dataset_name or "", item.dataset_digest or "")
            for item in model.metrics or ()
            if item.run_id
        ),
    )


def version_of(item: Any) -> SourceVersion:
    """Return a version of MLflow's as plain values."""
    return SourceVersion(
        int(item.version),
        item.run_id or None,
        item.source or "",
        item.current_stage or "None",
        item.creation_timestamp or 0,
        item.description or "",
        item.user_id or "",
        item.run_link or "",
        dict(item.tags),
        item.last_updated_timestamp or 0,
        item.status or "READY",
        item.status_message or "",
    )
