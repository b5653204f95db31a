"""Runs of tools whose files are read whole: one run is held at a time, with its histories as arrays, its names as a folio allows them.

Invariants:

- A point costs 24 bytes, whatever the number of points; only one run is held.
- Names are those of the tool; one that a folio cannot hold is spelled otherwise when the run is taken (:mod:`runfolio.transfer.spelling`).

Worked example::

    draft = Draft(source, run_id, experiment_id, "origin")
    draft.params_of({"opt": {"name": "adam"}})  # opt.name
    draft.point("loss", 0.5, at_ms, 0)
    held = draft.held("FINISHED", start, end)
"""

from __future__ import annotations

import hashlib
import math
import re
from abc import abstractmethod
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, overload

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError
from runfolio.records import DatasetInput
from runfolio.transfer.plain import PlainSource, origin_tags
from runfolio.transfer.source import Point, SourceFile, SourceRun

NOTE_TAG = "mlflow.note.content"
_STEPS = 1 << 62
_LONGEST_SERIES = 120


class Series(Sequence[Point]):
    """The points of a metric, in the order in which they were added."""

    __slots__ = ("_steps", "_times", "_values")

    def __init__(self) -> None:
        self._values, self._times, self._steps = array("d"), array("q"), array("q")

    def add(self, value: float, timestamp: int, step: int) -> None:
        """Add a point; `timestamp` in milliseconds since the epoch, UTC."""
        self._values.append(value)
        self._times.append(timestamp)
        self._steps.append(max(-_STEPS, min(_STEPS, step)))

    def last(self) -> float:
        """Return the value of the highest step; of several, that of the latest time, and of those the last."""
        at = max(range(len(self)), key=lambda at: (self._steps[at], self._times[at], at))
        return self._values[at]

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, at: int) -> Point: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Point]: ...
    def __getitem__(self, at: int | slice) -> Point | Sequence[Point]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        return Point(self._values[at], self._times[at], self._steps[at])


@dataclass(slots=True)
class HeldRun:
    """A run with all that belongs to it.

    Parameters
    ----------
    run : SourceRun
    histories : Mapping of str to Series
    files : Mapping of str to Path or bytes
        By artifact path: where each file is, or what it holds.
    """

    run: SourceRun
    histories: Mapping[str, Series] = field(default_factory=dict)
    files: Mapping[str, Path | bytes] = field(default_factory=dict)


class HeldSource(PlainSource):
    """A source whose runs are read whole, one after the other; subclasses give them by :meth:`held`.

    Histories and files are asked of the run that was yielded last, as :func:`~runfolio.transfer.importing.import_store` does.
    """

    _now: HeldRun | None = None

    @abstractmethod
    def held(self, experiment_ids: Sequence[str]) -> Iterator[HeldRun]:
        """Yield the runs of experiments."""

    def runs(self, experiment_ids: Sequence[str], since_ms: int | None) -> Iterator[SourceRun]:
        """Yield the runs that started then or later."""
        for held in self.held(experiment_ids):
            if since_ms is not None and held.run.start < since_ms:
                self.forget(held.run.run_id)
                continue
            self._now = held
            yield held.run

    def _of(self, run_id: str) -> HeldRun:
        if self._now is None or self._now.run.run_id != run_id:
            raise LookupError(f"run {run_id} is not the one that was yielded last")
        return self._now

    def history(self, run_id: str, key: str) -> Sequence[Point]:
        """Return the points of a metric, in the order in which they were logged."""
        return self._of(run_id).histories[key]

    def files(self, run_id: str) -> list[SourceFile]:
        """List the files of a run."""
        made = []
        for path, place in sorted(self._of(run_id).files.items()):
            try:
                size = len(place) if isinstance(place, bytes) else place.stat().st_size
            except OSError as error:
                self.cannot_read(f"run {run_id}", f"{path} cannot be read: {error.strerror}")
                continue
            made.append(SourceFile(path, size))
        return made

    def fetch(self, run_id: str, path: str, folder: Path) -> Path:
        """Return where a file of a run is; what is held in memory is written into the folder."""
        place = self._of(run_id).files.get(path)
        if place is None:
            raise NotFoundError(f"the run has no file {path}")
        if isinstance(place, Path):
            return place
        target = folder / "held"
        target.write_bytes(place)
        return target


