"""``runfolio site unpublish``: a site, such as a preview, taken away from where people saw it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runfolio.cli.opening import opened
from runfolio.errors import UsageError
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.site.destinations import Unpublished


@click.command("unpublish")
@click.argument("destination", required=False)
@click.option("--branch", metavar="NAME", help="Take it away from this branch of the remote instead.")
@click.option("--remote", metavar="NAME", help="Git remote of --branch; the setting sync.remote, origin by default.")
@click.option("--folder", default="", metavar="PATH", help="Folder of the branch, the bucket or DESTINATION, such as preview/7.")
@click.option("-y", "--yes", is_flag=True, help="Without --folder: do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def unpublish(destination: str | None, branch: str | None, remote: str | None, folder: str, yes: bool, as_json: bool) -> None:
    """Take away what `runfolio site publish` put to DESTINATION.

    Only files that were published go; what lies beside the site is kept. Where there is no site of ours, nothing is done.
    """
    if (destination is None) == (branch is None):
        raise click.UsageError("Give one destination: a folder, a bucket, or --branch NAME.")
    if not folder and not yes:
        _ask(f"Take away the whole site at {destination or branch} (a preview has a --folder)?")
    if branch is not None:
        from runfolio.site.destinations import unpublish_from_branch

        with opened() as folio:
            message = f"site: {visible(folder) or 'all of it'} taken away\n"
            done = unpublish_from_branch(folio.repo, branch, remote or folio.place.settings.remote, folder, message)
    else:
        done = _taken_away(str(destination), folder)
    if as_json:
        click.echo(json.dumps({"place": done.place, "removed": done.removed}, indent=2))
    elif done.removed:
        click.echo(f"{visible(done.place)}: {done.removed:,} files removed")
    else:
        click.echo(f"{visible(done.place)}: no site of runfolio's is there")


def _ask(question: str) -> None:
    try:
        click.confirm(question, abort=True, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise click.UsageError("Nobody answered, and nothing was taken away. Without a terminal, say --yes.") from None


def _taken_away(destination: str, folder: str) -> Unpublished:
    from runfolio.objects import is_bucket, open_bucket
    from runfolio.site.destinations import unpublish_from_bucket, unpublish_from_folder

    if not is_bucket(destination):
        path = Path(destination.removeprefix("file://"))
        return unpublish_from_folder(path / folder if folder else path)
    try:
        bucket = open_bucket(destination)
    except UsageError as error:
        raise UsageError(error.message.removeprefix("artifacts: ")) from None
    return unpublish_from_bucket(bucket, folder)
