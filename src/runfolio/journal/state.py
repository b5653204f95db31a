"""Events to a run: what a journal says so far.

A :class:`RunState` remembers how far it has read, so that asking a live run again costs only what was logged since.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from runfolio._dataclass import replace
from runfolio._typing import Any, NamedTuple
from runfolio.formats.canonical import read_number
from runfolio.formats.runs import decode_artifact, decode_input, read_fields
from runfolio.formats.series import Reduction
from runfolio.journal.events import decode_event, decode_events, salvage
from runfolio.records.runs import ArtifactEntry, DatasetInput, Lifecycle, MetricPoint, MetricSummary, Run, RunStatus

_CHUNK = 64 * 1024
"""Bytes read at once: a larger piece is mapped by the system for each journal, and its pages are cleared."""


class CopiedArtifact(NamedTuple):
    """An artifact of which the store holds a copy that has no digest yet: its path in the run, and its size in bytes."""

    path: str
    size: int


class RunState:
    """What a journal says of its run.

    Parameters
    ----------
    path : Path or str
    """

    def __init__(self, path: Path | str) -> None:
        self.path = path
        self.header: dict[str, Any] = {}
        self.params: dict[str, str] = {}
        self.tags: dict[str, str | None] = {}
        self.artifacts: dict[str, ArtifactEntry] = {}
        self.copies: dict[str, CopiedArtifact] = {}
        self.all_copies: dict[str, str] = {}
        self.inputs: dict[tuple[str, str], DatasetInput] = {}
        self.notices: list[str] = []
        self.reduction = Reduction()
        self.name: str | None = None
        self.end: tuple[RunStatus, int] | None = None
        self.life: tuple[Lifecycle, int] | None = None
        self.detached = False
        self.lines = 0
        self.reopened = False
        self.last_time = 0
        self.unreadable = 0
        self.unknown = 0
        self._newest: dict[str, str] = {}
        self._told: Run | None = None
        self._offset = 0
        self._rest = b""

    def refresh(self) -> RunState:
        """Read what was appended since the last time; a journal that is gone changes nothing."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)  # four calls of the system; `open` makes twice as many
        except FileNotFoundError:
            return self
        try:
            # Less than was asked for is not the end: a disk that cannot read on gives what it could first, and says so at the next call.
            while data := os.pread(fd, _CHUNK, self._offset):
                self._offset += len(data)
                self._take(data)
        finally:
            os.close(fd)
        return self

    def _take(self, data: bytes) -> None:
        self._told = None
        lines, _, self._rest = (self._rest + data).rpartition(b"\n")
        if lines[:1] == b"\n" or b"\n\n" in lines:
            lines = b"\n".join(filter(None, lines.split(b"\n")))  # whoever goes on with a journal begins with an empty line
        events = decode_events(lines)
        for event in self._one_by_one(lines) if events is None else events:
            action = _ACTIONS.get(event[0])
            if action is None:
                self.unknown += 1
                continue
            try:
                action(self, event)
            except (ValueError, TypeError, IndexError, KeyError):
                self.unreadable += 1

    def _one_by_one(self, lines: bytes) -> Iterator[list[Any]]:
        """Yield the events of lines of which one at least is not whole."""
        for line in filter(None, lines.split(b"\n")):
            event = decode_event(line)
            if event is None:
                self.unreadable += 1
                event = salvage(line)
            if event is not None:
                yield event

    def settle(self, name: str, entry: ArtifactEntry) -> None:
        """Take the digest of a copy, unless its path has been logged anew since."""
        self._told = None
        self.copies.pop(name, None)
        if self._newest.get(self.all_copies[name]) == name:
            self.artifacts[self.all_copies[name]] = entry

    @property
    def amends(self) -> bool:
        """Whether the journal changes a run that was sealed before, rather than starting one."""
        return bool(self.header.get("amend"))

    @property
    def resumed_at(self) -> int | None:
        """When results were added to a sealed run, milliseconds since the epoch, UTC; None for a first journal, tags and names."""
        added = self.reopened or self.reduction.points or self.params or self.artifacts or self.copies or self.inputs
        return self.header.get("resumed") if self.amends and added else None

    def run(self, base: Run | None = None) -> Run:
        """Return the run as the journal says it.

        Parameters
        ----------
        base : Run, optional
            The committed record that the journal amends.

        Returns
        -------
        Run
            Artifacts all inline, without series: sealing decides how they are stored. Those that have no digest yet are not told.
        """
        if base is not None:
            return replace(base, **self._changes(lambda field, _: getattr(base, field)))
        if self._told is None:
            fields = read_fields(_header_fields(self.header), str(self.path))
            self._told = Run(**{**fields, **self._changes(fields.get)})
        return self._told

    def _changes(self, before: Callable[[str, Any], Any]) -> dict[str, Any]:
        """Return the fields of the run that the journal's events tell; `before` gives what one was before them, or what it is without."""
        tags = {**before("tags", {}), **{key: value for key, value in self.tags.items() if value is not None}}
        for key, value in self.tags.items():
            if value is None:
                tags.pop(key, None)
        tags, fields = _split_tags(tags, self.tags)
        changes: dict[str, Any] = {"tags": tags, **fields}
        if self.name is not None:
            changes["name"] = self.name
        if self.params:
            changes["params"] = {**self.params, **before("params", {})}
        if self.artifacts:
            changes["artifacts"] = {**before("artifacts", {}), **self.artifacts}
        if self.inputs:
            known = {(item.name, item.digest): item for item in before("inputs", ())}
            changes["inputs"] = tuple({**known, **self.inputs}.values())
        notices = list(self.notices)
        if self.unreadable:
            notices.append(f"{self.unreadable} unfinished journal line{'s' * (self.unreadable > 1)} skipped")
        if self.unknown:
            notices.append(f"{self.unknown} journal line{'s' * (self.unknown > 1)} of a newer runfolio skipped")
        if notices:
            changes["notices"] = tuple(dict.fromkeys((*before("notices", ()), *notices)))
        if self.reduction.points:
            new, known = self.reduction.summaries(), before("metrics", {})
            changes["metrics"] = (
                {**known, **{key: _joined(known.get(key), value) for key, value in new.items()}} if known else new
            )
        if self.life is not None:
            deleted = self.life[0] is Lifecycle.DELETED
            changes["lifecycle"], changes["deleted_at"] = self.life[0], self.life[1] if deleted else None
        if self.end is not None:
            # A run that goes on has no end, and one of another tool may have none that is known: 0 says so.
            changes["status"], changes["end"] = self.end[0], None if self.end[0] is RunStatus.RUNNING else self.end[1] or None
        elif self.resumed_at is not None:
            changes["status"], changes["end"] = RunStatus.RUNNING, None
        return changes

    def points(self) -> Iterator[MetricPoint]:
        """Yield every point of every metric, in the order in which they were logged."""
        for event in replay(self.path):
            if event[0] == "m":
                yield MetricPoint(event[1], read_number(event[2]), event[3], event[4])


