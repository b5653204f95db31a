"""The catalogue of registered models."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from runfolio.site.gather import Site
from runfolio.site.plan import Page

PATH = "models/index.html"


def pages(site: Site) -> Iterator[Page]:
    """Yield the page."""
    yield Page(PATH, "none", partial(site.html, "models.html", PATH))
