"""``runfolio environments``: what is kept of environments, and how to be rid of it."""

from __future__ import annotations

import time

import click

from runfolio.cli import options
from runfolio.errors import EXIT_FINDINGS, BusyError


@click.group("environments")
def environments() -> None:
    """List and remove the Python environments that were made for runs and models.

    They are kept in your cache folder, by the digest of their requirements, Python and manager. None is needed: what is removed is made
    again at its next use.
    """


@environments.command("list")
@options.as_json
def list_command(as_json: bool) -> None:
    """List the environments that are kept, the last used first."""
    from runfolio.cli.listing import age_text
    from runfolio.cli.run_files import size_text
    from runfolio.cli.tables import Column, print_json, print_table
    from runfolio.environments import kept_environments

    found = kept_environments()
    if as_json:
        print_json(
            [
                {
                    "name": item.name, "folder": str(item.folder), "manager": item.manager, "python": item.python,
                    "packages": item.packages, "bytes": item.size, "used": int(item.used * 1000), "whole": item.whole,
                }
                for item in found
            ]
        )  # fmt: skip
        return
    columns = [Column("name", whole=True), Column("manager"), Column("python"), Column("lines", right=True, rank=2),
               Column("size", right=True, whole=True), Column("used", rank=1)]  # fmt: skip
    now = int(time.time() * 1000)
    rows = [
        [item.name[:12], item.manager if item.whole else "not whole", item.python, str(item.packages), size_text(item.size),
         age_text(int(item.used * 1000), now)]
        for item in found
    ]  # fmt: skip
    if rows:
        print_table(columns, rows)
    click.echo(f"{len(found)} kept, {size_text(sum(item.size for item in found))}.", err=True)


@environments.command("where")
def where() -> None:
    """Print the folder where environments are kept."""
    from runfolio.environments import cache_folder

    click.echo(str(cache_folder()))


@environments.command("remove")
@click.argument("names", metavar="[NAME]…", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--unused-for", metavar="SPAN", help="Those that were not used for so long: 90d, 12h.")
@options.yes
def remove(names: tuple[str, ...], everything: bool, unused_for: str | None, yes: bool) -> None:
    """Remove environments: by name, all, or those that nobody used for long.

    One that a process runs in, or makes, stays, and the exit code is 1.
    """
    from runfolio.environments import kept_environments, remove_environment
    from runfolio.formats.durations import parse_duration

    if sum((bool(names), everything, unused_for is not None)) != 1:
        raise click.UsageError("Say which: names, or --all, or --unused-for SPAN.")
    limit = time.time() - parse_duration(unused_for) if unused_for else None
    chosen = list(names) or [item.name for item in kept_environments(sizes=False) if limit is None or item.used < limit]
    left = 0
    for name in chosen:
        if not yes:
            click.echo(f"would remove {name}")
            continue
        try:
            click.echo(f"removed {remove_environment(name)}")
        except BusyError as error:
            left += 1
            click.echo(f"left: {error.message}", err=True)
    if not yes and chosen:
        click.echo("Nothing was removed. Do it with --yes.", err=True)
    if left:
        raise SystemExit(EXIT_FINDINGS)
