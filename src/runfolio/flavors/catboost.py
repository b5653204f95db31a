"""CatBoost models, in the layout of ``mlflow.catboost``: CatBoost's own formats, none of which runs code when it is loaded."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio.errors import DamagedError, UsageError, missing_package
from runfolio.flavors.catalogue import Predict
from runfolio.flavors.folders import Beside, Options, code_of, opened, python_function, save_folder, with_options
from runfolio.flavors.model import Model
from runfolio.flavors.requirements import pinned

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR = "catboost"
LOADER = "mlflow.catboost"
FORMATS = ("cbm", "json", "onnx", "coreml")
_CLASSES = ("CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker")
_FILE = "model.cb"


@with_options
def save_model(
    cb_model: Any,
    path: str | os.PathLike[str],
    mlflow_model: Model | None = None,
    format: str = "cbm",
    export_parameters: Mapping[str, Any] | None = None,
    pool: Any = None,
    **options: Unpack[Options],
) -> Model:
    """Write a CatBoost model into a folder; MLflow loads it too.

    Parameters
    ----------
    cb_model : catboost.CatBoost, CatBoostClassifier, CatBoostRegressor or CatBoostRanker
    path : path
        Missing, or an empty folder.
    mlflow_model : Model, optional
        To add the flavor to.
    format : {"cbm", "json", "onnx", "coreml"}
        Of those that CatBoost writes, the ones that it reads again.
    export_parameters, pool
        As for CatBoost's own ``save_model``.
    **options
        See :class:`~runfolio.flavors.folders.Options`.

    Raises
    ------
    UsageError
        If it is no model of CatBoost, not fitted, or there is no such format.
    """
    catboost = _catboost()
    kind = next((each.__name__ for each in type(cb_model).__mro__ if each.__name__ in _CLASSES), None)
    if kind is None or not isinstance(cb_model, catboost.CatBoost):
        raise UsageError(f"cb_model takes a model of CatBoost, not {type(cb_model).__name__}.")
    if format not in FORMATS:
        raise UsageError(f"format: {format!r} is none that CatBoost reads again. There are: {', '.join(FORMATS)}.")

    def write(folder: Path, model: Model) -> list[str]:
        try:
            cb_model.save_model(str(folder / _FILE), format=format, export_parameters=export_parameters, pool=pool)
        except catboost.CatBoostError as error:
            raise UsageError(f"CatBoost does not save this model: {error}.") from error
        python_function(model, folder, LOADER, data=_FILE)
        version = str(catboost.__version__)
        model.add_flavor(FLAVOR, catboost_version=version, code=code_of(folder), model_type=kind, save_format=format, data=_FILE)
        return pinned(["catboost", "numpy", "pandas"])

    return save_folder(path, mlflow_model, Beside(**options), write, predictor(cb_model, {}))


def load_folder(folder: Path) -> Any:
    """Load the model from a folder.

    Raises
    ------
    UsageError
        If the model is of another flavor.
    DamagedError
        If its file cannot be read.
    """
    catboost = _catboost()
    config, place = opened(folder, FLAVOR, _FILE)
    kind = config.get("model_type")
    if kind not in _CLASSES:
        raise DamagedError(f"{folder}/MLmodel: flavors.catboost.model_type: {kind!r} is none of {', '.join(_CLASSES)}.")
    held = getattr(catboost, str(kind))()
    try:
        held.load_model(str(place), str(config.get("save_format") or "cbm"))
    except catboost.CatBoostError as error:
        raise DamagedError(f"{place}: CatBoost cannot read it: {str(error).strip()}. Fetch the model again.") from error
    return held


def predictor(held: Any, config: Mapping[str, Any]) -> Predict:
    """Return how the model predicts: parameters are left out, as MLflow does."""
    return lambda data, _: held.predict(data)


def runs_code(folder: Path, config: Mapping[str, Any]) -> Sequence[str]:
    """Return none: the formats are data."""
    return ()


def _catboost() -> Any:
    try:
        import catboost
    except ImportError as error:
        raise missing_package("catboost", "catboost", "save and load CatBoost models") from error
    return catboost
