"""The page that searches everything: filled by scripts; without them it lists the experiments."""

from __future__ import annotations

from collections.abc import Iterator

from runfolio.site.data.tables import page_data
from runfolio.site.gather import Site
from runfolio.site.links import experiment_page
from runfolio.site.output import canonical
from runfolio.site.plan import Page

PATH = "search.html"


def pages(site: Site) -> Iterator[Page]:
    """Yield the page."""
    found = []
    for item in site.experiments:
        data = page_data(site, item)
        found.append(
            {
                "slug": item.slug,
                "name": item.name,
                "description": item.experiment.description[:280],
                "href": experiment_page(item.slug),
                "runs": len(item.rows),
                "shards": data["shards"],
                "manifest": data["manifest"],
            }
        )
    context = {"data": {"experiments": found, "details": site.output.path("data/r/index")}}
    yield Page(PATH, canonical(context), lambda: site.html("search.html", PATH, **context))
