"""The site's pages, one module a noun; each yields what it wants to be made."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runfolio.site.gather import Site
from runfolio.site.pages import (
    about,
    changes,
    compare,
    data,
    datasets,
    experiment,
    experiments,
    home,
    missing,
    models,
    runs,
    search,
)
from runfolio.site.plan import Page

MAKERS: tuple[Callable[[Site], Iterator[Page]], ...] = (
    home.pages, experiments.pages, experiment.pages, runs.pages, compare.pages, models.pages, datasets.pages, changes.pages, data.pages,
    about.pages, search.pages, missing.pages,
)  # fmt: skip

__all__ = ["MAKERS"]
