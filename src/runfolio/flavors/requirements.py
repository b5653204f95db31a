"""What a model needs, beside it: ``requirements.txt``, ``python_env.yaml``, ``conda.yaml``, each as MLflow lays them out."""

from __future__ import annotations

import logging
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from runfolio._version import __version__
from runfolio.errors import NotFoundError, UsageError
from runfolio.formats.mlmodel import render_yaml

_log = logging.getLogger(__name__)

ENV = {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
Requirements = Sequence[str] | str | os.PathLike[str]


OTHER_NAMES = {"xgboost": ("xgboost-cpu",), "tensorflow": ("tensorflow-cpu",), "opencv-python": ("opencv-python-headless",)}
"""Distributions that bring the same modules under another name."""


def pinned(distributions: Iterable[str]) -> list[str]:
    """Return ``name==version`` of those that are installed here, each once, in the order of their names."""
    made = set()
    for name in distributions:
        found = installed(name)
        if found is not None:
            made.add(f"{found[0]}=={found[1].partition('+')[0]}")
    return sorted(made)


@cache
def installed(name: str) -> tuple[str, str] | None:
    """Return under which name a distribution is installed (as it was asked for, or the one of its other builds), and its version."""
    for each in (name, *OTHER_NAMES.get(name, ())):
        try:
            found = metadata.distribution(each)
        except (metadata.PackageNotFoundError, ValueError):
            continue
        return each, _header(found, "Version") or found.version
    return None


def _header(found: metadata.Distribution, name: str) -> str | None:
    """Read one line off the metadata: parsing all of it takes milliseconds, and a model needs five distributions or more."""
    said = re.search(rf"^{name}: *(.+)$", found.read_text("METADATA") or "", re.MULTILINE)
    return said and said.group(1).strip()


_BRINGS = {"sklearn": "scikit-learn", "yaml": "pyyaml", "PIL": "pillow", "cv2": "opencv-python", "bs4": "beautifulsoup4"}
"""Modules under another name than the distribution's, which need not be searched for."""


def distributions_of(modules: Iterable[str]) -> list[str]:
    """Return the distributions that bring some modules, by their dotted names; none for the standard library and the script itself."""
    tops = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names) - {"__main__", ""}
    return sorted({found for top in tops if (found := _distribution(top)) is not None})


@cache
def _distribution(module: str) -> str | None:
    name = _BRINGS.get(module, module)
    for each in (name, *OTHER_NAMES.get(name, ())):
        try:
            found = metadata.distribution(each)
        except (metadata.PackageNotFoundError, ValueError):
            continue
        brought = (found.read_text("top_level.txt") or module).split()
        if module in brought:
            return _name(found)
    return next((_name(each) for each in metadata.distributions() if _brings(each, module)), None)


def _name(found: metadata.Distribution) -> str:
    return _header(found, "Name") or str(found.metadata["Name"])


def _brings(found: metadata.Distribution, module: str) -> bool:
    """Tell whether a distribution's own lists name a module, as ``metadata.packages_distributions`` tells it for all modules at once.

    That one parses each distribution's metadata and makes a path of each file: 0.16 s of CPU for 300 distributions, in every process that
    saves a model of classes of the user's own; this one looks for the name in texts, which takes 0.012 s.
    """
    declared = found.read_text("top_level.txt")
    if declared and declared.strip():
        return module in declared.split()
    files = f"\n{found.read_text('RECORD') or ''}"
    if f"\n{module}/" not in files and f"\n{module}." not in files:
        return False
    return re.search(rf"^{re.escape(module)}(?:/[^,\n]*|\.[^/,\n]*)?\.(?:py|so|pyd),", files, re.MULTILINE) is not None


def defaults(*distributions: str) -> tuple[Callable[..., list[str]], Callable[..., dict[str, Any]]]:
    """Return a flavor's ``get_default_pip_requirements`` and ``get_default_conda_env``, as MLflow's flavors have them.

    Parameters
    ----------
    *distributions : str
        What the flavor's models need as a rule.
    """

    def get_default_pip_requirements(include_cloudpickle: bool = False) -> list[str]:
        """Return what a model needs that was saved without `pip_requirements`, pinned, as far as it is the framework's own."""
        return pinned([*distributions, *(["cloudpickle"] if include_cloudpickle else [])])

    def get_default_conda_env(include_cloudpickle: bool = False) -> dict[str, Any]:
        """Return the same as the content of ``conda.yaml``: to change, and to give to ``log_model`` as `conda_env`."""
        return _conda(get_default_pip_requirements(include_cloudpickle))

    return get_default_pip_requirements, get_default_conda_env


