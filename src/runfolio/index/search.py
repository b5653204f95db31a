"""One question to the tables: which rows, in which order, from where to where.

How a search walks
------------------
1. Where a clause (or the experiments asked for) leaves at most 2,000 runs, which an index tells by counting that far, it walks
   those and sorts them.
2. Else it walks in the order that is asked for and stops when the page is full: for a metric, param or tag the index by value
   in phases (numbers, then NaN, then the runs that lack the key), else the runs by start, id or experiment.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from runfolio._dataclass import dataclass
from runfolio.index.conditions import Conditions, Sql
from runfolio.index.schema import KEY_BITS
from runfolio.query.grammar import ATTRIBUTES, COMPARISONS, DATASETS, METRICS, Clause, OrderKey
from runfolio.query.sorting import RUN_ORDER
from runfolio.records.runs import Lifecycle, ViewType

NARROW = 2000
"""Up to so many rows, sorting costs less than walking in order may."""
_MANY = 100_000


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search is about, besides its filter.

    Parameters
    ----------
    slugs : tuple of str or None
        Experiments; None for all.
    view : int
        One of :class:`runfolio.records.ViewType`.
    without : frozenset of str
        Run ids to leave out.
    """

    slugs: tuple[str, ...] | None = None
    view: int = ViewType.ACTIVE_ONLY
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Walk:
    """One pass over rows: its FROM, its own conditions, the terms that order it (the first may come for free)."""

    source: Sql
    where: tuple[Sql, ...]
    order: tuple[str, ...]


