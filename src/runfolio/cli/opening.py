"""Open the folio that a command works on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runfolio.folio import Folio


@contextmanager
def opened(*, quiet: bool = False) -> Iterator[Folio]:
    """Open the folio of ``-C``, of ``RUNFOLIO_TRACKING_URI``, or of the current folder; say what killed processes left there.

    Parameters
    ----------
    quiet : bool, optional
        For the commands that say so themselves.
    """
    from runfolio.folio.opening import open_folio

    folio = open_folio(chosen_folio())
    try:
        yield folio
        left = [] if quiet else folio.spool.left_behind()
        if left:
            were = "run was left by a process that died" if len(left) == 1 else "runs were left by processes that died"
            click.echo(f"runfolio: {len(left)} {were}. Bring back all that was logged: runfolio recover", err=True)
    finally:
        folio.close()


def chosen_folio() -> str | None:
    """Return the path that ``-C`` or ``RUNFOLIO_TRACKING_URI`` names; None for the current folder.

    Raises
    ------
    click.UsageError
        If it is a spool folder.
    """
    from runfolio.folio.locations import location_of

    context = click.get_current_context(silent=True)
    chosen = (context.find_root().params.get("folio") if context else None) or os.environ.get("RUNFOLIO_TRACKING_URI") or ""
    kind, path = location_of(chosen)
    if kind == "spool":
        raise click.UsageError(
            "A spool folder is no folio: give the folio with -C, and take the spool in with: runfolio collect " + path
        )
    return path or None
