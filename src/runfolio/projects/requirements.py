"""What a project's environment is made of: ``python_env.yaml`` and ``conda.yaml``, as lines of requirements."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from runfolio.environments import CONDA, LOCAL, UV, VIRTUALENV, Wanted
from runfolio.errors import NotFoundError, UsageError
from runfolio.projects.faults import YamlFile
from runfolio.projects.mlproject import CONDA as CONDA_ENV
from runfolio.projects.mlproject import DOCKER, PYTHON, Project

_INCLUDE = re.compile(r"(?:-r|--requirement)(?:\s+|=)?(?P<file>\S.*)\Z")
_CONSTRAINT = re.compile(r"(?:-c|--constraint)(?:\s+|=)?(?P<file>\S.*)\Z")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s+|=)(?P<path>\S.*)\Z")
_CONDA_OWN = re.compile(r"(?P<package>python|pip|setuptools|wheel)\s*(?P<operator><=|>=|==|!=|<|>|=)?\s*(?P<version>[\d.]+)?\Z")
_MANY_FILES, _MANY_BYTES = 5_000, 50_000_000
_DEPTH = 8


def choose_manager(project: Project, chosen: str | None) -> str:
    """Return the manager of a project's environment.

    Parameters
    ----------
    project : Project
    chosen : str or None
        As the user said; else conda for a ``conda_env``, virtualenv for a ``python_env``, and the Python at hand where the project names
        no environment, or a container.

    Raises
    ------
    UsageError
        If a ``python_env`` is to be made by conda.
    """
    if project.environment == PYTHON and chosen == CONDA:
        raise UsageError("A python_env project cannot be run with --env-manager conda. Choose virtualenv, uv or local.")
    if chosen is not None:
        return chosen
    return {CONDA_ENV: CONDA, PYTHON: VIRTUALENV, DOCKER: LOCAL}.get(project.environment, LOCAL)


def wanted_environment(project: Project, manager: str, tell: Callable[[str], None], *, copied: bool = False) -> Wanted:
    """Return the environment that a project names.

    Parameters
    ----------
    project : Project
    manager : str
    tell : callable
        Told of what is passed over.
    copied : bool, optional
        The project's folder goes after the run: what is to be installed editable is installed as a copy.
    """
    path = project.environment_file
    if manager == LOCAL or path is None:
        return Wanted()
    name = os.path.relpath(path, project.folder)
    if project.environment == CONDA_ENV:
        if manager == CONDA:
            return Wanted(conda=path.read_text("utf-8"))
        python, build, lines = _of_conda(YamlFile(path, name), manager, tell)
    else:
        python, build, lines = _of_python(YamlFile(path, name))
    reader = _Lines(project.folder, copied)
    reader.add(lines, name)
    return Wanted(tuple(reader.lines), python, build=tuple(build), content=reader.digest())


def _of_python(file: YamlFile) -> tuple[str, list[str], list[str]]:
    said = file.mapping((), ("python", "build_dependencies", "dependencies"))
    python = file.text(("python",), said.get("python"), default="") or ""
    build = file.texts(("build_dependencies",), said.get("build_dependencies"))
    lines = file.texts(("dependencies",), said.get("dependencies"))
    file.report()
    return python, build, lines


def _of_conda(file: YamlFile, manager: str, tell: Callable[[str], None]) -> tuple[str, list[str], list[str]]:
    """Read what pip can install of a conda file, as MLflow does: its Python, pip's own packages, and the list under ``pip``."""
    python, build, lines, left = "", [], [], []
    entries = file.mapping(()).get("dependencies") or []
    if not isinstance(entries, list):
        file.fault(("dependencies",), "a list is expected")
        entries = []
    for at, item in enumerate(entries):
        if isinstance(item, dict) and "pip" in item:
            lines += file.texts(("dependencies", at, "pip"), item["pip"])
            continue
        match = _CONDA_OWN.match(item.strip()) if isinstance(item, str) else None
        if not isinstance(item, str):
            file.fault(("dependencies", at), 'text, or {"pip": […]}, is expected')
        elif match is None:
            left.append(item)
        elif match["package"] == "python":
            if match["operator"] in (None, "<", ">", "!="):
                file.fault(("dependencies", at), f"{item!r} names no version of Python. Write: python=3.11.7")
            else:
                python = python or match["version"] or ""
        else:
            operator = "==" if match["operator"] == "=" else match["operator"] or ""
            build.append(match["package"] + operator + (match["version"] or ""))
    file.report()
    if left:
        tell(f"{file.name}: only conda has these, and {manager} does not install them: {', '.join(left)}")
    return python, build, lines


