"""The artifact repository that MLflow loads for ``runfolio:`` URIs: files of runs, and of registered versions, by digest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow.entities
from mlflow.entities import FileInfo
from mlflow.store.artifact.artifact_repo import ArtifactRepository

from runfolio.errors import NotFoundError, UsageError
from runfolio.gateway.addresses import LOGGED, MODELS, RUNS, Address, address_of
from runfolio.gateway.faults import translates
from runfolio.gateway.refused import ARTIFACTS, refuses
from runfolio.gateway.run_models import ModelBook
from runfolio.records import ArtifactEntry
from runfolio.records.names import check_artifact_path
from runfolio.tracking.artifacts import directly_below
from runfolio.tracking.client import RunfolioClient

_JOINS = hasattr(mlflow.entities, "LoggedModel")


@refuses(ARTIFACTS)
@translates
class RunfolioArtifacts(ArtifactRepository):  # type: ignore[misc]  # MLflow's classes are not typed
    """Files below one address of a folio.

    Parameters
    ----------
    artifact_uri : str
        ``runfolio:///path/to/folio/-/runs/<run id>/…``; that of the folio itself where a server passes paths of clients on.
    tracking_uri, registry_uri : str, optional
        MLflow 3 passes them; the address says it all.
    """

    def __init__(self, artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None, **more: Any) -> None:
        taken = {"tracking_uri": tracking_uri, "registry_uri": registry_uri, **more}
        try:
            super().__init__(artifact_uri, **taken)
        except TypeError:  # MLflow 2.22 takes the address alone
            super().__init__(artifact_uri)
        self._address = address_of(artifact_uri)
        self._client = RunfolioClient(self._address.folio or None)
        self._book = ModelBook(self._client)

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Store a file in a folder of the run."""
        at = self._run(artifact_path)
        self._client.log_artifact(at.owner, local_file, at.path or None)

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Store all files below a folder."""
        at = self._run(artifact_path)
        self._client.log_artifacts(at.owner, local_dir, at.path or None)

    def list_artifacts(self, path: str | None = None) -> list[Any]:
        """List files and folders directly below a folder; nothing below a file.

        Models of a run are left out for MLflow 3, which asks for them apart and joins the two lists.
        """
        at = self._address.below(path)
        listed = self._files(at)
        if at.kind == RUNS and _JOINS:
            made = tuple(f"{facts.path}/" for facts in self._book.of_run(self._record(at.owner)).made.values())
            listed = {name: entry for name, entry in listed.items() if not name.startswith(made)}
        root = self._address.path
        shown = directly_below(listed, check_artifact_path(at.path, allow_empty=True))
        start = f"{root}/" if root else ""
        return [FileInfo(item.path.removeprefix(start), item.is_dir, item.file_size) for item in shown]

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        at = self._address.below(remote_file_path)
        entry = self._files(at).get(at.path)
        if entry is None:
            raise NotFoundError(f"No artifact {at.path!r} in {at.kind}/{at.owner}.")
        place = Path(local_path)
        place.parent.mkdir(parents=True, exist_ok=True)
        made = place.with_name(f"{place.name}.{os.getpid()}.part")
        try:
            self._store().copy_to(entry.digest, made)
            os.replace(made, place)
        finally:
            if made.exists():
                made.unlink()

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Refuse: what a run recorded stays; ``runfolio gc`` removes what nothing names."""
        raise UsageError(
            "Artifacts of a run are part of its record, and are not removed one by one. Delete the run; runfolio gc then frees the bytes."
        )

    def _run(self, path: str | None) -> Address:
        at = self._address.below(path)
        if at.kind == LOGGED:
            run, facts = self._book.find(at.owner)
            return Address(at.folio, RUNS, run.run_id, "/".join(part for part in (facts.path, at.path) if part))
        if at.kind != RUNS or not at.owner:
            raise UsageError(f"{at.kind or 'the folio'}: files are logged to a run. Write runs/<run id>/<path>.")
        return at

    def _record(self, run_id: str) -> Any:
        return self._client._session().folio.runs.get(run_id)

    def _store(self) -> Any:
        return self._client._session().folio.store

    def _files(self, at: Address) -> Mapping[str, ArtifactEntry]:
        folio = self._client._session().folio
        if at.kind == RUNS and at.owner:
            return folio.runs.artifacts(self._record(at.owner))
        if at.kind == LOGGED and at.owner:
            run, facts = self._book.find(at.owner)
            start = f"{facts.path}/"
            files = folio.runs.artifacts(run)
            return {name.removeprefix(start): entry for name, entry in files.items() if name.startswith(start)}
        if at.kind == MODELS and at.owner.count("/") == 1:
            from runfolio.registry import ModelUri, files_of, resolve

            name, _, number = at.owner.partition("/")
            registry = self._client._registry()
            _, version = resolve(registry, ModelUri(name, version=int(number)))
            return files_of(registry, version)
        raise NotFoundError(f"{at.kind or 'A folio'}: name a run or a version, runs/<run id> or models/<name>/<version>.")
