"""The fluent API: the active run and everything that is logged to it.

Third-party packages (pandas, numpy, pillow, matplotlib, plotly, psutil) are imported inside the functions that need them,
so that ``import runfolio`` and the logging path load none of them. What MLflow has under ``mlflow.tracking``
(``MlflowClient``, ``set_tracking_uri``…) is found here too, loaded when it is first used.
"""

from __future__ import annotations

import importlib

from runfolio._typing import Any

_PLACES = {
    "MlflowClient": ("runfolio.tracking.client", "RunfolioClient"),
    "RunfolioClient": ("runfolio.tracking.client", "RunfolioClient"),
    "get_tracking_uri": ("runfolio.tracking.session", "get_tracking_uri"),
    "is_tracking_uri_set": ("runfolio.tracking.session", "is_tracking_uri_set"),
    "set_tracking_uri": ("runfolio.tracking.session", "set_tracking_uri"),
}

__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        module, attribute = _PLACES[name]
        return getattr(importlib.import_module(module), attribute)
    raise AttributeError(f"module 'runfolio.tracking' has no attribute {name!r}")
