"""``runfolio check`` and ``runfolio doctor``: is it right, and how is it."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from runfolio.cli import options
from runfolio.cli.opening import opened
from runfolio.cli.tables import Column, print_json, print_table, terminal_width
from runfolio.errors import EXIT_FINDINGS
from runfolio.records.findings import Finding, Severity, count_by_severity
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio.checking import Progress
    from runfolio.folio.health import Health

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_NO_FILE = "(the folio as a whole)"


class Share(click.ParamType):  # type: ignore[type-arg]  # generic only in click 8.4 and newer
    """``all``, or a part such as ``5%``; from 0 to 1 for the command."""

    name = "all|N%"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the text."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        try:
            share = 1.0 if text == "all" else float(text.removesuffix("%")) / 100 if text.endswith("%") else -1.0
        except ValueError:
            share = -1.0
        if not 0.0 <= share <= 1.0:
            self.fail(f"{text!r} is no share: write all, or a part such as 5%.", param, ctx)
        return share


@click.command("check")
@options.as_json
@options.at
@click.option(
    "--read-data", type=Share(), is_flag=False, flag_value=1.0, default=0.0, metavar="[all|N%]",
    help="Read the artifacts' bytes and compare them with their digests: all, or a random part of the objects.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
def check(as_json: bool, at: str | None, read_data: float, strict: bool) -> None:
    """Check every record: schema, spelling, references, digests.

    Names file, field and remedy of every fault, all at once. Without --at also what only this clone has: journals, the work
    tree, locks. Exits with 1 where there are errors; with --at, objects in a store that this machine cannot look at are a warning.
    Nothing is changed.
    """
    from runfolio.folio.checking import check as check_folio
    from runfolio.folio.past import commit_at

    with opened(quiet=True) as folio:
        rev = commit_at(folio.place, at) if at else None
        findings = check_folio(folio, rev=rev, read_data=read_data, progress=_progress())
    counts = count_by_severity(findings)
    if as_json:
        print_json([finding.as_fields() for finding in findings])
    else:
        for line in grouped(findings, terminal_width()):
            click.echo(line)
        click.echo(counted(counts), err=bool(findings))
    if counts[Severity.ERROR] or (strict and counts[Severity.WARNING]):
        raise SystemExit(EXIT_FINDINGS)


def _progress() -> Progress | None:
    """Return a counter on the terminal; None where standard error is none."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        end = "" if done < total else "\r\x1b[K"
        click.echo(f"\rchecked {done:,} of {total:,} files{end}", err=True, nl=False)

    return show


def grouped(findings: Sequence[Finding], width: int | None) -> Iterator[str]:
    """Yield the lines that show findings, those of one file below its name.

    Parameters
    ----------
    findings : sequence of Finding
        In order of their files.
    width : int or None
        Columns of the terminal; None for no limit.
    """
    from runfolio.hosts.annotations import no_command

    file = None
    for finding in findings:
        if finding.file != file:
            file = finding.file
            yield click.style(no_command(visible(file)) or _NO_FILE, bold=True)
        word, _, rest = no_command(visible(finding.line())).partition(": ")
        shown = _wrapped(f"{word}: {rest}", width)
        yield shown.replace(word, click.style(word, fg=_COLOURS[finding.severity]), 1)


def _wrapped(text: str, width: int | None) -> str:
    if width is None:
        return f"  {text}"
    # A path or a command that is longer than a line stays whole, so that it can be copied.
    return textwrap.fill(
        text, max(width, 20), initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def counted(counts: dict[Severity, int]) -> str:
    """Say how many findings there are."""
    if not any(counts.values()):
        return "Everything is in order."
    return ", ".join(f"{count} {severity}{'s' * (count != 1)}" for severity, count in counts.items()) + "."


@click.command("doctor")
@options.as_json
def doctor(as_json: bool) -> None:
    """Say what the folio costs and what will hit a limit when.

    Bytes a run, growth, git's index, what one sync costs on this disk, objects, journals, the kind of clone; then advice.
    Measures only; no network is used. Exits with 1 where there is an error or a warning.
    """
    from runfolio.folio.health import examine

    with opened(quiet=True) as folio:
        health = examine(folio)
    if as_json:
        print_json(health_fields(health))
    else:
        _show(health)
    if any(item.severity is not Severity.NOTE for item in health.advice):
        raise SystemExit(EXIT_FINDINGS)


def _show(health: Health) -> None:
    for title, text in facts(health):
        click.echo(f"{click.style(f'{title:<12}', bold=True)}{visible(text)}")
    click.echo()
    rows = [
        (
            limit.name,
            size_text(limit.now),
            size_text(limit.limit),
            _count(limit.runs_left),
            limit.day.isoformat() if limit.day else "–",
        )
        for limit in health.limits
    ]
    columns = (Column("limit"), Column("now", True), Column("most", True), Column("runs left", True, 1), Column("about", rank=2))
    print_table(columns, rows)
    if health.advice:
        click.echo()
        for line in grouped(health.advice, terminal_width()):
            click.echo(line)


def facts(health: Health) -> Iterator[tuple[str, str]]:
    """Yield what a folio is and takes: title and text."""
    records, git, journals = health.records, health.repository, health.journals
    kind = "ledger branch" if health.ledger else "branch at hand"
    yield "Folio", f"{health.root} (records on the {kind}, {health.branch or 'none: HEAD is detached'})"
    a_run, thousand = size_text(records.a_run), size_text(records.a_run * 1000)
    yield (
        "Runs",
        f"{records.runs:,}, {records.recent:,} of them in the last 30 days; {records.files:,} files, {size_text(records.bytes)}",
    )
    yield "In git", f"{a_run} a run with its share of trees and commits, {thousand} for 1,000 more runs"
    packs = f"{git.packs} pack{'s' * (git.packs != 1)}"
    yield (
        "Repository",
        f"{size_text(git.bytes)}: {size_text(git.packed)} in {packs}, {size_text(git.loose)} in {git.loose_objects:,} single files",
    )
    if health.index is not None:
        part = f"{health.index.records:,} of them records ({size_text(health.index.record_bytes)})"
        yield "Index", f"{size_text(health.index.bytes)}, {health.index.entries:,} entries, {part}"
    sync = "cannot be written" if health.sync_ms is None else f"one sync of 4 KB takes {health.sync_ms:.1f} ms here"
    yield "Durability", f"{health.durability}; {sync}"
    if health.store is not None:
        store = health.store
        held = f"{store.objects:,} objects, {size_text(store.bytes)}, {size_text(store.recent)} in the last 30 days"
        yield "Objects", f"{store.place}: {held}; {size_text(store.free)} of the disk are free"
    yield "Journals", f"{journals.live} live, {journals.waiting} waiting, {journals.left} left behind; the lock is {health.lock}"
    kinds = [name for name in ("bare", "shallow", "partial", "sparse") if getattr(health.clone, name)]
    remotes = ", ".join(f"{name} {address}" for name, address in health.clone.remotes) or "no remote"
    yield "Clone", f"{', '.join(kinds) or 'whole'}; {remotes}; git {health.git}"


def health_fields(health: Health) -> dict[str, Any]:
    """Return an examination as JSON values."""
    from dataclasses import asdict

    made = asdict(health)
    made["records"].update(a_run=round(health.records.a_run, 1), growth_per_1000=round(health.records.a_run * 1000))
    made["repository"]["bytes"] = health.repository.bytes
    if health.index is not None:
        made["index"]["record_bytes"] = health.index.record_bytes
    made["advice"] = [item.as_fields() for item in health.advice]
    for limit in made["limits"]:
        limit["day"] = limit["day"].isoformat() if isinstance(limit["day"], date) else None
    return made


def size_text(size: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"
