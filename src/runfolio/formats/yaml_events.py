"""From the YAML parser's events to plain values with their places; the engine of :mod:`runfolio.formats.yaml`.

The YAML library only tokenises. What a scalar means, and what is refused (tags, anchors, aliases, merge keys, doubled keys,
keys that are not text, depth), is decided here, so that the C parser and the Python one say the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

from runfolio._dataclass import dataclass
from runfolio._pattern import pattern
from runfolio.errors import DamagedError

if TYPE_CHECKING:
    from yaml import Event, ScalarEvent

MAX_DEPTH = 32
MAX_NUMBER_LENGTH = 40
MAX_FAULTS = 20
"""Faults told of one file; the rest follow when these are mended."""

Path = tuple[str | int, ...]

_INTEGER = pattern(r"[-+]?[0-9]+\Z", re.ASCII)
_OCTAL, _HEX = pattern(r"0o[0-7]+\Z"), pattern(r"0x[0-9a-fA-F]+\Z")
_FLOAT = pattern(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z", re.ASCII)
_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WORDS |= {sign + word: float(sign + "inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")}
_WORDS |= {".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan")}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands in the text.

    Parameters
    ----------
    line, column : int
        Of the key (of the item, in a list), counted from 1.
    start : int
        Index of the key's first character.
    value_start, end : int
        Indices of the value's first character, and behind its last.
    inline : bool
        True where the value is a scalar on the key's line.
    block : bool
        True where the entry belongs to a block mapping (not ``{…}``).
    """

    line: int
    column: int
    start: int
    value_start: int
    end: int
    inline: bool
    block: bool


