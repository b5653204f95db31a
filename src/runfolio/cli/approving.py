"""Who approved a change, for the commands that judge it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from runfolio.folio import Folio

F = TypeVar("F", bound=Callable[..., Any])

approvals_option = click.option(
    "--approvals", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File of names who approved, one a line."
)
# The whole path: git reads it from its own folder.
SIGNERS_FILE = click.Path(exists=True, dir_okay=False, resolve_path=True)
signers_option = click.option(
    "--allowed-signers",
    metavar="FILE",
    type=SIGNERS_FILE,
    help="The ssh keys whose Approved-by commits count; git's configured file by default.",
)


def approvals_of(
    folio: Folio, base: str, head: str, file: Path | None, allowed_signers: str | None, *, host_needed: bool = True
) -> tuple[str, ...]:
    """Return who approved: by a file, by the git host of a CI job, and by signed commits.

    Parameters
    ----------
    folio : Folio
    base, head : str
        Commits between which signed approvals count.
    file : Path or None
    allowed_signers : str or None
    host_needed : bool, optional
        Whether a git host that refuses is an error; else it is told, and approves nothing.
    """
    from runfolio.errors import RemoteError
    from runfolio.registry.approvals import approvals_by_host, approvals_by_trailer

    names: list[str] = []
    if file is not None:
        names += [line.strip() for line in file.read_text("utf-8").splitlines() if line.strip()]
    try:
        names += approvals_by_host() or ()
    except RemoteError as error:
        if host_needed:
            raise
        click.echo(f"runfolio: no approvals of the git host count: {error.message}", err=True)
    names += approvals_by_trailer(folio, base, head, allowed_signers)
    return tuple(dict.fromkeys(names))
