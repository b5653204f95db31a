"""Runs that were exported of W&B: JSON or CSV of ``api.runs()``, the table of its pages as CSV, the history of one run as CSV.

A JSON file is a list of runs (or one a line); of a run these are read, by the names that W&B's API has for them: ``id``, ``name``,
``project``, ``entity``, ``state``, ``created_at``, ``heartbeat_at``, ``config``, ``summary``, ``history`` (rows, or the name of a file
beside: CSV or JSON lines), ``system_metrics``, ``tags``, ``group``, ``job_type``, ``notes``, ``user``, ``sweep``, ``commit``. In a CSV
file ``config`` and ``summary`` may be dictionaries as Python writes them: that is what W&B's guide on exports makes.
"""

from __future__ import annotations

import ast
import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from runfolio.errors import DamagedError, NotFoundError
from runfolio.transfer.held import Draft, HeldRun, HeldSource
from runfolio.transfer.plain import id_of
from runfolio.transfer.source import SourceExperiment
from runfolio.transfer.wandb.exported import TOOL, exported_run, fields_of_table

ENDINGS = (".csv", ".json", ".jsonl", ".ndjson")
_LONGEST_FIELD = 1 << 28


class WandbExport(HeldSource):
    """Runs of a file.

    Parameters
    ----------
    place : Path
    project : str
        Of runs that do not say theirs; the file's name by default.
    params : sequence of str
        Columns of a table that are params.

    Raises
    ------
    DamagedError
        If the file cannot be read.
    """

    def __init__(self, place: Path, project: str = "", params: Sequence[str] = ()) -> None:
        super().__init__(TOOL, str(place))
        self._place, self._project, self._params = place, project or place.stem, params
        self._rows = list(self._read())

    def _read(self) -> Iterator[dict[str, Any]]:
        """Yield what the file says of each run."""
        if self._place.suffix.lower() == ".csv":
            rows = list(rows_of(self._place))
            columns = set(rows[0]) if rows else set()
            if "_step" in columns:
                yield {"id": self._place.stem, "name": self._place.stem, "history": rows}
            elif columns & {"config", "summary"}:
                yield from rows
            else:
                yield from fields_of_table(rows, self._params, lambda text: self.cannot_read(str(self._place), text))
        else:
            for number, item in enumerate(objects_of(self._place), 1):
                if isinstance(item, dict):
                    yield item
                else:
                    self.cannot_read(f"{self._place}: {number}", "it is no run: an object is expected")

    def _name(self, row: Mapping[str, Any]) -> tuple[str, str]:
        """Return the project and the id there of a run; one without an id is told by all that is said of it."""
        run_id = str(row.get("id") or row.get("run_id") or "")
        if not run_id:
            run_id = f"{row.get('name') or 'run'}-{id_of(TOOL, json.dumps(row, sort_keys=True, default=str))[:8]}"
        return str(row.get("project") or self._project), run_id

    def experiments(self) -> Iterator[SourceExperiment]:
        """Yield the projects."""
        for project in sorted({self._name(row)[0] for row in self._rows}):
            yield self.experiment(project)

    def held(self, experiment_ids: Sequence[str]) -> Iterator[HeldRun]:
        """Yield the runs, in the file's order."""
        seen: set[tuple[str, str]] = set()
        for row in self._rows:
            project, run_id = name = self._name(row)
            experiment_id = self.experiment(project).experiment_id
            if experiment_id not in experiment_ids:
                continue
            here = id_of(TOOL, project, run_id)
            where = f"run {here} ({project}/{run_id})"
            if name in seen:
                self.cannot_read(where, "the file has it twice; the first was taken")
                continue
            seen.add(name)
            origin = "/".join(str(part) for part in (row.get("entity"), project, run_id) if part)
            draft = Draft(self, here, experiment_id, origin)
            yield exported_run(draft, self._with_history(row, where), run_id, partial(self.cannot_read, where))

    def _with_history(self, row: Mapping[str, Any], where: str) -> Mapping[str, Any]:
        """Return a run whose dictionaries are read, and whose history is there where it was the name of a file beside."""
        made = dict(row)
        for key in ("config", "summary", "system_metrics"):
            if isinstance(made.get(key), str):
                try:
                    made[key] = literal(made[key])
                except DamagedError as error:
                    self.cannot_read(where, f"{key}: {error.message}; it was left out")
                    made[key] = {}
        history = made.get("history")
        if isinstance(history, str):
            place = self._place.parent / history
            try:
                if not place.resolve().is_relative_to(self._place.parent.resolve()):
                    raise NotFoundError(f"{history} is outside of the file's folder")
                made["history"] = list(rows_of(place) if place.suffix.lower() == ".csv" else objects_of(place))
            except (DamagedError, NotFoundError, OSError) as error:
                self.cannot_read(where, f"history: {error}; it was left out")
                made["history"] = []
        return made


def rows_of(place: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a CSV file by their columns; empty cells are left out.

    Raises
    ------
    DamagedError
        If it is none.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        with open(place, newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                if None in row:
                    raise DamagedError(f"{place}: a row has more cells than there are columns")
                yield {key: value for key, value in row.items() if key and value}
    except (csv.Error, UnicodeDecodeError) as error:
        raise DamagedError(f"{place}: it cannot be read as CSV: {error}") from None


def objects_of(place: Path) -> list[Any]:
    """Return the values of a JSON file: those of its list, of ``runs``, or one a line.

    Raises
    ------
    DamagedError
        If it is none.
    """
    try:
        text = place.read_text("utf-8-sig")
        if place.suffix.lower() == ".json":
            value = json.loads(text)
            found = value.get("runs", [value]) if isinstance(value, dict) else value
            return found if isinstance(found, list) else [found]
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{place}: it cannot be read as JSON: {error}") from None


class _Numbers(ast.NodeTransformer):
    """Replace ``nan`` and ``inf``, as Python writes them, by what they are."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Return the constant of a name that is one."""
        return ast.Constant(getattr(math, node.id)) if node.id in ("nan", "inf") else node


def literal(text: str) -> Any:
    """Read a value as JSON or as Python writes it; nothing is executed.

    Raises
    ------
    DamagedError
        If it is neither.

    Examples
    --------
    >>> literal("{'lr': 0.1, 'worst': -inf}"), literal('{"lr": null}')
    ({'lr': 0.1, 'worst': -inf}, {'lr': None})
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(_Numbers().visit(ast.parse(text.strip(), mode="eval")))
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise DamagedError(f"{text[:40]!r}… is neither JSON nor a dictionary of plain values") from None
