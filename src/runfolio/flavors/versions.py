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

from runfolio._version import __version__
from runfolio.errors import OtherVersionWarning
from runfolio.flavors.model import KNOWN_KEYS, NEWEST_READ, Model, newer
from runfolio.flavors.requirements import installed
from runfolio.records.visible import visible

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


def newer_format(model: Model) -> str:
    """Return what to say of a model of a newer MLflow than is known here, or of one after 2.22 with keys that are not; else nothing."""
    unknown = sorted(str(key) for key in model.more if key not in KNOWN_KEYS)
    if not newer(model.mlflow_version) or not (unknown or newer(model.mlflow_version, NEWEST_READ)):
        return ""
    names = f" Nothing looks at these of its keys: {', '.join(map(repr, unknown[:8]))}." if unknown else ""
    return visible(
        f"the model was saved by MLflow {model.mlflow_version}, and runfolio {__version__} knows the format of up to {NEWEST_READ}."
        f"{names} Compare its predictions, or update runfolio."
    )


def warn_of_newer_format(folder: Path, model: Model) -> None:
    """Warn of a newer format, once a process for each."""
    told = newer_format(model)
    if told and (told, "") not in _told:
        _told.add((told, ""))
        warnings.warn(f"{folder}: {told}", OtherVersionWarning, stacklevel=4)


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
