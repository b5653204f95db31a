"""Artifacts below an address: what MLflow's artifact repositories do for scripts that read them."""

from __future__ import annotations

import os

from runfolio.tracking.entities import FileInfo
from runfolio.tracking.fetching import download_artifacts, list_artifacts


class ArtifactRepository:
    """Artifacts of a run, or of a version of a registered model.

    Parameters
    ----------
    artifact_uri : str
        ``runs:/<run id>/<path>``, ``models:/<name>/<version>`` or ``models:/<name>@<alias>``.
    """

    def __init__(self, artifact_uri: str) -> None:
        self.artifact_uri = artifact_uri

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """List files and folders directly below a folder."""
        return list_artifacts(self._below(path))

    def download_artifacts(self, artifact_path: str = "", dst_path: str | os.PathLike[str] | None = None) -> str:
        """Fetch a file or a folder, verified against its digest, and return where it is on this machine."""
        return download_artifacts(self._below(artifact_path), dst_path=dst_path)

    def _below(self, path: str | None) -> str:
        return f"{self.artifact_uri.rstrip('/')}/{path}" if path else self.artifact_uri
