"""What every ``runfolio import …`` has: its options, how it is carried out, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runfolio.cli.opening import opened
from runfolio.cli.transfers_told import moment_option, tell

if TYPE_CHECKING:
    from runfolio.transfer.source import Source

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--experiment", "experiments", metavar="NAME", multiple=True, help="Take this one only, by name or id; repeatable."
    ),
    click.option(
        "--since",
        "since_ms",
        metavar="DATE",
        callback=moment_option,
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
    tell(done, "would take" if dry_run else "took", dry_run=dry_run, as_json=as_json)
