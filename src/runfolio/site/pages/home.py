"""The first page: what changed lately, the experiments with their best, what is live."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runfolio.index import RunRow
from runfolio.site.data.tables import known_columns
from runfolio.site.gather import ExperimentData, Site
from runfolio.site.links import experiment_page, run_page
from runfolio.site.markdown import lead_words
from runfolio.site.output import canonical
from runfolio.site.pages.models import model_card
from runfolio.site.plan import Page
from runfolio.site.reproductions import score
from runfolio.site.summaries import FAILED, summary_of
from runfolio.site.svg.stepline import step_line

NEWEST = 12
CARDS = 12


def pages(site: Site) -> Iterator[Page]:
    """Yield the page."""
    newest = sorted((row for item in site.experiments for row in item.rows[-NEWEST:]), key=lambda row: (-row.start, row.run_id))
    context = {
        "cards": [experiment_card(site, item) for item in site.experiments[:CARDS]],
        "models": [model_card(site, item) for item in site.models if item.live][:CARDS],
        "proved": score(site),
        "others": max(0, len(site.experiments) - CARDS),
        "newest": [_run(site, row) for row in newest[:NEWEST]],
        "failures": [_run(site, row) for row in newest if row.status in FAILED][:5],
        "runs": len(site.rows),
        "experiments": len(site.experiments),
        "compute_ms": sum(summary_of(site, item).compute_ms for item in site.experiments),
        "faults": len(site.index.faults()),
    }
    yield Page("index.html", canonical(context), lambda: site.html("home.html", "index.html", **context))


def experiment_card(site: Site, item: ExperimentData) -> dict[str, Any]:
    """Return what a list of experiments says of one."""
    summary = summary_of(site, item)
    return {
        "name": item.name,
        "href": experiment_page(item.slug),
        "description": lead_words(item.experiment.description)[:280],
        "runs": summary.runs,
        "failed": summary.failed,
        "killed": summary.killed,
        "last": summary.last_start,
        "metric": summary.metric,
        "direction": summary.direction,
        "best": summary.best_value,
        "best_run": summary.best
        and {"name": summary.best.name or summary.best.run_id[:12], "href": run_page(site, summary.best.run_id)},
        "change": summary.change,
        "line": step_line([value for _, value in summary.steps], summary.direction, title=f"Best {summary.metric} so far"),
    }


def _run(site: Site, row: RunRow) -> dict[str, Any]:
    item = next(item for item in site.experiments if item.slug == row.slug)
    metric, result = _result(site, item, row)
    return {
        "metric": metric,
        "result": result,
        "judged": item.objective is not None,
        "name": row.name or row.run_id[:12],
        "href": run_page(site, row.run_id),
        "experiment": site.names[row.slug],
        "experiment_href": experiment_page(row.slug),
        "status": row.status,
        "start": row.start,
        "duration": None if row.end is None else row.end - row.start,
    }


def _result(site: Site, item: ExperimentData, row: RunRow) -> tuple[str, Any]:
    """Return the metric to tell of a run: its experiment's objective, else the first one of the table that it has."""
    if item.objective:
        return item.objective.metric, site.objective_values(item).get(row.pk)
    known_columns(site, item)
    metrics = site.records([row])[0].get("metrics", {})
    names = (key.partition(".")[2] for key in item.core if key.startswith("metrics."))
    return next(((name, metrics[name]["last"]) for name in names if name in metrics), ("", None))
