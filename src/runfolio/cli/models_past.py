"""``runfolio models history|diff|where|lineage``: what happened, what differs, where the same bytes are, what came of what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from runfolio.cli import options
from runfolio.cli.approving import SIGNERS_FILE
from runfolio.cli.completion import model_names
from runfolio.cli.models import name_argument, version_argument, version_of, version_shape
from runfolio.cli.opening import opened
from runfolio.cli.tables import Column, print_json, print_table
from runfolio.diff.describe import number_text
from runfolio.records.models import check_version
from runfolio.records.times import utc_text
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio import Folio


EVERY = 2**31 - 1
"""The most commits that git can be asked for."""


@click.command("history")
@click.argument("name", required=False, shell_complete=model_names)
@click.option("-v", "--version", metavar="VERSION", help="Only what happened to this version.")
@click.option("--signatures", is_flag=True, help="Check the signatures of the commits, offline.")
@click.option(
    "--allowed-signers", metavar="FILE", type=SIGNERS_FILE, help="The ssh keys that count; git's configured file by default."
)
@click.option("-n", "--limit", type=click.IntRange(1), help="The newest of what happened, at most; all by default.")
@options.as_json
def history(
    name: str | None, version: str | None, signatures: bool, allowed_signers: str | None, limit: int | None, as_json: bool
) -> None:
    """Show what happened to a model, newest first: who, when, which commit and pull request, which gates passed.

    Read from git alone: every change of the model's files counts, whatever tool made it.
    """
    from runfolio.gitstore.history import signatures as signatures_of
    from runfolio.registry.history import deleted_slug
    from runfolio.registry.history import history as events_of

    with opened() as folio:
        gone = deleted_slug(folio, name) if name and folio.models.get(name) is None else None
        slug = gone or (folio.models.find(name).slug if name else None)
        number = _number(folio, name, version, gone) if name and version else None
        every = [event for event in events_of(folio, slug, limit=EVERY) if number is None or event.version == number]
        events = every[:limit]
        checked = signatures or allowed_signers is not None
        states = signatures_of(folio.repo, dict.fromkeys(event.commit for event in events), allowed_signers) if checked else {}
    if gone:
        click.echo(f"{visible(name or '')} was deleted; this is what happened to it.", err=True)
    if as_json:
        print_json([_event_shape(event, states.get(event.commit)) for event in events])
        return
    if not events:
        click.echo("Nothing happened yet.", err=True)
        return
    columns = [Column("when", whole=True), Column("what"), Column("by", rank=1), Column("commit", whole=True)]
    rows = []
    for event in events:
        by = (
            f"{event.author}; merged by {event.merged_by}"
            if event.merged_by and event.merged_by != event.author
            else event.author
        )
        row = [utc_text(event.at)[:16].replace("T", " "), event.text, by, event.commit[:10]]
        row += [f"#{event.pull_request}" if event.pull_request else "", event.gates]
        if checked:
            state = states.get(event.commit)
            row.append(f"{state.state}{f' ({state.signer})' if state.signer else ''}" if state else "none")
        rows.append(row)
    columns += [Column("pull request", rank=2, whole=True), Column("gates", rank=3)]
    print_table([*columns, Column("signature", rank=4)] if checked else columns, rows)
    if allowed_signers is None and any(state.state == "cannot be checked" for state in states.values()):
        click.echo(
            "Whose ssh keys and gpg keys count is not known here: --allowed-signers FILE for ssh, gpg --import for gpg.", err=True
        )
    if len(events) < len(every):
        click.echo(f"the newest {len(events)} of {len(every)}; -n shows more.", err=True)


def _number(folio: Folio, name: str, version: str, gone: str | None) -> int:
    """Return the number of a version; of a model that was deleted, only the number itself is known."""
    if gone is None:
        return version_of(folio, name, version)[1].version
    return check_version(version.removeprefix("v"))


def _event_shape(event: Any, signature: Any) -> dict[str, Any]:
    from dataclasses import asdict

    made = {key: value for key, value in asdict(event).items() if value not in ("", None, ())}
    made["at"] = utc_text(event.at)
    if signature is not None:
        made["signature"] = asdict(signature)
    return made


@click.command("diff")
@name_argument
@click.argument("old")
@click.argument("new")
@options.as_json
def diff(name: str, old: str, new: str, as_json: bool) -> None:
    """Show what differs between two versions: metrics, facts and files."""
    from runfolio.registry.comparing import compare_versions

    with opened() as folio:
        model, first = version_of(folio, name, old)
        _, second = version_of(folio, name, new)
        found = compare_versions(folio, model, first, second)
    if as_json:
        print_json(found)
        return
    if found["same_bytes"]:
        click.echo(f"{visible(name)} {first.version} and {second.version} are the same bytes.", err=True)
    for title, rows in (("metric", found["metrics"]), ("fact", found["facts"]), ("file", found["files"])):
        if rows:
            columns = [Column(title), Column(str(first.version)), Column(str(second.version))]
            print_table(columns, [[row["name"], _said(row["old"]), _said(row["new"])] for row in rows])
            click.echo("")


def _said(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, dict) and {"gate", "stage"} <= value.keys():  # a waiver, whose reason models show tells
        return f"{value['gate']} for {value['stage']}, until {str(value.get('expires', ''))[:10]}"
    return ", ".join(map(_said, value)) if isinstance(value, list) else str(value)


@click.command("where")
@click.argument("what")
@options.as_json
def where(what: str, as_json: bool) -> None:
    """Find the versions that hold some bytes, that a run made, or whose run read some data.

    WHAT is a digest (of a version, of one of its files, or of a dataset), a local file or model folder, a run, runs:/RUN/PATH, or the
    name of a dataset.
    """
    from runfolio.registry.comparing import find_versions

    with opened() as folio:
        found = find_versions(folio, what)
    if as_json:
        print_json([{**version_shape(model, version), "by": why} for model, version, why in found])
        return
    if not found:
        click.echo("No version holds that.", err=True)
        raise click.exceptions.Exit(1)
    columns = [Column("model"), Column("version", right=True, whole=True), Column("stage", whole=True), Column("by")]
    rows = [[model.name, str(version.version), model.stage_of(version.version), why] for model, version, why in found]
    print_table(columns, rows)


@click.command("lineage")
@name_argument
@version_argument
@options.as_json
def lineage(name: str, version: str, as_json: bool) -> None:
    """Show what a version came from: datasets, code and run, and where it went: stages and aliases, copies."""
    from runfolio.registry.lineage import lineage_of

    with opened() as folio:
        found = lineage_of(folio, *version_of(folio, name, version))
    if as_json:
        print_json(found)
        return
    for item in found["datasets"]:
        click.echo(
            f"dataset  {visible(item['name'])}  {item['digest']}" + (f"  ({visible(item['context'])})" if item["context"] else "")
        )
    below = "  " if found["datasets"] else ""
    if found["run"]:
        run = found["run"]
        click.echo(f"{_branch(below)}run  {run['run_id']}  {visible(run['name'])}  {visible(run['code'])}".rstrip())
        below += "  "
    click.echo(f"{_branch(below)}version  {visible(name)} {found['version']}  {found['digest'] or ''}".rstrip())
    below += "  "
    for item in found["live"]:
        click.echo(f"{_branch(below)}{visible(item)}")
    for item in found["copies"]:
        click.echo(f"{_branch(below)}same bytes: {visible(item)}")
    for item in found["events"]:
        click.echo(f"{below}  {item['at'][:16].replace('T', ' ')}  {visible(item['text'])}  {item['commit'][:10]}")


def _branch(below: str) -> str:
    """Return what a line begins with, that hangs on the one above it; nothing where there is none above."""
    return f"{below}└ " if below else ""
