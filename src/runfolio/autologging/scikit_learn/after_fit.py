"""Metrics that a user computes after a fit: logged to the fit's run, under MLflow's names.

A fitted model is remembered with its run, a prediction with its model and the name of the variable that was predicted, until the user
lets go of them. ``accuracy_score(y_test, model.predict(X_test))`` becomes the metric ``accuracy_score_X_test``,
``model.score(X_test, y_test)`` becomes ``LogisticRegression_score_X_test``; a second call of a kind gets ``-2`` after the function's
name. How each was called stands in ``metric_info.json``.
"""

from __future__ import annotations

import inspect
import numbers
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from runfolio.autologging.datasets import dataset_of
from runfolio.autologging.guarding import guard
from runfolio.autologging.patching import Patches, Replacement
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.sessions import is_part, session
from runfolio.autologging.variables import called_from, name_of
from runfolio.tracking.session import session as folio_session

MOST_DATASETS = 20
"""Datasets of predictions that a run describes: who predicts row by row after training wants no thousand of them."""
INFO = "metric_info.json"


class Evaluated:
    """What is known of a model that was fitted in a run.

    Parameters
    ----------
    log : RunLog
        Of the fit.
    """

    def __init__(self, log: RunLog) -> None:
        self.framework, self.options, self.run_id = log.framework, log.options, log.run_id
        self._datasets: dict[str, list[int]] = {}
        self._calls: dict[str, list[tuple[str, str]]] = {}
        self._described = 0

    def name(self, data: Any) -> str:
        """Return what a dataset is called: its variable's name, numbered where another dataset has it."""
        name = name_of(data) or "unknown_dataset"
        known = self._datasets.setdefault(name, [])
        if id(data) not in known:
            known.append(id(data))
        return _numbered(name, known.index(id(data)))

    def describe(self, data: Any) -> None:
        """Record a dataset that the model predicted."""
        if not self.options.log_datasets or self._described >= MOST_DATASETS:
            return
        self._described += 1
        dataset = dataset_of(data)
        if dataset is not None:
            with folio_session().holding(self.run_id) as live:
                RunLog(self.framework, self.options, live).dataset(dataset, "eval")

    def log(self, metric: str, dataset: str, value: Any, command: str) -> None:
        """Log a metric, and how it was computed."""
        calls = self._calls.setdefault(metric, [])
        key = f"{_numbered(metric, len(calls))}_{dataset}"
        calls.append((key, command))
        with folio_session().holding(self.run_id) as live:
            log = RunLog(self.framework, self.options, live)
            log.metrics({key: value})
            log.json(dict(sorted(each for made in self._calls.values() for each in made)), INFO)


_models: dict[int, Evaluated] = {}
_predictions: dict[int, tuple[Evaluated, str]] = {}


def remember_model(model: Any, log: RunLog) -> None:
    """Remember which run a model was fitted in, for as long as there is the model."""
    _models[id(model)] = Evaluated(log)
    weakref.finalize(model, _models.pop, id(model), None)


def predicting(patches: Patches) -> Replacement:
    """Return the replacement of a method that predicts or transforms."""

    def replacement(original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        evaluated = None if is_part() else _models.get(id(model))
        if evaluated is None:
            return original(model, *args, **kwargs)
        with session(patches.framework):
            result = original(model, *args, **kwargs)
        with guard("a prediction", framework=patches.framework, silent=patches.options.silent):
            data = _first(original, args, kwargs)
            _predictions[id(result)] = evaluated, evaluated.name(data)
            weakref.finalize(result, _predictions.pop, id(result), None)
            evaluated.describe(data)
        return result

    return replacement


def scoring(patches: Patches) -> Replacement:
    """Return the replacement of a method ``score``."""

    def replacement(original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        evaluated = None if is_part() else _models.get(id(model))
        if evaluated is None:
            return original(model, *args, **kwargs)
        with session(patches.framework):
            value = original(model, *args, **kwargs)
        with guard("a score", framework=patches.framework, silent=patches.options.silent):
            if _is_number(value):
                kind = type(model).__name__
                command = _command(f"{kind}.{original.__name__}", original, (model, *args), kwargs, skip=1)
                evaluated.log(f"{kind}_score", evaluated.name(_first(original, args, kwargs)), value, command)
        return value

    return replacement


def measuring(patches: Patches) -> Replacement:
    """Return the replacement of a function of ``sklearn.metrics``."""

    def replacement(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not _predictions or is_part():
            return original(*args, **kwargs)
        with session(patches.framework):
            value = original(*args, **kwargs)
        if _is_number(value) and not called_from("sklearn"):  # a scorer's f1_score calls fbeta_score, which nobody asked for
            with guard("a metric", framework=patches.framework, silent=patches.options.silent):
                found = next((_predictions[id(each)] for each in (*args, *kwargs.values()) if id(each) in _predictions), None)
                if found is not None:
                    evaluated, dataset = found
                    command = _command(original.__name__, original, args, kwargs)
                    evaluated.log(original.__name__, dataset, value, command)
        return value

    return replacement


def _numbered(name: str, index: int) -> str:
    return name if index == 0 else f"{name}-{index + 1}"


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _first(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return the first argument of a method, after the instance."""
    if args:
        return args[0]
    names = list(inspect.signature(function).parameters)
    return kwargs.get(names[1]) if len(names) > 1 else None


def _command(name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], skip: int = 0) -> str:
    """Return a call as a line of Python: data by its variables' names."""
    names = list(inspect.signature(function).parameters)
    given = [*zip(names, args, strict=False)][skip:] + list(kwargs.items())
    return f"{name}({', '.join(f'{key}={_shown(value)}' for key, value in given)})"


def _shown(value: Any) -> str:
    if isinstance(value, str) and len(value) > 32:
        return repr(value[:32] + "...")
    if value is None or isinstance(value, (str, bytes, numbers.Number)):
        return repr(value)
    return name_of(value) or f"<{type(value).__name__}>"