def flat(tree: Any, prefix: str = "", joint: str = ".") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested mappings, their keys joined; lists are leaves.

    Examples
    --------
    >>> list(flat({"opt": {"name": "adam", "betas": [0.9, 0.99]}, "lr": 0.1}))
    [('opt.name', 'adam'), ('opt.betas', [0.9, 0.99]), ('lr', 0.1)]
    """
    if isinstance(tree, Mapping) and tree:
        for key, value in tree.items():
            yield from flat(value, f"{prefix}{joint}{key}" if prefix else str(key), joint)
    elif prefix:
        yield prefix, tree


class Draft:
    """A run that is put together from what another tool has of it.

    Parameters
    ----------
    source : PlainSource
        Whose tool it is.
    run_id, experiment_id : str
        The ids here.
    origin : str
        What names the run there.
    """

    def __init__(self, source: PlainSource, run_id: str, experiment_id: str, origin: str) -> None:
        self.run_id, self.experiment_id = run_id, experiment_id
        self.params: dict[str, str] = {}
        self.tags: dict[str, str] = origin_tags(source.tool, origin)
        self.histories: dict[str, Series] = {}
        self.files: dict[str, Path | bytes] = {}
        self.inputs: list[DatasetInput] = []

    def param(self, key: str, value: Any) -> None:
        """Set a param; a value that is no text is written as Python writes it."""
        self.params[key] = str(value)

    def params_of(self, tree: Any, prefix: str = "", joint: str = ".") -> None:
        """Set the params of nested mappings."""
        for key, value in flat(tree, prefix, joint):
            self.param(key, value)

    def tag(self, key: str, value: Any) -> None:
        """Set a tag, where there is anything to say."""
        if value is not None and value != "":
            self.tags[key] = str(value)

    def point(self, key: str, value: float, timestamp: int, step: int) -> None:
        """Add a point of a metric; `timestamp` in milliseconds since the epoch, UTC."""
        found = self.histories.get(key)
        if found is None:
            found = self.histories[key] = Series()
        found.add(value, timestamp, step)

    def final(self, key: str, value: float, timestamp: int, step: int) -> None:
        """Set what a summary says: a metric of one point; of one that has points and ends with another value, ``summary/KEY``."""
        if key not in self.histories:
            self.point(key, value, timestamp, step)
            return
        last = self.histories[key].last()
        if last != value and not (math.isnan(last) and math.isnan(value)):
            self.point(f"summary/{key}", value, timestamp, step)

    def held(self, status: str, start: int, end: int | None, *, name: str = "", user: str = "", deleted: bool = False) -> HeldRun:
        """Return the run; times in milliseconds since the epoch, UTC."""
        run = SourceRun(
            self.run_id, self.experiment_id, name, status, user, start, end, deleted, self.params, self.tags,
            {key: series.last() for key, series in self.histories.items()}, tuple(self.inputs),
        )  # fmt: skip
        return HeldRun(run, self.histories, self.files)


def stepped_image(key: str, step: int, timestamp: int, origin: str, ending: str) -> str:
    """Name a picture of a series as the site's pages look for it (:mod:`runfolio.site.step_images`).

    Parameters
    ----------
    key : str
        Of the series.
    step, timestamp : int
    origin : str
        What tells it from others of the series and step; the same gives the same name.
    ending : str
        ``.png`` …
    """
    name = re.sub(r"[^/\w.\- :]", "_", key).replace("/", "#")[:_LONGEST_SERIES]
    return f"images/{name}%step%{max(step, 0)}%timestamp%{timestamp}%z{hashlib.sha256(origin.encode()).hexdigest()[:31]}{ending}"


def number_of(value: Any) -> float | None:
    """Return a value as a metric's, None where it is no number; true is 1."""
    if isinstance(value, (bool, int, float)):
        try:
            return float(value)
        except OverflowError:
            return None
    return None
