"""The page that searches everything: filled by scripts; without them it lists the experiments."""

from __future__ import annotations

from collections.abc import Iterator

from runfolio.site.data.search import NAME
from runfolio.site.gather import Site
from runfolio.site.links import experiment_page
from runfolio.site.markdown import lead_words
from runfolio.site.output import canonical
from runfolio.site.plan import Page

PATH = "search.html"


def pages(site: Site) -> Iterator[Page]:
    """Yield the page."""
    found = [
        {
            "name": item.name,
            "description": lead_words(item.experiment.description)[:280],
            "href": experiment_page(item.slug),
            "runs": len(item.rows),
        }
        for item in site.experiments
    ]
    context = {"experiments": found, "data": {"search": site.output.path(NAME)}}
    yield Page(PATH, canonical(context), lambda: site.html("search.html", PATH, **context))
