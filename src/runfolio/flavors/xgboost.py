"""XGBoost models, in the layout of ``mlflow.xgboost``: a booster's own format, which runs no code when it is loaded."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio.errors import DamagedError, UsageError, missing_package
from runfolio.flavors.catalogue import Predict
from runfolio.flavors.folders import (
    Beside,
    Options,
    add_code,
    code_of,
    config_of,
    inside,
    python_function,
    save_folder,
    with_options,
)
from runfolio.flavors.hashed_files import write_hashed
from runfolio.flavors.model import Model
from runfolio.flavors.requirements import pinned

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR = "xgboost"
LOADER = "mlflow.xgboost"
FORMATS = ("ubj", "json", "xgb")


@with_options
def save_model(
    xgb_model: Any,
    path: str | os.PathLike[str],
    mlflow_model: Model | None = None,
    model_format: str = "ubj",
    **options: Unpack[Options],
) -> Model:
    """Write an XGBoost model into a folder; MLflow loads it too.

    Parameters
    ----------
    xgb_model : xgboost.Booster or estimator of XGBoost's scikit-learn interface
    path : path
        Missing, or an empty folder.
    mlflow_model : Model, optional
        To add the flavor to.
    model_format : {"ubj", "json", "xgb"}
        "xgb" is MLflow's name for "ubj".
    **options
        See :class:`~runfolio.flavors.folders.Options`.

    Raises
    ------
    UsageError
        If it is no model of XGBoost, or there is no such format.
    """
    xgboost = _xgboost()
    if not isinstance(xgb_model, (xgboost.Booster, xgboost.XGBModel)):
        raise UsageError(f"xgb_model takes a Booster or an estimator of XGBoost, not {type(xgb_model).__name__}.")
    check_format(model_format)
    data = f"model.{model_format}"

    def write(folder: Path, model: Model) -> list[str]:
        # From memory, so that the ending never decides: XGBoost guesses at "xgb" with a warning.
        booster = xgb_model if isinstance(xgb_model, xgboost.Booster) else xgb_model.get_booster()
        _save(xgb_model, booster, folder / data, "json" if model_format == "json" else "ubj")
        python_function(model, folder, LOADER, data=data)
        model.add_flavor(
            FLAVOR,
            data=data,
            model_class=f"{type(xgb_model).__module__}.{type(xgb_model).__qualname__}",
            model_format=model_format,
            xgb_version=str(xgboost.__version__),
            code=code_of(folder),
        )
        return pinned(["numpy", "pandas", "scikit-learn", "xgboost"])

    return save_folder(path, mlflow_model, Beside(**options), write, predictor(xgb_model, {}))


def check_format(wanted: str) -> None:
    """Refuse a format of the file that there is not."""
    if wanted not in FORMATS:
        raise UsageError(f"model_format: {wanted!r} is none. There are: {', '.join(FORMATS)}.")


def _save(model: Any, booster: Any, place: Path, form: str) -> None:
    if model is not booster:
        # The estimator's own attributes (classes, feature types) travel inside the booster's attributes.
        temporary = place.with_name(f"model.{form}")
        model.save_model(temporary)
        temporary.rename(place)
    else:
        write_hashed(place, booster.save_raw(raw_format=form))


def load_folder(folder: Path) -> Any:
    """Load the booster or estimator from a folder.

    Raises
    ------
    UsageError
        If the model is of another flavor.
    DamagedError
        If its file cannot be read.
    """
    xgboost = _xgboost()
    config = config_of(folder, FLAVOR)
    add_code(folder, config)
    held = _class(str(config.get("model_class", "xgboost.core.Booster")))()
    place = inside(folder, config.get("data"), "flavors.xgboost.data")
    try:
        held.load_model(bytearray(place.read_bytes()))
    except (OSError, xgboost.core.XGBoostError, ValueError) as error:
        raise DamagedError(
            f"{place}: XGBoost cannot read it: {str(error).strip().splitlines()[0]}. Fetch the model again."
        ) from error
    return held


def _class(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    if module.partition(".")[0] != "xgboost":
        raise DamagedError(f"MLmodel: flavors.xgboost.model_class: {name!r} is no class of XGBoost. Save the model again.")
    return getattr(importlib.import_module(module), attribute)


def predictor(held: Any, config: Mapping[str, Any]) -> Predict:
    """Return how the model predicts: a booster takes a ``DMatrix``, its parameters are those of its ``predict``."""
    xgboost = _xgboost()
    if isinstance(held, xgboost.Booster):
        return lambda data, params: held.predict(xgboost.DMatrix(data), **params)
    return lambda data, params: held.predict(data, **params)


def runs_code(folder: Path, config: Mapping[str, Any]) -> Sequence[str]:
    """Return none: a booster is data."""
    return ()


def _xgboost() -> Any:
    try:
        import xgboost
    except ImportError as error:
        raise missing_package("xgboost", "xgboost", "save and load XGBoost models") from error
    return xgboost
