"""An MLflow store that was written, read back by MLflow's own client, so that it is MLflow who says what is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runfolio.transfer.mlflow_asking import no_folder_left
from runfolio.transfer.mlflow_places import asked
from runfolio.transfer.mlflow_source import run_of, version_of
from runfolio.transfer.source import Point, SourceModel, SourceRun

PAGE = 200


class MlflowReader:
    """An MLflow store, asked for one thing after the other.

    Parameters
    ----------
    uri : str
    """

    def __init__(self, uri: str) -> None:
        import mlflow
        from mlflow.tracking._tracking_service import utils

        # MLflow remembers where a run's files are by the run's id alone, whichever store was asked.
        getattr(utils, "_artifact_repos_cache", {}).clear()
        mlflow.set_tracking_uri(uri)
        with no_folder_left():
            self._client = mlflow.MlflowClient(uri, uri)

    def run(self, run_id: str) -> SourceRun:
        """Return one run.

        Raises
        ------
        RemoteError
            If MLflow has none of that id, or cannot read it.
        """
        with asked(f"run {run_id}: it cannot be read"):
            return run_of(self._client.get_run(run_id))

    def history(self, run_id: str, key: str) -> list[Point]:
        """Return the points of a metric."""
        with asked(f"metric {key}: its history cannot be read"):
            return [Point(item.value, item.timestamp, item.step) for item in self._client.get_metric_history(run_id, key)]

    def fetch(self, run_id: str, path: str, folder: Path) -> Path:
        """Copy a file of a run into a folder."""
        with asked(f"artifact {path}: it cannot be fetched"):
            return Path(self._client.download_artifacts(run_id, path, str(folder)))

    def fetch_logged(self, model_id: str, path: str, folder: Path) -> Path:
        """Copy a file of a logged model into a folder."""
        import mlflow

        with asked(f"logged model {model_id}, {path}: it cannot be fetched"):
            uri = f"{self._client.get_logged_model(model_id).artifact_location.rstrip('/')}/{path}"
            return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))

    def model(self, name: str) -> SourceModel:
        """Return a registered model with its versions."""
        with asked(f"model {name}: it cannot be read"):
            item = self._client.get_registered_model(name)
            versions = sorted(map(version_of, self._versions(name)), key=lambda found: found.version)
        aliases = {alias: int(version) for alias, version in dict(item.aliases).items()}
        return SourceModel(
            item.name, item.creation_timestamp or 0, item.description or "", dict(item.tags), aliases, versions,
            item.last_updated_timestamp or 0,
        )  # fmt: skip

    def _versions(self, name: str) -> Iterator[Any]:
        named, token = "name='{}'".format(name.replace("'", "''")), None
        while True:
            page = self._client.search_model_versions(named, PAGE, page_token=token)
            yield from (item for item in page if item.name == name)
            token = page.token
            if not token:
                return

    def fetch_version(self, name: str, version: int, folder: Path) -> Path:
        """Copy the files of a version into a folder."""
        import mlflow

        with asked("its files cannot be fetched"):
            uri = self._client.get_model_version_download_uri(name, str(version))
            return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))
