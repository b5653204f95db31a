"""``runfolio import tensorboard``: a folder of event files."""

from __future__ import annotations

from typing import Any

import click

from runfolio.cli.importing_shared import carry_out, import_options


@click.command("tensorboard")
@click.argument("folder", metavar="DIR")
@click.option("--into", metavar="NAME", default="", help="Experiment that the runs come into; the folder's name by default.")
@click.option(
    "--depth",
    type=click.IntRange(min=0),
    metavar="N",
    help="Make one run of what lies deeper than N folders: 1 joins a/train and a/validation, with metrics train/loss and validation/loss.",
)
@import_options
def tensorboard(folder: str, into: str, depth: int | None, **options: Any) -> None:
    """Take TensorBoard's event files in: each folder below DIR that has some is a run.

    Scalars with all their points, hyperparameters, images by step, texts, sound, histograms, graphs, embeddings. The same folder again,
    also where it was moved to, adds only what is new. A file that is broken or cut off is read as far as it goes, and named. Needs
    the package tensorboard (pip install 'runfolio[tensorboard]'), not TensorFlow. Exit code 1 says that there are findings.
    """
    from runfolio.transfer.tensorboard_source import open_tensorboard

    carry_out(open_tensorboard(folder, into=into, depth=depth), **options)
