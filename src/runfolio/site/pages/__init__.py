"""The site's pages, one module a noun; each yields what it wants to be made."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runfolio.site.gather import Site
from runfolio.site.pages import experiment, experiments, home
from runfolio.site.plan import Page

MAKERS: tuple[Callable[[Site], Iterator[Page]], ...] = (home.pages, experiments.pages, experiment.pages)

__all__ = ["MAKERS"]
