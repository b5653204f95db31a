"""Errors of the formats as findings: one a fault, with the field it is about."""

from __future__ import annotations

import re
from collections.abc import Callable

from runfolio.errors import DamagedError, NewerSchemaError
from runfolio.records.findings import Finding, Severity

_FIELD = re.compile(r"(?P<field>[A-Za-z_][\w]*(?:[.\[][^:]*)?): (?P<rest>.+)\Z", re.DOTALL)
_LINE = re.compile(r"line (?P<line>\d+)(?:, column \d+)?(?P<colon>: )?")
_KEY = re.compile(rb'  "((?:[^"\\]|\\.)*)"')
_ENTRY = re.compile(rb'    "((?:[^"\\]|\\.)*)":')


def faults_of(error: DamagedError, path: str, data: bytes, rule: str, remedy: str) -> list[Finding]:
    """Tell an error of a format fault by fault.

    Parameters
    ----------
    error : DamagedError
    path : str
        The file, as the error names it.
    data : bytes
        Its content, to find the field that a line is in.
    rule : str
        Of the findings; a newer schema has a rule of its own.
    remedy : str
    """
    newer = isinstance(error, NewerSchemaError)
    made = []
    for text in error.message.split("\n"):
        text = text.removeprefix(f"{path}: ").rstrip(".")
        field, text = _field_of(text, data)
        if newer:
            made.append(Finding("schema.newer", Severity.ERROR, path, field, text, ""))
        else:
            made.append(Finding(rule, Severity.ERROR, path, field, _without_remedy(text), remedy))
    return made


def _field_of(text: str, data: bytes) -> tuple[str, str]:
    """Split a message into field and fault; the field is looked up by line where the message names none."""
    line = _LINE.match(text)
    rest = text[line.end() :] if line and line["colon"] else text
    found = _FIELD.match(rest)
    if found and " " not in found["field"].split(".")[0].split("[")[0]:
        field, said = found["field"], found["rest"]
        inner = re.match(r"(?P<key>[^\s:]+): (?P<rest>.+)\Z", said, re.DOTALL)
        if inner and field in ("metrics", "artifacts", "params", "tags") and not said.startswith("the field"):
            field, said = f"{field}.{inner['key']}", inner["rest"]
        return field, f"{said} (line {line['line']})" if line and line["colon"] else said
    place = _LINE.search(text)
    return (field_at(data, int(place["line"])) if place else ""), text


def field_at(data: bytes, line: int) -> str:
    """Return the field of a canonical record (or the key of a YAML file) in which a line lies; empty if there is none."""
    lines = data.split(b"\n")
    entry = b""
    for text in reversed(lines[:line]):
        found = _KEY.match(text)
        if found:
            return (found[1] + (b"." + entry if entry else b"")).decode("utf-8", "replace")
        inner = _ENTRY.match(text)
        if inner and not entry:
            entry = inner[1]
    return ""


def _without_remedy(text: str) -> str:
    """Leave out the advice of a format's message: a committed file needs another than one in the work tree."""
    for start in (". Restore it from git", " Records are written by runfolio only"):
        text = text.split(start)[0]
    return text.rstrip(".")


def restore(path: str, good: str | None) -> str:
    """Return how a committed file is brought back.

    Parameters
    ----------
    path : str
        From the repository's root.
    good : str or None
        A commit in which it was in order, where one is known.
    """
    if good:
        return f"Bring it back with: git checkout {good[:12]} -- :/{path}"
    find = f"Find the last good version with: git log --oneline -- :/{path}"
    return f"{find}, and bring it back with: git checkout COMMIT -- :/{path}"


Restore = Callable[[str], str]
"""Path to remedy: how this file is brought back."""
