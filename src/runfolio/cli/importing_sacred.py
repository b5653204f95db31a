"""``runfolio import sacred``."""

from __future__ import annotations

from typing import Any

import click

from runfolio.cli.importing_shared import carry_out, import_options


@click.command("sacred")
@click.argument("folder", metavar="DIR")
@import_options
def sacred(folder: str, **options: Any) -> None:
    """Take runs of Sacred in that its FileStorageObserver wrote.

    DIR is the observer's folder, one above such folders, or a run's own. The package Sacred is not needed. Config becomes params, metrics
    come with their steps and times, artifacts, sources and output as files, resources as datasets. A run that died is taken as far as
    it was written, and named. Exit code 1 says that there are findings.
    """
    from runfolio.transfer.sacred_source import open_sacred

    carry_out(open_sacred(folder), **options)
