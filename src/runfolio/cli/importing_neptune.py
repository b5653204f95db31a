"""``runfolio import neptune``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runfolio.cli.importing_shared import carry_out, import_options


@click.command("neptune")
@click.argument("place", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--files", type=click.Path(path_type=Path), help="The exporter's --files-path; by default files in DIR or beside it."
)
@import_options
def neptune(place: Path, files: Path | None, **options: Any) -> None:
    """Take runs of Neptune in, from the Parquet files that Neptune's neptune-exporter wrote.

    DIR is its --data-path, or the folder that holds data and files. Configs become params, series metrics with their steps and times,
    files artifacts, what is under sys/ the run's facts. Exit code 1 says that there are findings.
    """
    from runfolio.transfer.neptune import open_neptune

    carry_out(open_neptune(place, files), **options)
