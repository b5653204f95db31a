"""What writing an MLflow database and a folder have in common: which point is the last one, and where files go."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from runfolio.transfer.source import Point


def latest(points: Sequence[Point]) -> Point:
    """Return the point that MLflow calls the last one: of the greatest step, then time, then value, where NaN counts as 0."""
    return max(points, key=lambda item: (item.step, item.timestamp, 0.0 if math.isnan(item.value) else item.value))


def below(location: str, *parts: str) -> str:
    """Return an address below another, as MLflow joins them."""
    from mlflow.utils.uri import append_to_uri_path

    return str(append_to_uri_path(location, *parts))


def upload(folder: Path, location: str) -> None:
    """Copy what a folder holds to where an address of MLflow's says."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    if any(folder.iterdir()):
        get_artifact_repository(location).log_artifacts(str(folder))
