"""CatBoost's models: params, a point of each metric an iteration, early stopping, importances, model. MLflow has none of it.

Names are those of the other boosters: ``learn-Logloss``, ``validation-AUC``, ``best_iteration``, ``feature_importance_….json``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from runfolio.autologging.beside_models import beside, first_rows
from runfolio.autologging.boosting import Iterations, log_importances
from runfolio.autologging.datasets import dataset_of
from runfolio.autologging.patching import Patches
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.scikit_learn.after_fit import predicting, remember_model, scoring
from runfolio.autologging.scikit_learn.integration import patch_metrics
from runfolio.autologging.switches import switch
from runfolio.autologging.training import Call, Recording, logged
from runfolio.flavors.catboost import save_model
from runfolio.tracking.flavor_models import logs

_NOT_PARAMS = frozenset(
    {
        "self", "X", "y", "cat_features", "text_features", "embedding_features", "graph", "pairs", "sample_weight", "group_id",
        "group_weight", "subgroup_id", "pairs_weight", "baseline", "eval_set", "callbacks", "init_model", "log_cout", "log_cerr",
        "plot", "plot_file", "save_snapshot", "snapshot_file", "snapshot_interval", "verbose", "verbose_eval", "logging_level",
        "silent", "metric_period", "column_description",
    }
)  # fmt: skip
_IMPORTANCE = "PredictionValuesChange"
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
    """Log what CatBoost's models are fitted to.

    Params (also those that CatBoost chose), the metrics of each iteration, early stopping, the features' importance as JSON and plot,
    the data, the model.

    Parameters
    ----------
    log_input_examples, log_model_signatures, log_models, log_datasets : bool
        What is kept beside params and metrics.
    disable : bool
        Put CatBoost back as it was.
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
    switch("catboost", dict(locals()))


class _Callback:
    """What CatBoost calls after each iteration."""

    def __init__(self, iterations: Iterations) -> None:
        self._iterations = iterations

    def after_iteration(self, info: Any) -> bool:
        """Write the iteration's metrics; True goes on."""
        self._iterations.add(_points(info.metrics, -1))
        return True


def _points(metrics: Mapping[str, Mapping[str, Any]], row: int) -> dict[str, float]:
    return {f"{data}-{name}": points[row] for data, made in metrics.items() for name, points in made.items() if len(points)}


def _record(log: RunLog, call: Call) -> Recording:
    model, given = call.args[0], call.named()
    log.params(model.get_params())
    log.params({key: value for key, value in given.items() if key not in _NOT_PARAMS and value is not None})
    example = first_rows(given["X"]) if _has_rows(given["X"]) else None
    if log.options.log_datasets:
        with log.guard("the datasets"):
            _log_datasets(log, given)
    iterations = Iterations(log)
    if str(model.get_params().get("task_type", "CPU")).upper() != "GPU":  # which takes no callbacks
        call.put("callbacks", [*(given.get("callbacks") or ()), _Callback(iterations)])
    yield
    _log_results(log, model, iterations)
    if log.options.log_models:
        with log.guard("the model"):
            registered = log.options.registered_model_name
            _log_model(model, "model", registered_model_name=registered, **beside(log, example, model.predict))
    remember_model(model, log)


def _has_rows(data: Any) -> bool:
    return not isinstance(data, (str, list)) and hasattr(data, "shape") and hasattr(data, "__getitem__")


def _log_results(log: RunLog, model: Any, iterations: Iterations) -> None:
    with log.guard("the metrics of the iterations"):
        made = model.get_evals_result()
        count = max((len(points) for each in made.values() for points in each.values()), default=0)
        for row in range(len(iterations.made), count):
            iterations.add(_points(made, row))
    with log.guard("the params that CatBoost chose"):
        known = log.live.record.params
        log.params(
            {key: value for key, value in model.get_all_params().items() if key not in known and key not in model.get_params()}
        )
    with log.guard("early stopping"):
        best = model.get_best_iteration()
        if best is not None:
            iterations.early_stopping(stopped=len(iterations.made) - 1, best=best, score=_best_score(model), row=best)
    with log.guard("the features' importance"):
        log_importances(log, _IMPORTANCE, list(model.feature_names_), model.get_feature_importance(type=_IMPORTANCE))


def _best_score(model: Any) -> float | None:
    """Return the score that decided: of the first validation data, by the evaluation metric."""
    scores = model.get_best_score()
    data = next((name for name in scores if name.startswith("validation")), None)
    metric = model.get_all_params().get("eval_metric")
    found = scores.get(data, {}) if data is not None else {}
    value: float | None = found.get(metric, next(iter(found.values()), None))
    return value


def _log_datasets(log: RunLog, given: Mapping[str, Any]) -> None:
    sets = given.get("eval_set")
    evals = [] if sets is None else sets if isinstance(sets, list) else [sets]
    for data, targets, context in [
        (given["X"], given.get("y"), "train"),
        *((*(each[:2] if isinstance(each, tuple) else (each, None)), "eval") for each in evals),
    ]:
        dataset = dataset_of(*(_unpooled(data) if hasattr(data, "get_features") else (data, targets)))
        if dataset is not None:
            log.dataset(dataset, context)


def _unpooled(pool: Any) -> tuple[Any, Any]:
    """Return a pool's numbers and targets; a pool with categories or texts does not give its features back."""
    if pool.get_cat_feature_indices() or pool.get_text_feature_indices() or pool.get_embedding_feature_indices():
        return None, None
    return pool.get_features(), pool.get_label()


def _patch(module: ModuleType, patches: Patches) -> None:
    fit, predict, score = logged(patches, _record), predicting(patches), scoring(patches)

    def patch(kind: type) -> None:
        patches.method(kind, "fit", fit)
        patches.method(kind, "score", score)
        for name in ("predict", "predict_proba"):
            patches.method(kind, name, predict)

    patches.subclasses(module.CatBoost, lambda kind: patch(kind) if kind.__module__.startswith("catboost") else None)


WATCHED: Mapping[str, Callable[[ModuleType, Patches], None]] = {"catboost": _patch, "sklearn.metrics": patch_metrics}
