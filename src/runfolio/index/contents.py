"""Plain readings of the tables, for those that show all runs and not the few that a search finds."""

from __future__ import annotations

import sqlite3
from bisect import insort
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from operator import itemgetter

from runfolio._typing import NamedTuple
from runfolio.index.columns import packed_columns, unpacked_columns
from runfolio.index.rows import HIDDEN
from runfolio.index.schema import KEY_BITS
from runfolio.query.grammar import METRICS, TAGS
from runfolio.records.runs import Lifecycle

_SLICE = 500
_WORTH_KEEPING = 1000
"""Runs from which on their outline is kept."""
_FEW_TOUCHED = 250


class RunRow(NamedTuple):
    """What a listing needs of one run, without its record.

    Attributes
    ----------
    pk : int
        Its number in this index, for :func:`read_bodies`; another index may give it another.
    run_id, slug, name, status : str
    start : int
        Milliseconds since the epoch, UTC.
    end : int or None
    oid : bytes
        Git's digest of its record.
    has_artifacts : int
        0 or 1.
    """

    pk: int
    run_id: str
    slug: str
    name: str
    status: str
    start: int
    end: int | None
    oid: bytes = b""
    has_artifacts: int = 0


_ROW = partial(tuple.__new__, RunRow)
_IN_ORDER = itemgetter(2, 5, 1)
"""By experiment, then start, then id."""


def read_outline(db: sqlite3.Connection) -> list[RunRow]:
    """Return every active run, by experiment, then start, then id.

    Of many runs the answer is kept with the tables, if they can be written to, and only those that changed since are read again.
    """
    text = (
        "SELECT pk, run_id, slug, coalesce(name, ''), status, start, end, oid, has_artifacts FROM runs "
        f"WHERE lifecycle = ? AND state < {HIDDEN}"
    )
    active = (Lifecycle.ACTIVE.value,)
    held, touched = _held_outline(db), {pk for (pk,) in db.execute("SELECT pk FROM touched")}
    if held is not None and len(touched) <= max(_FEW_TOUCHED, len(held) // 8):
        rows = [row for row in held if row[0] not in touched] if touched else held
        for row in map(_ROW, db.execute(f"{text} AND pk IN (SELECT pk FROM touched)", active).fetchall()):
            insort(rows, row, key=_IN_ORDER)
        return rows
    # All at once: row by row, the interpreter and SQLite take turns, which costs half as much again. They come as they were put in, which
    # is nearly this order: to sort that here is one pass, and SQLite would sort from nothing.
    rows = list(map(_ROW, db.execute(f"{text} ORDER BY pk", active).fetchall()))
    rows.sort(key=_IN_ORDER)
    if len(rows) >= _WORTH_KEEPING:
        _keep_outline(db, rows)
    return rows


def _held_outline(db: sqlite3.Connection) -> list[RunRow] | None:
    found = db.execute("SELECT columns FROM outlines").fetchone()
    try:
        columns = [] if found is None else unpacked_columns(found[0])
        # Not by `_make`, which is a call of Python's for each row.
        return list(map(_ROW, zip(*columns, strict=True))) if len(columns) == len(RunRow._fields) else None
    except (ValueError, TypeError, LookupError):
        return None


def _keep_outline(db: sqlite3.Connection, rows: Sequence[RunRow]) -> None:
    """Keep the rows, unless the tables cannot be written to, or somebody else is writing: that is not waited for."""
    wait = db.execute("PRAGMA busy_timeout").fetchone()[0]
    db.execute("PRAGMA busy_timeout = 0")
    try:
        with suppress(sqlite3.OperationalError):
            db.execute("DELETE FROM outlines")
            db.execute("INSERT INTO outlines VALUES (?)", (packed_columns(zip(*rows, strict=True)),))
            db.execute("DELETE FROM touched")
    finally:
        db.execute(f"PRAGMA busy_timeout = {wait}")


def read_bodies(db: sqlite3.Connection, rows: Sequence[int]) -> Iterator[bytes]:
    """Yield the records of these numbers, in their order."""
    for at in range(0, len(rows), _SLICE):
        part = rows[at : at + _SLICE]
        marks = ",".join("?" * len(part))
        found = dict(db.execute(f"SELECT pk, body FROM bodies WHERE pk IN ({marks})", part))
        for pk in part:
            yield found[pk]


def read_metric(db: sqlite3.Connection, slug: str, key: str) -> dict[int, float | None]:
    """Return a metric's last values by the number of the run, NaN as None, for the active runs of an experiment."""
    text = (
        f"SELECT r.pk, n.value FROM runs r JOIN numbers n ON n.id = (r.pk << {KEY_BITS} | (SELECT id FROM keys WHERE entity = ? "
        f"AND name = ?)) WHERE r.slug = ? AND r.lifecycle = ? AND r.state < {HIDDEN}"
    )
    return dict(db.execute(text, (METRICS, key, slug, Lifecycle.ACTIVE.value)))


def read_parents(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return (id of the parent, id of the run) for every active run that is nested."""
    text = (
        f"SELECT t.value, r.run_id FROM texts t JOIN runs r ON r.pk = t.id >> {KEY_BITS} WHERE r.lifecycle = ? "
        f"AND r.state < {HIDDEN} AND t.key_id = (SELECT id FROM keys WHERE entity = ? AND name = ?) ORDER BY r.run_id"
    )
    return db.execute(text, (Lifecycle.ACTIVE.value, TAGS, "mlflow.parentRunId")).fetchall()
