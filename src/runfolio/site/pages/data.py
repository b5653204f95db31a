"""The page on the site's data: downloads, the API, and how to read them in other languages."""

from __future__ import annotations

from collections.abc import Iterator

from runfolio.site import api
from runfolio.site.gather import Site
from runfolio.site.output import canonical
from runfolio.site.plan import Page

PATH = "data.html"


def pages(site: Site) -> Iterator[Page]:
    """Yield the page."""
    context = {
        "commit": site.commit,
        "api": api.ROOT,
        "schemas": list(api.SCHEMAS),
        "page_size": api.PAGE,
        "parquet": f"{api.ROOT}/runs.parquet",
        "runs": len(site.rows),
        "experiments": [
            {"name": item.name, "slug": item.slug, "runs": len(item.rows), "parts": -(-len(item.rows) // api.PAGE)}
            for item in site.experiments[:200]
        ],
        "more": max(0, len(site.experiments) - 200),
        "address": site.base_url or "https://your-site.example/",
    }
    yield Page(PATH, canonical(context), lambda: site.html("data.html", PATH, **context))
