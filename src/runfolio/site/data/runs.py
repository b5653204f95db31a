"""Everything that the pages of runs show, in chunks: one file for some runs, found by the run's id.

A run's id with a time in it (the UUIDv7 of every run that was logged here) sorts behind those of earlier runs, so a new run
touches the last chunk only. Other ids (imported runs) go by their first two digits, and are not moved by new runs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from functools import partial

from runfolio.index import RunRow
from runfolio.site.columns import script
from runfolio.site.gather import Site
from runfolio.site.output import canonical
from runfolio.site.plan import Data, Page
from runfolio.site.public import count_private

FEW, MANY = 20, 100
"""Runs a chunk: few where the folio is small and its runs may have long histories, many where the files would be too many."""


def chunks(site: Site) -> Iterator[Data]:
    """Yield the chunks."""
    for name, rows in _chunks(site):
        yield Data(f"data/r/{name}", _inputs(site, rows), partial(_render, site, name, rows))


def chunk_index(site: Site) -> Data:
    """Return the file that says which chunk has a run."""
    timed, hashed = [], {}
    for name, rows in _chunks(site):
        path = site.output.path(f"data/r/{name}")
        if name.startswith("x"):
            hashed[name[1:]] = path
        else:
            timed.append([rows[0].run_id[:16], path])
    value = {"time": timed, "hash": hashed}
    return Data("data/r/index", canonical(value), lambda: (script("data/r/index", value), None))


def build_facts(site: Site) -> Page:
    """Return the file that says what the site was made from; no page depends on it."""
    when = datetime.fromtimestamp(site.committed_at / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    value = {"commit": site.commit, "committed": when}
    return Page("data/build.js", canonical(value), lambda: script("data/build", value))


def _chunks(site: Site) -> list[tuple[str, Sequence[RunRow]]]:
    timed = [row for row in site.rows if row.run_id[12:13] == "7" and len(row.run_id) == 32]
    others: dict[str, list[RunRow]] = defaultdict(list)
    for row in site.rows:
        if not (row.run_id[12:13] == "7" and len(row.run_id) == 32):
            others[row.run_id[:2].lower()].append(row)
    size = FEW if len(site.rows) <= 2000 else MANY
    made: list[tuple[str, Sequence[RunRow]]] = [(str(at // size), timed[at : at + size]) for at in range(0, len(timed), size)]
    return [*made, *((f"x{prefix}", rows) for prefix, rows in sorted(others.items()))]


def _inputs(site: Site, rows: Sequence[RunRow]) -> str:
    shown = {
        "names": sorted({site.names[row.slug] for row in rows}),
        "previews": {row.run_id: site.previews[row.run_id] for row in rows if row.run_id in site.previews},
        "children": {row.run_id: site.children[row.run_id] for row in rows if row.run_id in site.children},
        "points": site.points_a_run,
    }
    return site.digest(rows) + canonical(shown)


def _render(site: Site, name: str, rows: Sequence[RunRow]) -> tuple[bytes, dict[str, int]]:
    data = script(f"data/r/{name}", {detail["run_id"]: detail for detail in site.details(rows)})
    return data, {} if site.options.public else count_private(site.bodies(rows))


def private_counts(site: Site) -> dict[str, int]:
    """Return how many runs show what of people and machines; the chunks must be written already."""
    made: Counter[str] = Counter()
    for name, _ in _chunks(site):
        held = site.output.facts(f"data/r/{name}")
        assert isinstance(held, dict)
        made.update(held)
    return dict(made)
