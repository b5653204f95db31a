"""The line protocol: how a program in any language says what to record, one record a line.

Plain words::

    param NAME VALUE
    metric NAME VALUE [STEP [TIMESTAMP_MS]]
    tag NAME VALUE
    artifact LOCAL_PATH [FOLDER]
    note TEXT

or one JSON object a line::

    {"metric": "loss", "value": 0.5, "step": 3}
    {"params": {"depth": 5}, "metrics": {"loss": 0.5, "accuracy": "NaN"}, "step": 3}

The value of a param or tag, and a note, are the rest of the line. A name or path with spaces stands in double quotes, inside
which ``\\"`` and ``\\\\`` are a quote and a backslash, as in JSON. Blank lines and lines that start with ``#`` say nothing.

What it does *not* do: check names against our rules, read files, or know what a run is.

>>> parse_line('metric "validation loss" 0.5 3').metrics
(('validation loss', 0.5, None, 3),)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from runfolio._dataclass import dataclass, field
from runfolio.formats.loose import load_loose, loose_text, read_loose_number, read_loose_time, read_loose_whole

Point = tuple[str, float, int | None, int | None]
"""Name, value, timestamp (milliseconds since the epoch, UTC) and step of a metric's point."""

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"(?=\s|\Z)')
_WORD = re.compile(r"\S+")
_KEYS = ("param", "metric", "tag", "artifact", "note", "params", "metrics", "tags", "value", "step", "timestamp", "path")


@dataclass(frozen=True, slots=True)
class Said:
    """What one line says.

    Parameters
    ----------
    params, tags : Mapping of str to str
    metrics : tuple of Point
    artifacts : tuple of (str, str)
        Path on the machine, and folder in the run.
    note : str
    """

    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[Point, ...] = ()
    artifacts: tuple[tuple[str, str], ...] = ()
    note: str = ""


def parse_line(line: str) -> Said:
    """Read one line.

    Parameters
    ----------
    line : str
        Without its end.

    Raises
    ------
    ValueError
        If it says nothing that can be recorded; the message is a sentence about what is wrong.
    """
    text = line.strip()
    if not text or text.startswith("#"):
        return Said()
    if text.startswith("{"):
        return _of_object(load_loose(text.encode("utf-8", "surrogatepass")))
    verb, _, rest = text.partition(" ")
    reader = _VERBS.get(verb)
    if reader is None:
        raise ValueError(f"{verb!r:.40} is none of param, metric, tag, artifact, note")
    return reader(rest.strip())


def _param(rest: str) -> Said:
    name, value = _named(rest, "param")
    return Said(params={name: value})


def _tag(rest: str) -> Said:
    name, value = _named(rest, "tag")
    return Said(tags={name: value})


def _named(rest: str, verb: str) -> tuple[str, str]:
    name, rest = _word(rest, f"{verb} NAME VALUE")
    if not rest:
        raise ValueError(f"{verb} {name}: the value is missing; write: {verb} NAME VALUE")
    return name, _word(rest, "")[0] if _QUOTED.fullmatch(rest) else rest


def _metric(rest: str) -> Said:
    form = "metric NAME VALUE [STEP [TIMESTAMP_MS]]"
    name, rest = _word(rest, form)
    words = rest.split()
    if not words:
        raise ValueError(f"metric {name}: the value is missing; write: {form}")
    if len(words) > 3:
        raise ValueError(f"metric {name}: {words[3]!r:.40} is too much; write: {form}, a name with spaces in double quotes")
    return Said(metrics=(_point(name, *words),))


def _point(name: str, value: Any, step: Any = None, timestamp: Any = None) -> Point:
    try:
        number = read_loose_number(value)
        at = None if timestamp is None else read_loose_time(timestamp)
        return (name, number, at, None if step is None else read_loose_whole(step))
    except ValueError as error:
        raise type(error)(f"metric {name}: {error}") from None


def _artifact(rest: str) -> Said:
    path, rest = _word(rest, "artifact LOCAL_PATH [FOLDER]")
    folder, more = _word(rest, "") if rest else ("", "")
    if more:
        raise ValueError(f"artifact {path}: {more!r:.40} is too much; put a path with spaces in double quotes")
    return Said(artifacts=((path, folder),))


def _note(rest: str) -> Said:
    if not rest:
        raise ValueError("note: the text is missing")
    return Said(note=rest)


def _word(text: str, form: str) -> tuple[str, str]:
    """Split off the first word, or what stands in double quotes."""
    quoted = _QUOTED.match(text)
    if quoted:
        try:
            return json.loads(quoted[0]), text[quoted.end() :].strip()
        except ValueError:
            raise ValueError(f"{quoted[0]!r:.60}: inside double quotes a backslash is written twice") from None
    word = _WORD.match(text)
    if word is None:
        raise ValueError(f"the name is missing; write: {form}")
    if word[0].startswith('"'):
        raise ValueError(f"{text!r:.60}: the closing double quote is missing")
    return word[0], text[word.end() :].strip()


_VERBS: dict[str, Callable[[str], Said]] = {"param": _param, "metric": _metric, "tag": _tag, "artifact": _artifact, "note": _note}


def _of_object(value: dict[str, Any]) -> Said:
    for key in value:
        if key not in _KEYS:
            from runfolio.formats.fields import suggestion

            raise ValueError(f"{key!r:.40}: no such field{suggestion(key, _KEYS)}")
    step, timestamp = value.get("step"), value.get("timestamp")
    points = {**_mapping(value, "metrics"), **_single(value, "metric")}
    said = Said(
        params=_texts("param", {**_mapping(value, "params"), **_single(value, "param")}),
        tags=_texts("tag", {**_mapping(value, "tags"), **_single(value, "tag")}),
        metrics=tuple(_point(name, number, step, timestamp) for name, number in points.items()),
        artifacts=((_text(value, "artifact"), _text(value, "path")),) if "artifact" in value else (),
        note=_text(value, "note"),
    )
    if said == Said():
        raise ValueError("it records nothing: a field named param, metric, tag, artifact or note is missing")
    return said


def _single(value: dict[str, Any], kind: str) -> dict[str, Any]:
    if kind not in value:
        return {}
    if "value" not in value:
        raise ValueError(f"{kind} {value[kind]!r:.40}: the field 'value' is missing")
    return {_text(value, kind): value["value"]}


def _mapping(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key, {})
    if not isinstance(found, dict):
        raise ValueError(f"{key}: an object of names and values is expected")
    return found


def _texts(kind: str, found: Mapping[str, Any]) -> dict[str, str]:
    made = {}
    for name, item in found.items():
        try:
            made[name] = loose_text(item)
        except ValueError as error:
            raise ValueError(f"{kind} {name}: {error}") from None
    return made


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key, "")
    if not isinstance(found, str):
        raise ValueError(f"{key}: text is expected, found {json.dumps(found)[:40]}")
    return found
