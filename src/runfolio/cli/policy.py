"""``runfolio policy check|explain|test|owners``: promotions judged by ``policy.yaml``."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runfolio.cli import options
from runfolio.cli.approving import approvals_of, approvals_option, signers_option
from runfolio.cli.lazy import LazyCommands
from runfolio.cli.models import name_argument, version_argument, version_of
from runfolio.cli.opening import chosen_folio, opened
from runfolio.cli.tables import Column, print_json, print_table
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.policy import GateResult, Verdict

MARKS = {"passed": "✓ passed", "failed": "✗ failed", "waived": "! waived", "pending": "… pending"}


@click.group("policy", cls=LazyCommands, elsewhere={"owners": "runfolio.cli.policy_owners"})
def policy() -> None:
    """Judge promotions by the gates of policy.yaml.

    A gate that cannot be evaluated fails. The grammar: docs/how-to/policy.md.
    """


def print_verdict(verdict: Verdict) -> None:
    """Print a verdict as a table, on standard output."""
    from runfolio.hosts.annotations import no_command

    model = no_command(visible(verdict.model))
    click.echo(click.style(f"{model} {verdict.version} → {verdict.stage}: {verdict.summary}", bold=True))
    rows = [[MARKS[gate.state], gate.id, no_command(_why(gate))] for gate in verdict.gates]
    if rows:
        print_table([Column("state", whole=True), Column("gate", whole=True), Column("why", least=60)], rows)


def _why(gate: GateResult) -> str:
    return gate.text + (f" ({gate.because})" if gate.because and gate.state != "passed" else "")


def verdict_shape(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON shows it."""
    return {
        "model": verdict.model,
        "version": verdict.version,
        "stage": verdict.stage,
        "accepted": verdict.accepted,
        "summary": verdict.summary,
        "gates": [
            {
                "id": gate.id,
                "kind": gate.kind,
                "state": gate.state,
                "text": gate.text,
                "because": gate.because,
                "evaluated": gate.evaluated,
            }
            for gate in verdict.gates
        ],
    }


def _told(verdicts: Iterable[Verdict], as_json: bool) -> None:
    """Print verdicts; end with 1 where one refuses."""
    listed = list(verdicts)
    if as_json:
        print_json([verdict_shape(verdict) for verdict in listed])
    else:
        for number, verdict in enumerate(listed):
            if number:
                click.echo("")
            print_verdict(verdict)
    if not all(verdict.accepted for verdict in listed):
        raise click.exceptions.Exit(1)


@policy.command("check")
@click.argument("span", metavar="BASE..HEAD")
@approvals_option
@signers_option
@options.as_json
def check(span: str, approvals: Path | None, allowed_signers: str | None, as_json: bool) -> None:
    """Judge all promotions between two revisions by the policy of BASE; ends with 1 where one is refused.

    Who approved comes from --approvals, from the git host's API in a CI job, and from signed Approved-by commits.
    """
    from runfolio.errors import StateError
    from runfolio.folio.opening import open_trusted
    from runfolio.registry.gates import FIND_RULES, judge_change, rules_unknown
    from runfolio.review.span import proposed_span, split_span

    folio, rules = open_trusted(chosen_folio(), split_span(span)[0])
    try:
        found = proposed_span(folio.repo, span)
        names = approvals_of(folio, found.base, found.head, approvals, allowed_signers)
        verdicts = judge_change(folio, found.base, found.head, now=time.time_ns() // 1_000_000, approvals=names, rules=rules)
        if verdicts and (unknown := rules_unknown(folio, found.base, rules)):
            raise StateError(f"Nothing was judged: {unknown}. {FIND_RULES}")
    finally:
        folio.close()
    if not verdicts and not as_json:
        click.echo("Nothing is promoted between the two.", err=True)
    _told(verdicts, as_json)


@policy.command("explain")
@name_argument
@version_argument
@click.argument("stage")
@options.as_json
def explain(name: str, version: str, stage: str, as_json: bool) -> None:
    """Say what is missing for a promotion; ends with 1 where it would be refused."""
    from runfolio.records.models import canonical_stage
    from runfolio.registry.gates import judge_at_tip, policy_unheard
    from runfolio.registry.promotion import Promotion

    with opened() as folio:
        model, found = version_of(folio, name, version)
        wanted = canonical_stage(stage, folio.settings.registry.stages)
        promotion = Promotion(model.name, found.version, wanted)
        if unheard := policy_unheard(folio):
            click.echo(f"runfolio: {unheard}", err=True)
        verdict = judge_at_tip(folio, promotion, now=time.time_ns() // 1_000_000, pending=True)
    _told([verdict], as_json)


@policy.command("test")
@click.option(
    "--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Another file than the folio's policy.yaml."
)
@options.as_json
def test(file: Path | None, as_json: bool) -> None:
    """Run the examples of policy.yaml; ends with 1 where one comes out other than expected.

    The file in the work tree is read, so that a policy is tested before it is committed.
    """
    from runfolio.errors import NotFoundError
    from runfolio.formats.paths import POLICY
    from runfolio.policy import decode_policy, run_examples

    stages = None
    if file is None:
        with opened() as folio:
            place = folio.place.root / POLICY
            data = place.read_bytes() if place.is_file() else folio.place.read(folio.place.tip(), POLICY)
            stages = folio.settings.registry.stages
        if data is None:
            raise NotFoundError(f"There is no {POLICY} here. The grammar: docs/how-to/policy.md")
    else:
        data = file.read_bytes()
    results = run_examples(decode_policy(data, str(file or POLICY), stages))
    if as_json:
        print_json([{"name": item.example.name, "faults": list(item.faults), **verdict_shape(item.verdict)} for item in results])
    else:
        for item in results:
            mark = "✗" if item.faults else "✓"
            click.echo(f"{mark} {visible(item.example.name)} (line {item.example.line})")
            for fault in item.faults:
                click.echo(f"    {visible(fault)}")
        click.echo(
            f"{len(results)} example{'s' * (len(results) != 1)}, {sum(bool(item.faults) for item in results)} failed", err=True
        )
    if not results:
        click.echo("Examples say what the policy is to refuse and to let through: docs/how-to/policy.md", err=True)
    if any(item.faults for item in results):
        raise click.exceptions.Exit(1)
