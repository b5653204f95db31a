"""``runfolio models card``: the model card of a version."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runfolio.cli.models import name_argument, version_argument, version_of
from runfolio.cli.opening import opened
from runfolio.formats import paths
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio import Folio
    from runfolio.records.models import ModelVersion, RegisteredModel


@click.command("card")
@name_argument
@version_argument
@click.option("--write", is_flag=True, help="Make it from the version's record, and commit it.")
@click.option(
    "--from", "source", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Commit this file as the card."
)
@click.option("--check", is_flag=True, help="Say which sections are not written yet; ends with 1 where there are any.")
def card(name: str, version: str, write: bool, source: Path | None, check: bool) -> None:
    """Print, write or check the model card of a version.

    A card is models/NAME/cards/VERSION.md: edit it there as any file. A section is complete when it says something beside comments.
    """
    from runfolio.errors import AlreadyExistsError, NotFoundError, UsageError, storage_error
    from runfolio.registry import cards

    if write + check + (source is not None) > 1:
        raise click.UsageError("Choose one of --write, --from and --check.")
    with opened() as folio:
        model, found = version_of(folio, name, version)
        there = cards.read_card(folio, model.slug, found.version)
        if source is not None:
            try:
                text = source.read_text("utf-8")
            except UnicodeDecodeError:
                raise UsageError(f"{source} is not text in UTF-8. Save it again as UTF-8.") from None
            except OSError as error:
                raise storage_error(f"read {source}", error) from None
            cards.write_card(folio, model, found, text)
            return
        if write:
            if there is not None:
                raise AlreadyExistsError(f"{visible(name)} {found.version} has a card. {_how_to_edit(folio, model, found)}")
            run = folio.runs.committed(found.run_id) if found.run_id else None
            there = cards.render_card(model, found, run)
            cards.write_card(folio, model, found, there)
            click.echo(f"The card is committed. {_how_to_edit(folio, model, found)}", err=True)
            return
        if there is None:
            raise NotFoundError(
                f"{visible(name)} {found.version} has no card. Make one: runfolio models card {visible(name)} {found.version} --write"
            )
        edited = check and _edited(folio, paths.card_path(model.slug, found.version), there)
    if not check:
        click.echo(there, nl=not there.endswith("\n"))
        return
    if edited:
        click.echo(f"{edited} has changes that are not committed; what is committed is checked, as gates do.", err=True)
    fault = cards.fault_of(there, paths.card_path(model.slug, found.version))
    if fault:
        click.echo(fault)
    lacking = cards.incomplete(cards.sections(there))
    for title in lacking:
        click.echo(f"not written: {title}")
    if lacking or fault:
        raise click.exceptions.Exit(1)
    click.echo("The card is complete.", err=True)


def _how_to_edit(folio: Folio, model: RegisteredModel, version: ModelVersion) -> str:
    """Say how people complete a card: it is a file of the work tree, unless records have a branch of their own."""
    if folio.place.ledger is None and folio.repo.work_tree is not None:
        path = folio.place.full(paths.card_path(model.slug, version.version))
        return f"Complete it in {visible(path)}, and commit that, or replace it: --from FILE"
    call = f"runfolio models card {shlex.quote(model.name)} {version.version}"
    return f"To complete it: {call} > card.md, edit that, and {call} --from card.md"


def _edited(folio: Folio, path: str, committed: str) -> str:
    """Return the path of a card in the work tree that says something else than the committed one; empty where none does."""
    root = folio.repo.work_tree
    file = root / folio.place.full(path) if root is not None and folio.place.ledger is None else None
    try:
        return path if file is not None and file.read_bytes() != committed.encode("utf-8", "surrogateescape") else ""
    except OSError:
        return ""
