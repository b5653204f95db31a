"""Is what a model was saved with what is installed here? Said once a process for each difference, with both versions.

A flavor's part of ``MLmodel`` says it under a key that ends in ``_version`` (``lgb_version: 4.6.0``); the rest of the key names the
distribution, MLflow's short names aside.
"""

from __future__ import annotations

import platform
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runfolio.errors import OtherVersionWarning
from runfolio.flavors.requirements import installed

_SHORT = {"lgb": "lightgbm", "xgb": "xgboost", "sklearn": "scikit-learn", "pytorch": "torch", "tf": "tensorflow"}
_OWN = {"python_version", "mlflow_version", "opset_version"}
_told: set[tuple[str, str]] = set()


def warn_of_other_versions(folder: Path, config: Mapping[str, Any]) -> None:
    """Warn where a flavor names another version of a package, or of Python, than is here.

    Parameters
    ----------
    folder : path
        Of the model.
    config : dict
        The flavor's part of ``MLmodel``.
    """
    for key, recorded in config.items():
        if not key.endswith("_version") or not isinstance(recorded, (str, float)):
            continue
        if key == "python_version":
            here, said = (_minor(each) for each in (platform.python_version(), str(recorded)))
            _warn(folder, "Python", said, here)
        elif key not in _OWN:
            name = _name(key)
            here_is = installed(name)
            if here_is is not None:
                _warn(folder, name, str(recorded), here_is[1])


def distributions_named(config: Mapping[str, Any]) -> list[str]:
    """Return the distributions whose versions a flavor names."""
    return [_name(key) for key in config if key.endswith("_version") and key not in _OWN]


def _name(key: str) -> str:
    name = key.removesuffix("_version")
    return _SHORT.get(name, name)


def _warn(folder: Path, name: str, recorded: str, here: str) -> None:
    if _public(recorded) == _public(here) or (name, recorded) in _told:
        return
    _told.add((name, recorded))
    pip = "" if name == "Python" else f", or install it: pip install {name}=={_public(recorded)}"
    warnings.warn(
        f"{folder}: the model was saved with {name} {recorded}, and {here} is here. Predictions may differ, or the model not load: "
        f"compare them{pip}.",
        OtherVersionWarning,
        stacklevel=2,
    )


def _public(version: str) -> str:
    """Leave out what tells only how it was built: ``2.4.0+cpu``."""
    return version.partition("+")[0]


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
