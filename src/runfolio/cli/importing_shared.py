"""What every ``runfolio import …`` has: its options, and how it is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runfolio.cli.opening import opened
from runfolio.cli.transfers_told import choice_of, choice_options, tell

if TYPE_CHECKING:
    from runfolio.transfer.source import Source

import_options = choice_options("take", "taken")
"""Give a command the options that all imports have; they are what :func:`carry_out` is given."""


def carry_out(source: Source, *, as_json: bool, models: bool = False, **options: Any) -> None:
    """Take a source into the folio at hand, tell what was done, and end with 1 if there are findings."""
    from runfolio.transfer.importing import import_store

    choice = choice_of(models=models, **options)
    with opened() as folio:
        done = import_store(folio, source, choice)
    tell(done, "would take" if choice.dry_run else "took", dry_run=choice.dry_run, as_json=as_json)
