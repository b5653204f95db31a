"""The page that puts any runs side by side; which ones, its address says."""

from __future__ import annotations

from collections.abc import Iterator

from runfolio.site.gather import Site
from runfolio.site.links import baseline_of, dataset_page, experiment_page
from runfolio.site.output import canonical
from runfolio.site.plan import Page

PATH = "compare.html"


def pages(site: Site) -> Iterator[Page]:
    """Yield the page."""
    data = {
        "details": site.output.path("data/r/index"),
        "environments": site.output.path("data/env/index"),
        "datasets": {
            item.dataset.name: {"href": dataset_page(item.dataset.slug), "drift": item.drifts()} for item in site.datasets
        },
        "experiments": {
            item.slug: {
                "slug": item.slug,
                "name": item.name,
                "href": experiment_page(item.slug),
                "baseline": baseline_of(site, item),
                "objective": item.objective and {"metric": item.objective.metric, "direction": item.objective.direction},
            }
            for item in site.experiments
        },
    }
    shown = [{"name": item.name, "href": experiment_page(item.slug), "runs": len(item.rows)} for item in site.experiments]
    yield Page(PATH, canonical([data, shown]), lambda: site.html("compare.html", PATH, data=data, experiments=shown))
