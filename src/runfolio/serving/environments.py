"""The Python that a model runs in: ours, or one of an environment made of the model's own requirements.

An environment is made once for the same requirements, Python and runfolio, and kept in the user's cache; pip (or uv) is as it is
configured here. runfolio itself is this very one: a file of paths names where it lies, and only what a worker needs of its
requirements is installed.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import runfolio.serving
from runfolio._version import __version__
from runfolio.errors import NotFoundError, RunfolioError, missing_package, storage_errors
from runfolio.flavors.model import Model
from runfolio.flavors.python_function import LOADER as PYTHON_MODEL

_log = logging.getLogger("runfolio.serving")
LOCAL, VIRTUALENV, UV = "local", "virtualenv", "uv"
_NEEDED = ("click>=8.1", "pyyaml>=6.0", "httptools>=0.6.1", "pandas>=2.0")
_ENGINES = {"onnx": ("onnx>=1.16", "onnxruntime>=1.18", "skl2onnx>=1.17")}
"""What an engine needs besides the model's own requirements, as the extra of that name says."""
_DONE = "runfolio-ready"
_TAIL = 15


class EnvironmentFailedError(RunfolioError):
    """The model's environment could not be made."""


def python_for(folder: Path, manager: str, engine: str = "native") -> str:
    """Return the path of the Python that runs a model.

    Parameters
    ----------
    folder : path
        Of the model.
    manager : {"local", "virtualenv", "uv"}
    engine : {"native", "onnx"}
        Its packages go into the environment too.

    Raises
    ------
    NotFoundError
        If the model names no requirements.
    EnvironmentFailedError
        With the last lines of what the installer said.
    """
    if manager == LOCAL:
        return sys.executable
    wanted = needed(folder, engine)
    key = hashlib.sha256("\n".join([manager, sys.version, __version__, *wanted, *_NEEDED]).encode()).hexdigest()
    place = cache_folder() / key[:32]
    python = place / "bin" / "python"
    if not (place / _DONE).is_file():
        _make(place, manager, wanted)
    return str(python)


def cache_folder() -> Path:
    """Return where environments are kept."""
    chosen = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(chosen) / "runfolio" / "environments"


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
    return [line for line in said if _name(line) not in left_out]


def needed(folder: Path, engine: str) -> list[str]:
    """Return what a model needs, and its engine; a version that the model names stands."""
    wanted = requirements(folder)
    named = {_name(line) for line in wanted}
    return [*wanted, *(line for line in _ENGINES.get(engine, ()) if _name(line) not in named)]


def _name(line: str) -> str:
    end = next((at for at, letter in enumerate(line) if not (letter.isalnum() or letter in "._-")), len(line))
    return line[:end].lower()


def _make(place: Path, manager: str, wanted: list[str]) -> None:
    uv = shutil.which("uv")
    if manager == UV and uv is None:
        raise missing_package("uv", "", "make environments with --env-manager uv")
    _log.info("making an environment of the model's %d requirements in %s", len(wanted), place)
    with storage_errors(f"make the environment {place}"):
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        python = str(place / "bin" / "python")
        if manager == UV:
            assert uv is not None
            _run([uv, "venv", "--quiet", "--python", sys.executable, str(place)])
            install = [uv, "pip", "install", "--quiet", "--python", python]
        else:
            _run([sys.executable, "-m", "venv", str(place)])
            install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*install, *wanted, *_NEEDED])
        [library] = (place / "lib").glob("python*/site-packages")
        (library / "runfolio-served.pth").write_text(f"{_home()}\n", "utf-8")
        (place / _DONE).write_text("\n".join(wanted), "utf-8")


def _home() -> Path:
    assert runfolio.serving.__file__ is not None
    return Path(runfolio.serving.__file__).resolve().parents[2]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-_TAIL:])
        raise EnvironmentFailedError(
            f"The model's environment could not be made ({Path(command[0]).name} ended with {done.returncode}):\n{said}\n"
            "Mend the model's requirements.txt, or serve it with --env-manager local."
        )
