"""Prophet's forecasters, in the layout of ``mlflow.prophet``: Prophet's own JSON, which runs no code when it is loaded."""

from __future__ import annotations

import json
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

FLAVOR = "prophet"
LOADER = "mlflow.prophet"
_FILE = "model.pr"


@with_options
def save_model(
    pr_model: Any, path: str | os.PathLike[str], mlflow_model: Model | None = None, **options: Unpack[Options]
) -> Model:
    """Write a fitted forecaster into a folder; MLflow loads it too.

    Parameters
    ----------
    pr_model : prophet.Prophet
    path : path
        Missing, or an empty folder.
    mlflow_model : Model, optional
        To add the flavor to.
    **options
        See :class:`~runfolio.flavors.folders.Options`.

    Raises
    ------
    UsageError
        If it is no forecaster, or not fitted.
    """
    prophet = _prophet()
    from prophet.serialize import model_to_json

    if not isinstance(pr_model, prophet.Prophet):
        raise UsageError(f"pr_model takes a Prophet, not {type(pr_model).__name__}.")

    def write(folder: Path, model: Model) -> list[str]:
        try:
            text = model_to_json(pr_model)
        except ValueError as error:
            raise UsageError(f"Prophet does not save this model: {error}") from error
        (folder / _FILE).write_text(json.dumps(text))  # JSON as text in JSON: MLflow's form
        python_function(model, folder, LOADER, data=_FILE)
        version = str(prophet.__version__)
        model.add_flavor(FLAVOR, prophet_version=version, code=code_of(folder), model_type=type(pr_model).__name__, data=_FILE)
        return pinned(["prophet"])

    return save_folder(path, mlflow_model, Beside(**options), write, predictor(pr_model, {}))


def load_folder(folder: Path) -> Any:
    """Load the forecaster from a folder.

    Raises
    ------
    UsageError
        If the model is of another flavor.
    DamagedError
        If its file cannot be read.
    """
    _prophet()
    from prophet.serialize import model_from_json

    _, place = opened(folder, FLAVOR, _FILE)
    try:
        return model_from_json(json.loads(place.read_text()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"{place}: Prophet cannot read it: {error}. Fetch the model again.") from error


def predictor(held: Any, config: Mapping[str, Any]) -> Predict:
    """Return how the forecaster predicts: of a frame with ``ds``."""
    return lambda data, _: held.predict(data)


def runs_code(folder: Path, config: Mapping[str, Any]) -> Sequence[str]:
    """Return none: JSON is data."""
    return ()


def _prophet() -> Any:
    try:
        import prophet
    except ImportError as error:
        raise missing_package("prophet", "prophet", "save and load Prophet's forecasters") from error
    return prophet
