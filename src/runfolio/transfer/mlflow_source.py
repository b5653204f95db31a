"""An MLflow store (a server, a database, a folder ``mlruns``), read by MLflow's own client, of whichever version is installed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from runfolio.errors import NotFoundError, RemoteError, UsageError, missing_package
from runfolio.transfer.source import Point, SourceExperiment, SourceFile, SourceLogged, SourceModel, SourceRun, SourceVersion

PAGE = 200
_RUN_ID = re.compile(r"[0-9a-f]{32}\Z")
_LEVELS = 64


def open_mlflow(uri: str) -> MlflowSource:
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
    folder = _folder(uri)
    if folder is not None and not folder.is_dir():
        raise NotFoundError(
            f"{uri}: no such folder. Give the folder mlruns, a database (sqlite:///mlflow.db) or a server (http://…)."
        )
    database = urlsplit(uri)
    if database.scheme.startswith("sqlite") and not Path(unquote(database.path[1:])).is_file():
        raise NotFoundError(f"{uri}: no such database. Write sqlite:///mlflow.db, with four slashes for a path from the root.")
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # MLflow 3.17 reads mlruns only when it is asked to
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        import mlflow
    except ImportError:
        raise missing_package("mlflow", "mlflow", "read an MLflow store") from None
    with _asked(f"{_plain(uri)}: MLflow {mlflow.__version__} cannot open it"):
        mlflow.set_tracking_uri(uri)
        client = mlflow.MlflowClient(uri, uri)
        client.search_experiments(max_results=1)
    return MlflowSource(client, uri, folder)


@contextmanager
def _asked(what: str) -> Iterator[None]:
    """Tell whatever MLflow, its database or its network raises as an error of the other store."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 # told as the other store's, whatever class its libraries raise
        said = str(error).strip().splitlines()
        raise RemoteError(f"{what}: {said[0] if said else type(error).__name__}") from None


def _folder(uri: str) -> Path | None:
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return Path(uri) if "://" not in uri else None


def _plain(uri: str) -> str:
    parts = urlsplit(uri)
    return uri.replace(f"{parts.netloc.rpartition('@')[0]}@", "") if "@" in parts.netloc else uri


