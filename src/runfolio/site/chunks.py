"""Which runs share a data file: few enough that the page of one run loads little, and many enough that there are few files.

A run's id with a time in it (the UUIDv7 of every run that was logged here) sorts behind those of earlier runs, so a new run
touches the last chunk only. Other ids (imported runs) go by their first two digits, and are not moved by new runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runfolio.index import RunRow

FEW, MANY = 20, 100
"""Runs a chunk: few where the folio is small and its runs may have long histories, many where the files would be too many."""


def chunked(rows: Sequence[RunRow]) -> list[tuple[str, Sequence[RunRow]]]:
    """Cut runs, which stand by id, into chunks, each with its name."""
    timed: list[RunRow] = []
    others: dict[str, list[RunRow]] = defaultdict(list)
    for row in rows:
        if row.run_id[12:13] == "7" and len(row.run_id) == 32:
            timed.append(row)
        else:
            others[row.run_id[:2].lower()].append(row)
    size = FEW if len(rows) <= 2000 else MANY
    made: list[tuple[str, Sequence[RunRow]]] = [(str(at // size), timed[at : at + size]) for at in range(0, len(timed), size)]
    return [*made, *((f"x{prefix}", found) for prefix, found in sorted(others.items()))]
