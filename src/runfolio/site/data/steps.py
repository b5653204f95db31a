"""In which order the data files are made."""

from __future__ import annotations

from collections.abc import Iterator

from runfolio.site import publishing
from runfolio.site.data import environments, runs, search, tables
from runfolio.site.gather import Site
from runfolio.site.plan import Data, Page


def steps(site: Site) -> Iterator[tuple[str, list[Data | Page]]]:
    """Yield the data files in the order in which they can be made, each step with its name.

    A step may look at what the ones before it wrote.
    """
    selection = publishing.select(site)
    yield "artifacts", list(publishing.files(site, selection))
    site.previews = publishing.previews(site, selection)
    site.warnings += selection.warnings()
    yield "package lists", list(environments.lists(site))
    yield "index of package lists", [environments.list_index(site)]
    yield "data of runs", list(runs.chunks(site))
    yield "index of runs", [runs.chunk_index(site), runs.build_facts(site)]
    yield "table facts", list(tables.facts(site))
    yield "tables", list(tables.shards(site))
    yield "columns", list(tables.columns(site))
    yield "search", [search.search_file(site)]
