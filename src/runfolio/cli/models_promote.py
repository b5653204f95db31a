"""``runfolio models promote|demote``: a version put into a stage, here or by a pull request."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from runfolio.cli.models import name_argument, version_argument, version_of
from runfolio.cli.opening import opened
from runfolio.errors import RemoteError
from runfolio.records.models import ARCHIVED, NO_STAGE, RegisteredModel, Waiver, canonical_stage
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio import Folio
    from runfolio.policy import Verdict
    from runfolio.registry.promotion import Promotion

WAIVED_MS = 30 * 86_400_000
"""How long a waiver lasts where nobody says until when: 30 days."""
_direct = click.option("--direct", is_flag=True, help="Commit on the branch at hand.")
_proposed = click.option("--pull-request", "proposed", is_flag=True, help="Commit on a branch of its own, for a pull request.")
_branch = click.option("--branch", metavar="NAME", help="The branch of the pull request; promote/… by default.")
_open = click.option("--no-open", is_flag=True, help="With --pull-request: only the branch and the text, nothing is pushed.")


@click.command("promote")
@name_argument
@version_argument
@click.argument("stage")
@_direct
@_proposed
@_branch
@_open
@click.option("--archive", is_flag=True, help="Put what is in the stage now into Archived.")
@click.option("--keep", is_flag=True, help="Leave what is in the stage now there, too.")
@click.option("-m", "--message", metavar="TEXT", default="", help="Why; goes into the commit.")
@click.option("--waive", "gates", metavar="GATE", multiple=True, help="Let this failed gate through; repeat for more.")
@click.option("--reason", metavar="TEXT", default="", help="Why it is waived; needed with --waive, and always shown.")
@click.option("--until", metavar="DATE", help="Until when it is waived, as 2026-12-31; 30 days by default.")
def promote(
    name: str,
    version: str,
    stage: str,
    direct: bool,
    proposed: bool,
    branch: str | None,
    no_open: bool,
    archive: bool,
    keep: bool,
    message: str,
    gates: tuple[str, ...],
    reason: str,
    until: str | None,
) -> None:
    """Put a version into a stage.

    What is in the stage now leaves it, so that the promotion is one changed line in models/NAME/model.yaml. --direct commits it on the
    branch at hand; --pull-request on a branch of its own, with the text of the pull request, which is opened
    where the git host's token (GITHUB_TOKEN, GITLAB_TOKEN, …) or gh is there.

    The gates of policy.yaml are judged first: a promotion that fails one is refused (exit code 1), with what is missing.
    """
    from runfolio.registry.gates import policy_unheard
    from runfolio.registry.promotion import Promotion

    _require_way(direct, proposed, branch, no_open)
    if archive and keep:
        raise click.UsageError("Say --archive or --keep of what is in the stage now, one of the two.")
    with opened() as folio:
        model, found = version_of(folio, name, version)
        wanted = canonical_stage(stage, folio.settings.registry.stages)
        if wanted == NO_STAGE:
            raise click.UsageError(f"To take a version out of its stage: runfolio models demote {visible(name)} {found.version}")
        promotion = Promotion(model.name, found.version, wanted, "archive" if archive else "keep" if keep else "retire")
        if unheard := policy_unheard(folio):
            click.echo(f"runfolio: {unheard}", err=True)
        waivers = _waivers(folio, gates, wanted, reason, until)
        _carry_out(folio, promotion, direct, branch, no_open, message, waivers)


@click.command("demote")
@name_argument
@version_argument
@_direct
@_proposed
@_branch
@_open
@click.option("--archive", is_flag=True, help="Put it into Archived.")
@click.option("-m", "--message", metavar="TEXT", default="", help="Why; goes into the commit.")
def demote(
    name: str, version: str, direct: bool, proposed: bool, branch: str | None, no_open: bool, archive: bool, message: str
) -> None:
    """Take a version out of its stage."""
    from runfolio.registry.promotion import Promotion

    _require_way(direct, proposed, branch, no_open)
    with opened() as folio:
        model, found = version_of(folio, name, version)
        stage = canonical_stage(ARCHIVED, folio.settings.registry.stages) if archive else NO_STAGE
        _carry_out(folio, Promotion(model.name, found.version, stage, "keep"), direct, branch, no_open, message)


def _waivers(folio: Folio, gates: tuple[str, ...], stage: str, reason: str, until: str | None) -> list[Waiver]:
    from runfolio.gitstore.commits import configured_ident
    from runfolio.registry.gates import load_policy

    if (reason or until) and not gates:
        raise click.UsageError("--reason and --until go with --waive GATE.")
    if not gates:
        return []
    if not reason.strip():
        raise click.UsageError("A waiver needs its reason: --reason TEXT. It is shown wherever the version is.")
    policy = load_policy(folio)
    known = [gate.id for rule in policy.rules for gate in rule.gates] + ["freeze"]
    strange = next((gate for gate in gates if gate not in known), None)
    if strange:
        raise click.UsageError(f"policy.yaml has no gate {strange!r}. It has: {', '.join(known)}.")
    ident = configured_ident(folio.repo)
    expires = _moment(until)
    return [Waiver(gate, stage, reason.strip(), f"{ident.name} <{ident.mail}>", expires) for gate in dict.fromkeys(gates)]


def _moment(until: str | None) -> int:
    now = time.time_ns() // 1_000_000
    if until is None:
        return now + WAIVED_MS
    try:
        day = datetime.strptime(until, "%Y-%m-%d").replace(tzinfo=timezone.utc)
    except ValueError:
        raise click.UsageError(f"--until: a date such as 2026-12-31 is expected, found {until!r}.") from None
    made = int(day.timestamp() * 1000) + 86_400_000
    if made <= now:
        raise click.UsageError(f"--until: {until} is over.")
    return made


def _require_way(direct: bool, proposed: bool, branch: str | None, no_open: bool) -> None:
    if direct == proposed:
        one = ", one of the two" if direct else ""
        raise click.UsageError(f"Say --pull-request (a branch, for review) or --direct (commit on the branch at hand){one}.")
    if direct and (branch or no_open):
        raise click.UsageError(f"{'--branch' if branch else '--no-open'} goes with --pull-request.")


def _carry_out(
    folio: Folio,
    promotion: Promotion,
    direct: bool,
    branch: str | None,
    no_open: bool,
    message: str,
    waivers: Sequence[Waiver] = (),
) -> None:
    from runfolio.registry import promotion as promoting

    model = folio.models.find(promotion.model)
    promotion.apply(model, folio.settings.registry.exclusive)
    verdict = _judged(folio, promotion, waivers, pending=not direct)
    body = "\n\n".join(part for part in (message.strip(), verdict.trailers) if part)
    if direct:
        promoting.promote(folio, promotion, waivers=waivers, body=body)
        click.echo(_done_text(promotion, model, folio.models.find(promotion.model)), err=True)
        return
    name = branch or promoting.branch_of(promotion, model.slug)
    promoting.promote(folio, promotion, waivers=waivers, body=body, branch=name)
    _offer(folio, promotion, name, no_open, message, verdict)


def _judged(folio: Folio, promotion: Promotion, waivers: Sequence[Waiver], *, pending: bool) -> Verdict:
    """Judge a promotion by the policy at hand; end with 1 where it is refused."""
    from runfolio.cli.policy import print_verdict
    from runfolio.registry.gates import judge_at_tip

    verdict = judge_at_tip(folio, promotion, waivers, now=time.time_ns() // 1_000_000, pending=pending)
    if verdict.gates:
        print_verdict(verdict)
    if not verdict.accepted:
        click.echo(f"Nothing was promoted. {_way_out(verdict)}", err=True)
        raise click.exceptions.Exit(1)
    return verdict


def _way_out(verdict: Verdict) -> str:
    failed = [gate for gate in verdict.gates if gate.state == "failed"]
    fixed = ", ".join(gate.id for gate in failed if not gate.waivable)
    if fixed:
        return f"Mend what failed; the policy lets nobody waive {fixed}."
    return f"Mend what failed, or waive it: {' '.join(f'--waive {gate.id}' for gate in failed)} --reason TEXT"


def _done_text(promotion: Promotion, before: RegisteredModel, after: RegisteredModel) -> str:
    where = "in no stage any more" if promotion.stage == NO_STAGE else f"in {promotion.stage}"
    said = [f"{visible(promotion.model)} {promotion.version} is {where}."]
    for stage, numbers in before.stages.items():
        left = [str(number) for number in numbers if number not in after.stages.get(stage, ()) and number != promotion.version]
        if left:
            said.append(f"{'Versions' if left[1:] else 'Version'} {', '.join(left)} left {stage}.")
        if not after.stages.get(stage) and stage not in (ARCHIVED, promotion.stage):
            said.append(f"{stage} is empty now.")
    return " ".join(said)


def _offer(folio: Folio, promotion: Promotion, branch: str, no_open: bool, message: str, verdict: Verdict) -> None:
    """Open the pull request where there is a token or gh; else print its text and what to do."""
    from runfolio.registry.promotion import base_branch
    from runfolio.registry.proposals import proposal_text, propose, verdict_markdown

    model = folio.models.find(promotion.model)
    version = folio.models.version(model, promotion.version)
    there = model.stages.get(promotion.stage, ())
    live = folio.models.version(model, there[-1]) if there else None
    proposal = proposal_text(model, promotion, version, live, message, verdict_markdown(verdict))
    base = base_branch(folio)
    click.echo(f"The branch {branch} holds the {'promotion' if promotion.stage != NO_STAGE else 'change'}.", err=True)
    text = f"{proposal.title}\n\n{proposal.body}"
    try:
        address = None if no_open else propose(folio, branch, base, proposal)
    except RemoteError:
        click.echo(text, nl=False)  # to be opened by hand: what was judged is not lost with the network
        raise
    if address:
        click.echo(address)
        return
    click.echo(text, nl=False)
    click.echo(f"Push it, and open a pull request to {base} with this text: git push {folio.settings.remote} {branch}", err=True)
