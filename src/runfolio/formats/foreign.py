"""A run that was written by any language: ``run.json``, and ``metrics.jsonl`` beside it. ``spool.schema.json`` is its schema.

>>> run = decode_foreign(b'{"start": 1795428000000, "params": {"depth": [5]}, "metrics": {"loss": "NA"}}', "run.json")
>>> dict(run.params), dict(run.metrics), run.notices
({'depth': '5'}, {}, ('metric loss: NA is no number; it was passed over',))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from runfolio._dataclass import dataclass, field
from runfolio.errors import DamagedError, sentence
from runfolio.formats.lines import Point, parse_line
from runfolio.formats.loose import MissingError, load_loose, loose_text, read_loose_number, read_loose_time, unboxed
from runfolio.records import DEFAULT_EXPERIMENT_NAME
from runfolio.records.names import check_experiment_name, check_key, check_run_id

T = TypeVar("T")
_FIELDS = tuple("$schema schema run_id experiment name start end status user note parent params tags metrics".split())
_STATUSES = ("FINISHED", "FAILED", "KILLED")
MAX_FAULTS = 20


@dataclass(frozen=True, slots=True)
class ForeignRun:
    """A run as ``run.json`` says it.

    Parameters
    ----------
    start : int
        Milliseconds since the epoch, UTC.
    end : int or None
    experiment, name, status, user : str
    run_id, parent : str or None
    params, tags : Mapping of str to str
    metrics : Mapping of str to float
    notices : tuple of str
        What was passed over.
    """

    start: int
    end: int | None = None
    experiment: str = DEFAULT_EXPERIMENT_NAME
    name: str = ""
    status: str = "FINISHED"
    user: str = ""
    run_id: str | None = None
    parent: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def decode_foreign(data: bytes, where: str) -> ForeignRun:
    """Read a ``run.json``.

    Parameters
    ----------
    data : bytes
    where : str
        The file, for messages.

    Raises
    ------
    DamagedError
        If it is none; the message names every wrong field, and what to write.
    """
    try:
        value = load_loose(data)
    except ValueError as error:
        raise DamagedError(f"{where}: {error}. Write it whole under another name, then rename it to run.json.") from None
    return _Reader(value, where).run()


class _Reader:
    """Reads the fields, and notes all faults before it raises any."""

    def __init__(self, value: dict[str, Any], where: str) -> None:
        self._value, self._where = value, where
        self._faults: list[str] = []
        self._notices: list[str] = []

    def run(self) -> ForeignRun:
        self._only_known()
        if "start" not in self._value:
            self._faults.append("start: the field is missing; write when the run started, in milliseconds since the epoch")
        start = self._read("start", read_loose_time, 0)
        end = self._read("end", read_loose_time, None)
        if end is not None and end < start and not self._faults:
            self._faults.append(f"end: {end} is before start, {start}")
        tags = self._entries("tags", "tag", loose_text)
        note = self._read("note", _text, "")
        if note:
            tags.setdefault("mlflow.note.content", note)
        made = ForeignRun(
            start,
            end,
            experiment=self._read("experiment", lambda item: check_experiment_name(_text(item)), DEFAULT_EXPERIMENT_NAME),
            name=self._read("name", _text, ""),
            status=self._read("status", _status, "FINISHED"),
            user=self._read("user", _text, ""),
            run_id=self._read("run_id", lambda item: check_run_id(unboxed(item)), None),
            parent=self._read("parent", lambda item: check_run_id(unboxed(item)), None),
            params=self._entries("params", "parameter", loose_text),
            tags=tags,
            metrics=self._entries("metrics", "metric", read_loose_number),
            notices=tuple(self._notices),
        )
        if self._faults:
            raise DamagedError("\n".join(sentence(f"{self._where}: {fault}") for fault in self._faults[:MAX_FAULTS]))
        return made

    def _only_known(self) -> None:
        for key in self._value:
            if key not in _FIELDS:
                from runfolio.formats.fields import suggestion

                self._faults.append(f"{key}: no such field{suggestion(key, _FIELDS[2:])}")
        if unboxed(self._value.get("schema", 1)) != 1:
            self._faults.append(f"schema: 1 is expected, found {self._value['schema']!r:.40}")

    def _read(self, key: str, reader: Callable[[Any], T], default: T) -> T:
        value = self._value.get(key)
        if value is None or value == [] or value == {}:
            return default
        try:
            return reader(value)
        except ValueError as error:
            self._faults.append(f"{key}: {error}")
            return default

    def _entries(self, key: str, kind: str, reader: Callable[[Any], T]) -> dict[str, T]:
        found = self._value.get(key)
        made: dict[str, T] = {}
        if found is None or found == []:  # R writes an empty list as []
            return made
        if not isinstance(found, dict):
            self._faults.append(f"{key}: an object of names and values is expected, found {type(found).__name__}")
            return made
        for name, item in found.items():
            try:
                check_key(name, kind)
                made[name] = reader(item)
            except MissingError as error:
                self._notices.append(f"{key.rstrip('s')} {name}: {error}; it was passed over")
            except ValueError as error:
                self._faults.append(f"{key}.{name}: {error}")
        return made


def _text(value: Any) -> str:
    found = unboxed(value)
    if not isinstance(found, str):
        raise ValueError(f"text is expected, found {found!r:.60}")
    return found


def _status(value: Any) -> str:
    found = _text(value).upper()
    if found not in _STATUSES:
        raise ValueError(f"one of {', '.join(_STATUSES)} is expected, found {found!r:.40}; a running one has no run.json")
    return found


def read_metrics(lines: Iterable[bytes], where: str, notices: list[str]) -> Iterator[Point]:
    """Read the points of a ``metrics.jsonl``.

    Parameters
    ----------
    lines : iterable of bytes
    where : str
        The file, for messages.
    notices : list of str
        Takes what was passed over.

    Raises
    ------
    DamagedError
        If a line says anything but metrics; the message names the first such lines.
    """
    faults: list[str] = []
    missing = 0
    for number, line in enumerate(lines, 1):
        try:
            yield from _points(line)
        except MissingError:
            missing += 1
        except ValueError as error:
            faults.append(sentence(f"{where}: line {number}: {error}"))
            if len(faults) >= MAX_FAULTS:
                break
    if faults:
        raise DamagedError("\n".join(faults))
    if missing:
        notices.append(f"metrics: {missing} point{'s' * (missing > 1)} without a number (NA, null) passed over")


def _points(line: bytes) -> Iterator[Point]:
    try:
        said = parse_line(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    if said.params or said.tags or said.artifacts or said.note:
        raise ValueError("only metrics stand here; params and tags stand in run.json")
    for point in said.metrics:
        check_key(point[0], "metric")
        yield point
