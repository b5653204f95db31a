"""The list of all experiments."""

from __future__ import annotations

from collections.abc import Iterator

from runfolio.site.gather import Site
from runfolio.site.output import canonical
from runfolio.site.pages.home import experiment_card
from runfolio.site.plan import Page

PATH = "experiments/index.html"


def pages(site: Site) -> Iterator[Page]:
    """Yield the page."""
    context = {"cards": [experiment_card(site, item) for item in site.experiments]}
    yield Page(PATH, canonical(context), lambda: site.html("experiments.html", PATH, **context))
