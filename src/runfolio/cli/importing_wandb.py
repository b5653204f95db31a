"""``runfolio import wandb``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runfolio.cli.importing_shared import carry_out, import_options


@click.command("wandb")
@click.argument("place", type=click.Path(path_type=Path), metavar="DIR|FILE")
@click.option(
    "--project", default="", metavar="NAME", help="Of runs of a file that do not say theirs; the file's name by default."
)
@click.option(
    "--param", "params", metavar="COLUMN", multiple=True, help="This column of a table is a param, no metric; repeatable."
)
@import_options
def wandb(place: Path, project: str, params: tuple[str, ...], **options: Any) -> None:
    """Take runs of Weights & Biases in: folders that its client left on disk, or a file that was exported.

    FILE is JSON or CSV of the API's runs (config, summary, history), a run's history, or the table of W&B's pages as CSV.

    DIR is a folder wandb, one above such folders, or a run's own (offline-run-…, run-…). The package wandb is not needed, nor a login.
    Config becomes params, the history metrics with their steps and times, system metrics too, pictures and files artifacts.
    A log without an end (a killed run) is taken as far as it goes, and named. Exit code 1 says that there are findings.
    """
    from runfolio.transfer.wandb import open_wandb

    carry_out(open_wandb(place, project, params), **options)
