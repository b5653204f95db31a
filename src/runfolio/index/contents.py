"""Plain readings of the tables, for those that show all runs and not the few that a search finds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from runfolio.index.rows import HIDDEN
from runfolio.index.schema import KEY_BITS
from runfolio.query.grammar import METRICS, TAGS
from runfolio.records.runs import Lifecycle

_SLICE = 500


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


def read_outline(db: sqlite3.Connection) -> list[RunRow]:
    """Return every active run, by experiment, then start, then id."""
    text = (
        "SELECT pk, run_id, slug, coalesce(name, ''), status, start, end, oid, has_artifacts FROM runs "
        f"WHERE lifecycle = ? AND state < {HIDDEN} ORDER BY pk"
    )
    rows = list(map(RunRow._make, db.execute(text, (Lifecycle.ACTIVE.value,))))
    # They come as they were put in, which is nearly this order: to sort that here is one pass, and SQLite would sort from nothing.
    rows.sort(key=itemgetter(2, 5, 1))
    return rows


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
