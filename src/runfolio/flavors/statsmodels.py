"""Results of statsmodels, in the layout of ``mlflow.statsmodels``: a pickle, the only form that statsmodels has."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio.errors import UsageError, missing_package
from runfolio.flavors.catalogue import Predict
from runfolio.flavors.folders import Beside, Options, code_of, opened, python_function, save_folder, with_options
from runfolio.flavors.model import Model
from runfolio.flavors.pickles import load_pickle, write_plain
from runfolio.flavors.requirements import distributions_of, pinned

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR = "statsmodels"
LOADER = "mlflow.statsmodels"
_FILE = "model.statsmodels"


@with_options
def save_model(
    statsmodels_model: Any,
    path: str | os.PathLike[str],
    mlflow_model: Model | None = None,
    remove_data: bool = False,
    **options: Unpack[Options],
) -> Model:
    """Write a fitted model of statsmodels into a folder; MLflow loads it too.

    Parameters
    ----------
    statsmodels_model : results
        What ``fit`` returned.
    path : path
        Missing, or an empty folder.
    mlflow_model : Model, optional
        To add the flavor to.
    remove_data : bool
        Leave out the arrays as long as the data; as statsmodels' own ``save`` does, this takes them from `statsmodels_model` too.
    **options
        See :class:`~runfolio.flavors.folders.Options`.

    Raises
    ------
    UsageError
        If it is no result of statsmodels, or cannot be pickled.
    """
    statsmodels = _statsmodels()
    if not hasattr(statsmodels_model, "model") or not hasattr(statsmodels_model, "remove_data"):
        raise UsageError(f"statsmodels_model takes what fit() returned, not {type(statsmodels_model).__name__}.")

    def write(folder: Path, model: Model) -> list[str]:
        if remove_data:
            statsmodels_model.remove_data()
        modules = write_plain(statsmodels_model, folder / _FILE)
        if modules is None:
            raise UsageError("The results hold functions or classes that a pickle cannot carry to another process.")
        python_function(model, folder, LOADER, data=_FILE)
        model.add_flavor(FLAVOR, statsmodels_version=str(statsmodels.__version__), data=_FILE, code=code_of(folder))
        return pinned(["statsmodels", *distributions_of(modules)])

    return save_folder(path, mlflow_model, Beside(**options), write, predictor(statsmodels_model, {}))


def load_folder(folder: Path) -> Any:
    """Load the results from a folder whose code may run (:mod:`runfolio.flavors.trust`).

    Raises
    ------
    UsageError
        If the model is of another flavor.
    """
    _statsmodels()
    _, place = opened(folder, FLAVOR, _FILE)
    return load_pickle(place)


def predictor(held: Any, config: Mapping[str, Any]) -> Predict:
    """Return how the model predicts: a model of time series takes one row with ``start`` and ``end``, any other takes the frame."""
    from statsmodels.tsa.base.tsa_model import TimeSeriesModel

    if not isinstance(held.model, TimeSeriesModel):
        return lambda data, _: held.predict(data)

    def between(data: Any, _: dict[str, Any]) -> Any:
        columns = list(getattr(data, "columns", ()))
        if not {"start", "end"} <= set(columns) or len(data) != 1:
            raise UsageError(f"A model of time series takes a frame of one row with the columns start and end, not {columns}.")
        return held.predict(start=data["start"].iloc[0], end=data["end"].iloc[0])

    return between


def runs_code(folder: Path, config: Mapping[str, Any]) -> Sequence[str]:
    """Return the pickle."""
    return (str(config.get("data") or _FILE),)


def _statsmodels() -> Any:
    try:
        import statsmodels
    except ImportError as error:
        raise missing_package("statsmodels", "statsmodels", "save and load models of statsmodels") from error
    return statsmodels
