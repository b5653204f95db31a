"""What imports and exports have in common: the options that choose, and what is told of what was done."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runfolio.errors import EXIT_FINDINGS, UsageError
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.transfer import Imported
    from runfolio.transfer.choice import Choice

Command = TypeVar("Command", bound=Callable[..., Any])

MOST_SHOWN = 50
_ORDER = ("experiments", "runs", "points", "metrics", "artifacts", "logged models", "models", "versions")


def choice_options(verb: str, done: str) -> Callable[[Command], Command]:
    """Return what gives a command the options that :func:`choice_of` is given, and ``as_json``.

    Parameters
    ----------
    verb, done : str
        What is done with a thing, and what was: ``take``, ``taken``.
    """
    options = (
        click.option(
            "--experiment", "experiments", metavar="NAME", multiple=True,
            help=f"{verb.capitalize()} this one only, by name or id; repeatable.",
        ),
        click.option(
            "--since", "since_ms", metavar="DATE", callback=_moment,
            help=f"{verb.capitalize()} runs that started then or later: 2026-01-31, or with a time, in UTC.",
        ),
        click.option("--dry-run", is_flag=True, help=f"Count what would be {done}, with its size, and {verb} nothing."),
        click.option("--no-artifacts", is_flag=True, help="Leave the files of runs where they are."),
        click.option("--no-verify", is_flag=True, help=f"Do not read back what was {done}."),
        click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON."),
    )  # fmt: skip

    def give(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return give


def choice_of(
    *,
    experiments: tuple[str, ...],
    since_ms: int | None,
    dry_run: bool,
    no_artifacts: bool,
    no_verify: bool,
    models: bool,
) -> Choice:
    """Return what the options of a command ask for; what goes on is told on standard error."""
    from runfolio.transfer.choice import Choice

    return Choice(
        experiments, since_ms, dry_run, not no_artifacts, models, not no_verify,
        tell=lambda text: click.echo(f"runfolio: {text}", err=True),
    )  # fmt: skip


def _moment(context: click.Context, option: click.Parameter, text: str | None) -> int | None:
    """Read a date as milliseconds since the epoch, UTC."""
    if text is None:
        return None
    try:
        made = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise UsageError(f"--since {text!r} is no date. Write 2026-01-31, or 2026-01-31T12:00.") from None
    if made.tzinfo is None:
        made = made.replace(tzinfo=datetime.timezone.utc)
    return int(made.timestamp() * 1000)


def tell(done: Imported, verb: str, *, dry_run: bool, as_json: bool) -> None:
    """Print what was done, and end with 1 if there are findings.

    Parameters
    ----------
    done : Imported
    verb : str
        What was done with each thing: ``took``, ``would take``.
    dry_run, as_json : bool

    Raises
    ------
    SystemExit
        With the code for findings, if there are any.
    """
    if as_json:
        click.echo(json.dumps(done.document(), indent=2))
    else:
        _show(done, verb, dry_run)
    if done.findings:
        raise SystemExit(EXIT_FINDINGS)


def _counted(number: int, kind: str) -> str:
    return f"1 {kind.removesuffix('s')}" if number == 1 else f"{number:,} {kind}"


def _show(done: Imported, verb: str, dry_run: bool) -> None:
    for kind in _ORDER:
        if kind in done.counts or kind in done.there:
            there = f", {done.there[kind]:,} there already" if done.there.get(kind) else ""
            click.echo(f"{verb} {_counted(done.counts.get(kind, 0), kind)}{there}")
    if done.size:
        click.echo(f"{verb} {done.size / 1e6:,.1f} MB of artifacts")
    if not dry_run and done.verified:
        click.echo(f"read back and compared {_counted(done.verified, 'runs')}")
    for text in done.document().get("notes", ()):
        click.echo(f"note: {visible(text)}")
    for item in done.findings[:MOST_SHOWN]:
        click.echo(f"{visible(item.where)}: {visible(item.what)}")
    if len(done.findings) > MOST_SHOWN:
        click.echo(f"… and {len(done.findings) - MOST_SHOWN:,} findings more: --json shows all")
    if not done.findings:
        click.echo("Complete." if not dry_run else "Nothing stands in the way.")
