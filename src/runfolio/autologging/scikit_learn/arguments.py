"""What a call of ``fit`` was given: features, targets and weights, whatever the estimator calls them."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import Any

from runfolio._dataclass import dataclass

_WEIGHTS = "sample_weight"
_COPIES = ("copy", "copy_X", "copy_x")


@dataclass(frozen=True, slots=True)
class FitData:
    """Features `X`, targets `y` and `weights` of a fit; the last two None where there are none."""

    X: Any
    y: Any
    weights: Any


def fit_data(estimator: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> FitData:
    """Return the data of a call ``estimator.fit(*args, **kwargs)``.

    The first two parameters of ``fit`` are features and targets, whatever their names (``X`` and ``Y`` in multi-output models). The
    data is copied only where the estimator says that it changes what it is given.
    """
    names = [name for name in inspect.signature(estimator.fit).parameters if name != "self"]
    given = dict(zip(names, args, strict=False)) | dict(kwargs)
    features = given.get(names[0]) if names else None
    targets = given.get(names[1]) if len(names) > 1 else None
    if _changes_its_data(estimator):
        features, targets = copy.deepcopy((features, targets))
    return FitData(features, targets, given.get(_WEIGHTS) if _WEIGHTS in names else None)


def takes_weights(function: Any) -> bool:
    """Tell whether a function has a parameter for weights."""
    return _WEIGHTS in inspect.signature(function).parameters


def _changes_its_data(estimator: Any) -> bool:
    params = estimator.get_params(deep=True)
    return any(value is False and name.rpartition("__")[2] in _COPIES for name, value in params.items())
