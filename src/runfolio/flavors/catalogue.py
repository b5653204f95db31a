"""Which frameworks there are, and the leaf module that knows each: loaded by name, when it is first asked for.

A leaf is a module that fits :class:`Flavor`. Another package adds one with an entry point of the group ``runfolio.flavors``, whose name
is the flavor's in ``MLmodel`` and whose value is the module::

    [project.entry-points."runfolio.flavors"]
    polynomial = "polynomial_flavor"

A flavor of the house comes before one of the same name from elsewhere.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

from runfolio.errors import UsageError
from runfolio.flavors.model import Model
from runfolio.formats.mlmodel import FILE

GROUP = "runfolio.flavors"
PYTHON_FUNCTION = "python_function"
PYTHON_MODEL = "mlflow.pyfunc.model"
PYTHON_SCRIPT = "mlflow.pyfunc.loaders.code_model"
"""What loads classes and functions of plain Python, from a pickle and from a script."""

Predict = Callable[[Any, dict[str, Any]], Any]
"""Of the data and the parameters of a call."""


class Flavor(Protocol):
    """What a leaf module has, beside ``save_model``, which is the framework's own.

    One function more may be there: ``for_predict(folder)`` returns what ``predict`` works with, where that is another object than the
    framework's own (an engine's session in place of a graph).
    """

    @property
    def FLAVOR(self) -> str:  # noqa: N802 # constants of a module
        """Its name in ``MLmodel``."""

    @property
    def LOADER(self) -> str:  # noqa: N802
        """What ``python_function.loader_module`` says of models that it loads."""

    def load_folder(self, folder: Path) -> Any:
        """Return the framework's own object from a folder whose code may run."""

    def predictor(self, held: Any, config: Mapping[str, Any]) -> Predict:
        """Return how the object is called by ``predict``.

        `config` is the ``python_function`` part of ``MLmodel``; where a model is loaded, its ``metadata`` and ``flavors`` beside.
        """

    def runs_code(self, folder: Path, config: Mapping[str, Any]) -> Sequence[str]:
        """Return the files that run code when they are loaded; `config` is the flavor's part of ``MLmodel``."""


_OURS: dict[str, str] = {
    "catboost": "catboost",
    "keras": "keras",
    "lightgbm": "lightgbm",
    "onnx": "onnx",
    "prophet": "prophet",
    "pytorch": "pytorch",
    "sklearn": "scikit_learn",
    "spacy": "spacy",
    "statsmodels": "statsmodels",
    "tensorflow": "tensorflow",
    "transformers": "transformers",
    "xgboost": "xgboost",
}
"""The leaf of each flavor, by its name in ``MLmodel``."""

_LOADERS: dict[str, str] = {f"{package}.{flavor}": flavor for package in ("mlflow", "runfolio") for flavor in _OURS}
"""MLflow's loader modules and ours, and the flavor that knows what they load."""


def named(flavor: str) -> Flavor | None:
    """Return the leaf of a flavor by its name in ``MLmodel``, or None.

    Raises
    ------
    UsageError
        If a package says that it has the flavor, and its module does not fit.
    """
    if flavor in _OURS:
        return cast(Flavor, importlib.import_module(f"runfolio.flavors.{_OURS[flavor]}"))
    return _from_elsewhere().get(flavor)


def for_loader(loader: str) -> Flavor | None:
    """Return the leaf that loads what ``python_function.loader_module`` names, or None."""
    if loader in _LOADERS:
        return named(_LOADERS[loader])
    return next((leaf for leaf in _from_elsewhere().values() if loader == leaf.LOADER), None)


@cache
def _from_elsewhere() -> dict[str, Flavor]:
    from importlib.metadata import entry_points

    found = {}
    for each in entry_points(group=GROUP):
        leaf = each.load()
        missing = [name for name in ("FLAVOR", "LOADER", "load_folder", "predictor", "runs_code") if not hasattr(leaf, name)]
        if missing:
            raise UsageError(
                f"The flavor {each.name!r} of {each.dist.name if each.dist else 'a package'} ({each.value}) lacks "
                f"{', '.join(missing)}. See the protocol runfolio.flavors.catalogue.Flavor."
            )
        found[each.name] = cast(Flavor, leaf)
    return found


def runs_code(folder: Path, model: Model) -> list[str]:
    """Return the files of a model's folder that run code when it is loaded, by any of its flavors.

    A flavor that nobody here knows is taken to run what it likes, and so is a loader: all files are told.
    """
    told: set[str] = set()
    known = False
    for name, config in model.flavors.items():
        if config.get("code"):
            told.update(_files(folder, str(config["code"])))
        if name == PYTHON_FUNCTION:
            if "loader_module" in config:
                told.update(_called(folder, config))
                known = True
        elif (leaf := named(name)) is not None:
            told.update(leaf.runs_code(folder, config))
            known = True
    return sorted(told) if known else _files(folder)


def _called(folder: Path, config: Mapping[str, Any]) -> Sequence[str]:
    """Return what runs code when a model is loaded to be called by ``predict``."""
    if config["loader_module"] in (PYTHON_MODEL, PYTHON_SCRIPT):
        held = config.get("python_model") or str(config.get("model_code_path") or "").replace("\\", "/").rpartition("/")[2]
        return [str(held)] if held else _files(folder)
    # What a leaf loads is told under its own flavor: it loads nothing else.
    return () if for_loader(str(config["loader_module"])) is not None else _files(folder)


def _files(folder: Path, inner: str = ".") -> list[str]:
    return sorted(
        each.relative_to(folder).as_posix() for each in (folder / inner).rglob("*") if each.is_file() and each.name != FILE
    )
