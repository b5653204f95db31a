"""In which order the data files are made."""

from __future__ import annotations

from collections.abc import Iterator

from runfolio.site import publishing
from runfolio.site.data import environments, reading, runs, search, tables
from runfolio.site.gather import Site
from runfolio.site.plan import Step
from runfolio.site.words import count_words


def steps(site: Site) -> Iterator[Step]:
    """Yield the data files in the order in which they can be made.

    A step may look at what the ones before it wrote, so each must be written before the next is asked for.
    """
    selection = publishing.select(site)
    yield Step("artifacts", list(publishing.files(site, selection)))
    site.previews = publishing.previews(site, selection)
    site.warnings += selection.warnings()
    unread = len(site.index.faults())
    if unread:
        site.warnings.append(
            f"{count_words(unread, 'record')} could not be read, and {'is' if unread == 1 else 'are'} not on the site: runfolio check"
        )
    yield Step("package lists", list(environments.lists(site)))
    yield Step("index of package lists", [environments.list_index(site)])
    yield Step("data of runs", list(runs.chunks(site)))
    yield Step("index of runs", [runs.chunk_index(site), runs.build_facts(site)])
    yield Step("history", [site.history.file()])
    done = 0
    for runs_in_it, file in reading.files(site):
        yield Step("runs", [file], done, len(site.rows))
        done += runs_in_it
    yield Step("tables", list(tables.shards(site)))
    yield Step("columns", list(tables.columns(site)))
    yield Step("search", list(search.parts(site)))
    yield Step("search", [search.search_file(site)])
