"""A model's folder to a predictor, in a worker: loaded, looked at, tried."""

from __future__ import annotations

import logging
from pathlib import Path

from runfolio.errors import DamagedError, MissingPackageError, RunfolioError
from runfolio.flavors.model import NEWEST_READ, Model, newer
from runfolio.flavors.python_function import load_folder
from runfolio.flavors.versions import newer_format
from runfolio.serving.installed import installed
from runfolio.serving.options import ServeOptions
from runfolio.serving.prediction import Predictor

_log = logging.getLogger("runfolio.serving")
_FRAMEWORKS = {
    "sklearn": ("sklearn_version", "scikit-learn"),
    "xgboost": ("xgb_version", "xgboost"),
    "lightgbm": ("lgb_version", "lightgbm"),
    "catboost": ("catboost_version", "catboost"),
    "pytorch": ("pytorch_version", "torch"),
    "tensorflow": ("tf_version", "tensorflow"),
    "onnx": ("onnx_version", "onnx"),
    "statsmodels": ("statsmodels_version", "statsmodels"),
    "spacy": ("spacy_version", "spacy"),
    "prophet": ("prophet_version", "prophet"),
}
"""The field in which a flavor records its framework's version, and the package's name."""


def load(folder: Path, options: ServeOptions) -> Predictor:
    """Load a model whose code may run.

    Raises
    ------
    RunfolioError
        Saying what is missing or damaged.
    """
    described = Model.load(folder)
    if told := newer_format(described):
        _log.warning("%s", told)
    if options.engine == "onnx":
        from runfolio.serving.onnx_engine import onnx_model

        twin, way = onnx_model(folder)
        return Predictor(twin, folder, options, way)
    try:
        model = load_folder(folder)
    except RunfolioError:
        raise
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        raise MissingPackageError(
            f"The model needs {missing or 'a package'}, which cannot be imported here: {error}. Install what its requirements.txt "
            "names, or serve it with --env-manager virtualenv.",
            name=missing,
        ) from error
    except (AttributeError, ValueError, TypeError, KeyError, IndexError, OSError, RuntimeError) as error:
        raise DamagedError(
            f"{folder}: the model cannot be loaded: {type(error).__name__}: {str(error)[:300]}. {_advice(described)}"
        ) from error
    return Predictor(model, folder, options)


def _advice(model: Model) -> str:
    for flavor, (field, package) in _FRAMEWORKS.items():
        recorded = model.flavors.get(flavor, {}).get(field)
        here = installed(package)
        if recorded and here and str(recorded) != here:
            return f"The model was saved with {package} {recorded}, and {package} {here} is installed."
    return newer(model.mlflow_version, NEWEST_READ).strip() or "Save it again, or serve it with --env-manager virtualenv."
