"""``runfolio import dvc``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runfolio.cli.importing_shared import carry_out, import_options


@click.command("dvc")
@click.argument("place", type=click.Path(path_type=Path), metavar="REPO|DIR")
@click.option("--rev", "revisions", metavar="REV", multiple=True, help="This commit, branch or tag is a run, too; repeatable.")
@click.option("--all-branches", "branches", is_flag=True, help="Every branch is a run, too.")
@click.option("--all-tags", "tags", is_flag=True, help="Every tag is a run, too.")
@click.option("--workspace", is_flag=True, help="The files as they are now are a run, too.")
@import_options
def dvc(place: Path, revisions: tuple[str, ...], branches: bool, tags: bool, workspace: bool, **options: Any) -> None:
    """Take experiments of DVC in, or a folder that dvclive wrote.

    The experiments of a repository (refs/exps) are runs: params and metrics files as dvc.yaml declares them, dvclive's histories,
    plots and images; outputs from DVC's cache on this machine, data by its MD5 as datasets. The package dvc is not needed.
    Exit code 1 says that there are findings.
    """
    from runfolio.transfer.dvc import open_dvc

    carry_out(open_dvc(place, revisions, branches=branches, tags=tags, workspace=workspace), **options)