def resolve(text: str) -> Any:
    """Read a plain scalar by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    number = _INTEGER.match(text) or _OCTAL.match(text) or _HEX.match(text) or _FLOAT.match(text)
    if not number:
        return text
    if len(text) > MAX_NUMBER_LENGTH:
        raise ValueError(f"a number of {len(text)} characters; {MAX_NUMBER_LENGTH} are the most")
    if _INTEGER.match(text):
        return int(text)
    if text[:2] in ("0o", "0x"):
        return int(text[2:], 8 if text[1] == "o" else 16)
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text} is too large; infinity is written .inf")
    return value


@dataclass(slots=True)
class _Frame:
    """One open mapping or list while its entries are read."""

    value: dict[str, Any] | list[Any]
    path: Path
    block: bool
    start: int
    key: str | None = None
    key_event: ScalarEvent | None = None


def _start(event: Event) -> Any:
    return event.start_mark  # typed as optional; the parsers always set it


def _end(event: Event) -> Any:
    return event.end_mark


class Builder:
    """Makes plain values of parser events, one at a time; nothing is resolved by the YAML library itself."""

    def __init__(self, where: str, text: str) -> None:
        self.where, self.text = where, text
        self.root: dict[str, Any] = {}
        self.places: dict[Path, Place] = {}
        self._faults: list[str] = []
        self._stack: list[_Frame] = []
        self._documents = 0
        self._end = 0

    def fault(self, line: int, column: int, what: str) -> None:
        """Note a fault and go on."""
        self._faults.append(f"{self.where}: line {line}, column {column}: {what}")

    def report(self) -> None:
        """Raise all the faults noted, if any."""
        if self._faults:
            raise DamagedError("\n".join(self._faults[:MAX_FAULTS]))

    def _at(self, event: Event, what: str) -> None:
        self.fault(_start(event).line + 1, _start(event).column + 1, what)

    def _stop(self, event: Event, what: str) -> NoReturn:
        self._at(event, what)
        self.report()
        raise AssertionError("a fault was noted")

    def take(self, event: Event) -> None:
        """Take the parser's next event."""
        import yaml

        if isinstance(event, yaml.ScalarEvent):
            self._check_plain(event)
            self._scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._check_plain(event)
            self._open(event, isinstance(event, yaml.MappingStartEvent))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._close(event)
        elif isinstance(event, yaml.AliasEvent):
            self._at(event, f"the alias *{event.anchor} is not read here. Write the value out.")
            if self._stack and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None:
                self.report()  # it stands for a key: what follows cannot be told from its value
            self._put(event, None)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._stop(event, "a second document begins. Keep one document a file, without a second '---'.")
            if event.version or event.tags:
                self._at(event, "a % directive is not read here. Delete it.")

    def _check_plain(self, event: Any) -> None:
        if event.anchor is not None:
            self._at(event, f"the anchor &{event.anchor} is not read here. Delete it, and write values out where they are used.")
        if event.tag is not None:
            self._at(event, f"the tag {event.tag} is not read here. Delete it; put text in quotes.")

    def _open(self, event: Any, mapping: bool) -> None:
        if len(self._stack) >= MAX_DEPTH:
            self._stop(event, f"nested deeper than {MAX_DEPTH} levels. Flatten it.")
        if not self._stack and not mapping:
            self._stop(event, "a list stands where 'key: value' lines are expected.")
        if self._stack and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None:
            self._stop(event, "a key is not text. Write the key as one word or in quotes.")
        value: dict[str, Any] | list[Any] = {} if mapping else []
        path = self._path()
        self._put(event, value, keep_key=True)
        self._stack.append(_Frame(value, path, not event.flow_style, _start(event).index))
        if not self._stack[1:]:
            assert isinstance(value, dict)
            self.root = value

    def _close(self, event: Event) -> None:
        frame = self._stack.pop()
        if not frame.block:
            self._end = _end(event).index
        place = self.places.get(frame.path)
        if place is not None:
            self.places[frame.path] = Place(
                place.line,
                place.column,
                place.start,
                place.value_start,
                self._end,
                False,
                place.block if frame.path else frame.block,
            )
        if self._stack:
            self._stack[-1].key = None

    def _scalar(self, event: ScalarEvent) -> None:
        start, end = _start(event).index, _end(event).index
        if event.style in ("|", ">"):
            header = self.text[start:end].split("\n", 1)[0]
            end = end if "+" in header else start + len(self.text[start:end].rstrip())
        if end > start:
            self._end = max(self._end, end)
        plain = event.style in (None, "")
        value: Any = event.value
        if plain:
            try:
                value = resolve(event.value)
            except ValueError as error:
                self._at(event, f"{error}.")
        elif not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            self._at(event, "an unpaired surrogate is not a character. Delete it.")
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None:
            self._key(frame, event, value, plain)
        else:
            self._put(event, value)

    def _key(self, frame: _Frame, event: ScalarEvent, value: Any, plain: bool) -> None:
        assert isinstance(frame.value, dict)
        key = event.value
        if plain and key == "<<":
            self._at(event, "the merge key << is not read here. Write the entries out.")
        elif not isinstance(value, str):
            self._at(event, f'the key {key or "(empty)"} is not text. Put it in quotes: "{key}"')
        if key in frame.value:
            place = (*frame.path, key)
            first = self.places[place].line
            self._at(event, f"the key {key!r} stands twice, first in line {first}. Delete one of them.")
        frame.key, frame.key_event = key, event

    def _path(self) -> Path:
        if not self._stack:
            return ()
        frame = self._stack[-1]
        return (*frame.path, len(frame.value) if isinstance(frame.value, list) else frame.key or "")

    def _put(self, event: Any, value: Any, *, keep_key: bool = False) -> None:
        path, start, end = self._path(), _start(event).index, _end(event).index
        if not self._stack:
            if not isinstance(value, dict) and value is not None:
                self._stop(event, f"{str(value)[:40]!r} stands where 'key: value' lines are expected.")
            if isinstance(value, dict):
                self.places[()] = Place(_start(event).line + 1, _start(event).column + 1, start, start, start, False, True)
            return
        frame = self._stack[-1]
        key = _start(frame.key_event) if isinstance(frame.value, dict) and frame.key_event else _start(event)
        inline = start < end and "\n" not in self.text[key.index : end]
        self.places[path] = Place(key.line + 1, key.column + 1, key.index, start, max(self._end, key.index), inline, frame.block)
        if isinstance(frame.value, list):
            frame.value.append(value)
        else:
            assert frame.key is not None
            frame.value[frame.key] = value
        if not keep_key:
            frame.key = None
