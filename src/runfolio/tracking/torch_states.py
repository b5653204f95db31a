"""State dicts of PyTorch, logged as artifacts and loaded: weights and what a checkpoint holds, which are no models."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runfolio.flavors.pytorch import load_state_folder, save_state_dict
from runfolio.tracking import fluent_logging
from runfolio.tracking.checkpoints import fetch_checkpoint
from runfolio.tracking.fetching import download_artifacts
from runfolio.tracking.loaded_folders import fetch_to_load
from runfolio.tracking.model_logging import RECORDED


def log_state_dict(state_dict: Mapping[str, Any], artifact_path: str, **options: Any) -> None:
    """Log a state dict to the active run (a new one if there is none).

    Parameters
    ----------
    state_dict : dict
    artifact_path : str
        Folder of the run.
    **options
        Of ``torch.save``.
    """
    with tempfile.TemporaryDirectory(prefix="runfolio-") as folder:
        save_state_dict(state_dict, folder, **options)
        fluent_logging.log_artifacts(folder, artifact_path)


def load_state_dict(state_dict_uri: str | os.PathLike[str], **options: Any) -> Any:
    """Return a logged or saved state dict.

    Parameters
    ----------
    state_dict_uri : str or path
        ``runs:/<run id>/<path>`` or a local folder.
    **options
        Of ``torch.load``. Its *weights only* reader, the default, runs no code.
    """
    uri = os.fspath(state_dict_uri)
    folder = fetch_to_load(uri) if uri.startswith(RECORDED) else Path(download_artifacts(uri))
    return load_state_folder(folder, **options)


def load_checkpoint(
    model_class: Any,
    run_id: str | None = None,
    epoch: int | None = None,
    global_step: int | None = None,
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Return a Lightning module from a checkpoint that autologging kept.

    Parameters
    ----------
    model_class : type
        The module's class.
    run_id : str, optional
        The active run by default.
    epoch, global_step : int, optional
        Which checkpoint, where all were kept; the latest by default.
    kwargs : dict, optional
        Of ``load_from_checkpoint``: arguments of the class.
    """
    with tempfile.TemporaryDirectory(prefix="runfolio-") as folder:
        return model_class.load_from_checkpoint(fetch_checkpoint(run_id, epoch, global_step, folder), **(kwargs or {}))
