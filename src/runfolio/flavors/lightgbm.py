"""LightGBM models, in the layout of ``mlflow.lightgbm``: a booster as LightGBM's own text, an estimator as a pickle."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio.errors import DamagedError, UsageError, missing_package
from runfolio.flavors.catalogue import Predict
from runfolio.flavors.estimators import load_estimator, write_estimator
from runfolio.flavors.folders import Beside, Options, code_of, opened, python_function, save_folder, with_options
from runfolio.flavors.hashed_files import write_hashed
from runfolio.flavors.model import Model
from runfolio.flavors.requirements import distributions_of, pinned

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR = "lightgbm"
LOADER = "mlflow.lightgbm"
_BOOSTER = "lightgbm.basic.Booster"
_TEXT, _PICKLE = "model.lgb", "model.pkl"
_ENDS = ("end of trees", "end of parameters")


@with_options
def save_model(
    lgb_model: Any, path: str | os.PathLike[str], mlflow_model: Model | None = None, **options: Unpack[Options]
) -> Model:
    """Write a LightGBM model into a folder; MLflow loads it too.

    Parameters
    ----------
    lgb_model : lightgbm.Booster or estimator of LightGBM's scikit-learn interface
        Of an estimator, ``booster_`` is what runs no code when it is loaded.
    path : path
        Missing, or an empty folder.
    mlflow_model : Model, optional
        To add the flavor to.
    **options
        See :class:`~runfolio.flavors.folders.Options`.

    Raises
    ------
    UsageError
        If it is no model of LightGBM.
    """
    lightgbm = _lightgbm()
    if not isinstance(lgb_model, (lightgbm.Booster, lightgbm.LGBMModel)):
        raise UsageError(f"lgb_model takes a Booster or an estimator of LightGBM, not {type(lgb_model).__name__}.")

    def write(folder: Path, model: Model) -> list[str]:
        if isinstance(lgb_model, lightgbm.Booster):
            data, needed, said = _TEXT, ["numpy", "pandas"], {}
            write_hashed(folder / data, lgb_model.model_to_string().encode("utf-8"))
        else:
            data = _PICKLE
            form, modules = write_estimator(lgb_model, folder / data)
            needed, said = ["cloudpickle", *distributions_of(modules)], {"serialization_format": form}
        python_function(model, folder, LOADER, data=data)
        model.add_flavor(
            FLAVOR,
            lgb_version=str(lightgbm.__version__),
            data=data,
            model_class=f"{type(lgb_model).__module__}.{type(lgb_model).__qualname__}",
            code=code_of(folder),
            **said,
        )
        return pinned(["lightgbm", *needed])

    return save_folder(path, mlflow_model, Beside(**options), write, predictor(lgb_model, {}))


def load_folder(folder: Path) -> Any:
    """Load the booster or estimator from a folder.

    Raises
    ------
    UsageError
        If the model is of another flavor.
    DamagedError
        If its file cannot be read.
    """
    lightgbm = _lightgbm()
    config, place = opened(folder, FLAVOR, _TEXT)
    if config.get("model_class", _BOOSTER) != _BOOSTER:
        return load_estimator(place, config)
    try:
        text = place.read_text(encoding="utf-8")
        # LightGBM 4.7 ends the process on a text that was cut off.
        if not all(f"\n{end}" in text for end in _ENDS):
            raise DamagedError(f"{place}: not a whole model of LightGBM. Fetch the model again.")
        return lightgbm.Booster(model_str=text)
    except (OSError, UnicodeDecodeError, lightgbm.basic.LightGBMError) as error:
        raise DamagedError(f"{place}: LightGBM cannot read it: {error}. Fetch the model again.") from error


def predictor(held: Any, config: Mapping[str, Any]) -> Predict:
    """Return how the model predicts: parameters are left out, as MLflow does."""
    return lambda data, _: held.predict(data)


def runs_code(folder: Path, config: Mapping[str, Any]) -> Sequence[str]:
    """Return the pickle of an estimator; a booster is text."""
    return () if config.get("model_class", _BOOSTER) == _BOOSTER else (str(config.get("data", _PICKLE)),)


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise missing_package("lightgbm", "lightgbm", "save and load LightGBM models") from error
    return lightgbm
