"""The runs of a table: one a row, or one of many rows that are points of its metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError, storage_errors
from runfolio.records.names import check_run_id
from runfolio.transfer.held import NOTE_TAG
from runfolio.transfer.plain import PlainSource, id_of, origin_tags
from runfolio.transfer.points import PointSpool
from runfolio.transfer.source import Point, SourceExperiment, SourceFile, SourceRun
from runfolio.transfer.table.cells import cell_duration, cell_number, cell_status, cell_text, cell_time, cell_whole
from runfolio.transfer.table.mapping import TableMapping
from runfolio.transfer.table.rows import rows_of

TOOL = "table"
_ENDLESS = ("RUNNING", "SCHEDULED")


def open_table(file: Path, mapping: TableMapping) -> TableSource:
    """Open a table.

    Parameters
    ----------
    file : Path
        CSV or lines of JSON, also compressed by gzip.
    mapping : TableMapping
        What its columns are.

    Raises
    ------
    NotFoundError
        If there is no such file.
    UsageError
        If the mapping names columns that the table has not, or the table's header cannot be.
    """
    return TableSource(file, mapping)


@dataclass(slots=True)
class _Run:
    """What rows say of a run."""

    run_id: str
    origin: str
    experiment: str
    at: int
    facts: dict[str, Any] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    first: int | None = None
    last: int | None = None


class TableSource(PlainSource):
    """A table; see :func:`open_table`."""

    def __init__(self, file: Path, mapping: TableMapping) -> None:
        super().__init__(TOOL, str(file))
        self._file, self._mapping = file, mapping
        self._stem = file.name.lower().removesuffix(".gz").rpartition(".")[0] or file.name
        self._default = mapping.constants.get("experiment") or file.name[: len(self._stem)]
        self._spool, self._keys = PointSpool(), dict[tuple[str, str], str]()
        self._runs: dict[str, _Run] = {}
        self._lines: dict[str, int] = {}
        self._names: dict[str, None] = {}
        self._now: _Run | None = None
        self._roles: dict[str, tuple[str | None, str]] = {}
        with storage_errors(f"read {file}"):
            self._written = round(file.stat().st_mtime * 1000) if file.exists() else 0
        rows = 0
        for at, row in rows_of(file, mapping, self._problem):
            rows += 1
            self._first_look(at, row)
        if rows == 0:
            self.cannot_read(file.name, "it has no rows that can be taken")
        self._check_columns()

    def experiments(self) -> Iterator[SourceExperiment]:
        """Yield the experiments that its rows name."""
        for name in self._names:
            yield self.experiment(name)

    def runs(self, experiment_ids: Sequence[str], since_ms: int | None) -> Iterator[SourceRun]:
        """Yield the runs, in the order of the table."""
        for run in self._runs.values() if self._mapping.points else self._of_rows():
            experiment_id = self.experiment(run.experiment).experiment_id
            if experiment_id not in experiment_ids:
                continue
            made = self._finished(run, experiment_id)
            if made is not None and (since_ms is None or made.start >= since_ms):
                self._now = run
                yield made

    def history(self, run_id: str, key: str) -> Iterator[Point]:
        """Give the points of a metric."""
        if self._mapping.points:
            yield from self._spool.points(self._keys[run_id, key])
            return
        run = self._now
        if run is None or run.run_id != run_id:
            raise LookupError(f"run {run_id} is not the one that was yielded last")
        yield Point(run.metrics[key], run.facts["end"], run.facts.get("step", 0))

    def files(self, run_id: str) -> list[SourceFile]:
        """Return nothing: a table has no files."""
        return []

    def fetch(self, run_id: str, path: str, folder: Path) -> Path:
        """Refuse."""
        raise NotImplementedError

    def _problem(self, at: int, said: str) -> None:
        self.cannot_read(f"{self._file.name}: line {at}", said)

    def _role(self, column: str) -> tuple[str | None, str]:
        found = self._roles.get(column)
        if found is None:
            found = self._roles[column] = self._mapping.role(column), self._mapping.name(column)
            if found[0] is None:
                self.cannot_read(
                    f"{self._file.name}: column {column}",
                    "it was not taken: the mapping does not say what it is. Name it under params, metrics, tags or ignore.",
                )
        return found

    def _check_columns(self) -> None:
        missing = [name for name in self._mapping.columns.values() if name not in self._roles]
        missing += [name for name in self._mapping.identity if name not in self._roles]
        if missing and self._roles:
            have = ", ".join(list(self._roles)[:20])
            raise UsageError(f"{self._file}: the mapping names columns that it has not: {', '.join(missing)}. It has {have}.")

    def _first_look(self, at: int, row: Mapping[str, Any]) -> None:
        """Note which runs there are; where rows are points, take them."""
        for column in row:
            self._role(column)
        row = _said(row)
        run = self._identified(at, row)
        if run is None:
            return
        if self._mapping.points:
            self._names.setdefault(run.experiment)
            known = self._runs.setdefault(run.run_id, run)
            self._point(at, row, known)
        elif run.run_id in self._lines:
            what = "has the same id" if "id" in self._mapping.columns else "says the same of the columns that tell runs apart"
            self._problem(at, f"it was not taken: line {self._lines[run.run_id]} {what}")
        else:
            self._names.setdefault(run.experiment)
            self._lines[run.run_id] = at

    def _of_rows(self) -> Iterator[_Run]:
        for at, row in rows_of(self._file, self._mapping, lambda line, said: None):  # told by the first look
            row = _said(row)
            run = self._identified(at, row)
            if run is None or self._lines.get(run.run_id) != at:
                continue
            try:
                self._fill(at, row, run)
            except ValueError as error:
                self._problem(at, f"it was not taken: {error}")
                continue
            for column, value in row.items():
                role, name = self._role(column)
                if role == "metrics" and (number := self._number(at, column, value)) is not None:
                    run.metrics[name] = number
            yield run

    def _identified(self, at: int, row: Mapping[str, Any]) -> _Run | None:
        """Return the run of a row, with its id here: the same at every import."""
        mapping = self._mapping
        column = mapping.columns.get("experiment")
        experiment = cell_text(row[column]) if column and column in row else self._default
        id_column = mapping.columns.get("id")
        if id_column is not None:
            if id_column not in row:
                self._problem(at, f"it was not taken: it has no id (column {id_column})")
                return None
            origin = cell_text(row[id_column])
        elif mapping.points:
            return _Run(id_of(TOOL, experiment, self._stem), self._file.name, experiment, at)
        else:
            columns = mapping.identity or sorted(row)
            parts = [part for name in columns for part in (name, cell_text(row.get(name, "")))]
            return _Run(id_of(TOOL, experiment, "identity", *parts), f"{self._file.name} line {at}", experiment, at)
        if not mapping.keep_ids:
            return _Run(id_of(TOOL, experiment, "id", origin), origin, experiment, at)
        try:
            return _Run(check_run_id(origin), origin, experiment, at)
        except UsageError as error:
            self._problem(at, f"it was not taken: {error.message}")
            return None

    def _fill(self, at: int, row: Mapping[str, Any], run: _Run) -> None:
        """Take the facts, params and tags of a row.

        Raises
        ------
        ValueError
            If a fact is not what it should be.
        """
        mapping = self._mapping
        readers = {
            "start": cell_time, "end": cell_time, "time": cell_time, "status": cell_status, "duration": cell_duration, "step": cell_whole,
        }  # fmt: skip
        for fact, column in mapping.columns.items():
            if column in row and fact not in ("metric", "value") and not (mapping.points and fact in ("step", "time")):
                try:
                    run.facts[fact] = readers[fact](row[column], mapping) if fact in readers else cell_text(row[column])
                except ValueError as error:
                    raise ValueError(f"column {column}: {error}") from None
        for column, value in row.items():
            role, name = self._role(column)
            if role == "params":
                run.params[name] = cell_text(value)
            elif role == "tags":
                run.tags[name] = cell_text(value)

    def _number(self, at: int, column: str, value: Any) -> float | None:
        try:
            return cell_number(value, self._mapping)
        except ValueError as error:
            self._problem(at, f"column {column} was not taken: {error}")
            return None

    def _point(self, at: int, row: Mapping[str, Any], run: _Run) -> None:
        """Take a row of points; what it says of the run holds from then on."""
        columns = self._mapping.columns
        try:
            self._fill(at, row, run)
            step = cell_whole(row[columns["step"]], self._mapping) if columns.get("step") in row else 0
            stamp = cell_time(row[columns["time"]], self._mapping) if columns.get("time") in row else None
        except ValueError as error:
            self._problem(at, f"it was not taken: {error}")
            return
        if "metric" in columns:
            if columns["metric"] not in row or columns["value"] not in row:
                self._problem(
                    at, f"it was not taken: it has no {columns['metric'] if columns['metric'] not in row else columns['value']}"
                )
                return
            found = [(self._mapping.name(cell_text(row[columns["metric"]])), columns["value"])]
        else:
            found = [(self._role(column)[1], column) for column in row if self._role(column)[0] == "metrics"]
        if stamp is not None:
            run.first = min(stamp, run.first if run.first is not None else stamp)
            run.last = max(stamp, run.last or 0)
        for name, column in found:
            number = self._number(at, column, row[column])
            if number is not None:
                run.metrics[name] = number
                key = self._keys.setdefault((run.run_id, name), f"{run.run_id} {name}")
                # A point without a time of its own has the file's.
                self._spool.add(key, Point(number, stamp if stamp is not None else self._written, step))

    def _finished(self, run: _Run, experiment_id: str) -> SourceRun | None:
        facts, constants = run.facts, self._mapping.constants
        try:
            status = facts.get("status") or cell_status(constants.get("status", "FINISHED"), self._mapping)
            fixed = cell_time(constants["start"], self._mapping) if "start" in constants else None
        except ValueError as error:
            raise UsageError(f"the mapping's constants: {error}") from None
        start = next(
            each for each in (facts.get("start"), fixed, run.first, facts.get("time"), self._written) if each is not None
        )
        end = facts.get("end")
        if end is None and "duration" in facts:
            end = start + round(facts["duration"] * 1000)
        if end is None:
            end = run.last if run.last is not None else start
        if end < start:
            self._problem(run.at, "its end is before its start; it ends when it starts here")
            end = start
        facts["end"] = facts.get("time", end)
        tags = {**origin_tags(TOOL, run.origin), **run.tags}
        note = facts.get("note", constants.get("note", ""))
        if note:
            tags[NOTE_TAG] = note
        if facts.get("parent"):
            tags["mlflow.parentRunId"] = self._parent(run, facts["parent"])
        return SourceRun(
            run.run_id, experiment_id, facts.get("name", constants.get("name", "")) or run.origin, status,
            facts.get("user", constants.get("user", "")), start, None if status in _ENDLESS else end, False, run.params, tags, run.metrics,
        )  # fmt: skip

    def _parent(self, run: _Run, origin: str) -> str:
        found = origin if self._mapping.keep_ids else id_of(TOOL, run.experiment, "id", origin)
        if found not in self._lines and found not in self._runs:
            self._problem(run.at, f"its parent {origin} is in no row that was taken")
        return found


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    return {column: value for column, value in row.items() if value is not None}
