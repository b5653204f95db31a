"""A run of Neptune, put into a draft: attributes, series, files, and what Neptune keeps under ``sys/``."""

from __future__ import annotations

import datetime
import json
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import field
from decimal import Decimal
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.transfer.folders import files_below
from runfolio.transfer.held import NOTE_TAG, Draft, HeldRun, stepped_image
from runfolio.transfer.neptune.tables import VALUES, Value

HISTORY_FILE = "neptune-history.jsonl"
"""Series of text and histograms: a line each."""
_SYSTEM, _MONITORING = "sys/", "monitoring/"
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_TAGS = {"description": NOTE_TAG, "tags": "labels", "group_tags": "group", "hostname": "host"}
_FIELDS = ("id", "custom_run_id", "name", "owner", "creation_time", "failed", "state", "trashed")


@dataclass(slots=True)
class Reading:
    """A run that is being read.

    Parameters
    ----------
    draft : Draft
    roots : sequence of Path
        Folders in which the paths of files are looked for.
    scale : int
        What steps are multiplied by, so that all of them are whole.
    tell : callable
        Given in words what could not be read.
    """

    draft: Draft
    roots: Sequence[Path]
    scale: int
    tell: Callable[[str], None]
    system: dict[str, Any] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    waiting: list[tuple[str, float, int]] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    empty: int = 0
    first: int | None = None
    last: int | None = None

    def take(self, item: Value) -> None:
        """Put a value into the draft."""
        if item.timestamp is not None:
            self.first = item.timestamp if self.first is None else min(self.first, item.timestamp)
            self.last = item.timestamp if self.last is None else max(self.last, item.timestamp)
        if item.kind not in VALUES:
            self.unknown[item.kind] = self.unknown.get(item.kind, 0) + 1
        elif item.value is None:
            self.empty += item.kind in ("float_series", "file", "file_series", "file_set", "artifact")
        elif item.kind == "float_series":
            self._number(item)
        elif item.kind in ("string_series", "histogram_series"):
            line = {
                "step": _step(item.step),
                "timestamp": item.timestamp,
                "key": item.path,
                "type": item.kind,
                "value": item.value,
            }
            self.others.append(json.dumps(line))
        elif item.kind in ("file", "file_series", "file_set", "artifact"):
            self._file(item, str(item.value.get("path") or "") if isinstance(item.value, dict) else "")
        elif item.path.startswith(_SYSTEM):
            self.system[item.path[len(_SYSTEM) :]] = item.value
        else:
            self.draft.param(item.path, _text(item.value))

    def _number(self, item: Value) -> None:
        key = f"system/{item.path[len(_MONITORING) :]}" if item.path.startswith(_MONITORING) else item.path
        step = int((item.step or Decimal(0)) * self.scale)
        if item.timestamp is None:
            self.waiting.append((key, float(item.value), step))
        else:
            self.draft.point(key, float(item.value), item.timestamp, step)

    def _file(self, item: Value, path: str) -> None:
        place = next((root / path for root in self.roots if path and _inside(root, root / path)), None)
        if place is None:
            self.tell(
                f"{item.path}: its file {path or 'without a path'} is not below the folder of files; give that folder with --files"
            )
            return
        if place.is_dir():
            for inner, found in files_below(place, [place], lambda where, why: self.tell(f"{item.path}: {where.name}: {why}")):
                self.draft.files[f"{item.path}/{inner}"] = found
            return
        ending = place.suffix
        if item.kind == "file_series":
            step = int((item.step or Decimal(0)) * self.scale)
            if ending.lower() in _PICTURES:
                name = stepped_image(item.path, step, item.timestamp or 0, f"{item.path} {item.step}", ending.lower())
            else:
                name = f"{item.path}/{_step(item.step)}{ending}"
        else:
            name = item.path if posixpath.splitext(item.path)[1] or not ending else f"{item.path}{ending}"
        self.draft.files[name] = place

    def held(self, run_id: str, parents: Callable[[str], str | None]) -> HeldRun:
        """Return the run; `parents` gives the id here of a run that another was forked from."""
        draft, system = self.draft, self.system
        start = _ms(system.get("creation_time")) or self.first or 0
        for key, value, step in self.waiting:
            draft.point(key, value, start, step)
        for name, tag in _TAGS.items():
            draft.tag(tag, _text(system.get(name)) if system.get(name) is not None else "")
        parent = system.get("forking/parent")
        draft.tag("mlflow.parentRunId", parents(str(parent)) if parent else "")
        for name, value in sorted(system.items()):
            if name not in _FIELDS and name not in _TAGS:
                draft.tag(f"neptune.{name.replace('/', '.')}", _text(value))
        if self.scale > 1:
            self.tell(f"its steps have decimals; they are multiplied by {self.scale} here (tag neptune.step_multiplier)")
            draft.tag("neptune.step_multiplier", self.scale)
        for kind, number in sorted(self.unknown.items()):
            self.tell(f"{number} values of the type {kind or 'without a name'} were not taken")
        if self.empty:
            self.tell(f"{self.empty} points or files have no value in the export; they were left out")
        if self.others:
            draft.files[HISTORY_FILE] = "".join(f"{line}\n" for line in self.others).encode()
        ended = _ms(system.get("ping_time")) or self.last or _ms(system.get("modification_time")) or start
        status = "FAILED" if system.get("failed") else "FINISHED"
        if str(system.get("state", "")).lower() in ("active", "running"):
            status = "FAILED" if system.get("failed") else "KILLED"
            self.tell("Neptune calls it active: it had not ended when it was exported. It is KILLED here")
        name = str(system.get("name") or system.get("custom_run_id") or run_id)
        return draft.held(
            status, start, max(ended, start), name=name, user=str(system.get("owner") or ""), deleted=bool(system.get("trashed"))
        )


def _inside(root: Path, place: Path) -> bool:
    """Tell whether a file is there, and below its folder whatever its path says."""
    return place.exists() and place.resolve().is_relative_to(root.resolve())


def _step(step: Decimal | None) -> str:
    return "0" if step is None else format(step.normalize(), "f")


def _text(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return ", ".join(str(item) for item in sorted(value)) if isinstance(value, list) else str(value)


def _ms(value: Any) -> int | None:
    return round(value.timestamp() * 1000) if isinstance(value, datetime.datetime) else None
