"""The Python that a model runs in: ours, or one of an environment made of the model's own requirements.

Environments are made and kept by :mod:`runfolio.environments`. Only what a worker needs of runfolio's own requirements is installed.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from runfolio.environments import LOCAL, Environment, EnvironmentFailedError, Wanted, make_environment
from runfolio.environments.wanted import package_of
from runfolio.errors import NotFoundError
from runfolio.flavors.model import Model
from runfolio.flavors.python_function import LOADER as PYTHON_MODEL

_log = logging.getLogger("runfolio.serving")
_NEEDED = ("click>=8.1", "pyyaml>=6.0", "httptools>=0.6.1", "pandas>=2.0")
_ENGINES = {"onnx": ("onnx>=1.16", "onnxruntime>=1.18", "skl2onnx>=1.17")}
"""What an engine needs besides the model's own requirements, as the extra of that name says."""


def python_for(folder: Path, manager: str, engine: str = "native", more: Sequence[str] = ()) -> str:
    """Return the path of the Python that runs a model.

    Parameters
    ----------
    folder : path
        Of the model.
    manager : {"local", "virtualenv", "uv"}
    engine : {"native", "onnx"}
        Its packages go into the environment too.
    more : sequence of str
        Requirements that take the place of the model's own of the same packages.

    Raises
    ------
    NotFoundError
        If the model names no requirements.
    EnvironmentFailedError
        With every requirement that cannot be had.
    """
    if manager == LOCAL:
        return sys.executable
    return str(environment_for(folder, manager, engine, more).python)


def environment_for(
    folder: Path, manager: str, engine: str = "native", more: Sequence[str] = (), *, tell: Callable[[str], None] = _log.info
) -> Environment:
    """Return the environment that runs a model, made now or before; parameters and faults are those of :func:`python_for`.

    Parameters
    ----------
    tell : callable, optional
        Told of what takes long; the log by default.
    """
    named = {package_of(line) for line in more}
    own = [line for line in needed(folder, engine) if package_of(line) not in named]
    wanted = Wanted((*own, *more), needs=_NEEDED)
    try:
        return make_environment(wanted, manager, tell=tell, base=folder)
    except EnvironmentFailedError as error:
        raise EnvironmentFailedError(
            f"{error.message}\nIt is the model's requirements.txt that names them; or serve it with --env-manager local.",
            error.missing,
        ) from None


def requirements(folder: Path) -> list[str]:
    """Return what a model needs, by its ``requirements.txt``; without what this runfolio stands for.

    Raises
    ------
    NotFoundError
        If there is no such file.
    """
    try:
        lines = (folder / "requirements.txt").read_text("utf-8").splitlines()
    except FileNotFoundError:
        raise NotFoundError(f"{folder}: the model has no requirements.txt. Serve it with --env-manager local.") from None
    said = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    # A model of plain Python may use MLflow itself; the loaders of frameworks are ours.
    loader = Model.load(folder).flavors.get("python_function", {}).get("loader_module")
    left_out = ("runfolio",) if loader == PYTHON_MODEL else ("runfolio", "mlflow", "mlflow-skinny")
    return [line for line in said if package_of(line) not in left_out]


def needed(folder: Path, engine: str) -> list[str]:
    """Return what a model needs, and its engine; a version that the model names stands."""
    wanted = requirements(folder)
    named = {package_of(line) for line in wanted}
    return [*wanted, *(line for line in _ENGINES.get(engine, ()) if package_of(line) not in named)]