def _conda(wanted: list[str]) -> dict[str, Any]:
    return {
        "channels": ["conda-forge"],
        "dependencies": [f"python={platform.python_version()}", "pip", {"pip": wanted}],
        "name": "mlflow-env",
    }


def write_environment(
    folder: Path,
    needed: Sequence[str],
    pip_requirements: Requirements | None = None,
    extra_pip_requirements: Requirements | None = None,
    conda_env: Mapping[str, Any] | str | os.PathLike[str] | None = None,
) -> None:
    """Write the three files.

    Parameters
    ----------
    folder : path
    needed : sequence of str
        What the flavor itself says, pinned.
    pip_requirements : sequence of str or path, optional
        In its place.
    extra_pip_requirements : sequence of str or path, optional
        Besides.
    conda_env : dict or path, optional
        The whole of ``conda.yaml``; its pip part is then ``requirements.txt``.

    Raises
    ------
    UsageError
        If conda_env comes together with one of the others.
    """
    if conda_env is not None and (pip_requirements is not None or extra_pip_requirements is not None):
        raise UsageError("conda_env takes the place of pip_requirements and extra_pip_requirements: give the one or the others.")
    wanted = list(needed) if pip_requirements is None else _lines(pip_requirements)
    wanted += [line for line in _lines(extra_pip_requirements or ()) if line not in wanted]
    wanted, constraints = _resolved(wanted)
    wanted = _without_own(wanted)
    version = platform.python_version()
    conda: Mapping[str, Any] = _conda(wanted)
    if conda_env is not None:
        conda = _conda_without_own(conda_env if isinstance(conda_env, Mapping) else _read(Path(conda_env)))
        wanted = [line for each in conda.get("dependencies", ()) if isinstance(each, Mapping) for line in each.get("pip", ())]
    if constraints:
        (folder / "constraints.txt").write_text("\n".join(constraints))
    (folder / "requirements.txt").write_text("\n".join(wanted))
    (folder / "conda.yaml").write_bytes(render_yaml(conda))
    env = f"python: {version}\nbuild_dependencies:\n- pip\n- setuptools\n- wheel\ndependencies:\n- -r requirements.txt\n"
    (folder / "python_env.yaml").write_text(env)


def _without_own(lines: Sequence[str]) -> list[str]:
    """Leave out ``mlflow==`` with runfolio's version, as ``mlflow.__version__`` makes it: pip would install another MLflow."""
    own = f"mlflow=={__version__}"
    if own in lines:
        _log.warning(
            "Requirements: %s is left out: the version is runfolio's, from mlflow.__version__. What loads the model here is runfolio; for "
            "MLflow, name the version: 'mlflow==2.22.0'.",
            own,
        )
    return [line for line in lines if line != own]


def _conda_without_own(conda: Mapping[str, Any]) -> dict[str, Any]:
    """Leave the same out of the content of ``conda.yaml``."""
    dependencies = [
        {**each, "pip": _without_own([str(line) for line in each["pip"]])}
        if isinstance(each, Mapping) and each.get("pip")
        else each
        for each in conda.get("dependencies") or ()
    ]
    return {**conda, "dependencies": dependencies} if "dependencies" in conda else dict(conda)


def _resolved(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return requirements with the files that ``-r`` names put in, and the lines of those that ``-c`` names, as MLflow does it."""
    wanted: list[str] = []
    constraints: list[str] = []
    for line in lines:
        option, _, rest = line.partition(" ")
        if option in ("-r", "--requirement"):
            inner, more = _resolved(_lines(rest.strip()))
            wanted += inner
            constraints += more
        elif option in ("-c", "--constraint"):
            constraints += _lines(rest.strip())
        else:
            wanted.append(line)
    named = [each for each in wanted if each != "-c constraints.txt"]
    return [*named, *(["-c constraints.txt"] if constraints else [])], constraints


def _read(path: Path) -> dict[str, Any]:
    from runfolio.formats.yaml import load_yaml

    if not path.is_file():
        raise NotFoundError(
            f"conda_env: no such file: {str(path)!r}. It takes the path of a conda.yaml, or its content as a dictionary."
        )
    return load_yaml(path.read_bytes(), str(path))


def _lines(given: Requirements) -> list[str]:
    if isinstance(given, (str, os.PathLike)):
        if not Path(given).is_file():
            raise NotFoundError(f"Requirements: no such file: {str(given)!r}. A list of them is given as [{str(given)!r}].")
        given = Path(given).read_text().splitlines()
    return [line.strip() for line in given if line.strip() and not line.lstrip().startswith("#")]
