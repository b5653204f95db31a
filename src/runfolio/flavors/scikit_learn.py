"""scikit-learn models: one pickle, in the layout of ``mlflow.sklearn``.

Pickled with protocol 5, which gives the same bytes for the same model (so that objects are stored once); with cloudpickle only
where the model holds functions or classes of the script itself.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from runfolio.errors import DamagedError, UsageError, missing_package
from runfolio.flavors.catalogue import Predict
from runfolio.flavors.estimators import load_estimator, write_estimator
from runfolio.flavors.folders import Beside, add_code, code_of, config_of, inside, python_function, save_folder
from runfolio.flavors.model import Model
from runfolio.flavors.requirements import Requirements, distributions_of, pinned
from runfolio.flavors.signatures import ModelSignature

FLAVOR = "sklearn"
LOADER = "mlflow.sklearn"
SERIALIZATION_FORMAT_PICKLE = "pickle"
SERIALIZATION_FORMAT_CLOUDPICKLE = "cloudpickle"
SUPPORTED_SERIALIZATION_FORMATS = [SERIALIZATION_FORMAT_PICKLE, SERIALIZATION_FORMAT_CLOUDPICKLE]
_FILE = "model.pkl"
_log = logging.getLogger("runfolio")


def save_model(
    sk_model: Any,
    path: str | os.PathLike[str],
    conda_env: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    mlflow_model: Model | None = None,
    serialization_format: str | None = None,
    signature: ModelSignature | Literal[False] | None = None,
    input_example: Any = None,
    pip_requirements: Requirements | None = None,
    extra_pip_requirements: Requirements | None = None,
    pyfunc_predict_fn: str = "predict",
    metadata: Mapping[str, Any] | None = None,
) -> Model:
    """Write a scikit-learn model into a folder; MLflow loads it too.

    Parameters
    ----------
    sk_model : estimator
    path : path
        Missing, or an empty folder.
    conda_env : dict or path, optional
        The whole ``conda.yaml``.
    code_paths : sequence of paths, optional
        Modules and packages to save with the model.
    mlflow_model : Model, optional
        To add the flavor to.
    serialization_format : {"pickle", "cloudpickle"}, optional
        By default plain pickle, and cloudpickle where that would not load elsewhere.
    signature : ModelSignature, optional
        Inferred from the input example by default; False for none.
    input_example : DataFrame, ndarray, …, or a pair of one and the parameters, optional
    pip_requirements, extra_pip_requirements : sequence of str or path, optional
        In place of, or besides, the exact versions of what the model needs.
    pyfunc_predict_fn : str
        The method that ``predict`` of a loaded :mod:`runfolio.pyfunc` model calls.
    metadata : dict, optional

    Raises
    ------
    UsageError
        If there is no such format, or the model cannot be pickled.
    AlreadyExistsError
        If the place is taken.
    """
    check_format(serialization_format)
    beside = Beside(signature, input_example, pip_requirements, extra_pip_requirements, conda_env, code_paths, metadata)

    def write(folder: Path, model: Model) -> list[str]:
        used, modules = write_estimator(sk_model, folder / _FILE, serialization_format)
        _describe(model, folder, sk_model, used, pyfunc_predict_fn)
        return _needed(modules, used)

    predict = predictor(sk_model, {"predict_fn": pyfunc_predict_fn}) if hasattr(sk_model, pyfunc_predict_fn) else None
    return save_folder(path, mlflow_model, beside, write, predict)


def check_format(wanted: str | None) -> None:
    """Refuse a serialization format that there is not."""
    if wanted not in (None, *SUPPORTED_SERIALIZATION_FORMATS):
        raise UsageError(f"serialization_format: {wanted!r} is none. There are: {', '.join(SUPPORTED_SERIALIZATION_FORMATS)}.")


def _describe(model: Model, folder: Path, sk_model: Any, used: str, predict_fn: str) -> None:
    if hasattr(sk_model, predict_fn):
        python_function(model, folder, LOADER, model_path=_FILE, predict_fn=predict_fn)
    else:
        _log.warning(
            "%s has no method %r: the model is loaded by runfolio.sklearn, and not by runfolio.pyfunc.",
            type(sk_model).__name__,
            predict_fn,
        )
    model.add_flavor(FLAVOR, pickled_model=_FILE, sklearn_version=_version(), serialization_format=used, code=code_of(folder))


def _needed(modules: set[str], used: str) -> list[str]:
    clouds = ["cloudpickle"] if used == SERIALIZATION_FORMAT_CLOUDPICKLE else []
    return pinned([*clouds, "numpy", "scikit-learn", "scipy", *distributions_of(modules)])


def _version() -> str:
    try:
        import sklearn
    except ImportError as error:
        raise missing_package("scikit-learn", "models", "save and load scikit-learn models") from error
    return str(sklearn.__version__)


def load_folder(folder: Path) -> Any:
    """Load the estimator from a folder whose code may run (:mod:`runfolio.flavors.trust`).

    Raises
    ------
    UsageError
        If the model is of another flavor.
    """
    config = config_of(folder, FLAVOR)
    if "pickled_model" not in config:
        raise DamagedError(f"{folder}/MLmodel: flavors.sklearn.pickled_model: missing. Save the model again.")
    _version()
    add_code(folder, config)
    return load_estimator(inside(folder, config["pickled_model"], "flavors.sklearn.pickled_model"), config)


def predictor(held: Any, config: Mapping[str, Any]) -> Predict:
    """Return how the estimator predicts: by the method that was chosen when it was saved.

    Parameters of the signature are not for the estimator: MLflow drops them here too, and a ``predict`` of scikit-learn takes none.
    """
    method = str(config.get("predict_fn", "predict"))
    return lambda data, _: getattr(held, method)(data)


def runs_code(folder: Path, config: Mapping[str, Any]) -> Sequence[str]:
    """Return the pickle."""
    return (str(config.get("pickled_model", _FILE)),)
