"""``runfolio runs``: lists of runs. Showing one, comparing and changing them are in files of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from runfolio.cli import options
from runfolio.cli.lazy import LazyCommands
from runfolio.cli.listing import Field, Listing, Question, as_tree, chosen_fields, find_listing
from runfolio.cli.opening import opened
from runfolio.cli.tables import Column, print_json, print_table
from runfolio.formats.csv_text import csv_text
from runfolio.records import Run, ViewType

TABLE_LIMIT = 50
ELSEWHERE = {
    "compare": "runfolio.cli.runs_compare",
    **dict.fromkeys(("artifacts", "code", "history", "show"), "runfolio.cli.runs_show"),
    **dict.fromkeys(("delete", "note", "rename", "restore", "retain", "tag"), "runfolio.cli.runs_edit"),
}


@click.group("runs", cls=LazyCommands, elsewhere=ELSEWHERE)
def runs() -> None:
    """List, show, compare and change runs.

    A run is named by its id, the first characters of its id (four at least), or its name.
    """


def _listed(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a list."""
    made: Any = command
    for option in reversed((
        options.experiments,
        options.order_by,
        click.option("-n", "--limit", type=click.IntRange(1), help=f"At most so many; {TABLE_LIMIT} in a table, else all."),
        click.option("--all", "everything", is_flag=True, help="Deleted runs and experiments, too."),
        click.option("--deleted", is_flag=True, help="Only deleted runs."),
        click.option("--columns", metavar="A,B,…", help="Columns: id, name, status, metrics.KEY, params.KEY, tags.KEY, …"),
        click.option("--tree", is_flag=True, help="Children under their parents."),
        options.at,
        options.as_json,
        options.as_csv,
        options.raw,
    )):  # fmt: skip
        made = option(made)
    found: Callable[..., None] = made
    return found


@runs.command("list")
@options.filter_text
@_listed
def list_runs(**given: Any) -> None:
    """List runs, newest first.

    Runs that go on are shown as RUNNING; with --at only what was committed is seen.

    \b
    runfolio runs list -e wine --filter "metrics.acc > 0.9" --order-by "metrics.acc DESC"
    runfolio runs list --at v1.0 --columns id,name,metrics.acc,params.depth
    """
    _print_runs(**given)


@runs.command("search")
@click.argument("filter")
@_listed
def search(**given: Any) -> None:
    """List the runs that match FILTER.

    In all experiments, or those of -e. The language: runfolio help filters.

    \b
    runfolio runs search "params.depth = '3' AND tags.team IS NOT NULL"
    """
    _print_runs(**given)


def _print_runs(
    filter: str,
    experiments: tuple[str, ...],
    order_by: tuple[str, ...],
    limit: int | None,
    everything: bool,
    deleted: bool,
    columns: str | None,
    tree: bool,
    at: str | None,
    as_json: bool,
    as_csv: bool,
    raw: bool,
) -> None:
    options.check_formats(json=as_json, csv=as_csv)
    view = ViewType.ALL if everything else ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
    shown = TABLE_LIMIT if limit is None and not (as_json or as_csv) else limit
    with opened() as folio:
        listing = find_listing(folio, Question(filter, order_by, experiments, view, shown, at))
        names = [name for name in (part.strip() for part in (columns or "").split(",")) if name]
        if as_json:
            from runfolio.cli.shapes import run_shape

            print_json([run_shape(run, listing.experiments.get(run.experiment)) for run in listing.runs])
        elif as_csv:
            titles, rows = _csv(listing, names)
            click.echo(csv_text(titles, rows, raw=raw), nl=False)
        else:
            _print_listing(listing, chosen_fields(listing, names), tree=tree)
        if listing.unreadable:
            were = "record is" if listing.unreadable == 1 else "records are"
            click.echo(f"runfolio: {listing.unreadable} {were} unreadable and not shown: runfolio check", err=True)


def _csv(listing: Listing, names: Sequence[str]) -> tuple[list[str], list[list[Any]]]:
    if not names:
        from runfolio.cli.shapes import mlflow_table

        return mlflow_table(listing.runs, {slug: item.experiment_id for slug, item in listing.experiments.items()})
    fields = chosen_fields(listing, names)
    return list(names), [[field.value(run) for field in fields] for run in listing.runs]


def _print_listing(listing: Listing, fields: Sequence[Field], *, tree: bool) -> None:
    if not listing.runs:
        click.echo("No runs are to be shown.", err=True)
        return
    dropped = print_table(*run_rows(listing.runs, fields, tree=tree))
    note = f"{len(listing.runs)} of {listing.total} run{'s' * (listing.total != 1)}"
    if listing.total > len(listing.runs):
        note += "; more with --limit"
    if dropped:
        note += f"; no room for {', '.join(dropped)}"
    click.echo(note, err=True)


def run_rows(runs: Sequence[Run], fields: Sequence[Field], *, tree: bool = False) -> tuple[list[Column], list[list[str]]]:
    """Return the columns and rows of a table of runs."""
    ordered = as_tree(runs) if tree else [(0, run) for run in runs]
    rows = []
    for depth, run in ordered:
        row = [field.value(run) for field in fields]
        if depth:
            place = next((at for at, field in enumerate(fields) if field.column.title == "name"), 0)
            row[place] = "  " * (depth - 1) + "└ " + row[place]
        rows.append(row)
    return [field.column for field in fields], rows
