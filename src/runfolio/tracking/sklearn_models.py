"""``runfolio.sklearn``: scikit-learn models logged and loaded. The folder itself is :mod:`runfolio.flavors.scikit_learn`'s."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from runfolio.flavors.model import Model, ModelInfo
from runfolio.flavors.requirements import Requirements
from runfolio.flavors.scikit_learn import load_folder, save_model
from runfolio.flavors.signatures import ModelSignature
from runfolio.tracking.model_logging import load_with, log_folder


def log_model(
    sk_model: Any,
    artifact_path: str | None = None,
    conda_env: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    serialization_format: str | None = None,
    registered_model_name: str | None = None,
    signature: ModelSignature | Literal[False] | None = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Requirements | None = None,
    extra_pip_requirements: Requirements | None = None,
    pyfunc_predict_fn: str = "predict",
    metadata: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
) -> ModelInfo:
    """Log a scikit-learn model to the active run (a new one if there is none).

    Parameters
    ----------
    sk_model : estimator
    artifact_path : str
        Folder of the run; `name` is MLflow 3's word for it.
    registered_model_name : str, optional
        Also make it the next version of that registered model.
    await_registration_for : int, optional
        Taken for MLflow's sake: a version is ready at once.
    conda_env, code_paths, serialization_format, signature, input_example, pip_requirements, extra_pip_requirements, \
pyfunc_predict_fn, metadata
        As for :func:`save_model`.
    """

    def save(folder: Path, model: Model) -> None:
        save_model(
            sk_model,
            folder,
            conda_env=conda_env,
            code_paths=code_paths,
            mlflow_model=model,
            serialization_format=serialization_format,
            signature=signature,
            input_example=input_example,
            pip_requirements=pip_requirements,
            extra_pip_requirements=extra_pip_requirements,
            pyfunc_predict_fn=pyfunc_predict_fn,
            metadata=metadata,
        )

    return log_folder(save, artifact_path, name, registered_model_name)


def load_model(
    model_uri: str | os.PathLike[str], dst_path: str | os.PathLike[str] | None = None, *, trust: bool | None = None
) -> Any:
    """Return the estimator of a logged, registered or saved model.

    Parameters
    ----------
    model_uri : str or path
        ``runs:/<run id>/<path>``, ``models:/<name>/<version, stage or latest>``, ``models:/<name>@<alias>``, or a local folder.
    dst_path : path, optional
        Empty folder to put its files in; a temporary one by default.
    trust : bool, optional
        True lets a folder's code run although no record vouches for it; False lets no code run.

    Raises
    ------
    StateError
        If its code may not run: a folder from elsewhere.
    """
    return load_with(load_folder, model_uri, dst_path, trust)
