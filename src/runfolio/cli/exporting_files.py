"""``runfolio export parquet|csv|json|ro-crate|prov``: records as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runfolio.cli import options
from runfolio.cli.completion import run_names
from runfolio.cli.opening import opened
from runfolio.cli.tables import print_json
from runfolio.errors import EXIT_FINDINGS
from runfolio.records import ViewType
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.exports import Report, Selection
    from runfolio.folio import Folio

Command = TypeVar("Command", bound=Callable[..., Any])
MOST_SHOWN = 50
_FOLDER = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
_NO_VERIFY = click.option("--no-verify", is_flag=True, help="Do not look whether the object store has the runs' files.")
_FORCE = click.option(
    "--force", is_flag=True, help="Also where DIR holds other files: they stay, unless the export needs their name."
)
_CHOICE = (
    options.experiments,
    options.filter_text,
    options.at,
    click.option("--all", "everything", is_flag=True, help="Deleted runs and experiments, too."),
    click.option("--deleted", is_flag=True, help="Only deleted runs."),
    options.as_json,
)

_LINEAGE = (
    click.option(
        "--run", "runs", metavar="RUN", multiple=True, shell_complete=run_names,
        help="Only this run, with those above and below it; repeat for more.",
    ),
    click.option(
        "--model", "models", metavar="URI", multiple=True,
        help="Only this version (models:/NAME/3, models:/NAME@ALIAS), with the run that made it; repeat for more.",
    ),
)  # fmt: skip


def _of_one(command: Command) -> Command:
    """Give a command the options that ask for the lineage of some things."""
    for option in reversed(_LINEAGE):
        command = option(command)
    return command


def _chosen(command: Command) -> Command:
    """Give a command the options that say which runs are written."""
    for option in reversed(_CHOICE):
        command = option(command)
    return command


@click.command("parquet")
@_FOLDER
@_chosen
@_NO_VERIFY
@_FORCE
def parquet(folder: Path, no_verify: bool, force: bool, **given: Any) -> None:
    """Write tables as Parquet files into the folder DIR.

    Experiments, runs, params, metrics with every point, tags, datasets, files of runs, registered models with versions and history; the
    folder's README says what each column is. An earlier export in DIR is replaced. Exit code 1 says that there are findings, such as
    files of runs that the store does not have.

    \b
    runfolio export parquet tables --filter "metrics.acc > 0.9"
    python -c "import pandas; print(pandas.read_parquet('tables/runs_wide.parquet'))"
    """
    _tables("parquet", folder, no_verify, force, raw=False, **given)


@click.command("csv")
@_FOLDER
@_chosen
@options.raw_cells
@_NO_VERIFY
@_FORCE
def csv(folder: Path, no_verify: bool, force: bool, raw: bool, **given: Any) -> None:
    """Write tables as CSV files into the folder DIR.

    The same tables as runfolio export parquet. Cells that a spreadsheet would run as a formula get a ' before them.
    """
    _tables("csv", folder, no_verify, force, raw=raw, **given)


@click.command("json")
@_FOLDER
@_chosen
@_NO_VERIFY
@_FORCE
def json(folder: Path, no_verify: bool, force: bool, **given: Any) -> None:
    """Write all that the records say as lines of JSON into the folder DIR.

    records.jsonl has a line a record, with every metric point, package lists, datasets, and the registry with its history;
    records.schema.json is its JSON Schema. Nothing that a record says is lost.
    """
    from runfolio.exports.json_lines import export_json

    def write(folio: Folio, selection: Selection, tell: Callable[[str], None]) -> Report:
        return export_json(folio, folder, selection, check=not no_verify, force=force, tell=tell)

    carry_out(write, folder, **given)


@click.command("ro-crate")
@_FOLDER
@_of_one
@click.option("--artifacts", is_flag=True, help="Copy the runs' files into DIR; else they are named by URI and SHA-256.")
@click.option("--name", metavar="TEXT", help="What the crate is called.")
@click.option("--description", metavar="TEXT", help="What it holds, in a sentence.")
@click.option("--license", "license_", metavar="URL", help="The license of the records: its URL, or its name.")
@_chosen
@_NO_VERIFY
@_FORCE
def ro_crate(
    folder: Path,
    artifacts: bool,
    name: str | None,
    description: str | None,
    license_: str | None,
    no_verify: bool,
    force: bool,
    **given: Any,
) -> None:
    """Write an RO-Crate for an archive into the folder DIR.

    RO-Crate 1.1 with the profile Process Run Crate: each run is an action with its script, datasets, params, files, metrics and user. All
    that the records say is in records.jsonl beside it. For all that is chosen, or with --run and --model for one thing.

    \b
    runfolio export ro-crate archive --artifacts --license https://creativecommons.org/licenses/by/4.0/
    """
    from runfolio.exports.crate import Wanted, export_crate

    plain = Wanted()
    wanted = Wanted(
        plain.name if name is None else name,
        plain.description if description is None else description,
        license_ or "",
        artifacts,
        not no_verify,
    )

    def write(folio: Folio, selection: Selection, tell: Callable[[str], None]) -> Report:
        return export_crate(folio, folder, selection, wanted, force=force, tell=tell)

    carry_out(write, folder, **given)


@click.command("prov")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@_of_one
@_chosen
@_NO_VERIFY
@click.option("--force", is_flag=True, help="Also over a file that is no earlier export.")
def prov(file: Path, no_verify: bool, force: bool, **given: Any) -> None:
    """Write what came of what as W3C PROV, in JSON, to FILE.

    Files, datasets, code, packages and model versions; the runs and promotions that used and made them; and who did it. For all that is
    chosen, or with --run and --model for one thing.

    \b
    runfolio export prov lineage.json --model models:/wine-cultivar/Production
    """
    from runfolio.exports.prov import export_prov

    def write(folio: Folio, selection: Selection, tell: Callable[[str], None]) -> Report:
        return export_prov(folio, file, selection, check=not no_verify, force=force, tell=tell)

    carry_out(write, file, **given)


def _tables(kind: str, folder: Path, no_verify: bool, force: bool, *, raw: bool, **given: Any) -> None:
    from runfolio.exports.tabular import export_tables

    def write(folio: Folio, selection: Selection, tell: Callable[[str], None]) -> Report:
        return export_tables(folio, folder, selection, kind, raw=raw, check=not no_verify, force=force, tell=tell)

    carry_out(write, folder, **given)


def carry_out(
    write: Callable[[Folio, Selection, Callable[[str], None]], Report],
    target: Path,
    *,
    experiments: tuple[str, ...],
    filter: str,
    at: str | None,
    everything: bool,
    deleted: bool,
    as_json: bool,
    runs: tuple[str, ...] = (),
    models: tuple[str, ...] = (),
) -> None:
    """Write an export of the folio at hand, tell what was written, and end with 1 if there are findings."""
    from runfolio.exports.selection import Selection

    if everything and deleted:
        raise click.UsageError("Choose one of --all and --deleted.")
    if (runs or models) and (experiments or filter or everything or deleted):
        raise click.UsageError("--run and --model name what is written: leave --experiment, --filter, --all and --deleted away.")
    view = ViewType.ALL if everything else ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
    with opened() as folio:
        report = write(
            folio, Selection(experiments, filter, view, at, runs, models), lambda text: click.echo(f"runfolio: {text}", err=True)
        )
    if as_json:
        print_json(report.document())
    else:
        _show(report, target)
    if report.findings:
        raise SystemExit(EXIT_FINDINGS)


def _show(report: Report, target: Path) -> None:
    for kind, number in report.counts.items():
        click.echo(f"{kind}: {number:,}")
    for note in report.notes:
        click.echo(f"note: {visible(note)}")
    for item in report.findings[:MOST_SHOWN]:
        click.echo(f"{visible(item.where)}: {visible(item.what)}")
    more = len(report.findings) + report.more - MOST_SHOWN
    if more > 0:
        click.echo(f"… and {more:,} findings more: --json shows them")
    click.echo(f"Written to {visible(str(target))}, {'with findings' if report.findings else 'complete'}.")
