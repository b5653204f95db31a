"""What a table shows of runs, as the index keeps it: in ``runs``, and as JSON in ``briefs``."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from runfolio.errors import DamagedError
from runfolio.formats.canonical import one_encoder
from runfolio.records.briefs import RunBrief, last_values
from runfolio.records.runs import Run

_encode = one_encoder(json.JSONEncoder(separators=(",", ":")))
_PIECE = 500
_BATCH = 1000


def brief_row(pk: int, run: Run) -> tuple[int, str, bytes, str]:
    """Return a run's row of ``briefs``."""
    values = last_values(run)
    return (
        pk,
        _encode([run.parent, list(values), run.params]),
        struct.pack(f"<{len(values)}d", *values.values()),
        _encode(run.all_tags),
    )


def read_briefs(db: sqlite3.Connection, rows: Sequence[int]) -> list[RunBrief]:
    """Return the runs of these numbers, in their order."""
    made: dict[int, RunBrief] = {}
    for start in range(0, len(rows), _PIECE):
        piece = rows[start : start + _PIECE]
        text = (
            "SELECT r.pk, r.run_id, r.slug, coalesce(r.name, ''), r.status, r.start, r.end, r.lifecycle, coalesce(r.user, ''), "
            f"b.facts, b.numbers, b.tags FROM runs r JOIN briefs b ON b.pk = r.pk WHERE r.pk IN ({', '.join('?' * len(piece))})"
        )
        found = db.execute(text, piece).fetchall()
        for row, (parent, metrics, params) in zip(found, _decoded([row[9] for row in found]), strict=True):
            made[row[0]] = RunBrief._make((*row[1:9], parent, _numbers(metrics, row[10]), params, row[11]))
    return [made[pk] for pk in rows if pk in made]


def read_facts(
    db: sqlite3.Connection, first: int
) -> Iterator[tuple[int, Mapping[str, float], Mapping[str, str], Mapping[str, str]]]:
    """Yield number, metrics, params and tags of the runs from one on, by their number."""
    found = iter(db.execute("SELECT pk, facts, numbers, tags FROM briefs WHERE pk >= ? ORDER BY pk", (first,)))
    while batch := list(islice(found, _BATCH)):
        facts, tags = _decoded([row[1] for row in batch]), _decoded([row[3] for row in batch])
        for row, (_, metrics, params), own_tags in zip(batch, facts, tags, strict=True):
            yield row[0], _numbers(metrics, row[2]), params, own_tags


def _numbers(names: Sequence[str], packed: bytes) -> dict[str, float]:
    return dict(zip(names, struct.unpack(f"<{len(names)}d", packed), strict=True))


def _decoded(texts: Sequence[str]) -> list[Any]:
    """Read many small texts of JSON by one call."""
    try:
        made: list[Any] = json.loads(f"[{','.join(texts)}]")
    except ValueError as error:
        raise DamagedError(f"the index: {error}") from None  # it is made again
    return made
