"""The page of one experiment: its runs, its charts, its notes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from markupsafe import Markup

from runfolio.index import RunRow
from runfolio.site import charts
from runfolio.site.cards import card_path
from runfolio.site.data.tables import page_data
from runfolio.site.details import row_cells
from runfolio.site.gather import ExperimentData, Site
from runfolio.site.links import baseline_of, experiment_page, run_page
from runfolio.site.output import canonical
from runfolio.site.plan import Page
from runfolio.site.strips import strip_range
from runfolio.site.summaries import summary_of
from runfolio.site.svg.objective import objective_charts
from runfolio.site.svg.stepline import step_line

FIRST_ROWS = 50


def pages(site: Site) -> Iterator[Page]:
    """Yield a page for each experiment."""
    for item in site.experiments:
        yield _page(site, item)


def _page(site: Site, item: ExperimentData) -> Page:
    path = experiment_page(item.slug)
    first = site.best(item, FIRST_ROWS)
    baseline = baseline_of(site, item)
    if len(first) < FIRST_ROWS:  # runs without a value of the objective stand behind those that have one
        shown = {row.run_id for row in first}
        first = [*first, *[row for row in item.rows[::-1] if row.run_id not in shown][: FIRST_ROWS - len(first)]]
    wanted = [*first, *([site.by_id[baseline]] if baseline else [])]
    data = page_data(site, item)
    facts: list[Any] = [
        data,
        str(item.experiment),
        str(item.objective),
        [row.run_id for row in wanted],
        str(summary_of(site, item)),
        _strip(site, item, baseline),
        _one_day(item),
        charts.cards(site, item),
    ]
    prepared = [row.run_id in site.prepared for row in wanted]
    inputs = canonical([*facts, prepared]) + site.digest(wanted)
    return Page(path, inputs, lambda: _html(site, item, path, first, baseline, data))


def _html(site: Site, item: ExperimentData, path: str, first: list[RunRow], baseline: str | None, data: dict[str, Any]) -> bytes:
    rows = [_row(site, item, row, record) for row, record in zip(first, site.records(first), strict=True)]
    pinned = None
    if baseline:
        row = site.by_id[baseline]
        pinned = _row(site, item, row, site.records([row])[0])
    experiment, objective = item.experiment, item.objective
    known = {column["key"]: column for column in data["columns"]}
    table = {
        "columns": [{"key": key, "entity": key.partition(".")[0], "name": key.partition(".")[2], "kind": known[key]["kind"]}
                    for key in item.core],
        "rows": rows,
        "baseline": pinned,
        "total": len(item.rows),
        "objective": f"metrics.{objective.metric}" if objective else "",
        "direction": objective.direction if objective else "",
        "strip": _strip(site, item, baseline),
        "one_day": _one_day(item),
    }  # fmt: skip
    told = {
        "experiment": {
            "id": experiment.experiment_id, "slug": item.slug, "name": item.name, "description": experiment.description,
            "objective": objective and {"metric": objective.metric, "direction": objective.direction, "replicate": objective.replicate},
            "baseline": baseline, "baseline_row": pinned and pinned["ordinal"],
        },
        "first": [row["ordinal"] for row in rows],
        "one_day": table["one_day"],
        **data,
    }  # fmt: skip
    summary = summary_of(site, item)
    return site.html(
        "experiment.html", path, link_card=card_path(site, item), experiment=experiment, objective=objective, summary=summary, table=table,
        data=told,
        best_href=run_page(site, summary.best.run_id) if summary.best else None,
        line=step_line([value for _, value in summary.steps], summary.direction, title=f"Best {summary.metric} so far"),
        charts=_charts(site, item, baseline), declared=charts.cards(site, item),
        tags={key: value for key, value in experiment.tags.items() if not key.startswith("mlflow.")},
    )  # fmt: skip


def _charts(site: Site, item: ExperimentData, baseline: str | None) -> list[tuple[str, Markup]]:
    if item.objective is None:
        return []
    values = site.objective_values(item)
    place = next((at for at, row in enumerate(item.rows) if row.run_id == baseline), None)
    return objective_charts(item.objective.metric, [values.get(row.pk, math.nan) for row in item.rows], place)


def _one_day(item: ExperimentData) -> str:
    """Return the day (UTC) on which all of several runs started, which their times tell apart; "" where there is none."""
    starts = [row.start for row in (item.rows[0], item.rows[-1])] if len(item.rows) > 1 else []
    try:
        days = {datetime.fromtimestamp(start / 1000, timezone.utc).date().isoformat() for start in starts}
    except (OverflowError, ValueError, OSError):
        return ""
    return days.pop() if len(days) == 1 and 0 not in starts else ""


def _strip(site: Site, item: ExperimentData, baseline: str | None) -> tuple[float, float] | None:
    if item.objective is None:
        return None
    values = site.objective_values(item)
    base = values.get(site.by_id[baseline].pk) if baseline else None
    return strip_range(values.values(), item.objective.direction, base)


def _row(site: Site, item: ExperimentData, row: RunRow, record: dict[str, Any]) -> dict[str, Any]:
    cells = {key: value for values in row_cells(record).values() for key, value in values.items()}
    return {
        "ordinal": item.place_of(row),
        "run_id": row.run_id,
        "name": row.name or row.run_id[:12],
        "href": run_page(site, row.run_id),
        "status": row.status,
        "start": row.start,
        "cells": {key: cells.get(key) for key in item.core},
    }
