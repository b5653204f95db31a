"""XGBoost's ``train`` and its estimators: params, a point of each evaluation metric an iteration, early stopping, importances, model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from runfolio.autologging.beside_models import MADE_BEFORE, beside, first_rows
from runfolio.autologging.boosting import Iterations, log_importances
from runfolio.autologging.datasets import Described, dataset_of
from runfolio.autologging.estimators import patch_estimators, recorded_fit
from runfolio.autologging.patching import Patches
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.scikit_learn.integration import patch_metrics
from runfolio.autologging.switches import switch
from runfolio.autologging.training import Call, Recording, logged
from runfolio.flavors.xgboost import check_format, save_model
from runfolio.tracking.flavor_models import logs

TRAIN = "xgboost.train"
_NOT_PARAMS = frozenset(
    {
        "params", "dtrain", "evals", "obj", "feval", "evals_result", "xgb_model", "callbacks", "learning_rates",
    }
)  # fmt: skip
_EXAMPLE = "_runfolio_example"
_log_model = logs(save_model)


def autolog(
    importance_types: Sequence[str] | None = None,
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    model_format: str = "xgb",
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Log what ``xgboost.train`` and XGBoost's estimators train.

    Params, the metrics of each iteration where there is evaluation data, early stopping, the features' importance as JSON and plot, the
    data, the model.

    Parameters
    ----------
    importance_types : sequence of str, optional
        ``["weight"]`` by default; also ``gain``, ``cover``, ``total_gain``, ``total_cover``.
    log_input_examples, log_model_signatures, log_models, log_datasets : bool
        What is kept beside params and metrics.
    disable : bool
        Put XGBoost back as it was.
    exclusive : bool
        Log only to runs that autologging starts itself, never to one that is active already.
    disable_for_unsupported_versions : bool
        Log nothing with a version that runfolio was not made for.
    silent : bool
        Write no log lines; what went wrong still stands in the run.
    registered_model_name : str, optional
        Make each model the next version of that registered model.
    model_format : str
        As for :func:`runfolio.xgboost.save_model`.
    extra_tags : Mapping, optional
        Tags of each run that autologging starts.
    """
    given = dict(locals())
    check_format(model_format)
    switch("xgboost", given)


def _recorder(*, models: bool) -> Callable[[RunLog, Call], Recording]:
    """Return the recorder of ``train``; an estimator keeps the model itself."""

    def record(log: RunLog, call: Call) -> Recording:
        given = call.named()
        log.params(given["params"])
        log.params({key: value for key, value in given.items() if key not in _NOT_PARAMS})
        if log.options.log_datasets:
            with log.guard("the datasets"):
                _log_datasets(log, given)
        iterations = Iterations(log)
        call.put("callbacks", [*(given.get("callbacks") or ()), _callback(iterations)])
        booster = yield
        with log.guard("early stopping"):
            _log_early_stopping(iterations, booster)
        for kind in log.options["importance_types"] or ("weight",):
            with log.guard(f"the features' importance ({kind})"):
                scores = booster.get_score(importance_type=kind)
                log_importances(log, kind, list(scores), list(scores.values()))
        if models and log.options.log_models:
            with log.guard("the model"):
                _keep(log, booster, getattr(given["dtrain"], _EXAMPLE, None), lambda rows: booster.predict(_matrix(rows)))

    return record


def _callback(iterations: Iterations) -> Any:
    import xgboost

    class Log(xgboost.callback.TrainingCallback):
        places: Sequence[tuple[str, str]] = ()
        names: tuple[str, ...] = ()

        def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Mapping[str, Sequence[Any]]]) -> bool:
            with iterations.guard:
                if len(self.places) != sum(map(len, evals_log.values())):  # which grows, and loses nothing
                    self.places = [(data, name) for data, made in evals_log.items() for name in made]
                    self.names = tuple(f"{data}-{name}" for data, name in self.places)
                iterations.add_row(self.names, [evals_log[data][name][-1] for data, name in self.places])
            return False

    return Log()


def _log_early_stopping(iterations: Iterations, booster: Any) -> None:
    if booster.attr("best_iteration") is None:
        return
    best = int(booster.attr("best_iteration"))
    iterations.early_stopping(stopped=len(iterations.made) - 1, best=best, score=float(booster.attr("best_score")), row=best)


def _log_datasets(log: RunLog, given: Mapping[str, Any]) -> None:
    described = Described()
    for matrix, context, name in [
        (given["dtrain"], "train", None), *((matrix, "eval", name) for matrix, name in given.get("evals") or ())
    ]:  # fmt: skip
        dataset = described.of(matrix, lambda held=matrix: dataset_of(held.get_data()), name)  # type: ignore[misc] # a copy each time
        if dataset is not None:
            log.dataset(dataset, context)


def _matrix(rows: Any) -> Any:
    import xgboost

    return xgboost.DMatrix(rows, nthread=1)  # a few rows: threads would take longer to wait for each other


def _keep(log: RunLog, model: Any, example: Any, predict: Callable[[Any], Any]) -> None:
    options = {"model_format": log.options["model_format"], "registered_model_name": log.options.registered_model_name}
    _log_model(model, "model", **options, **beside(log, example, predict, missing=MADE_BEFORE))


def _keeping_rows(original: Callable[..., Any], matrix: Any, *args: Any, **kwargs: Any) -> None:
    # A DMatrix does not give its data back as it was: its first rows are kept when it is made.
    setattr(matrix, _EXAMPLE, first_rows(args[0] if args else kwargs.get("data")))
    original(matrix, *args, **kwargs)


def _patch(module: ModuleType, patches: Patches) -> None:
    patches.method(module, "train", logged(patches, _recorder(models=True), name=TRAIN))
    for kind in (module.DMatrix, module.QuantileDMatrix):
        patches.method(kind, "__init__", _keeping_rows)
    if hasattr(module, "XGBModel"):
        inner = logged(patches, _recorder(models=False), name=TRAIN)
        patches.method(module.sklearn, "train", inner)
        patch_estimators(patches, module.XGBModel, logged(patches, recorded_fit(_keep), admits=TRAIN))


WATCHED: Mapping[str, Callable[[ModuleType, Patches], None]] = {"xgboost": _patch, "sklearn.metrics": patch_metrics}
