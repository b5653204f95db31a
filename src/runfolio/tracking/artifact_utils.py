"""Artifacts of a run by their address, under the names that MLflow's scripts import: ``mlflow.tracking.artifact_utils``."""

from __future__ import annotations

import os

from runfolio.tracking.client import RunfolioClient
from runfolio.tracking.fetching import download_artifacts


def get_artifact_uri(run_id: str, artifact_path: str | None = None, tracking_uri: str | None = None) -> str:
    """Return the address of an artifact of a run: ``runs:/<run id>/<path>``.

    Raises
    ------
    NotFoundError
        If there is no such run.
    """
    root = RunfolioClient(tracking_uri).get_run(run_id).info.artifact_uri
    return f"{root}/{artifact_path}" if artifact_path else root


def _download_artifact_from_uri(artifact_uri: str, output_path: str | os.PathLike[str] | None = None) -> str:
    """Fetch an artifact and return where it is on this machine; ``runfolio.artifacts.download_artifacts`` in MLflow's older words."""
    return download_artifacts(artifact_uri, dst_path=output_path)
