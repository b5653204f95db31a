"""Clauses and order keys to SQL on a row ``r`` of ``runs``. Each piece means what :mod:`runfolio.query` says, no more, no less.

Values are read by scalar sub-selects on the primary key, not by joins, so that SQLite's planner has nothing to decide: which
table a search walks is chosen in :mod:`runfolio.index.search`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.index.rows import encodable
from runfolio.index.schema import KEY_BITS
from runfolio.index.values import NO_KEY
from runfolio.query.evaluate import artifact_uri, compile_like, experiment_id_of
from runfolio.query.grammar import ATTRIBUTES, DATASETS, METRICS, Clause, OrderKey

_MAX_LISTED = 500
_COLUMNS = {
    "run_id": "r.run_id",
    "run_name": "r.name",
    "status": "r.status",
    "user_id": "r.user",
    "start_time": "r.start",
    "end_time": 'r."end"',
    "lifecycle_stage": "r.lifecycle",
}


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the values of its question marks."""

    text: str
    values: tuple[Any, ...] = ()


class Conditions:
    """Writes the pieces for one question.

    Parameters
    ----------
    db : sqlite3.Connection
        Where keys are looked up and functions registered.
    experiment_ids : Mapping of str to str
        Experiment id by slug.
    """

    def __init__(self, db: sqlite3.Connection, experiment_ids: Mapping[str, str]) -> None:
        self._db, self._experiment_ids = db, experiment_ids
        self._functions = 0

    def key_id(self, entity: str, key: str) -> int:
        """Return the number of a metric's, param's or tag's key; `NO_KEY` where no run has it."""
        if not encodable(key):
            return NO_KEY
        found = self._db.execute("SELECT id FROM keys WHERE entity = ? AND name = ?", (entity, key)).fetchone()
        return NO_KEY if found is None else int(found[0])

    def value(self, entity: str, key: str) -> str:
        """Return the expression for a value of the run; NULL where it is missing (and for a metric that is NaN)."""
        if entity != ATTRIBUTES:
            return self._by_key("value", entity, key)
        if key == "experiment_id":
            return f"{self._function(lambda slug: experiment_id_of(slug, self._experiment_ids))}(r.slug)"
        if key == "artifact_uri":
            return f"{self._function(artifact_uri)}(r.run_id)"
        return _COLUMNS[key]

    def clause(self, clause: Clause) -> Sql:
        """Return the condition for a clause; NULL counts as not true."""
        entity, key = clause.entity, clause.key
        if entity == DATASETS:
            if clause.operator == "IS NULL":
                return Sql(f"(SELECT count(*) FROM inputs i WHERE i.run_pk = r.pk AND i.{key} IS NOT NULL) = 0")
            test = self.test(f"i.{key}", clause)
            return Sql(f"(SELECT count(*) FROM inputs i WHERE i.run_pk = r.pk AND {test.text}) > 0", test.values)
        if clause.operator in ("IS NULL", "IS NOT NULL"):
            there = self.value(entity, key) if entity == ATTRIBUTES else self._by_key("1", entity, key)
            return Sql(f"{there} {clause.operator}")
        if entity == METRICS and clause.operator == "!=":
            return Sql(self._by_key("value IS NULL OR value <> ?", entity, key), (_number(clause.value),))
        return self.test(self.value(entity, key), clause)

    def test(self, expression: str, clause: Clause) -> Sql:
        """Return the condition for a clause on the value of an expression, which is there or NULL."""
        operator, wanted = clause.operator, clause.value
        if operator in ("LIKE", "ILIKE"):
            assert isinstance(wanted, str)
            return Sql(f"{self._function(compile_like(wanted, ignore_case=operator == 'ILIKE'))}({expression})")
        if operator in ("IN", "NOT IN"):
            assert isinstance(wanted, tuple)
            return self.member(expression, wanted, negated=operator == "NOT IN")
        if operator == "IS NOT NULL":
            return Sql(f"{expression} IS NOT NULL")
        if isinstance(wanted, str) and not encodable(wanted):
            return Sql(f"{expression} IS NOT NULL" if operator == "!=" else "0")
        return Sql(f"{expression} {'<>' if operator == '!=' else operator} ?", (_number(wanted),))

    def member(self, expression: str, values: Collection[str], *, negated: bool = False) -> Sql:
        """Return the condition that a value is, or is not, one of `values`."""
        listed = tuple(value for value in values if encodable(value))
        if len(listed) > _MAX_LISTED:
            among = frozenset(listed)
            name = self._function(lambda text: (text in among) != negated)
            return Sql(f"{name}({expression})")
        if not listed:
            return Sql(f"{expression} IS NOT NULL" if negated else "0")
        if len(listed) == 1:
            return Sql(f"{expression} {'<>' if negated else '='} ?", listed)
        return Sql(f"{expression} {'NOT IN' if negated else 'IN'} ({', '.join('?' * len(listed))})", listed)

    def order(self, key: OrderKey) -> list[str]:
        """Return the terms that order by a key: numbers, NaN, missing; then the value."""
        direction = "ASC" if key.ascending else "DESC"
        value = self.value(key.entity, key.key)
        if key.entity == METRICS:
            return [f"coalesce({self._by_key('value IS NULL', METRICS, key.key)}, 2)", f"{value} {direction}"]
        return [f"{value} IS NULL", f"{value} {direction}"]

    def by_run(self, entity: str, key: str) -> str:
        """Return the condition on ``numbers`` or ``texts`` that leaves the value of the run, if there is one."""
        return f"id = (r.pk << {KEY_BITS} | {self.key_id(entity, key)})"

    def _by_key(self, expression: str, entity: str, key: str) -> str:
        table = "numbers" if entity == METRICS else "texts"
        return f"(SELECT {expression} FROM {table} WHERE {self.by_run(entity, key)})"

    def _function(self, test: Callable[[str], Any]) -> str:
        """Make a Python function callable from SQL; it never sees NULL, which stays NULL."""
        self._functions += 1
        name = f"ask_{self._functions}"
        self._db.create_function(name, 1, lambda text: None if text is None else test(text), deterministic=True)
        return name


def _number(value: Any) -> Any:
    """Whole numbers of more than 64 bits as the nearest float, for SQLite has no others."""
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value
