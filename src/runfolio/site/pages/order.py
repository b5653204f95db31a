"""In which order the pages are planned."""

from __future__ import annotations

from collections.abc import Iterator

from runfolio.site.gather import Site
from runfolio.site.pages import about, changes, compare, data, experiment, experiments, home, missing, models, runs, search
from runfolio.site.plan import Page


def all_pages(site: Site) -> Iterator[Page]:
    """Yield every page of a site but those that the team makes itself."""
    for noun in (home, experiments, experiment, runs, compare, models):
        yield from noun.pages(site)
    if site.datasets:
        from runfolio.site.pages import datasets

        yield from datasets.pages(site)
    for noun in (changes, data, about, search, missing):
        yield from noun.pages(site)
