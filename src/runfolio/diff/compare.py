"""Runs side by side: what differs between them.

>>> from runfolio.records import Run
>>> one, two = Run("a", "wine", params={"depth": "3", "seed": "1"}), Run("b", "wine", params={"depth": "5", "seed": "1"})
>>> [(row.key, row.values) for row in compare_runs([one, two]).only_differences().rows if row.kind == "param"]
[('depth', ('3', '5'))]
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from runfolio._dataclass import dataclass, replace
from runfolio.errors import NotFoundError, UsageError
from runfolio.records.runs import Run

KINDS = ("attribute", "param", "metric", "tag", "dataset", "code", "environment")
"""The kinds of rows, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fact of every run.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    key : str
    values : tuple
        One a run: text, a whole number (times, in milliseconds), a float (metrics), or None where the run has none.
    differs : bool
        Whether two of them are not the same; NaN is the same as NaN, and None differs from any value.
    deltas : tuple of (float or None)
        Metrics only, else empty: each value less the baseline's; None where either is missing.
    """

    kind: str
    key: str
    values: tuple[Any, ...]
    differs: bool
    deltas: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side.

    Parameters
    ----------
    run_ids : tuple of str
    baseline : int
        Which of the runs the deltas are against.
    rows : tuple of Row
        By kind, then by key.
    """

    run_ids: tuple[str, ...]
    baseline: int
    rows: tuple[Row, ...]

    def only_differences(self) -> Comparison:
        """Return the comparison with only the rows that differ."""
        return replace(self, rows=tuple(row for row in self.rows if row.differs))

    def without(self, kind: str, key: str) -> Comparison:
        """Return the comparison without one row."""
        return replace(self, rows=tuple(row for row in self.rows if (row.kind, row.key) != (kind, key)))


def compare_runs(runs: Sequence[Run], baseline: str | None = None) -> Comparison:
    """Put runs side by side.

    Parameters
    ----------
    runs : sequence of Run
    baseline : str, optional
        Id of the run that metrics are compared with; the first by default.

    Returns
    -------
    Comparison

    Raises
    ------
    UsageError
        If there are no runs.
    NotFoundError
        If `baseline` is not among them.
    """
    if not runs:
        raise UsageError("There is nothing to compare: name at least one run.")
    run_ids = tuple(run.run_id for run in runs)
    if baseline is not None and baseline not in run_ids:
        raise NotFoundError(f"The baseline {baseline!r} is not among the runs compared. Name it with the others.")
    index = 0 if baseline is None else run_ids.index(baseline)
    rows: list[Row] = []
    for kind in KINDS:
        columns = [_FACTS[kind](run) for run in runs]
        for key in _keys(columns, ordered=kind in ("attribute", "code")):
            values = tuple(column.get(key) for column in columns)
            deltas = _deltas(values, index) if kind == "metric" else ()
            rows.append(Row(kind, key, values, any(not _same(values[0], value) for value in values), deltas))
    return Comparison(run_ids, index, tuple(rows))


def _attributes(run: Run) -> dict[str, Any]:
    made: dict[str, Any] = {
        "experiment": run.experiment,
        "name": run.name or None,
        "status": run.status.value,
        "start": run.start,
    }
    made |= {"duration_ms": run.duration_ms, "user": run.user or None, "parent": run.parent, "lifecycle": run.lifecycle.value}
    return made


def _datasets(run: Run) -> dict[str, str]:
    made: dict[str, list[str]] = {}
    for item in run.inputs:
        made.setdefault(f"{item.context}: {item.name}" if item.context else item.name, []).append(item.digest)
    return {key: ", ".join(sorted(digests)) for key, digests in made.items()}


def _code(run: Run) -> dict[str, str]:
    return {key: _text(value) for part in (run.code, run.entry) for key, value in part.items()}


_FACTS: dict[str, Callable[[Run], Mapping[str, Any]]] = {
    "attribute": _attributes,
    "param": lambda run: run.params,
    "metric": lambda run: {key: summary.last for key, summary in run.metrics.items()},
    "tag": lambda run: run.tags,
    "dataset": _datasets,
    "code": _code,
    "environment": lambda run: {key: _text(value) for key, value in run.environment.items()},
}


def _keys(columns: Iterable[Mapping[str, Any]], *, ordered: bool) -> list[str]:
    found = list(dict.fromkeys(key for column in columns for key in column))
    return found if ordered else sorted(found)


def _deltas(values: tuple[Any, ...], baseline: int) -> tuple[float | None, ...]:
    base = values[baseline]
    return tuple(None if value is None or base is None else 0.0 if _same(value, base) else value - base for value in values)


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or (one != one and other != other)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
