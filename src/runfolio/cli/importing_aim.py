"""``runfolio import aim``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runfolio.cli.importing_shared import carry_out, import_options


@click.command("aim")
@click.argument("place", type=click.Path(path_type=Path), metavar="REPO")
@import_options
def aim(place: Path, **options: Any) -> None:
    """Take the runs of an Aim repository in: the folder .aim, or the one that holds it.

    Read by Aim's own package (pip install 'runfolio[aim]'), without a server; no file of the repository changes. Attributes become
    params, metrics keep their steps, times and contexts, images, audio, figures, logs and artifacts become files.
    A run without an end is taken as far as it goes, and named. Exit code 1 says that there are findings.
    """
    from runfolio.transfer.aim import open_aim

    carry_out(open_aim(place), **options)