class _Lines:
    """Lines of requirements, with files of lines put in their place, and what else they depend on in a digest."""

    def __init__(self, folder: Path, copied: bool) -> None:
        self.lines: list[str] = []
        self._folder, self._copied = folder, copied
        self._hash = hashlib.sha256()
        self._any = False

    def digest(self) -> str:
        """Return the digest of files and folders that the lines name; empty where they name none."""
        return self._hash.hexdigest() if self._any else ""

    def add(self, lines: list[str], name: str, base: Path | None = None, depth: int = 0) -> None:
        """Add lines of a file."""
        base = base or self._folder
        for line in lines:
            line = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
            if not line:
                continue
            if match := _INCLUDE.match(line):
                path = self._inside(base, match["file"], name)
                if depth >= _DEPTH:
                    raise UsageError(f"{name}: files of requirements name each other more than {_DEPTH} deep.")
                text = path.read_text("utf-8").replace("\\\n", " ")
                self.add(text.splitlines(), os.path.relpath(path, self._folder), path.parent, depth + 1)
            elif match := _CONSTRAINT.match(line):
                path = self._inside(base, match["file"], name)
                self._take(path.read_bytes())
                self.lines.append(f"-c {path}")
            elif match := _EDITABLE.match(line):
                self._local(base, match["path"], "" if self._copied else "-e ", name)
            elif line.startswith((".", "/")) or (base / line).is_dir():
                self._local(base, line, "", name)
            else:
                self.lines.append(line)

    def _local(self, base: Path, text: str, flag: str, name: str) -> None:
        bare, bracket, extras = text.partition("[")
        path = (base / bare).resolve()
        if "://" in text:
            self.lines.append(flag + text)
            return
        if not path.exists():
            raise NotFoundError(f"{name}: there is no folder or file {text!r}.")
        self._any = True
        if flag:
            self._take(str(path).encode())
        else:
            self._take_tree(path, name)
        self.lines.append(f"{flag}{path}{bracket}{extras}")

    def _inside(self, base: Path, text: str, name: str) -> Path:
        path = base / text.strip("'\"")
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise UsageError(f"{name}: {text} lies outside the project.")
        if not path.is_file():
            raise NotFoundError(f"{name}: there is no file {text} in the project.")
        return path

    def _take(self, data: bytes) -> None:
        self._any = True
        self._hash.update(len(data).to_bytes(8, "big") + data)

    def _take_tree(self, path: Path, name: str) -> None:
        files = [path] if path.is_file() else sorted(_files(path))
        if len(files) > _MANY_FILES or sum(item.stat().st_size for item in files) > _MANY_BYTES:
            raise UsageError(f"{name}: {path.name} has too many files to be known by their digest. Install a wheel of it.")
        for item in files:
            self._take(str(item.relative_to(path)).encode())
            self._take(item.read_bytes())


def _files(top: Path) -> list[Path]:
    found = []
    for folder, names, files in os.walk(top):
        names[:] = [item for item in names if item not in ("__pycache__", "build", "dist") and not item.startswith(".")]
        found += [Path(folder, item) for item in files if Path(folder, item).is_file()]
    return found


__all__ = ["CONDA", "LOCAL", "UV", "VIRTUALENV", "choose_manager", "wanted_environment"]