class Search:
    """Answers one filter in one scope; to be used inside one transaction."""

    def __init__(
        self, db: sqlite3.Connection, clauses: Sequence[Clause], scope: Scope, experiment_ids: Mapping[str, str]
    ) -> None:
        self._db, self._clauses, self._scope = db, clauses, scope
        self._sql = Conditions(db, experiment_ids)
        self._where = [*self._scope_conditions(), *(self._sql.clause(clause) for clause in clauses)]

    def page(self, order: Sequence[OrderKey], limit: int | None, offset: int) -> list[int]:
        """Return the numbers (``pk``) of the runs of one page."""
        narrow = self._narrowest(NARROW)
        walks = [self._sorted(narrow, order)] if narrow else self._ordered(order)
        made: list[int] = []
        for place, walk in enumerate(walks):
            wanted = -1 if limit is None else limit - len(made)
            if wanted == 0:
                break
            found = self._run(walk, wanted, offset)
            made += found
            # Rows of this walk that the offset skipped; a page that began here has used it up.
            offset = 0 if found or not offset or place == len(walks) - 1 else max(0, offset - self._count(walk))
        return made

    def count(self) -> int:
        """Return how many runs there are."""
        narrow = self._narrowest(None)
        return self._count(_Walk(narrow or Sql("runs r"), (), ()))

    def _run(self, walk: _Walk, limit: int, offset: int) -> list[int]:
        sql = self._select("r.pk", walk)
        text = f"{sql.text} ORDER BY {', '.join(walk.order)} LIMIT ? OFFSET ?"
        return [row[0] for row in self._db.execute(text, (*sql.values, limit, offset))]

    def _count(self, walk: _Walk) -> int:
        sql = self._select("count(*)", walk)
        return int(self._db.execute(sql.text, sql.values).fetchone()[0])

    def _select(self, what: str, walk: _Walk) -> Sql:
        where = [*walk.where, *self._where]
        text = f"SELECT {what} FROM {walk.source.text} WHERE {' AND '.join(f'({part.text})' for part in where)}"
        return Sql(text, (*walk.source.values, *(value for part in where for value in part.values)))

    def _scope_conditions(self) -> list[Sql]:
        made = [Sql("r.state = 0")]
        if self._scope.view != ViewType.ALL:
            wanted = Lifecycle.ACTIVE if self._scope.view == ViewType.ACTIVE_ONLY else Lifecycle.DELETED
            made.append(Sql(f"r.lifecycle = '{wanted.value}'"))
        if self._scope.slugs is not None:
            made.append(self._sql.member("r.slug", self._scope.slugs))
        if self._scope.without:
            made.append(self._sql.member("r.run_id", sorted(self._scope.without), negated=True))
        return made

    def _narrowest(self, most: int | None) -> Sql | None:
        """Return the FROM over the fewest runs that an index gives, if they are at most `most` (None: however many)."""
        best, fewest = None, (_MANY if most is None else most) + 1
        for source in self._sources():
            text = f"SELECT count(*) FROM ({source.text} LIMIT {fewest})"
            found = self._db.execute(text, source.values).fetchone()[0]
            if found < fewest:
                best, fewest = source, found
        return None if best is None else Sql(f"({best.text}) d CROSS JOIN runs r ON r.pk = d.pk", best.values)

    def _sources(self) -> list[Sql]:
        """Return, for each clause that an index serves, the SELECT of the runs that it leaves."""
        made = []
        if self._scope.slugs is not None:
            made.append(_source("SELECT r.pk FROM runs r", "runs_by_slug", self._sql.member("r.slug", self._scope.slugs)))
        for clause in self._clauses:
            if clause.operator not in ("IN", *COMPARISONS) or clause.operator == "!=":
                continue
            if clause.entity == ATTRIBUTES and clause.key == "run_id":
                made.append(_source("SELECT r.pk FROM runs r", "runs_by_id", self._sql.test("r.run_id", clause)))
            elif clause.entity not in (ATTRIBUTES, DATASETS):
                table = "numbers" if clause.entity == METRICS else "texts"
                test = self._sql.test("value", clause)
                key = self._sql.key_id(clause.entity, clause.key)
                on_key = Sql(f"key_id = {key} AND {test.text}", test.values)
                made.append(_source(f"SELECT id >> {KEY_BITS} AS pk FROM {table}", f"{table}_by_value", on_key))
        return made

    def _sorted(self, source: Sql, order: Sequence[OrderKey]) -> _Walk:
        return _Walk(source, (), self._terms((*order, *RUN_ORDER)))

    def _ordered(self, order: Sequence[OrderKey]) -> list[_Walk]:
        first = order[0] if order else RUN_ORDER[0]
        rest = self._terms((*order[1:], *RUN_ORDER) if order else RUN_ORDER)
        if first.entity != ATTRIBUTES:
            return self._phases(first, rest)
        everything = self._terms((*order, *RUN_ORDER))
        if first.key == "start_time":
            return [_Walk(self._by_start(), (), everything)]
        return [_Walk(Sql("runs r INDEXED BY runs_by_id" if first.key == "run_id" else "runs r"), (), everything)]

    def _by_start(self) -> Sql:
        one = self._scope.slugs is not None and len(self._scope.slugs) == 1
        return Sql("runs r INDEXED BY runs_by_slug" if one else "runs r INDEXED BY runs_by_start")

    def _phases(self, first: OrderKey, rest: tuple[str, ...]) -> list[_Walk]:
        table = "numbers" if first.entity == METRICS else "texts"
        on_key = [clause for clause in self._clauses if (clause.entity, clause.key) == (first.entity, first.key)]
        operators = {clause.operator for clause in on_key}
        key = self._sql.key_id(first.entity, first.key)
        source = Sql(f"{table} d INDEXED BY {table}_by_value CROSS JOIN runs r ON r.pk = d.id >> {KEY_BITS}")
        direction = "ASC" if first.ascending else "DESC"
        # The clauses on this key once more on the walked table itself, where the index bounds the walk by them.
        bounds = [
            self._sql.test("d.value", clause) for clause in on_key if clause.operator in COMPARISONS and clause.operator != "!="
        ]
        numbers = _Walk(source, (Sql(f"d.key_id = {key} AND d.value IS NOT NULL"), *bounds), (f"d.value {direction}", *rest))
        nans = _Walk(source, (Sql(f"d.key_id = {key} AND d.value IS NULL"),), rest)
        there = f"(SELECT 1 FROM {table} WHERE {self._sql.by_run(first.entity, first.key)})"
        missing = _Walk(self._by_start(), (Sql(f"{there} IS NULL"),), rest)
        walks = [] if "IS NULL" in operators else [numbers]
        if first.entity == METRICS and operators <= {"!=", "IS NOT NULL"}:
            walks.append(nans)
        if operators <= {"IS NULL"}:
            walks.append(missing)
        return walks

    def _terms(self, order: Sequence[OrderKey]) -> tuple[str, ...]:
        made: list[str] = []
        seen: set[tuple[str, str]] = set()
        for key in order:
            if (key.entity, key.key) in seen:
                continue
            seen.add((key.entity, key.key))
            if key.entity == ATTRIBUTES and key.key in ("start_time", "run_id"):
                column = "r.start" if key.key == "start_time" else "r.run_id"
                made.append(f"{column} {'ASC' if key.ascending else 'DESC'}")
                if key.key == "run_id":
                    break  # nothing is left to decide
            else:
                made.extend(self._sql.order(key))
        return tuple(made)


def _source(select: str, index: str, where: Sql) -> Sql:
    # Naming an index that cannot serve the condition is an error in SQLite.
    served = where.text.partition(" AND ")[2] or where.text
    hint = "" if served == "0" or served.startswith("ask_") else f" INDEXED BY {index}"
    return Sql(f"{select}{hint} WHERE {where.text}", where.values)
