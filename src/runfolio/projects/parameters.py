"""Parameters as they were given, as they are recorded, and as the command gets them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from runfolio.errors import NotFoundError, UsageError
from runfolio.projects.mlproject import EntryPoint, Parameter, type_fault
from runfolio.projects.quoting import fill, quoted


def chosen(entry: EntryPoint, given: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the values of declared parameters, and those of others, as text.

    Parameters
    ----------
    entry : EntryPoint
    given : Mapping
        By name; a value is written as :class:`str` writes it.

    Raises
    ------
    UsageError
        With every parameter that is missing or not of its type.
    """
    missing = [name for name, item in entry.parameters.items() if name not in given and item.default is None]
    faults = []
    if missing:
        names = ", ".join(repr(name) for name in missing)
        faults.append(f"No value given for missing parameters: {names}. Give each with -P NAME=VALUE.")
    declared = {name: str(given.get(name, item.default)) for name, item in entry.parameters.items() if name not in missing}
    more = {str(name): str(value) for name, value in given.items() if name not in entry.parameters}
    for name, value in declared.items():
        wrong = _fault(entry.parameters[name], value)
        if wrong:
            faults.append(f"The parameter {name!r}: {wrong}.")
    faults += [
        f"The parameter {name!r} holds a NUL character." for name, value in {**declared, **more}.items() if "\0" in value + name
    ]
    if faults:
        raise UsageError("\n".join([f"The entry point {entry.name!r} cannot be run so:", *faults]))
    return declared, more


def _fault(item: Parameter, value: str) -> str:
    if item.type == "uri" and not urlsplit(value).scheme:
        return f"a URI is expected, such as s3://bucket/file, found {value[:80]!r}"
    return type_fault(item.type, value)


def command_line(
    entry: EntryPoint, declared: Mapping[str, str], more: Mapping[str, str], fetch: Callable[[str, str, int], str]
) -> str:
    """Return the command for the shell: places filled, other parameters appended as ``--name value``.

    Parameters
    ----------
    entry : EntryPoint
    declared, more : Mapping
        From :func:`chosen`.
    fetch : callable
        Given the name, the value and the position of a parameter of type ``path``, returns a path on this machine.
    """
    values = {
        name: fetch(name, value, at) if entry.parameters[name].type == "path" else value
        for at, (name, value) in enumerate(declared.items())
    }
    appended = [f"{quoted(f'--{name}', name)} {quoted(value, name)}" for name, value in more.items()]
    return " ".join([fill(entry.command, values), *appended])


def local_path(name: str, value: str, at: int, storage: Path) -> str:
    """Return an absolute path for a value of type ``path``; a URI's file is fetched.

    Parameters
    ----------
    name, value : str
    at : int
        The parameter's position among those declared.
    storage : Path
        Where fetched files go.

    Raises
    ------
    NotFoundError
        If there is no such file.
    UsageError
        If the URI is of a kind that is not fetched.
    """
    try:
        scheme = urlsplit(value).scheme
    except ValueError:
        scheme = ""
    if scheme in ("", "file"):
        path = unquote(urlsplit(value).path) if scheme == "file" else value
        if not os.path.exists(path):
            raise NotFoundError(f"Got value {value} for parameter {name}, but no such file or directory was found.")
        return os.path.abspath(path)
    if scheme not in ("runs", "models"):
        raise UsageError(
            f"The parameter {name!r} is a path, and {scheme}: is not fetched. Give a local path, runs:/RUN/PATH or models:/NAME/VERSION; "
            "or declare it as uri, and let the command read it."
        )
    from runfolio.tracking.fetching import download_artifacts

    return download_artifacts(value, dst_path=storage / f"param_{at}")


def storage_folder(chosen_place: str | None) -> Path:
    """Return a new folder for what is fetched."""
    if chosen_place is not None:
        Path(chosen_place).mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="runfolio-project-", dir=chosen_place))
