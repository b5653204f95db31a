"""``_mlflow_conda_env``, which a much copied notebook of Databricks imports from ``mlflow.utils.environment``."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runfolio.formats.mlmodel import render_yaml


def _mlflow_conda_env(
    path: str | os.PathLike[str] | None = None,
    additional_conda_deps: Sequence[str] | None = None,
    additional_pip_deps: Sequence[str] | None = None,
    additional_conda_channels: Sequence[str] | None = None,
    install_mlflow: bool = True,
) -> dict[str, Any] | None:
    """Return the content of a ``conda.yaml``, to change and to give to ``log_model`` as `conda_env`; write it, where a path is given.

    Nothing is added for `install_mlflow`: what loads the model here is runfolio, which whoever loads it has.
    """
    del install_mlflow
    made = {
        "name": "mlflow-env",
        "channels": ["conda-forge", *(additional_conda_channels or ())],
        "dependencies": [
            f"python={platform.python_version()}",
            *(additional_conda_deps or ()),
            "pip",
            {"pip": list(additional_pip_deps or ())},
        ],
    }
    if path is None:
        return made
    Path(path).write_bytes(render_yaml(made))
    return None
