"""Where pages are, from the site's root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio.formats.datasets import named_in_source
from runfolio.site.gather import ExperimentData, Site


def experiment_page(slug: str) -> str:
    """Return the page of an experiment."""
    return f"e/{slug}/index.html"


def model_page(slug: str) -> str:
    """Return the page of a registered model."""
    return f"m/{slug}/index.html"


def version_page(slug: str, number: int) -> str:
    """Return the page of a version of a registered model."""
    return f"m/{slug}/{number}/index.html"


def dataset_page(slug: str) -> str:
    """Return the page of a recorded dataset."""
    return f"d/{slug}/index.html"


def change_page(old: str, new: str) -> str:
    """Return the page of a difference of two commits."""
    return f"changes/{old[:12]}..{new[:12]}/index.html"


def run_page(site: Site, run_id: str) -> str:
    """Return the page of a run: its own where it is written ahead, else the one that reads the run's data."""
    return f"r/{run_id}/index.html" if run_id in site.prepared else f"r/run.html#{run_id}"


def baseline_of(site: Site, item: ExperimentData) -> str | None:
    """Return the id of an experiment's baseline; None where it has none, or its run is gone."""
    found = item.experiment.baseline
    return found if found in site.by_id else None


def page_of_input(site: Site, item: Mapping[str, Any]) -> str | None:
    """Return the page of the recorded dataset that an input of a run names; None where it names none."""
    found = named_in_source(str(item.get("source_type", "")), str(item.get("source", "")))
    slug = site.dataset_slugs.get(found[0]) if found else None
    return dataset_page(slug) if slug else None
