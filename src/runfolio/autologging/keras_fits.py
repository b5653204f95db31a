"""What a call of ``fit`` of a Keras model logs before and after the training; shared by the flavors keras and tensorflow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runfolio.autologging.datasets import dataset_of
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.training import Call

_NOT_PARAMS = frozenset({"self", "x", "y", "callbacks", "validation_data", "verbose"})
_EARLY = ("monitor", "min_delta", "patience", "baseline", "restore_best_weights")


def log_arguments(log: RunLog, call: Call) -> dict[str, Any]:
    """Log the arguments of the fit, and return all of them by name."""
    given = call.named()
    params = {key: value for key, value in given.items() if key not in _NOT_PARAMS}
    with log.guard("the size of batches"):
        if params.get("batch_size") is None:
            params["batch_size"] = _batch_size(given.get("x"), call)
    log.params(params)
    return given


def _batch_size(data: Any, call: Call) -> Any:
    """Return the rows of a batch where the data says it; of a generator the first batch is looked at, and put back."""
    for name in ("batch_size", "_batch_size"):
        found = getattr(data, name, None)
        if found is not None and not callable(found):
            return found if isinstance(found, int) else int(found)
    if isinstance(data, Iterator):
        first = next(data)
        call.put("x", _again(first, data))
        inputs = first[0]
        return len(inputs[0]) if isinstance(inputs, (list, tuple)) else len(inputs)
    return None


def _again(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def log_datasets(log: RunLog, given: Mapping[str, Any]) -> None:
    """Record the data that the fit is given."""
    with log.guard("the datasets"):
        _log_dataset(log, given.get("x"), given.get("y"), "train")
        validation = given.get("validation_data")
        if isinstance(validation, (tuple, list)) and len(validation) >= 2:
            _log_dataset(log, validation[0], validation[1], "eval")
        elif validation is not None:
            _log_dataset(log, validation, None, "eval")


def _log_dataset(log: RunLog, features: Any, targets: Any, context: str) -> None:
    dataset = dataset_of(_plain(features), _plain(targets))
    if dataset is None:
        log.say(f"{context} data of type {type(features).__name__} is not described as a dataset")
    else:
        log.dataset(dataset, context)


def _plain(values: Any) -> Any:
    """Return a tensor of any framework as an array; of a network with several inputs or outputs each of them."""
    if isinstance(values, Mapping):
        return {name: _plain(each) for name, each in values.items()}
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    return values.numpy() if callable(getattr(values, "numpy", None)) else values


def early_stopping_of(callbacks: list[Any]) -> Any:
    """Return the callback of Keras that may stop the training, or None."""
    return next((each for each in callbacks if any(kind.__name__ == "EarlyStopping" for kind in type(each).__mro__)), None)


def log_early_stopping_params(log: RunLog, early: Any) -> None:
    """Log how the training may be stopped."""
    if early is not None:
        with log.guard("early stopping"):
            log.params({name: getattr(early, name) for name in _EARLY})


def log_early_stopping(log: RunLog, early: Any, history: Any) -> None:
    """Log when training stopped, which epoch was restored, and its metrics once more."""
    if early is None or not early.model.stop_training:
        return
    with log.guard("early stopping"):
        stopped = early.stopped_epoch
        log.metrics({"stopped_epoch": stopped})
        watched = history.history.get(early.monitor)
        if not early.restore_best_weights or early.best_weights is None or not watched:
            return
        restored = history.epoch[0] + watched.index(early.best)
        log.metrics({"restored_epoch": restored})
        at = history.epoch.index(restored)
        log.metrics({key: values[at] for key, values in history.history.items()}, stopped + 1)


def our_own(callbacks: list[Any], kind: Callable[[], type]) -> bool:
    """Return whether a user has given a callback of ours, which then logs in place of autologging's."""
    return any(isinstance(each, kind()) for each in callbacks)
