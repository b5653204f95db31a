"""``runfolio experiments``: experiments listed, shown, made and changed; each change one commit."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runfolio.cli import options
from runfolio.cli.experiments_edit import baseline, create, delete, describe, rename, restore, set_objective, tag
from runfolio.cli.listing import EVERYTHING, age_text
from runfolio.cli.opening import opened
from runfolio.cli.shapes import experiment_shape, mlflow_table
from runfolio.cli.tables import Column, print_json, print_table
from runfolio.diff.describe import number_text
from runfolio.formats.csv_text import csv_text
from runfolio.records import Experiment, Lifecycle, Run, ViewType
from runfolio.records.times import utc_text
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio import Folio

ARROWS = {"max": "↑", "min": "↓"}
BEST = 3


@click.group("experiments")
def experiments() -> None:
    """List, show, make and change experiments.

    An experiment is named by its name, its id or its folder's name.
    """


@experiments.command("list")
@click.option("--filter", "filter", metavar="FILTER", default="", help="Filter, such as \"name LIKE 'wine%'\".")
@click.option("--order-by", metavar="KEY", multiple=True, help="Order, such as 'name DESC'; repeat for more keys.")
@click.option("--all", "everything", is_flag=True, help="Deleted ones, too.")
@click.option("--deleted", is_flag=True, help="Only deleted ones.")
@options.at
@options.as_json
@options.as_csv
@options.raw
def list_experiments(
    filter: str,
    order_by: tuple[str, ...],
    everything: bool,
    deleted: bool,
    at: str | None,
    as_json: bool,
    as_csv: bool,
    raw: bool,
) -> None:
    """List experiments, with their runs and when the newest began.

    \b
    runfolio experiments list --filter "tags.team = 'red'" --order-by "creation_time DESC"
    """
    from runfolio.folio.past import commit_at
    from runfolio.query import matches, parse_filter, parse_order_by, sort_experiments

    options.check_formats(json=as_json, csv=as_csv)
    wanted, order = parse_filter(filter, "experiments"), parse_order_by(list(order_by), "experiments")
    with opened() as folio:
        commit = commit_at(folio.place, at) if at else None
        shown = [item for item in folio.experiments.all(commit) if matches(wanted, item)]
        if not everything:
            shown = [item for item in shown if (item.lifecycle is Lifecycle.DELETED) == deleted]
        counts = _counts(folio, commit)
    if order:
        shown = sort_experiments(shown, order)
    shapes = [experiment_shape(item, *counts.get(item.slug, (0, None))) for item in shown]
    if as_json:
        print_json(shapes)
    elif as_csv:
        _print_csv(shapes, raw)
    elif not shapes:
        click.echo("No experiments are to be shown.", err=True)
    else:
        _print_list(shown, shapes)


def _counts(folio: Folio, at: str | None) -> dict[str, tuple[int, int | None]]:
    """Return how many active runs each experiment has, and when the newest began; those that go on or wait are counted too."""
    made: dict[str, tuple[int, int | None]] = {
        item.slug: (item.runs, item.last_start) for item in folio.fresh_index(at).summaries()
    }
    for run in folio.runs.live() if at is None else ():
        if run.lifecycle is Lifecycle.ACTIVE and folio.runs.committed(run.run_id) is None:
            count, last = made.get(run.experiment, (0, None))
            made[run.experiment] = (count + 1, run.start if last is None else max(last, run.start))
    return made


def _print_csv(shapes: list[dict[str, Any]], raw: bool) -> None:
    keys = ("experiment_id", "name", "lifecycle", "runs", "last_run_time", "creation_time", "last_update_time", "description")
    click.echo(csv_text(keys, [[shape[key] for key in keys] for shape in shapes], raw=raw), nl=False)


def _print_list(shown: list[Experiment], shapes: list[dict[str, Any]]) -> None:
    now = time.time_ns() // 1_000_000
    columns = [
        Column("id", whole=True),
        Column("name"),
        Column("runs", right=True, whole=True),
        Column("last run", rank=1, whole=True),
    ]
    columns += [Column("objective", rank=2), Column("description", rank=4)]
    with_state = any(item.lifecycle is Lifecycle.DELETED for item in shown)
    rows = []
    for item, shape in zip(shown, shapes, strict=True):
        last = shape["last_run_time"]
        row = [item.experiment_id, item.name, str(shape["runs"]), "" if last is None else age_text(last, now)]
        row += [f"{item.objective.metric} {ARROWS[item.objective.direction]}" if item.objective else "", item.description]
        rows.append([*row, item.lifecycle.value] if with_state else row)
    print_table([*columns, Column("lifecycle", rank=3, whole=True)] if with_state else columns, rows)


@experiments.command("show")
@options.experiment
@options.at
@options.as_json
@options.as_csv
@options.raw
def show(experiment: str, at: str | None, as_json: bool, as_csv: bool, raw: bool) -> None:
    """Show an experiment and its best runs."""
    from runfolio.folio.past import commit_at

    options.check_formats(json=as_json, csv=as_csv)
    with opened() as folio:
        commit = commit_at(folio.place, at) if at else None
        found = folio.experiments.find(experiment, commit)
        shape = experiment_shape(found, *_counts(folio, commit).get(found.slug, (0, None)))
        if as_json or as_csv:
            print_json(shape) if as_json else _print_csv([shape], raw)
            return
        best = _best(folio, found, commit)
        base = folio.runs.committed(found.baseline, commit) if found.baseline else None
    _print_one(found, shape, base, best)


def _print_one(found: Experiment, shape: dict[str, Any], base: Run | None, best: list[Run]) -> None:
    facts = {
        "id": found.experiment_id,
        "folder": f"runs/{found.slug}",
        "lifecycle": found.lifecycle.value if found.lifecycle is Lifecycle.DELETED else "",
        "created": utc_text(found.created) if found.created else "",
        "runs": str(shape["runs"]),
        "newest run": utc_text(shape["last_run_time"]) if shape["last_run_time"] is not None else "",
        "objective": f"{found.objective.metric} ({found.objective.direction}), replicates by {found.objective.replicate}"
        if found.objective
        else "",
        "baseline": f"{found.baseline} {base.name if base else ''}" if found.baseline else "",
        "description": found.description,
        **{f"tag {key}": value for key, value in sorted(found.tags.items())},
    }
    click.echo(click.style(visible(found.name), bold=True))
    for name, value in facts.items():
        if value:
            click.echo(f"{name + ':':12} {visible(value)}".rstrip())
    for run in best:
        assert found.objective is not None
        click.echo(f"{'best:':12} {number_text(run.metrics[found.objective.metric].last)}  {run.run_id}  {visible(run.name)}")


def _best(folio: Folio, experiment: Experiment, at: str | None) -> list[Run]:
    from runfolio.query import OrderKey, parse_filter

    if experiment.objective is None:
        return []
    order = [OrderKey("metrics", experiment.objective.metric, experiment.objective.direction == "min")]
    found = folio.runs.search(parse_filter("status = 'FINISHED'"), order, [experiment.slug], limit=BEST, at=at)
    return [run for run in found if experiment.objective.metric in run.metrics]


@experiments.command("csv")
@click.argument("experiment", required=False)
@click.option("-x", "--experiment-id", metavar="ID", help="The experiment, as MLflow's command takes it.")
@click.option("-o", "--filename", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@options.at
@options.raw_cells
def csv(experiment: str | None, experiment_id: str | None, filename: Path | None, at: str | None, raw: bool) -> None:
    """Print all runs of an experiment as CSV, with MLflow's columns."""
    from runfolio.errors import storage_error
    from runfolio.folio.past import commit_at
    from runfolio.query import Filter

    if (experiment is None) == (experiment_id is None):
        raise click.UsageError("Name one experiment, or give its id with -x.")
    with opened() as folio:
        commit = commit_at(folio.place, at) if at else None
        found = folio.experiments.find(experiment or experiment_id or "", commit)
        runs = folio.runs.search(Filter(), (), [found.slug], ViewType.ACTIVE_ONLY, EVERYTHING, at=commit)
    titles, rows = mlflow_table(runs, {found.slug: found.experiment_id})
    text = csv_text(titles, rows, raw=raw)
    if filename is None:
        click.echo(text, nl=False)
        return
    try:
        filename.write_text(text, "utf-8", newline="")
    except OSError as error:
        raise storage_error(f"write {filename}", error) from None
    click.echo(f"{len(runs)} run{'s' * (len(runs) != 1)} written to {filename}", err=True)


for _command in (create, rename, describe, tag, set_objective, baseline, delete, restore):
    experiments.add_command(_command)
