"""Prophet's forecasters: settings, the history, how well the forecast fits it, plots, the model. MLflow has none of it.

Prophet draws its intervals from numpy's global generator: what is predicted here leaves that as it was, so that a training that logs
itself gives the numbers that it gave before.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from runfolio.autologging import forecast_drawing
from runfolio.autologging.beside_models import beside, first_rows
from runfolio.autologging.datasets import dataset_of
from runfolio.autologging.patching import Patches
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.sessions import session
from runfolio.autologging.switches import switch
from runfolio.autologging.training import Call, Recording, logged
from runfolio.flavors.prophet import save_model
from runfolio.tracking.flavor_models import logs

MOST_DRAWS = 2_000_000
"""Rows times samples up to which the interval of the history is drawn: about a tenth of a second."""
_NAMES = 20
_log_model = logs(save_model)


def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Log what Prophet's forecasters are fitted to.

    Params (the settings, arguments of ``fit``, and the seasonalities that Prophet chose), errors of the forecast on the history
    (``training_mae``, ``training_rmse``, ``training_mape`` where no value is 0, ``training_coverage`` of the interval where that is
    cheap), ``forecast.png`` and ``components.png``, the data, the model. The fits of ``cross_validation`` are none of their own.

    Parameters
    ----------
    log_input_examples, log_model_signatures, log_models, log_datasets : bool
        What is kept beside params and metrics.
    disable : bool
        Put Prophet back as it was.
    exclusive : bool
        Log only to runs that autologging starts itself, never to one that is active already.
    disable_for_unsupported_versions : bool
        Log nothing with a version that runfolio was not made for.
    silent : bool
        Write no log lines; what went wrong still stands in the run.
    registered_model_name : str, optional
        Make each model the next version of that registered model.
    extra_tags : Mapping, optional
        Tags of each run that autologging starts.
    """
    switch("prophet", dict(locals()))


def _record(log: RunLog, call: Call) -> Recording:
    model, given = call.args[0], call.named()
    history = given["df"]
    log.params(_settings(model))
    log.params({key: value for key, value in given.items() if key not in ("self", "df", "kwargs")})
    example = first_rows(history[_read(model, history)])
    if log.options.log_datasets:
        with log.guard("the dataset"):
            dataset = dataset_of(history)
            if dataset is not None:
                log.dataset(dataset, "train")
    yield
    with log.guard("the seasonalities that Prophet chose"):
        log.params({"seasonalities": _listed(model.seasonalities)})
    with _same_draws():
        _log_forecast(log, model)
        if log.options.log_models:
            with log.guard("the model"):
                registered = log.options.registered_model_name
                _log_model(model, "model", registered_model_name=registered, **beside(log, example, model.predict))


def _read(model: Any, history: Any) -> list[str]:
    """Return the columns that the forecaster reads when it predicts."""
    conditions = {each.get("condition_name") for each in model.seasonalities.values()}
    known = {"ds", "cap", "floor", *model.extra_regressors, *conditions}
    return [each for each in history.columns if each in known]


def _settings(model: Any) -> dict[str, Any]:
    """Return what the forecaster was made with, tables and lists as short texts."""
    import prophet

    names = [name for name in inspect.signature(prophet.Prophet.__init__).parameters if name not in ("self", "stan_backend")]
    made = {name: getattr(model, name) for name in names if hasattr(model, name)}
    if made.get("changepoints") is not None:
        made["changepoints"] = _listed(str(each) for each in made["changepoints"])
    if made.get("holidays") is not None:
        table = made["holidays"]
        made["holidays"] = f"{len(table)} days: {_listed(table['holiday'].unique())}"
    made["country_holidays"] = model.country_holidays
    made["extra_regressors"] = _listed(model.extra_regressors)
    return made


def _listed(names: Any) -> str:
    known = [str(each) for each in names]
    more = f", and {len(known) - _NAMES} more" if len(known) > _NAMES else ""
    return ", ".join(known[:_NAMES]) + more


def _log_forecast(log: RunLog, model: Any) -> None:
    with log.guard("the forecast of the history"):
        forecast = _forecast(model)
        log.metrics(_errors(model.history["y"].to_numpy(dtype=float), forecast))
        with log.guard("the plot of the forecast"):
            log.bytes(forecast_drawing.forecast(model.history, forecast), "forecast.png")
        with log.guard("the plot of the components"):
            periods = {name: float(each["period"]) for name, each in model.seasonalities.items()}
            log.bytes(forecast_drawing.components(forecast, periods), "components.png")


def _forecast(model: Any) -> Any:
    """Return the forecast of the history; without an interval where drawing it would take long."""
    held = copy.copy(model)
    if len(model.history) * int(model.uncertainty_samples or 0) > MOST_DRAWS:
        held.uncertainty_samples = 0
    return held.predict()


def _errors(actual: Any, forecast: Any) -> dict[str, float]:
    import numpy

    off = actual - forecast["yhat"].to_numpy()
    made = {"training_mae": float(numpy.abs(off).mean()), "training_rmse": float(numpy.sqrt((off**2).mean()))}
    if (actual != 0).all():
        made["training_mape"] = float(numpy.abs(off / actual).mean())
    if "yhat_lower" in forecast:
        inside = (forecast["yhat_lower"].to_numpy() <= actual) & (actual <= forecast["yhat_upper"].to_numpy())
        made["training_coverage"] = float(inside.mean())
    return made


@contextmanager
def _same_draws() -> Iterator[None]:
    """Leave numpy's global generator as it was."""
    import numpy

    state = numpy.random.get_state()
    try:
        yield
    finally:
        numpy.random.set_state(state)


def _patch(module: ModuleType, patches: Patches) -> None:
    fit = logged(patches, _record)
    patches.subclasses(module.Prophet, lambda kind: patches.method(kind, "fit", fit))


def _patch_diagnostics(module: ModuleType, patches: Patches) -> None:
    def part(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with session(patches.framework):
            return original(*args, **kwargs)

    # In whichever thread or process: fits of a cross-validation are parts of it.
    patches.function((module,), "single_cutoff_forecast", part)


WATCHED: Mapping[str, Callable[[ModuleType, Patches], None]] = {
    "prophet.forecaster": _patch,
    "prophet.diagnostics": _patch_diagnostics,
}