class MlflowSource:
    """An MLflow store.

    Parameters
    ----------
    client : mlflow.MlflowClient
    uri : str
    folder : Path or None
        Where it is a folder.
    """

    def __init__(self, client: Any, uri: str, folder: Path | None) -> None:
        self.client, self._uri, self._folder = client, uri, folder
        self._broken: dict[str, str] = {}  # folders of runs that MLflow cannot read, and what it says
        self._places: dict[str, str] = {}  # where the files of logged models are

    @property
    def uri(self) -> str:
        """Where it is, without secrets."""
        return _plain(self._uri)

    def experiments(self) -> Iterator[SourceExperiment]:
        """Yield the experiments, deleted ones too."""
        from mlflow.entities import ViewType

        for item in _pages(lambda token: self.client.search_experiments(ViewType.ALL, PAGE, page_token=token)):
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
        if self._folder is not None:
            yield from self._runs_of_folder(experiment_ids, since_ms)
            return
        from mlflow.entities import ViewType

        only = f"attributes.start_time >= {since_ms}" if since_ms is not None else ""
        order = ["attributes.start_time ASC"]
        for experiment_id in experiment_ids:
            ask = lambda token: self.client.search_runs([experiment_id], only, ViewType.ALL, PAGE, order, token)  # noqa: B023, E731
            for run in _pages(ask):
                yield _run(run)

    def _runs_of_folder(self, experiment_ids: Sequence[str], since_ms: int | None) -> Iterator[SourceRun]:
        """Yield the runs of a folder, read one by one: a search by MLflow ends at the first file that is broken."""
        for experiment_id in experiment_ids:
            found = []
            for place in self._run_folders(experiment_id):
                try:
                    with _asked("MLflow cannot read it"):
                        found.append(_run(self.client.get_run(place.name)))
                except RemoteError as error:
                    self._broken[place.name] = error.message
            yield from (run for run in sorted(found, key=lambda run: run.start) if since_ms is None or run.start >= since_ms)

    def _run_folders(self, experiment_id: str) -> list[Path]:
        assert self._folder is not None
        places = [*self._folder.glob(f"{experiment_id}/*"), *self._folder.glob(f".trash/{experiment_id}/*")]
        return sorted(place for place in places if _RUN_ID.match(place.name) and place.is_dir())

    def points(self, run: SourceRun) -> Iterator[tuple[str, Point]]:
        """Yield the points of all metrics of a run."""
        for key in sorted(run.metrics):
            with _asked(f"metric {key}: its history cannot be read"):
                found = self.client.get_metric_history(run.run_id, key)
            for item in found:
                yield key, Point(item.value, item.timestamp, item.step)

    def logged(self, experiment_ids: Sequence[str]) -> Iterator[SourceLogged]:
        """Yield the logged models of experiments; MLflow 2 knows none."""
        if not hasattr(self.client, "search_logged_models"):
            return
        for experiment_id in experiment_ids:
            ask = lambda token: self.client.search_logged_models([experiment_id], max_results=PAGE // 2, page_token=token)  # noqa: B023, E731
            for model in _pages(ask):
                self._places[model.model_id] = model.artifact_location
                yield _logged(model)

    def logged_files(self, model_id: str) -> list[SourceFile]:
        """List the files of a logged model."""
        with _asked(f"logged model {model_id}: its files cannot be listed"):
            return list(_below(lambda path: self.client.list_logged_model_artifacts(model_id, path), None, 0))

    def fetch_logged(self, model_id: str, path: str, folder: Path) -> Path:
        """Copy a file of a logged model into a folder."""
        import mlflow

        with _asked(f"logged model {model_id}, {path}: it cannot be fetched"):
            uri = f"{self._places[model_id].rstrip('/')}/{path}"
            return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))

    def files(self, run_id: str) -> list[SourceFile]:
        """List the files of a run."""
        with _asked("its artifacts cannot be listed"):
            return list(_below(lambda path: self.client.list_artifacts(run_id, path), None, 0))

    def fetch(self, run_id: str, path: str, folder: Path) -> Path:
        """Copy a file of a run into a folder."""
        with _asked(f"artifact {path}: it cannot be fetched"):
            return Path(self.client.download_artifacts(run_id, path, str(folder)))

    def models(self) -> Iterator[SourceModel]:
        """Yield the registered models."""
        for item in _pages(lambda token: self.client.search_registered_models(max_results=PAGE, page_token=token)):
            named = "name='{}'".format(item.name.replace("'", "''"))
            ask = lambda token: self.client.search_model_versions(named, PAGE, page_token=token)  # noqa: B023, E731
            versions = sorted(
                (_version(found) for found in _pages(ask) if found.name == item.name), key=lambda found: found.version
            )
            aliases = {alias: int(version) for alias, version in dict(item.aliases).items()}
            yield SourceModel(
                item.name, item.creation_timestamp or 0, item.description or "", dict(item.tags), aliases, tuple(versions)
            )

    def fetch_version(self, name: str, version: int, folder: Path) -> Path:
        """Copy the files of a version into a folder."""
        import mlflow

        with _asked("its files cannot be fetched"):
            uri = self.client.get_model_version_download_uri(name, str(version))
            return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))

    def unread(self, seen: set[str], *, whole: bool) -> Iterator[tuple[str, str]]:
        """Yield folders of runs that MLflow passed over: a ``meta.yaml`` that is broken or gone."""
        if self._folder is None or not whole:
            return
        for place in self._run_folders("*"):
            if place.name not in seen:
                missing = not (place / "meta.yaml").is_file()
                why = self._broken.get(place.name, "MLflow passed its experiment over, whose meta.yaml is broken or missing")
                why = "its meta.yaml is missing" if missing else f"{why} (meta.yaml)"
                yield str(place.relative_to(self._folder)), f"the run was not taken: {why}. Mend it, and import again."


def _below(ask: Callable[[str | None], Any], path: str | None, level: int) -> Iterator[SourceFile]:
    if level > _LEVELS:
        return
    for item in ask(path):
        if item.is_dir:
            yield from _below(ask, item.path, level + 1)
        else:
            yield SourceFile(item.path, item.file_size or 0)


def _pages(ask: Any) -> Iterator[Any]:
    token = None
    while True:
        with _asked("MLflow cannot go on reading"):
            page = ask(token)
        yield from page
        token = page.token
        if not token:
            return


def _run(run: Any) -> SourceRun:
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


def _version(item: Any) -> SourceVersion:
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
    )
