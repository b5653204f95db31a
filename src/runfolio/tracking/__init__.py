"""The fluent API: the active run and everything that is logged to it.

Third-party packages (pandas, numpy, pillow, matplotlib, plotly, psutil) are imported inside the functions that need them,
so that ``import runfolio`` and the logging path load none of them. What MLflow has under ``mlflow.tracking``
(``MlflowClient``, ``set_tracking_uri``…) is found here too, loaded when it is first used.
"""

from __future__ import annotations

import importlib

from runfolio._absent import absent_names
from runfolio._typing import Any

_PLACES = {
    "MlflowClient": ("runfolio.tracking.client", "RunfolioClient"),
    "RunfolioClient": ("runfolio.tracking.client", "RunfolioClient"),
    "get_registry_uri": ("runfolio.tracking.registering", "get_registry_uri"),
    "get_tracking_uri": ("runfolio.tracking.session", "get_tracking_uri"),
    "is_tracking_uri_set": ("runfolio.tracking.session", "is_tracking_uri_set"),
    "set_registry_uri": ("runfolio.tracking.registering", "set_registry_uri"),
    "set_tracking_uri": ("runfolio.tracking.session", "set_tracking_uri"),
}

_MODULES = ("artifact_utils", "client", "fluent")
"""What scripts reach as attributes, ``mlflow.tracking.fluent…``, without an import of their own."""

__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        module, attribute = _PLACES[name]
        return getattr(importlib.import_module(module), attribute)
    if name in _MODULES:
        return importlib.import_module(f"runfolio.tracking.{name}")
    return absent_names("runfolio.tracking")(name)
