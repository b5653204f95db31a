"""Options and arguments that several commands share, so that they read and mean the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from runfolio.cli.completion import experiment_names, run_names

F = TypeVar("F", bound=Callable[..., Any])


def _not_empty(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse what a variable that is not set makes of ``--at "$REV"``: it would be answered with the present."""
    if value is not None and not value.strip():
        raise click.BadParameter("it is empty; leave the option out to ask the present.", ctx, param)
    return value


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
as_csv = click.option("--csv", "as_csv", is_flag=True, help="Print CSV; cells that a spreadsheet would run get a ' before them.")
raw = click.option("--raw", is_flag=True, help="With --csv: leave every cell as it is.")
raw_cells = click.option("--raw", is_flag=True, help="Leave cells as they are that a spreadsheet would run as a formula.")
at = click.option(
    "--at", metavar="REV", callback=_not_empty, help="Ask the past: a revision (v1.0, HEAD~5) or a date (2026-11-01, UTC)."
)
yes = click.option("--yes", is_flag=True, help="Do it; without this it is only shown.")
filter_text = click.option("--filter", "filter", metavar="FILTER", default="", help='Filter, such as "metrics.acc > 0.9".')
order_by = click.option(
    "--order-by", metavar="KEY", multiple=True, help="Order, such as 'metrics.acc DESC'; repeat for more keys."
)
experiments = click.option(
    "-e",
    "--experiment",
    "experiments",
    metavar="NAME",
    multiple=True,
    shell_complete=experiment_names,
    help="Only this experiment (name, id or folder); repeat for more.",
)
run = click.argument("run", shell_complete=run_names)
some_runs = click.argument("run_texts", metavar="[RUN]…", nargs=-1, shell_complete=run_names)
experiment = click.argument("experiment", shell_complete=experiment_names)


def check_formats(**formats: bool) -> None:
    """Refuse two output formats at once.

    Raises
    ------
    click.UsageError
    """
    if sum(formats.values()) > 1:
        raise click.UsageError("Choose one of " + ", ".join(f"--{name}" for name in formats) + ".")


def key_values(pairs: tuple[str, ...], kind: str) -> dict[str, str]:
    """Read ``KEY=VALUE`` arguments.

    Raises
    ------
    click.UsageError
        If one has no ``=``, or a key comes twice.
    """
    made: dict[str, str] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise click.UsageError(f"{pair!r} is no {kind}: write KEY=VALUE.")
        if key in made:
            raise click.UsageError(f"The {kind} {key!r} is given twice.")
        made[key] = value
    return made
