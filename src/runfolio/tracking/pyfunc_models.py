"""``runfolio.pyfunc``: models called by ``predict``, logged and loaded. The folder is :mod:`runfolio.flavors.python_function`'s."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runfolio.flavors.model import Model, ModelInfo
from runfolio.flavors.python_function import PyFuncModel, load_folder, save_model
from runfolio.flavors.python_models import PythonModel
from runfolio.flavors.requirements import Requirements
from runfolio.flavors.signatures import ModelSignature
from runfolio.tracking.model_logging import load_with, log_folder


def log_model(
    artifact_path: str | None = None,
    loader_module: str | None = None,
    data_path: str | os.PathLike[str] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    conda_env: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    python_model: PythonModel | Callable[..., Any] | None = None,
    artifacts: Mapping[str, str | os.PathLike[str]] | None = None,
    registered_model_name: str | None = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Requirements | None = None,
    extra_pip_requirements: Requirements | None = None,
    metadata: Mapping[str, Any] | None = None,
    model_config: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
) -> ModelInfo:
    """Log a model of plain Python to the active run (a new one if there is none).

    Parameters
    ----------
    artifact_path : str
        Folder of the run; `name` is MLflow 3's word for it.
    registered_model_name : str, optional
        Also make it the next version of that registered model.
    await_registration_for : int, optional
        Taken for MLflow's sake: a version is ready at once.
    loader_module, data_path, code_paths, conda_env, python_model, artifacts, signature, input_example, pip_requirements, \
extra_pip_requirements, metadata, model_config
        As for :func:`save_model`.
    """

    def save(folder: Path, model: Model) -> None:
        save_model(
            folder,
            loader_module=loader_module,
            data_path=data_path,
            code_paths=code_paths,
            conda_env=conda_env,
            mlflow_model=model,
            python_model=python_model,
            artifacts=artifacts,
            signature=signature,
            input_example=input_example,
            pip_requirements=pip_requirements,
            extra_pip_requirements=extra_pip_requirements,
            metadata=metadata,
            model_config=model_config,
        )

    return log_folder(save, artifact_path, name, registered_model_name)


def load_model(
    model_uri: str | os.PathLike[str],
    dst_path: str | os.PathLike[str] | None = None,
    model_config: Mapping[str, Any] | None = None,
    *,
    trust: bool | None = None,
) -> PyFuncModel:
    """Return a logged, registered or saved model, to be called by ``predict``.

    Parameters
    ----------
    model_uri : str or path
        ``runs:/<run id>/<path>``, ``models:/<name>/<version, stage or latest>``, ``models:/<name>@<alias>``, or a local folder.
    dst_path : path, optional
        Empty folder to put its files in; a temporary one by default.
    model_config : dict, optional
        Entries that go before those saved.
    trust : bool, optional
        True lets a folder's code run although no record vouches for it; False lets no code run.

    Raises
    ------
    StateError
        If its code may not run: a folder from elsewhere.
    """
    loaded: PyFuncModel = load_with(lambda folder: load_folder(folder, model_config), model_uri, dst_path, trust)
    return loaded
