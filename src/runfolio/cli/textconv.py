"""``runfolio textconv``: what ``git diff`` shows of a record; set up by ``runfolio init``."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("textconv", hidden=True)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def textconv(file: Path) -> None:
    """Print a record in words, for git diff.

    Anything that is no readable run record (a metric history, a package list, a damaged or newer record) is printed as it is:
    a diff must never fail.
    """
    from runfolio.diff.describe import describe_run
    from runfolio.errors import RunfolioError
    from runfolio.formats.runs import decode_run

    data = file.read_bytes()
    try:
        text = describe_run(decode_run(data, file.name, trusted=True))
    except (RunfolioError, OverflowError):
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return
    click.echo(text, nl=False)
