"""``runfolio models promote|demote``: a version put into a stage, here or by a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runfolio.cli.models import name_argument, version_argument, version_of
from runfolio.cli.opening import opened
from runfolio.records.models import NO_STAGE, canonical_stage
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio import Folio
    from runfolio.registry.promotion import Promotion

_direct = click.option("--direct/--pull-request", "direct", default=None, help="Commit here, or on a branch for a pull request.")
_branch = click.option("--branch", metavar="NAME", help="The branch of the pull request; promote/… by default.")
_open = click.option("--no-open", is_flag=True, help="With --pull-request: only the branch and the text, nothing is pushed.")


@click.command("promote")
@name_argument
@version_argument
@click.argument("stage")
@_direct
@_branch
@_open
@click.option("--archive", "others", flag_value="archive", help="Put what is in the stage now into Archived.")
@click.option("--keep", "others", flag_value="keep", help="Leave what is in the stage now there, too.")
@click.option("-m", "--message", metavar="TEXT", default="", help="Why; goes into the commit.")
def promote(
    name: str,
    version: str,
    stage: str,
    direct: bool | None,
    branch: str | None,
    no_open: bool,
    others: str | None,
    message: str,
) -> None:
    """Put a version into a stage.

    What is in the stage now leaves it, so that the promotion is one changed line in models/NAME/model.yaml. --direct commits it on the
    branch at hand; --pull-request on a branch of its own, with the text of the pull request, which is opened where gh is there.
    """
    from runfolio.registry.promotion import Promotion

    with opened() as folio:
        model, found = version_of(folio, name, version)
        wanted = canonical_stage(stage, folio.settings.registry.stages)
        if wanted == NO_STAGE:
            raise click.UsageError(f"To take a version out of its stage: runfolio models demote {visible(name)} {found.version}")
        _carry_out(folio, Promotion(model.name, found.version, wanted, others or "retire"), direct, branch, no_open, message)


@click.command("demote")
@name_argument
@version_argument
@_direct
@_branch
@_open
@click.option("--archive", is_flag=True, help="Put it into Archived.")
@click.option("-m", "--message", metavar="TEXT", default="", help="Why; goes into the commit.")
def demote(name: str, version: str, direct: bool | None, branch: str | None, no_open: bool, archive: bool, message: str) -> None:
    """Take a version out of its stage."""
    from runfolio.records.models import ARCHIVED
    from runfolio.registry.promotion import Promotion

    with opened() as folio:
        model, found = version_of(folio, name, version)
        stage = canonical_stage(ARCHIVED, folio.settings.registry.stages) if archive else NO_STAGE
        _carry_out(folio, Promotion(model.name, found.version, stage, "keep"), direct, branch, no_open, message)


def _carry_out(folio: Folio, promotion: Promotion, direct: bool | None, branch: str | None, no_open: bool, message: str) -> None:
    from runfolio.registry import promotion as promoting

    if direct is None:
        raise click.UsageError("Say --pull-request (a branch, for review) or --direct (commit on the branch at hand).")
    if direct and branch:
        raise click.UsageError("--branch goes with --pull-request.")
    model = folio.models.find(promotion.model)
    promotion.apply(model, folio.settings.registry.exclusive)
    if direct:
        promoting.promote(folio, promotion, body=message)
        click.echo(_done_text(promotion), err=True)
        return
    name = branch or promoting.branch_of(promotion, model.slug)
    promoting.promote(folio, promotion, body=message, branch=name)
    _offer(folio, promotion, name, no_open, message)


def _done_text(promotion: Promotion) -> str:
    where = "in no stage any more" if promotion.stage == NO_STAGE else f"in {promotion.stage}"
    return f"{visible(promotion.model)} {promotion.version} is {where}."


def _offer(folio: Folio, promotion: Promotion, branch: str, no_open: bool, message: str) -> None:
    """Open the pull request where gh is there; else print its text and what to do."""
    from runfolio.registry.promotion import base_branch
    from runfolio.registry.proposals import proposal_text, propose

    model = folio.models.find(promotion.model)
    version = folio.models.version(model, promotion.version)
    there = model.stages.get(promotion.stage, ())
    live = folio.models.version(model, there[-1]) if there else None
    proposal = proposal_text(model, promotion, version, live, message, "")
    base = base_branch(folio)
    click.echo(f"The branch {branch} holds the promotion.", err=True)
    address = None if no_open else propose(folio, branch, base, proposal)
    if address:
        click.echo(address)
        return
    click.echo(f"{proposal.title}\n\n{proposal.body}", nl=False)
    click.echo(f"Push it, and open a pull request to {base} with this text: git push {folio.settings.remote} {branch}", err=True)
