"""Metrics, params and tags as rows that a search can walk: filled when the first question asks for one, from the runs' briefs."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from itertools import islice
from typing import Any

from runfolio.index.briefs import read_facts
from runfolio.index.schema import KEY_BITS, VALUE_INDEXES, statements
from runfolio.query.grammar import METRICS, PARAMS, TAGS

VALUED = "valued"
"""The name in ``meta`` that is there once the values are."""

NO_KEY = 0
"""The number of a key that no run has; those that there are begin at 1."""

_BATCH = 1000


def fill_values(db: sqlite3.Connection) -> None:
    """Fill the tables of values, which are empty. To be called inside a transaction that may write."""
    add_values(db, 0)
    for statement in statements(VALUE_INDEXES):
        db.execute(statement)
    db.execute("INSERT INTO meta VALUES (?, '')", (VALUED,))


def add_values(db: sqlite3.Connection, first: int) -> None:
    """Add the values of the runs from one on, by their number in the index."""
    keys = _Keys(db)
    facts = read_facts(db, first)
    while batch := list(islice(facts, _BATCH)):
        numbers: list[tuple[int, int, float]] = []
        texts: list[tuple[int, int, str]] = []
        for pk, metrics, params, tags in batch:
            base = pk << KEY_BITS
            numbers += keys.rows(base, METRICS, metrics)
            texts += keys.rows(base, PARAMS, params)
            texts += keys.rows(base, TAGS, tags)
        db.executemany("INSERT INTO numbers VALUES (?, ?, ?)", numbers)
        db.executemany("INSERT INTO texts VALUES (?, ?, ?)", texts)


def drop_values(db: sqlite3.Connection, pk: int) -> None:
    """Remove the values of a run."""
    span = (pk << KEY_BITS, pk + 1 << KEY_BITS)
    for table in ("numbers", "texts"):
        db.execute(f"DELETE FROM {table} WHERE id >= ? AND id < ?", span)


class _Keys:
    """The numbers of keys; a key that is new gets one."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[str, dict[str, int]] = {METRICS: {}, PARAMS: {}, TAGS: {}}
        for number, entity, name in db.execute("SELECT id, entity, name FROM keys"):
            self._known[entity][name] = number

    def rows(self, base: int, entity: str, values: Mapping[str, Any]) -> list[tuple[int, int, Any]]:
        """Return the rows of a run's values, nearly in the order of their numbers: keys get theirs in the order of the records."""
        known = self._known[entity]
        if not known.keys() >= values.keys():
            for name in values:
                if name not in known:
                    known[name] = (
                        self._db.execute("INSERT INTO keys (entity, name) VALUES (?, ?)", (entity, name)).lastrowid or NO_KEY
                    )
        return [(base | (key := known[name]), key, value) for name, value in values.items()]
