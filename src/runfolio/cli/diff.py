"""``runfolio diff``: two states of a folio, or some runs, compared."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runfolio.cli.completion import run_names
from runfolio.cli.opening import opened
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio import Folio
    from runfolio.records import Run
    from runfolio.review.change import Change, Span

FORMATS = ("text", "markdown", "json", "html")
_WIDEST = 160


@click.command("diff")
@click.argument("what", metavar="A..B | RUN RUN…", nargs=-1, required=True, shell_complete=run_names)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How it is told.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it there.")
@click.option(
    "--baseline", type=click.Choice(("auto", "pinned", "live", "best")), help="Of a span: what new runs are held against."
)
@click.option("--exit-code", is_flag=True, help="End with 1 where there are differences, as git diff does.")
def diff(what: tuple[str, ...], form: str, output: Path | None, baseline: str | None, exit_code: bool) -> None:
    """Compare two states of the folio, or two runs and more.

    A..B compares the states as they are, A...B compares B with what both have in common. A and B are branches, tags, commits, days or
    times; one alone is compared with HEAD. Several names without dots are runs (by id, its beginning, or name; as another branch or an
    earlier time has them with BRANCH:RUN): what differs between them is told.
    """
    with opened() as folio:
        if len(what) == 1 or ".." in what[0]:
            if len(what) > 1:
                raise click.UsageError("Give one span A..B, or runs.")
            data, differs = _change(folio, what[0], form, baseline)
        else:
            if baseline:
                raise click.UsageError("--baseline is for a span; of runs the first is the baseline.")
            data, differs = _runs(folio, what, form)
    if output is None:
        click.echo(data, nl=False)
    else:
        from runfolio.errors import storage_error

        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_bytes(data)
        except OSError as error:
            raise storage_error(f"write {output}", error) from None
    if exit_code and differs:
        raise click.exceptions.Exit(1)


def _change(folio: Folio, what: str, form: str, baseline: str | None) -> tuple[bytes, bool]:
    from runfolio.review.gathering import gather

    between = _span(folio, what)
    found = gather(folio, between, baseline=baseline or folio.settings.review.baseline)
    _tell_of_parting(folio, between)
    if found.empty and form == "text":
        click.echo("Nothing that runfolio looks at differs between the two.", err=True)
        return b"", False
    return _told(folio, found, form), not found.empty


def _span(folio: Folio, what: str) -> Span:
    """Resolve A..B, or one state alone, which is compared with HEAD."""
    from runfolio.errors import NotFoundError
    from runfolio.review.span import state_span

    if ".." in what:
        return state_span(folio.place, what)
    try:
        return state_span(folio.place, f"{what}..HEAD")
    except NotFoundError as error:
        raise NotFoundError(f"{error.message} Runs are compared by naming two or more.") from None


def _tell_of_parting(folio: Folio, span: Span) -> None:
    """Say where the second state lacks what the first has: compared as they are, all of that counts as gone."""
    from runfolio.gitstore.difference import merge_base

    if span.base == span.tip and merge_base(folio.repo, span.base, span.head) not in (None, span.base, span.head):
        one, other = visible(span.base_text), visible(span.head_text)
        click.echo(
            f"runfolio: {other} does not have all that {one} has; what it lacks is told as gone. What {other} brings since they parted: "
            f"runfolio diff {one}...{other}",
            err=True,
        )


def _told(folio: Folio, change: Change, form: str) -> bytes:
    from dataclasses import replace

    from runfolio.review.options import options_of

    options = replace(options_of(folio.settings.review), limit=10_000_000, quiet=False)
    if form == "json":
        from runfolio.cli.review import json_bytes

        return json_bytes(change)
    if form == "html":
        from runfolio.review.page import change_page

        return change_page(change, options).encode("utf-8", "replace")
    if form == "markdown":
        from runfolio.review.fitting import render_bodies

        return render_bodies(change, options)[0].encode("utf-8", "replace")
    from runfolio.review.text import report_text

    return report_text(change, options, _width()).encode("utf-8", "backslashreplace")


def _runs(folio: Folio, names: tuple[str, ...], form: str) -> tuple[bytes, bool]:
    import json

    from runfolio.diff import compare_runs
    from runfolio.review.options import ReportOptions
    from runfolio.review.runs import comparison_document, comparison_markdown, comparison_sections, comparison_text

    found = list({run.run_id: run for run in (_run(folio, name) for name in names)}.values())
    if len(found) < 2:
        raise click.UsageError("Name two runs or more: these names are all of one run.")
    comparison = compare_runs(found).only_differences()
    options = ReportOptions(rows=1000)
    if form == "json":
        text = json.dumps(comparison_document(comparison), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    elif form == "markdown":
        text = comparison_markdown(comparison, found, options)
    elif form == "html":
        from runfolio.review.page import sections_page

        text = sections_page(comparison_sections(comparison, found, options), options)
    else:
        text = comparison_text(comparison, found, options, _width())
    return text.encode("utf-8", "backslashreplace"), bool(comparison.rows)


def _run(folio: Folio, name: str) -> Run:
    """Find a run by its name; ``BRANCH:RUN`` as the records of that revision have it."""
    from runfolio.errors import NotFoundError
    from runfolio.folio.past import commit_at

    rev, colon, rest = name.partition(":")
    if colon and rev and rest:
        return folio.runs.find_at(rest, commit_at(folio.place, rev))
    try:
        return folio.runs.get(folio.runs.resolve(name))
    except NotFoundError as error:
        raise NotFoundError(
            f"{error.message}; one of another branch is named BRANCH:{visible(name)}; two states are compared by A..B"
        ) from None


def _width() -> int:
    return min(shutil.get_terminal_size((100, 24)).columns, _WIDEST)
