"""Reads the records of the run tables once, and hands on what the steps that follow make of them.

A shard is read if the facts of its columns are stale; of one that only grew, the new runs are (:mod:`runfolio.site.growing`). While a
record is at hand, the page of the API that it stands in is written, and the words that the search looks through are kept; the cells of its
columns serve the facts, the shard's files, declared charts and the Parquet file. Cells are kept up to `MOST_CELLS` of them, so that memory
does not follow the folio; beyond, those steps read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runfolio.index import RunRow
from runfolio.site import api
from runfolio.site.columns import Cells, add_cells
from runfolio.site.data import search, tables
from runfolio.site.details import row_cells
from runfolio.site.gather import ExperimentData, Site
from runfolio.site.growing import grown_shard
from runfolio.site.plan import Data, Page

MOST_CELLS = 4_000_000
"""Values of all columns that are kept, about 300 MB."""


def files(site: Site) -> Iterator[tuple[int, Page | Data]]:
    """Yield, shard by shard, the pages of the API and the facts of the shard, each with the number of runs that it is about.

    Each must be written before the next is asked for.
    """
    for item in site.experiments:
        for number, shard in enumerate(tables.shards_of(item)):
            yield from _shard(site, item, number, shard)


def _shard(site: Site, item: ExperimentData, number: int, shard: tables.Shard) -> Iterator[tuple[int, Page | Data]]:
    start, rows = shard
    facts = tables.facts(site, item, number, rows)
    stale = site.output.is_stale(facts)
    grown = grown_shard(site, facts.name.removesuffix("-facts"), rows) if stale else None
    if grown:
        site.grown[facts.name] = grown
    known = grown.rows if grown else 0
    cells: dict[str, Cells] = grown.new if grown else {}
    read = 0
    for part, page in api.run_pages(site, item, rows, start):
        if not stale or read + len(part) <= known:
            made = page(None)
        else:
            records = site.records(part)
            first = max(0, known - read)
            add_cells(cells, map(row_cells, records[first:]), read + first)
            search.remember(site, part, records)
            made = page(records)
        read += len(part)
        yield len(part), made
    if stale and not grown:
        _keep(site, rows, cells)
    yield 0, facts


def _keep(site: Site, rows: Sequence[RunRow], cells: dict[str, Cells]) -> None:
    held = sum(len(column.rows) for _, kept in site.kept for column in kept.values())
    if held + sum(len(column.rows) for column in cells.values()) > MOST_CELLS:
        site.kept.clear()  # the facts of this shard, which come next, still need its own
    site.kept.append((rows, cells))
