"""LightGBM's ``train`` and its estimators: params, a point of each metric an iteration, early stopping, importances, model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from runfolio.flavors.lightgbm import save_model
from runfolio.tracking.flavor_models import logs

TRAIN = "lightgbm.train"
_NOT_PARAMS = frozenset(
    {
        "params", "train_set", "valid_sets", "valid_names", "fobj", "feval", "init_model", "learning_rates", "callbacks",
    }
)  # fmt: skip
_EXAMPLE = "_runfolio_example"
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
    """Log what ``lightgbm.train`` and LightGBM's estimators train.

    Params, the metrics of each iteration where there is validation data, early stopping, the features' importance (``split`` and
    ``gain``) as JSON and plots, the data, the model.

    Parameters
    ----------
    log_input_examples, log_model_signatures, log_models, log_datasets : bool
        What is kept beside params and metrics.
    disable : bool
        Put LightGBM back as it was.
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
    switch("lightgbm", dict(locals()))


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
        if booster.best_iteration > 0:
            with log.guard("early stopping"):
                _log_early_stopping(iterations, booster)
        for kind in ("split", "gain"):
            with log.guard(f"the features' importance ({kind})"):
                log_importances(log, kind, booster.feature_name(), booster.feature_importance(kind), indent=2)
        if models and log.options.log_models:
            with log.guard("the model"):
                _keep(log, booster, getattr(given["train_set"], _EXAMPLE, None), booster.predict)

    return record


def _callback(iterations: Iterations) -> Callable[[Any], None]:
    def record(env: Any) -> None:
        iterations.add({f"{each[0]}-{each[1]}": each[2] for each in env.evaluation_result_list or ()})

    return record


def _log_early_stopping(iterations: Iterations, booster: Any) -> None:
    # best_score: of each data the value of each metric, in the order in which they decide.
    scores = [value for made in booster.best_score.values() for value in made.values()]
    iterations.early_stopping(
        stopped=len(iterations.made), best=booster.best_iteration, score=scores[0] if len(scores) == 1 else None,
        row=booster.best_iteration - 1,
    )  # fmt: skip


def _log_datasets(log: RunLog, given: Mapping[str, Any]) -> None:
    sets = given.get("valid_sets") or ()
    sets = sets if isinstance(sets, (list, tuple)) else [sets]
    names = given.get("valid_names") or [None] * len(sets)
    names = names if isinstance(names, (list, tuple)) else [names]
    described = Described()
    for data, context, name in [
        (given["train_set"], "train", None),
        *((one, "eval", name) for one, name in zip(sets, names, strict=False)),
    ]:
        dataset = described.of(data, lambda held=data: dataset_of(held.data, held.label), name)  # type: ignore[misc]
        if dataset is not None:
            log.dataset(dataset, context)


def _keep(log: RunLog, model: Any, example: Any, predict: Callable[[Any], Any]) -> None:
    _log_model(
        model,
        "model",
        registered_model_name=log.options.registered_model_name,
        **beside(log, example, predict, missing=MADE_BEFORE),
    )


def _keeping_rows(original: Callable[..., Any], dataset: Any, *args: Any, **kwargs: Any) -> None:
    # A Dataset lets go of its data once it is used: its first rows are kept when it is made.
    setattr(dataset, _EXAMPLE, first_rows(args[0] if args else kwargs.get("data")))
    original(dataset, *args, **kwargs)


def _patch(module: ModuleType, patches: Patches) -> None:
    patches.method(module, "train", logged(patches, _recorder(models=True), name=TRAIN))
    patches.method(module.Dataset, "__init__", _keeping_rows)
    if hasattr(module, "LGBMModel"):
        patches.method(module.sklearn, "train", logged(patches, _recorder(models=False), name=TRAIN))
        patch_estimators(patches, module.LGBMModel, logged(patches, recorded_fit(_keep), admits=TRAIN))


WATCHED: Mapping[str, Callable[[ModuleType, Patches], None]] = {"lightgbm": _patch, "sklearn.metrics": patch_metrics}
