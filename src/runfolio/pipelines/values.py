"""What the fields of ``pipeline.yaml`` may say: each reader returns a value that fits, or raises or notes what does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from runfolio.errors import UsageError
from runfolio.formats.durations import parse_duration
from runfolio.formats.fields import FieldReader, list_of, some_text, suggestion
from runfolio.pipelines.commands import check_words, split
from runfolio.pipelines.model import INSTALLED, NONE, Input
from runfolio.records.names import MAX_PARAM_LENGTH, check_artifact_path, check_key

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}\Z")
_SCHEMES = ("runs:/", "models:/", "data:")


def listed(section: FieldReader, key: str) -> list[tuple[int, Any]]:
    """Return the entries of a list with their places; a fault is noted where there is none."""
    value = section.value.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        section.fault((key,), "a list is expected; begin each line with '- '")
        return []
    return list(enumerate(value))


def read_input(section: FieldReader, at: int, value: Any) -> Input | None:
    """Read one input; None, with a fault noted, where it is wrong."""
    try:
        if isinstance(value, dict):
            return _placed_input(value)
        said = some_text(value)
        if said.startswith(("runs:/", "models:/")):
            raise ValueError(f"say where to put it: {{from: {said!r}, to: PATH}}")
        if said.startswith("data:"):
            return Input("", dataset=_dataset(said))
        step, colon, place = said.partition(":")
        if colon and NAME.match(step):
            return Input(a_path(place), step=step)
        return Input(a_path(said))
    except ValueError as error:
        section.fault(("inputs", at), str(error).rstrip("."))
        return None


def _placed_input(value: Mapping[str, Any]) -> Input:
    unknown = [key for key in value if key not in ("from", "to")]
    if unknown or "from" not in value:
        raise ValueError(f"from and to are expected, found {', '.join(map(str, value))}")
    said = some_text(value["from"])
    if said.startswith("data:"):
        return Input(a_path(value["to"]) if value.get("to") is not None else "", dataset=_dataset(said))
    if not said.startswith(("runs:/", "models:/")):
        raise ValueError(f"from: one of {', '.join(_SCHEMES)} is expected, found {said!r}; a path is written alone")
    if value.get("to") is None:
        raise ValueError("to is missing: write the path that the step finds it at")
    if said.startswith("models:/"):
        from runfolio.registry.uris import parse_model_uri

        try:
            parse_model_uri(said)
        except UsageError as error:
            raise ValueError(f"from: {error.message}") from None
    elif not re.match(r"runs:/[A-Za-z0-9][\w-]*/\S", said):
        raise ValueError(f"from: runs:/RUN/PATH is expected, found {said!r}")
    return Input(a_path(value["to"]), uri=said)


def _dataset(said: str) -> str:
    name = said[len("data:") :]
    if not name.strip():
        raise ValueError("data:NAME is expected, found no name")
    return name


def read_own_params(section: FieldReader, params: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Read a step's params: a list of names that it uses, or values that hold for it alone."""
    value = section.value.get("params")
    if not isinstance(value, list):
        return read_params(section, "params"), ()
    none: tuple[str, ...] = ()
    given = section.read("params", list_of(some_text), none)
    for at, name in enumerate(given):
        if name not in params:
            section.fault(
                ("params", at),
                f"the pipeline has no param {name!r}{suggestion(name, params) if params else '; write it under params'}",
            )
    return {}, given


def read_params(section: FieldReader, key: str) -> dict[str, str]:
    """Read ``name: value`` lines."""
    made: dict[str, str] = {}
    value = section.value.get(key)
    if value is None:
        return made
    if not isinstance(value, dict):
        section.fault((key,), "'name: value' lines are expected")
        return made
    for name, each in value.items():
        try:
            if not re.fullmatch(r"[A-Za-z_][\w.\-]*", check_key(name, "parameter"), re.ASCII):
                raise ValueError("a param's name is letters, digits, '_', '-' and '.', and begins with a letter")
            made[name] = value_text(each)
        except ValueError as error:
            section.fault((key, name), str(error).rstrip("."))
    return made


def value_text(value: Any) -> str:
    """Return a param's value as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int, float)):
        raise ValueError("a text or number is expected; a list is one text: 'a,b,c'")
    said = str(value)
    if len(said) > MAX_PARAM_LENGTH or "\0" in said:
        raise ValueError(f"a value has {MAX_PARAM_LENGTH} characters at most, and no NUL")
    return said


def read_code(section: FieldReader, default: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Read the files that count as code."""
    return section.read("code", list_of(a_pattern), default) if section.value.get("code") is not None else default


def read_environment(section: FieldReader, default: tuple[str, ...]) -> tuple[str, ...]:
    """Read what counts as the environment."""
    return section.read("environment", an_environment, default)


def read_env(section: FieldReader) -> dict[str, str]:
    """Read variables."""
    made = read_params(section, "env")
    for name in made:
        if name.startswith("RUNFOLIO_") or not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            section.fault(("env", name), "a variable's name is letters, digits and '_', and does not begin with RUNFOLIO_")
    return made


def a_name(value: Any) -> str:
    """Return the name of a pipeline or step."""
    if not isinstance(value, str) or not NAME.match(value):
        raise ValueError(f"a name is letters, digits, '_' and '-', and begins with a letter; found {value!r}")
    return value


def a_command(value: Any) -> tuple[str, ...]:
    """Return the words of a command."""
    if isinstance(value, list):
        return check_words([value_text(word) for word in value])
    return split(some_text(value))


def a_path(value: Any) -> str:
    """Return a path below the pipeline's folder."""
    said = some_text(value).removeprefix("./").rstrip("/")
    try:
        path = check_artifact_path(said)
    except UsageError:
        raise ValueError(f"a path below the pipeline's folder is expected, without '..', found {value!r}") from None
    if path == ".git" or path.startswith(".git/"):
        raise ValueError("git's own folder is no input and no output")
    return path


def a_pattern(value: Any) -> str:
    """Return a path or pattern below the pipeline's folder."""
    said = some_text(value).removeprefix("./").rstrip("/")
    if said.startswith("/") or ".." in said.split("/"):
        raise ValueError(f"a path or pattern below the pipeline's folder is expected, found {value!r}")
    return said or "."


def an_environment(value: Any) -> tuple[str, ...]:
    """Return ``installed``, ``none``, or files that say what is installed."""
    if value in (INSTALLED, NONE):
        return (str(value),)
    if isinstance(value, str):
        return (a_path(value),)
    if not isinstance(value, list) or not value:
        raise ValueError(f"{INSTALLED}, {NONE}, or files that say what is installed are expected, found {value!r}")
    return tuple(a_path(each) for each in value)


def a_timeout(value: Any) -> int:
    """Return seconds."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    try:
        seconds = parse_duration(value)
    except UsageError as error:
        raise ValueError(error.message) from None
    if seconds < 1:
        raise ValueError("a second at least is expected")
    return seconds