def replay(path: Path | str) -> Iterator[list[Any]]:
    """Yield the events of a journal; lines that were cut off are passed over."""
    with open(path, "rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                event = decode_event(line) or salvage(line)
                if event is not None:
                    yield event


_STATUSES = {status.value: status for status in RunStatus}


def _joined(before: MetricSummary | None, after: MetricSummary) -> MetricSummary:
    """Summarise the points of two summaries together."""
    if before is None:
        return after
    last = max(before, after, key=lambda item: (item.step, item.timestamp, item.last == item.last, item.last))
    extremes = [item for item in (before, after) if item.min is not None and item.max is not None]
    made = replace(last, count=before.count + after.count)
    if not extremes:
        return made
    low = min(extremes, key=lambda item: item.min)  # type: ignore[arg-type, return-value]
    high = max(extremes, key=lambda item: item.max)  # type: ignore[arg-type, return-value]
    return replace(made, min=low.min, min_step=low.min_step, max=high.max, max_step=high.max_step)


def _header_fields(header: dict[str, Any]) -> dict[str, Any]:
    made = {"schema": 1, "status": "RUNNING", **header}
    for key in ("experiment_name", "amend", "resumed", "branch"):
        made.pop(key, None)
    return made


def _split_tags(tags: dict[str, str], changed: dict[str, str | None]) -> tuple[dict[str, str], dict[str, Any]]:
    """Move the tags that MLflow uses for a field of the run into that field."""
    fields: dict[str, Any] = {}
    for tag, field in (("mlflow.runName", "name"), ("mlflow.parentRunId", "parent"), ("mlflow.user", "user")):
        if changed.get(tag) is not None:
            fields[field] = tags.pop(tag)
    return tags, fields


def _open(state: RunState, event: list[Any]) -> None:
    if isinstance(event[1], dict) and not state.header:
        state.header = event[1]
        state.last_time = max(state.last_time, int(event[1].get("resumed") or event[1].get("start") or 0))
    state.detached = False


def _metric(state: RunState, event: list[Any]) -> None:
    value = event[2]
    state.reduction.add(event[1], value if type(value) is float else read_number(value), event[3], event[4])
    if event[3] > state.last_time:
        state.last_time = event[3]


def _param(state: RunState, event: list[Any]) -> None:
    first = state.params.setdefault(event[1], event[2])
    if first != event[2]:
        state.notices.append(f"the param {event[1]!r} was logged twice; the first value stays")


def _tag(state: RunState, event: list[Any]) -> None:
    state.tags[event[1]] = event[2]


def _untag(state: RunState, event: list[Any]) -> None:
    state.tags[event[1]] = None


def _artifact(state: RunState, event: list[Any]) -> None:
    entry = decode_artifact({"digest": event[2], "size": event[3], "type": event[4]})
    if len(event) > 5 and event[5] in state.all_copies:
        state.settle(event[5], entry)
    else:
        state.artifacts[event[1]] = entry
        state._newest.pop(event[1], None)


def _copy(state: RunState, event: list[Any]) -> None:
    path, name, size = event[1:4]
    state.copies[name] = CopiedArtifact(path, int(size))
    state.all_copies[name], state._newest[path] = path, name


def _lost_copy(state: RunState, event: list[Any]) -> None:
    state.copies.pop(event[1], None)


def _dataset(state: RunState, event: list[Any]) -> None:
    item = decode_input(event[1])
    state.inputs[(item.name, item.digest)] = item


def _notice(state: RunState, event: list[Any]) -> None:
    state.notices.append(str(event[1]))


def _name(state: RunState, event: list[Any]) -> None:
    state.name = str(event[1])


def _end(state: RunState, event: list[Any]) -> None:
    state.end = (_STATUSES[event[1]], int(event[2]))
    state.reopened = state.reopened or state.end[0] is RunStatus.RUNNING
    state.last_time = max(state.last_time, int(event[2]))


def _life(state: RunState, event: list[Any]) -> None:
    state.life = (Lifecycle(event[1]), int(event[2]))


def _detach(state: RunState, event: list[Any]) -> None:
    state.detached = True


def _lines(state: RunState, event: list[Any]) -> None:
    state.lines = int(event[1])


_ACTIONS: dict[str, Callable[[RunState, list[Any]], None]] = {
    "open": _open,
    "m": _metric,
    "p": _param,
    "t": _tag,
    "-t": _untag,
    "a": _artifact,
    "copy": _copy,
    "-copy": _lost_copy,
    "d": _dataset,
    "n": _notice,
    "name": _name,
    "end": _end,
    "life": _life,
    "detach": _detach,
    "lines": _lines,
}
