"""Checkpoints that training left in a run, fetched again: which one, by epoch or step, or the latest."""

from __future__ import annotations

import os
from pathlib import Path

from runfolio.errors import NotFoundError, UsageError
from runfolio.tracking import fluent
from runfolio.tracking.client import RunfolioClient
from runfolio.tracking.fetching import download_artifacts

FOLDER = "checkpoints"
LATEST_TAG = "mlflow.latest_checkpoint_artifact"


def fetch_checkpoint(
    run_id: str | None, epoch: int | None, global_step: int | None, target: str | os.PathLike[str] | None = None
) -> Path:
    """Fetch the file of a checkpoint.

    Parameters
    ----------
    run_id : str, optional
        The active run by default.
    epoch, global_step : int, optional
        One of the two; the latest by default.
    target : path, optional
        Where to put it; a temporary folder by default.

    Raises
    ------
    UsageError
        If both are given, or no run is active.
    NotFoundError
        If the run has no such checkpoint.
    """
    if epoch is not None and global_step is not None:
        raise UsageError("A checkpoint is named by epoch=… or by global_step=…, one of the two.")
    if run_id is None:
        active = fluent.active_run()
        if active is None:
            raise UsageError("No run is active: name the one that holds the checkpoint, run_id=….")
        run_id = active.info.run_id
    latest = RunfolioClient().get_run(run_id).data.tags.get(LATEST_TAG)
    if latest is None:
        raise NotFoundError(f"The run {run_id} holds no checkpoint: none was logged while it trained.")
    file = latest.rpartition("/")[2]
    path = latest
    if epoch is not None:
        path = f"{FOLDER}/epoch_{epoch}/{file}"
    elif global_step is not None:
        path = f"{FOLDER}/global_step_{global_step}/{file}"
    return Path(download_artifacts(f"runs:/{run_id}/{path}", dst_path=target))
