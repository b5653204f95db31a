"""A search over the tables and over runs beside them: those not committed yet, and those that SQLite cannot hold.

The runs beside are tested by the evaluator and merged into the page; of the tables, only the rows that can be on the page are
read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from runfolio._dataclass import replace
from runfolio.index.briefs import read_briefs
from runfolio.index.rows import HIDDEN, ODD, decode_lately, forget_lately
from runfolio.index.search import Scope, Search
from runfolio.query.evaluate import matches
from runfolio.query.grammar import Clause, Filter, OrderKey
from runfolio.query.sorting import sort_runs
from runfolio.records.briefs import RunBrief, brief_of
from runfolio.records.runs import Lifecycle, Run, ViewType

# SQLite limits how deep an expression is and how long a statement; beyond this, Python does what is left.
_MAX_CLAUSES = 40
_MAX_KEYS = 10
_PIECE = 500


class Question:
    """One filter in one scope.

    Parameters
    ----------
    db : sqlite3.Connection
        Inside a transaction.
    clauses : sequence of Clause
    scope : Scope
    experiment_ids : Mapping of str to str
        Experiment id by slug.
    overlay : sequence of Run
        Runs that replace those of the same id in the tables.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        clauses: Sequence[Clause],
        scope: Scope,
        experiment_ids: Mapping[str, str],
        overlay: Sequence[Run],
    ) -> None:
        self._db, self._ids = db, experiment_ids
        self._filter = Filter(tuple(clauses))
        latest = {run.run_id: run for run in [*load_runs(db, visible_rows(db, "state <> 0 AND state = ?", ODD)), *overlay]}
        self._extra = [run for run in latest.values() if _in_scope(run, scope) and matches(self._filter, run, experiment_ids)]
        self._search = Search(db, clauses[:_MAX_CLAUSES], replace(scope, without=frozenset(latest)), experiment_ids)
        self._too_long = len(clauses) > _MAX_CLAUSES

    def count(self) -> int:
        """Return how many runs there are."""
        return len(self._by_hand((), None, 0)) if self._too_long else self._search.count() + len(self._extra)

    def runs(self, order: Sequence[OrderKey], limit: int | None, offset: int) -> list[Run]:
        """Return one page."""
        if self._too_long or len(order) > _MAX_KEYS:
            return self._by_hand(order, limit, offset)
        # The extra runs can move a row of the tables back by as many places as there are of them, and no further.
        start = max(0, offset - len(self._extra))
        found = load_runs(self._db, self._search.page(order, None if limit is None else limit + offset - start, start))
        if not self._extra:
            return found
        if start and not found:
            return []  # at most `start` rows, so at most `offset` runs
        merged = sort_runs([*found, *self._extra], order, self._ids)
        # Extra runs before the first row that was read are before the page, with the rows that were not read.
        before = next(place for place, run in enumerate(merged) if run is found[0]) if start else 0
        return _cut(merged[before:], limit, offset - start - before)

    def briefs(self, order: Sequence[OrderKey], limit: int | None, offset: int) -> list[RunBrief]:
        """Return one page as a table shows it; no record is decoded where the tables hold the whole answer."""
        if self._extra or self._too_long or len(order) > _MAX_KEYS:
            return [brief_of(run) for run in self.runs(order, limit, offset)]
        forget_lately()
        return read_briefs(self._db, self._search.page(order, limit, offset))

    def _by_hand(self, order: Sequence[OrderKey], limit: int | None, offset: int) -> list[Run]:
        found = load_runs(self._db, self._search.page((), None, 0))
        kept = [run for run in found if matches(self._filter, run, self._ids)]
        return _cut(sort_runs([*kept, *self._extra], order, self._ids), limit, offset)


def visible_rows(db: sqlite3.Connection, condition: str, value: str | int) -> list[int]:
    """Return the numbers of the runs for which a condition on ``runs`` holds, without those that another record hides."""
    if isinstance(value, str) and not value.isascii():
        return []  # no run id holds such a letter, and SQLite could not take all of them
    return [row[0] for row in db.execute(f"SELECT pk FROM runs WHERE {condition} AND state < {HIDDEN}", (value,))]


def load_runs(db: sqlite3.Connection, rows: Iterable[int]) -> list[Run]:
    """Decode the records of these numbers, in their order."""
    wanted = list(rows)
    made: list[Run] = []
    for start in range(0, len(wanted), _PIECE):
        piece = wanted[start : start + _PIECE]
        text = (
            f"SELECT b.pk, b.body, r.path FROM bodies b JOIN runs r ON r.pk = b.pk WHERE b.pk IN ({', '.join('?' * len(piece))})"
        )
        found = {pk: (body, path) for pk, body, path in db.execute(text, piece)}
        made += [decode_lately(*found[pk]) for pk in piece if pk in found]
    if wanted:
        forget_lately()
    return made


def _in_scope(run: Run, scope: Scope) -> bool:
    if scope.slugs is not None and run.experiment not in scope.slugs:
        return False
    return scope.view == ViewType.ALL or (run.lifecycle is Lifecycle.ACTIVE) == (scope.view == ViewType.ACTIVE_ONLY)


def _cut(runs: list[Run], limit: int | None, offset: int) -> list[Run]:
    return runs[offset:] if limit is None else runs[offset : offset + limit]
