"""The models of statsmodels: what ``fit`` was told, the measures of the fit, its summary as text, the data, the fitted model."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from types import ModuleType

from runfolio.autologging.datasets import dataset_of
from runfolio.autologging.patching import Patches
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.switches import switch
from runfolio.autologging.training import Call, Recording, logged
from runfolio.flavors.statsmodels import save_model
from runfolio.tracking.flavor_models import logs

MEASURES = (
    "aic", "bic", "centered_tss", "condition_number", "df_model", "df_resid", "ess", "f_pvalue", "fvalue", "llf", "mse_model",
    "mse_resid", "mse_total", "rsquared", "rsquared_adj", "scale", "ssr", "uncentered_tss",
)  # fmt: skip
"""Attributes of results that are logged as metrics, where they are numbers: MLflow's list."""

_log_model = logs(save_model)


def autolog(
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Log what the models of statsmodels are fitted to: arguments of ``fit``, measures, ``model_summary.txt``, data and model.

    Parameters
    ----------
    log_models : bool
        Keep the fitted model.
    log_datasets : bool
        Record name, digest, schema and size of the data.
    disable : bool
        Put statsmodels back as it was.
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
    switch("statsmodels", dict(locals()))


def _record(log: RunLog, call: Call) -> Recording:
    model = call.args[0]
    log.params({key: value for key, value in call.named().items() if key != "self"})
    if log.options.log_datasets:
        with log.guard("the dataset"):
            dataset = dataset_of(getattr(model, "exog", None), getattr(model, "endog", None))
            if dataset is not None:
                log.dataset(dataset, "train")
    results = yield
    made = {}
    for name in MEASURES:
        with log.guard(f"the metric {name}"):
            value = getattr(results, name, None)
            if isinstance(value, numbers.Real):
                made[name] = value
    log.metrics(made)
    if hasattr(results, "summary"):
        with log.guard("model_summary.txt"):
            log.text(results.summary().as_text(), "model_summary.txt")
    if log.options.log_models:
        with log.guard("the model"):
            _log_model(results, "model", registered_model_name=log.options.registered_model_name)


def _patch(module: ModuleType, patches: Patches) -> None:
    fit = logged(patches, _record)
    patches.subclasses(module.Model, lambda kind: patches.method(kind, "fit", fit))


WATCHED: Mapping[str, Callable[[ModuleType, Patches], None]] = {"statsmodels.base.model": _patch}
