"""What a fit of an estimator logs, in the order in which MLflow does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runfolio.autologging.beside_models import ROWS, beside, first_rows
from runfolio.autologging.datasets import dataset_of
from runfolio.autologging.preparing import plots, prepare
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.scikit_learn.after_fit import remember_model
from runfolio.autologging.scikit_learn.arguments import FitData, fit_data
from runfolio.autologging.scikit_learn.growing import watched
from runfolio.autologging.scikit_learn.plots import log_plots
from runfolio.autologging.scikit_learn.scores import Predictions, is_classifier, log_scores, predictions_of, scores_itself
from runfolio.autologging.scikit_learn.search import estimator_tags, is_search, is_without_model, log_search
from runfolio.autologging.training import Call, Recording
from runfolio.tracking.sklearn_models import log_model

_PAGE = '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="UTF-8"/></head>\n<body>\n{}\n</body>\n</html>\n'


def record_fit(log: RunLog, call: Call) -> Recording:
    """Log a call of ``fit``, ``fit_transform`` or ``fit_predict``."""
    estimator = call.args[0]
    data = fit_data(estimator, call.args[1:], call.kwargs)
    example = first_rows(data.X)
    # Those of a search's estimator are where the search starts from, and not what was fitted.
    log.params(estimator.get_params(deep=not is_search(estimator)))
    log.tags(estimator_tags(estimator))
    with log.guard("estimator.html"):
        # Before the fit: of a fitted estimator the page asks every attribute, which for a forest takes longer than a tenth of its fit.
        log.text(_page(estimator), "estimator.html")
    if log.options.log_datasets:
        with log.guard("the training dataset"):
            _log_dataset(log, data)
    if is_classifier(estimator):
        prepare(plots)
    with watched(log, estimator) as grown:
        yield
    predicted = predictions_of(log, estimator, data, grown)
    if is_without_model(estimator):
        log.say(
            "there are no metrics of the training data, since the search was not asked to fit its best estimator (refit=False)"
        )
    elif data.y is None:
        log.say("there are no metrics of the training data, since it has no targets")

    def scores() -> None:
        log_scores(log, estimator, data, predicted, log.options["pos_label"])

    def scores_and_plots() -> None:
        scores()
        log_plots(log, estimator, data, predicted)

    if scores_itself(estimator):  # it may keep something of what it is asked, and is not to be saved meanwhile
        scores()
        log.aside("plots", lambda: log_plots(log, estimator, data, predicted))
    else:
        log.aside("metrics and plots", scores_and_plots)
    if log.options.log_models:
        _log_models(log, estimator, example, predicted)
    if is_search(estimator):
        log_search(log, estimator)
    if log.options["log_post_training_metrics"]:
        remember_model(estimator, log)


def _log_dataset(log: RunLog, data: FitData) -> None:
    dataset = dataset_of(data.X, data.y)
    if dataset is None:
        log.say(f"training data of type {type(data.X).__name__} is not described as a dataset")
    else:
        log.dataset(dataset, "train")


def _page(estimator: Any) -> str:
    from sklearn.utils import estimator_html_repr

    return _PAGE.format(estimator_html_repr(estimator))


def _predict_of(estimator: Any, predicted: Predictions | None) -> Callable[[Any], Any] | None:
    """Return what the model says of the example; its first rows were predicted with all others, where there are predictions."""
    if predicted is not None:
        return lambda example: predicted.labels[:ROWS]
    return getattr(estimator, "predict", None) or getattr(estimator, "transform", None)


def _log_models(log: RunLog, estimator: Any, example: Any, predicted: Predictions | None) -> None:
    predict = _predict_of(estimator, predicted)
    extras = beside(log, example, predict) if predict is not None else {}
    form = {"serialization_format": log.options["serialization_format"]}
    with log.guard("the model"):
        log_model(estimator, "model", registered_model_name=log.options.registered_model_name, **extras, **form)
    if is_search(estimator) and hasattr(estimator, "best_estimator_"):
        with log.guard("the best estimator"):
            log_model(estimator.best_estimator_, "best_estimator", **extras, **form)
