"""``runfolio import``: another tool's store, taken into the folio; what it does is in :mod:`runfolio.transfer`."""

from __future__ import annotations

from typing import Any

import click

from runfolio.cli.importing_shared import carry_out, import_options
from runfolio.cli.lazy import LazyCommands

# The commands of other tools, each in a module of its own: the attribute has the command's name, with "_" for "-".
_ELSEWHERE: dict[str, str] = {
    "aim": "runfolio.cli.importing_aim",
    "dvc": "runfolio.cli.importing_dvc",
    "neptune": "runfolio.cli.importing_neptune",
    "sacred": "runfolio.cli.importing_sacred",
    "table": "runfolio.cli.importing_table",
    "tensorboard": "runfolio.cli.importing_tensorboard",
    "wandb": "runfolio.cli.importing_wandb",
}


@click.group("import", cls=LazyCommands, elsewhere=_ELSEWHERE)
def import_group() -> None:
    """Take the experiments, runs and models of another tool into the folio."""


@import_group.command("mlflow")
@click.argument("uri")
@click.option("--no-models", is_flag=True, help="Leave registered models out.")
@import_options
def mlflow_command(uri: str, no_models: bool, **options: Any) -> None:
    """Take an MLflow store in: a server or a database, by MLflow's own client, or a folder mlruns, without MLflow.

    Experiments, runs with whole histories, params, tags, datasets and artifacts, deleted ones too; registered models with their versions,
    stages and aliases. Ids and numbers are kept, so that the same store again adds only what is new. Each run is read back and
    compared. Exit code 1 says that there are findings: each thing that was not taken, or not as it was, with its reason.
    """
    from runfolio.transfer.mlflow_source import open_mlflow

    carry_out(open_mlflow(uri), models=not no_models, **options)
