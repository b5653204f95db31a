"""``runfolio merge-driver``: how ``git merge`` joins records; set up by ``runfolio init``."""

from __future__ import annotations

import subprocess
from pathlib import Path

import click

CONFLICT = 1


@click.command("merge-driver", hidden=True)
@click.argument("base", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("ours", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("theirs", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("path")
@click.pass_context
def merge_driver(ctx: click.Context, base: Path, ours: Path, theirs: Path, path: str) -> None:
    """Join a record that two branches changed, for git merge (%O %A %B %P).

    What cannot be joined is left as git's own merge would leave it, with conflict markers, and ends with 1: a conflict.
    """
    from runfolio.diff.joining import join
    from runfolio.errors import RunfolioError
    from runfolio.formats.paths import OURS

    parts = path.split("/")
    starts = [at for at, part in enumerate(parts) if part in OURS]
    joined = None
    try:
        before = base.read_bytes()
        inner = "/".join(parts[starts[-1] :]) if starts else path
        joined = join(inner, before or None, ours.read_bytes(), theirs.read_bytes(), strict=True)
    except RunfolioError as error:
        click.echo(f"runfolio: {error.message}", err=True)
    if joined is not None:
        ours.write_bytes(joined)
        return
    # git's own text merge, so that an editor or mergetool finds what it knows; a clean one would still be two opinions.
    subprocess.run(["git", "merge-file", "-L", "ours", "-L", "base", "-L", "theirs", ours, base, theirs], check=False)
    ctx.exit(CONFLICT)
