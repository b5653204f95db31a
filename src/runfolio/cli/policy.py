"""``runfolio policy check|explain|test|owners``: promotions judged by ``policy.yaml``."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runfolio.cli import options
from runfolio.cli.lazy import LazyCommands
from runfolio.cli.models import name_argument, version_argument, version_of
from runfolio.cli.opening import opened
from runfolio.cli.tables import Column, print_json, print_table
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio import Folio
    from runfolio.policy import GateResult, Verdict

MARKS = {"passed": "✓ passed", "failed": "✗ failed", "waived": "! waived", "pending": "… pending"}


@click.group("policy", cls=LazyCommands, elsewhere={"owners": "runfolio.cli.policy_owners"})
def policy() -> None:
    """Judge promotions by the gates of policy.yaml.

    A gate that cannot be evaluated fails. The grammar: docs/how-to/policy.md.
    """


def print_verdict(verdict: Verdict) -> None:
    """Print a verdict as a table, on standard output."""
    click.echo(click.style(f"{visible(verdict.model)} {verdict.version} → {verdict.stage}: {verdict.summary}", bold=True))
    rows = [[MARKS[gate.state], gate.id, _why(gate)] for gate in verdict.gates]
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
@click.option(
    "--approvals", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File of names who approved, one a line."
)
@click.option(
    "--allowed-signers", metavar="FILE", help="The ssh keys whose Approved-by commits count; git's configured file by default."
)
@options.as_json
def check(span: str, approvals: Path | None, allowed_signers: str | None, as_json: bool) -> None:
    """Judge all promotions between two revisions by the policy of BASE; ends with 1 where one is refused.

    Who approved comes from --approvals, from the git host's API in a CI job, and from signed Approved-by commits.
    """
    from runfolio.registry.gates import judge_change

    base_text, dots, head_text = span.partition("..")
    if not dots or head_text.startswith("."):
        raise click.UsageError("Give two revisions with two dots between them: origin/main..HEAD")
    with opened() as folio:
        base, head = _commit(folio, base_text or "HEAD"), _commit(folio, head_text or "HEAD")
        base = folio.repo.run("merge-base", base, head, check=False).decode().strip() or base
        names = _approvals(folio, base, head, approvals, allowed_signers)
        verdicts = judge_change(folio, base, head, now=time.time_ns() // 1_000_000, approvals=names)
    if not verdicts and not as_json:
        click.echo("Nothing is promoted between the two.", err=True)
    _told(verdicts, as_json)


def _commit(folio: Folio, text: str) -> str:
    from runfolio.folio.past import commit_at

    return commit_at(folio.place, text)


def _approvals(folio: Folio, base: str, head: str, file: Path | None, allowed_signers: str | None) -> tuple[str, ...]:
    from runfolio.registry.approvals import approvals_by_host, approvals_by_trailer

    names: list[str] = []
    if file is not None:
        names += [line.strip() for line in file.read_text("utf-8").splitlines() if line.strip()]
    names += approvals_by_host() or ()
    names += approvals_by_trailer(folio, base, head, allowed_signers)
    return tuple(dict.fromkeys(names))


@policy.command("explain")
@name_argument
@version_argument
@click.argument("stage")
@options.as_json
def explain(name: str, version: str, stage: str, as_json: bool) -> None:
    """Say what is missing for a promotion; ends with 1 where it would be refused."""
    from runfolio.records.models import canonical_stage
    from runfolio.registry.gates import judge_at_tip
    from runfolio.registry.promotion import Promotion

    with opened() as folio:
        model, found = version_of(folio, name, version)
        wanted = canonical_stage(stage, folio.settings.registry.stages)
        promotion = Promotion(model.name, found.version, wanted)
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

    if file is None:
        with opened() as folio:
            place = folio.place.root / POLICY
            data = place.read_bytes() if place.is_file() else folio.place.read(folio.place.tip(), POLICY)
        if data is None:
            raise NotFoundError(f"There is no {POLICY} here. The grammar: docs/how-to/policy.md")
    else:
        data = file.read_bytes()
    results = run_examples(decode_policy(data, str(file or POLICY)))
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
    if any(item.faults for item in results):
        raise click.exceptions.Exit(1)
