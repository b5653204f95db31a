"""``runfolio export``: the folio's records for other tools and for archives; what it does is in :mod:`runfolio.exports`."""

from __future__ import annotations

import click

from runfolio.cli.lazy import LazyCommands

# The commands, each in a module that is loaded when it is called: the attribute has the command's name, with "_" for "-".
_ELSEWHERE = dict.fromkeys(("csv", "json", "parquet", "prov", "ro-crate"), "runfolio.cli.exporting_files") | {
    "mlflow": "runfolio.cli.exporting_mlflow"
}


@click.group("export", cls=LazyCommands, elsewhere=_ELSEWHERE)
def export_group() -> None:
    """Write experiments, runs and models for another tool or an archive."""
