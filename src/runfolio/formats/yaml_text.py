r"""YAML as we write it: one spelling for each value, chosen so that every reader reads the same.

Text is plain only where YAML 1.1 and 1.2 and a person agree that it is text; ``no``, ``null``, ``1.0`` and anything with
odd characters is in double quotes, with what no one can see spelled ``\uXXXX``. Text of several clean lines is a block, so
that a description reads and diffs by line. Keys keep the order they are given in. No line is folded.

>>> print(dump_yaml({"name": "no", "tags": {"team": "core"}}, "An experiment.").decode(), end="")
# An experiment.
name: "no"
tags:
  team: core
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from runfolio._pattern import pattern
from runfolio.errors import UsageError
from runfolio.records.visible import INVISIBLE, spell_invisible

_PLAIN = pattern(r"[A-Za-z_/](?:[\w ./@+()-]|:(?=[\w/]))*(?<! )\Z", re.ASCII)
_TIME = pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", re.ASCII)
_NOT_TEXT = frozenset("y n yes no on off true false null nan inf".split())
_MAX_SIMPLE_KEY = 1000  # YAML 1.2, section 7.4: an implicit key has at most 1,024 characters


def dump_yaml(value: Mapping[str, Any], header: str = "") -> bytes:
    """Write a new YAML file.

    Parameters
    ----------
    value : Mapping
        Text, numbers, booleans, None, lists and mappings with text keys.
    header : str, optional
        What the file is; becomes comment lines at its top.

    Returns
    -------
    bytes

    Raises
    ------
    UsageError
        If text holds an unpaired surrogate, which UTF-8 and YAML cannot write.
    """
    lines = [f"# {line}".rstrip() for line in header.splitlines()]
    for key, entry in value.items():
        lines += entry_lines(key, entry, 0)
    lines.append("")
    return "\n".join(lines).encode()


def spell_scalar(value: Any) -> str:
    """Write one scalar on one line.

    Raises
    ------
    TypeError
        If it is none that YAML's core schema has.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if value != value:
            return ".nan"
        return repr(value) if abs(value) != float("inf") else ".inf" if value > 0 else "-.inf"
    if isinstance(value, str):
        return _spell_text(value)
    raise TypeError(f"YAML has no form for {type(value).__name__}")


def entry_lines(key: str, value: Any, indent: int) -> list[str]:
    """Write one entry of a block mapping.

    Parameters
    ----------
    key : str
    value : object
    indent : int
        Columns before the key.

    Returns
    -------
    list of str
        Lines without line ends.
    """
    pad, name = " " * indent, _spell_key(key)
    kind = type(value)
    if len(name) <= _MAX_SIMPLE_KEY and (kind is int or (kind is str and "\n" not in value)):  # what nearly all entries are
        return [f"{pad}{name}: {value if kind is int else _spell_text(value)}"]
    head = f"{pad}{name}:" if len(name) <= _MAX_SIMPLE_KEY else f"{pad}? {name}\n{pad}:"
    first, *rest = _value_lines(value, indent + 2)
    return [*f"{head}{first}".split("\n"), *rest]


def _value_lines(value: Any, indent: int) -> list[str]:
    """Write a value behind ``key:`` or ``-``: what ends that line, then the lines below it."""
    if isinstance(value, str):
        return _block_lines(value, indent) if "\n" in value and _reads_as_block(value) else [f" {_spell_text(value)}"]
    if isinstance(value, Mapping):
        lines = [line for key, entry in value.items() for line in entry_lines(key, entry, indent)]
        return ["", *lines] if lines else [" {}"]
    if isinstance(value, (list, tuple)):
        lines = []
        for entry in value:
            first, *rest = _value_lines(entry, indent + 2)
            if isinstance(entry, Mapping) and rest:  # "- key: value", the first entry beside the dash
                first, rest = " " + rest[0].lstrip(" "), rest[1:]
            lines += [f"{' ' * indent}-{first}", *rest]
        return ["", *lines] if lines else [" []"]
    return [f" {spell_scalar(value)}"]


def _block_lines(text: str, indent: int) -> list[str]:
    head = " |" if text.endswith("\n") else " |-"
    return [head, *(" " * indent + line if line else "" for line in text.removesuffix("\n").split("\n"))]


def _reads_as_block(text: str) -> bool:
    lines = text.removesuffix("\n").split("\n")
    clean = all(not INVISIBLE.search(line) and line.isprintable() and line == line.rstrip() for line in lines)
    return len(lines) > 1 and clean and lines[-1] != "" and lines[0] != "" and not lines[0].startswith(" ")


@lru_cache(maxsize=256)  # the keys of our files are a few dozen, written again and again
def _spell_key(key: str) -> str:
    return _spell_text(key)


def _spell_text(text: str) -> str:
    if (_PLAIN.match(text) and text.lower() not in _NOT_TEXT) or _TIME.match(text):
        return text
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'  # a run's id, for one, which begins with a digit
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise UsageError(f"{text[:40]!r} holds an unpaired surrogate, which is no character. Leave it out.")
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if quoted.isprintable() and not INVISIBLE.search(quoted) else "".join(map(_spell_letter, quoted))


def _spell_letter(letter: str) -> str:
    return letter if letter.isprintable() and not INVISIBLE.match(letter) else spell_invisible(letter)
