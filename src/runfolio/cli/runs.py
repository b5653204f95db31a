"""``runfolio runs``: lists of runs. Showing one, comparing and changing them are in files of their own."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import Any

import click

from runfolio.cli import options
from runfolio.cli.lazy import LazyCommands
from runfolio.cli.listing import Field, Listing, Question, as_tree, chosen_fields, find_briefs, find_listing
from runfolio.cli.opening import opened
from runfolio.cli.tables import print_columns, print_json
from runfolio.formats.csv_text import csv_text
from runfolio.records import Run, ViewType
from runfolio.records.briefs import RunBrief

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
    # Records hold no cycles: of a first listing the collector's walks are a fourteenth. `main` puts it back.
    gc.disable()
    view = ViewType.ALL if everything else ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
    shown = TABLE_LIMIT if limit is None and not (as_json or as_csv) else limit
    with opened() as folio:
        question = Question(filter, order_by, experiments, view, shown, at)
        names = [name for name in (part.strip() for part in (columns or "").split(",")) if name]
        if as_json or (as_csv and not names):
            unreadable = _print_whole(find_listing(folio, question), as_json=as_json, raw=raw)
        else:
            listing = find_briefs(folio, question)
            unreadable, fields = listing.unreadable, chosen_fields(listing, names)
            if as_csv:
                rows = list(zip(*(field.cells(listing.runs) for field in fields), strict=True))
                click.echo(csv_text(names, rows, raw=raw), nl=False)
            else:
                _print_listing(listing, fields, tree=tree)
        if unreadable:
            were = "record is" if unreadable == 1 else "records are"
            click.echo(f"runfolio: {unreadable} {were} unreadable and not shown: runfolio check", err=True)


def _print_whole(listing: Listing[Run], *, as_json: bool, raw: bool) -> int:
    """Print all that a list says of runs, for other programs; return how many records are unreadable."""
    from runfolio.cli.shapes import mlflow_table, run_shape

    if as_json:
        print_json([run_shape(run, listing.experiments.get(run.experiment)) for run in listing.runs])
    else:
        ids = {slug: item.experiment_id for slug, item in listing.experiments.items()}
        click.echo(csv_text(*mlflow_table(listing.runs, ids), raw=raw), nl=False)
    return listing.unreadable


def _print_listing(listing: Listing[RunBrief], fields: Sequence[Field], *, tree: bool) -> None:
    if not listing.runs:
        click.echo("No runs are to be shown.", err=True)
        return
    dropped = print_columns([field.column for field in fields], run_columns(listing.runs, fields, tree=tree))
    note = f"{len(listing.runs)} of {listing.total} run{'s' * (listing.total != 1)}"
    if listing.total > len(listing.runs):
        note += "; more with --limit"
    if dropped:
        note += f"; no room for {', '.join(dropped)}"
    click.echo(note, err=True)


def run_columns(runs: Sequence[RunBrief], fields: Sequence[Field], *, tree: bool = False) -> list[list[str]]:
    """Return the cells of each column of a table of runs; in a tree, children follow their parents, and are set in below their names."""
    if not tree:
        return [field.cells(runs) for field in fields]
    ordered = as_tree(runs)
    made = [field.cells([run for _, run in ordered]) for field in fields]
    place = next((at for at, field in enumerate(fields) if field.column.title == "name"), 0)
    made[place] = [
        "  " * (depth - 1) + "└ " + text if depth else text for (depth, _), text in zip(ordered, made[place], strict=True)
    ]
    return made
