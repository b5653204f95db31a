"""The ``MLproject`` file: its entry points, parameters and environment, with every mistake named at once.

The format is MLflow's (2.22): ``name``; ``entry_points`` with ``command`` and ``parameters`` (``name: type``, or ``type`` and
``default``); one of ``python_env``, ``conda_env`` and ``docker_env``. A folder without the file is a project whose scripts can be run.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError, UsageError
from runfolio.projects.faults import YamlFile, kind
from runfolio.projects.quoting import places

FILE = "MLproject"
TYPES = ("string", "float", "int", "path", "uri")
PYTHON, CONDA, DOCKER = "python_env", "conda_env", "docker_env"
ENVIRONMENTS = (PYTHON, CONDA, DOCKER)
_KEYS = ("name", "entry_points", *ENVIRONMENTS, "databricks_spark_job")
_DEFAULT_FILES = {PYTHON: "python_env.yaml", CONDA: "conda.yaml"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an entry point.

    Parameters
    ----------
    name : str
    type : {"string", "float", "int", "path", "uri"}
    default : object, optional
        None where a value must be given.
    """

    name: str
    type: str = "string"
    default: Any = None


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """What a project can do.

    Parameters
    ----------
    name : str
    command : str
        For a shell, with ``{name}`` where a parameter's value goes.
    parameters : Mapping of str to Parameter
    """

    name: str
    command: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Docker:
    """A ``docker_env``.

    Parameters
    ----------
    image : str
    volumes : tuple of str
    environment : tuple of str or (str, str)
        A name whose value is taken from here, or a name and its value.
    """

    image: str
    volumes: tuple[str, ...] = ()
    environment: tuple[str | tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """A project.

    Parameters
    ----------
    folder : Path
    name : str
    file : str
        The name of its ``MLproject`` file; empty where it has none.
    entry_points : Mapping of str to EntryPoint
    environment : str
        ``python_env``, ``conda_env``, ``docker_env``, or empty where it names none.
    environment_file : Path or None
    docker : Docker or None
    notices : tuple of str
        What was passed over.
    """

    folder: Path
    name: str = ""
    file: str = ""
    entry_points: Mapping[str, EntryPoint] = field(default_factory=dict)
    environment: str = ""
    environment_file: Path | None = None
    docker: Docker | None = None
    notices: tuple[str, ...] = ()

    def entry_point(self, name: str) -> EntryPoint:
        """Return an entry point; a script of the folder is one without being named in the file.

        Raises
        ------
        NotFoundError
            If there is none of that name, and no such script.
        """
        found = self.entry_points.get(name)
        if found is not None:
            return found
        ending = os.path.splitext(name)[1]
        if ending in (".py", ".sh", ".R"):
            script = (self.folder / name).resolve()
            if script.is_file() and script.is_relative_to(self.folder.resolve()):
                # Braces in a file's name are no places.
                return EntryPoint(name, _interpreter(ending) + shlex.quote(name).replace("{", "{{").replace("}", "}}"))
        known = ", ".join(sorted(self.entry_points)) or "none"
        raise NotFoundError(
            f"{self.file or self.folder}: there is no entry point {name!r}, and no script of that name in the project. "
            f"Entry points: {known}. Scripts end in .py, .sh or .R; choose with -e."
        )


def _interpreter(ending: str) -> str:
    return {".py": "python ", ".sh": f"{shlex.quote(os.environ.get('SHELL') or 'bash')} ", ".R": "Rscript "}[ending]


def load_project(folder: Path) -> Project:
    """Read a project's folder.

    Raises
    ------
    UsageError
        With every mistake of the file, each with its line and field.
    """
    names = sorted(name for name in os.listdir(folder) if name.lower() == FILE.lower())
    if not names:
        environment, path = _default_environment(folder)
        return Project(folder, environment=environment, environment_file=path)
    file = YamlFile(folder / names[0], names[0])
    top = file.mapping((), _KEYS)
    name = file.text(("name",), top.get("name"), default="") or ""
    points = {key: _entry_point(file, key) for key in file.mapping(("entry_points",))}
    environment, path, docker = _environment(file, folder, top)
    if "databricks_spark_job" in top:
        file.notices.append(f"{file.name}: databricks_spark_job is for Databricks, and passed over")
    file.report()
    return Project(folder, name, names[0], points, environment, path, docker, tuple(file.notices))


def _entry_point(file: YamlFile, name: str) -> EntryPoint:
    path = ("entry_points", name)
    said = file.mapping(path, ("command", "parameters"))
    command = file.text((*path, "command"), said.get("command"), default="") or ""
    if said.get("command") is None or (command == said["command"] and not command.strip()):
        file.fault((*path, "command"), 'the command is missing. Write: command: "python train.py"')
    parameters = {key: _parameter(file, (*path, "parameters", key), key) for key in file.mapping((*path, "parameters"))}
    _check_places(file, path, command, parameters)
    return EntryPoint(name, command, parameters)


def _check_places(file: YamlFile, path: tuple[str, ...], command: str, parameters: Mapping[str, Parameter]) -> None:
    try:
        named = places(command)
    except UsageError as error:
        file.fault((*path, "command"), error.message)
        return
    for name in dict.fromkeys(named):
        if name not in parameters:
            declared = ", ".join(parameters) or "none"
            file.fault(
                (*path, "command"),
                f"the place {{{name}}} has no parameter of that name (declared: {declared}). Other braces are written {{{{ and }}}}",
            )


def _parameter(file: YamlFile, path: tuple[str, ...], name: str) -> Parameter:
    value = file.value["entry_points"][path[1]]["parameters"]
    said = value.get(name, next((item for key, item in value.items() if str(key) == name), None))
    if isinstance(said, str):
        type_, default = said, None
    elif said is None:
        type_, default = "string", None
    elif isinstance(said, dict):
        fields = file.mapping(path, ("type", "default"))
        type_, default = file.text((*path, "type"), fields.get("type"), default="string") or "string", fields.get("default")
    else:
        file.fault(
            path, f"a type, or type and default, is expected, found {kind(said)}. Write: {name}: {{type: float, default: {said}}}"
        )
        return Parameter(name)
    if type_ not in TYPES:
        file.fault(path, f"there is no type {type_!r}. Types: {', '.join(TYPES)}")
        type_ = "string"
    if isinstance(default, (dict, list)):
        file.fault((*path, "default"), f"text or a number is expected, found {kind(default)}")
        default = None
    elif default is not None:
        wrong = type_fault(type_, str(default))
        if wrong:
            file.fault((*path, "default"), wrong)
    return Parameter(name, type_, default)


def type_fault(type_: str, value: str) -> str:
    """Say why a value is not of a parameter's type; empty where it is."""
    try:
        if type_ == "int":
            int(value)
        elif type_ == "float":
            float(value)
    except ValueError:
        return f"{value[:80]!r} is no {'whole number' if type_ == 'int' else 'number'}, and the type is {type_}"
    return ""


def _environment(file: YamlFile, folder: Path, top: Mapping[str, Any]) -> tuple[str, Path | None, Docker | None]:
    named = [key for key in ENVIRONMENTS if top.get(key)]
    if len(named) > 1:
        file.fault((named[1],), f"there are several environments ({', '.join(named)}). Keep one")
    if not named:
        return (*_default_environment(folder), None)
    key = named[0]
    if key == DOCKER:
        return key, None, _docker(file)
    text = file.text((key,), top.get(key))
    if text is None:
        return key, None, None
    path = folder / text
    if not path.resolve().is_relative_to(folder.resolve()):
        file.fault((key,), f"{text!r} lies outside the project. Put the file into the project")
    elif not path.is_file():
        file.fault((key,), f"there is no file {text!r} in the project")
    return key, path, None


def _default_environment(folder: Path) -> tuple[str, Path | None]:
    return next(((key, folder / name) for key, name in _DEFAULT_FILES.items() if (folder / name).is_file()), ("", None))


def _docker(file: YamlFile) -> Docker:
    said = file.mapping((DOCKER,), ("image", "volumes", "environment"))
    image = file.text((DOCKER, "image"), said.get("image"), default="") or ""
    if not image and not file.faults:
        file.fault((DOCKER,), "the image is missing. Write: image: python:3.11")
    if image.startswith("-"):
        file.fault((DOCKER, "image"), f"{image!r} is no name of an image")
    volumes = file.texts((DOCKER, "volumes"), said.get("volumes"))
    environment: list[str | tuple[str, str]] = []
    entries = said.get("environment")
    if entries is not None and not isinstance(entries, list):
        file.fault((DOCKER, "environment"), f"a list is expected, found {kind(entries)}")
        entries = []
    for at, item in enumerate(entries or ()):
        if isinstance(item, str):
            environment.append(item)
        elif isinstance(item, list) and len(item) == 2 and all(isinstance(part, str) for part in item):
            environment.append((item[0], item[1]))
        else:
            file.fault((DOCKER, "environment", at), 'a name, or [name, value], both text, is expected. Write: ["NAME", "value"]')
    return Docker(image, tuple(volumes), tuple(environment))
