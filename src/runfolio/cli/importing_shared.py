"""What every ``runfolio import …`` has: its options, how it is carried out, and what is told of it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runfolio.cli.opening import opened
from runfolio.errors import EXIT_FINDINGS, UsageError
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.transfer import Imported
    from runfolio.transfer.source import Source

Command = TypeVar("Command", bound=Callable[..., Any])

MOST_SHOWN = 50
_ORDER = ("experiments", "runs", "points", "metrics", "artifacts", "models", "versions")


def _moment(context: click.Context, option: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        made = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise UsageError(f"--since {text!r} is no date. Write 2026-01-31, or 2026-01-31T12:00.") from None
    if made.tzinfo is None:
        made = made.replace(tzinfo=datetime.timezone.utc)
    return int(made.timestamp() * 1000)


_OPTIONS = (
    click.option(
        "--experiment", "experiments", metavar="NAME", multiple=True, help="Take this one only, by name or id; repeatable."
    ),
    click.option(
        "--since",
        "since_ms",
        metavar="DATE",
        callback=_moment,
        help="Take runs that started then or later: 2026-01-31, or with a time, in UTC.",
    ),
    click.option("--dry-run", is_flag=True, help="Count what would be taken, with its size, and take nothing."),
    click.option("--no-artifacts", is_flag=True, help="Leave the files of runs where they are."),
    click.option("--no-verify", is_flag=True, help="Do not read back what was taken."),
    click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON."),
)


def import_options(command: Command) -> Command:
    """Give a command the options that all imports have; they are what :func:`carry_out` is given."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def carry_out(
    source: Source,
    *,
    experiments: tuple[str, ...],
    since_ms: int | None,
    dry_run: bool,
    no_artifacts: bool,
    no_verify: bool,
    as_json: bool,
    models: bool = False,
) -> None:
    """Take a source into the folio at hand, tell what was done, and end with 1 if there are findings."""
    from runfolio.transfer.importing import import_store

    with opened() as folio:
        done = import_store(
            folio,
            source,
            experiments=experiments,
            since_ms=since_ms,
            dry_run=dry_run,
            files=not no_artifacts,
            models=models,
            verify=not no_verify,
            tell=lambda text: click.echo(f"runfolio: {text}", err=True),
        )
    if as_json:
        click.echo(json.dumps(done.document(), indent=2))
    else:
        _show(done, dry_run)
    if done.findings:
        raise SystemExit(EXIT_FINDINGS)


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
