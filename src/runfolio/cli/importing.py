"""``runfolio import``: another tool's store, taken into the folio; what it does is in :mod:`runfolio.transfer`."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING

import click

from runfolio.cli.opening import opened
from runfolio.errors import EXIT_FINDINGS, UsageError
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.transfer import Imported

_ORDER = ("experiments", "runs", "points", "metrics", "artifacts", "models", "versions")
MOST_SHOWN = 50


@click.group("import")
def import_group() -> None:
    """Take the experiments, runs and models of another tool into the folio."""


@import_group.command("mlflow")
@click.argument("uri")
@click.option("--experiment", "experiments", metavar="NAME", multiple=True, help="Take this one only, by name or id; repeatable.")
@click.option("--since", metavar="DATE", help="Take runs that started then or later: 2026-01-31, or with a time, in UTC.")
@click.option("--dry-run", is_flag=True, help="Count what would be taken, with its size, and take nothing.")
@click.option("--no-artifacts", is_flag=True, help="Leave the files of runs where they are.")
@click.option("--no-models", is_flag=True, help="Leave registered models out.")
@click.option("--no-verify", is_flag=True, help="Do not read back what was taken.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def mlflow_command(
    uri: str,
    experiments: tuple[str, ...],
    since: str | None,
    dry_run: bool,
    no_artifacts: bool,
    no_models: bool,
    no_verify: bool,
    as_json: bool,
) -> None:
    """Take an MLflow store in: a server, a database or a folder mlruns, by MLflow's own client.

    Experiments, runs with whole histories, params, tags, datasets and artifacts, deleted ones too; registered models with their versions,
    stages and aliases. Ids and numbers are kept, so that the same store again adds only what is new. Each run is read back and
    compared. Exit code 1 says that there are findings: each thing that was not taken, or not as it was, with its reason.
    """
    from runfolio.transfer.importing import import_store
    from runfolio.transfer.mlflow_source import open_mlflow

    since_ms = _moment(since) if since else None
    source = open_mlflow(uri)
    with opened() as folio:
        done = import_store(
            folio,
            source,
            experiments=experiments,
            since_ms=since_ms,
            dry_run=dry_run,
            files=not no_artifacts,
            models=not no_models,
            verify=not no_verify,
            tell=lambda text: click.echo(f"runfolio: {text}", err=True),
        )
    if as_json:
        click.echo(json.dumps(done.document(), indent=2))
    else:
        _show(done, dry_run)
    if done.findings:
        raise SystemExit(EXIT_FINDINGS)


def _moment(text: str) -> int:
    try:
        made = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise UsageError(f"--since {text!r} is no date. Write 2026-01-31, or 2026-01-31T12:00.") from None
    if made.tzinfo is None:
        made = made.replace(tzinfo=datetime.timezone.utc)
    return int(made.timestamp() * 1000)


def _show(done: Imported, dry_run: bool) -> None:
    verb = "would take" if dry_run else "took"
    for kind in _ORDER:
        if kind in done.counts or kind in done.there:
            there = f", {done.there[kind]:,} there already" if done.there.get(kind) else ""
            click.echo(f"{verb} {done.counts.get(kind, 0):,} {kind}{there}")
    if done.size:
        click.echo(f"{verb} {done.size / 1e6:,.1f} MB of artifacts")
    if not dry_run and done.verified:
        click.echo(f"read back and compared {done.verified:,} runs")
    for item in done.findings[:MOST_SHOWN]:
        click.echo(f"{visible(item.where)}: {visible(item.what)}")
    if len(done.findings) > MOST_SHOWN:
        click.echo(f"… and {len(done.findings) - MOST_SHOWN:,} findings more: --json shows all")
    if not done.findings:
        click.echo("Complete." if not dry_run else "Nothing stands in the way.")
