"""``runfolio review BASE..HEAD``: what a proposed change says, for its pull request."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runfolio.cli.approving import approvals_of, approvals_option, signers_option
from runfolio.cli.opening import chosen_folio

if TYPE_CHECKING:
    from runfolio.folio import Folio
    from runfolio.review.change import Change
    from runfolio.review.options import ReportOptions

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("review")
@click.argument("span", metavar="BASE..HEAD")
@click.option("--markdown", type=_FILE, metavar="FILE", help="Write the comment's Markdown.")
@click.option("--summary", type=_FILE, metavar="FILE", help="Append the job summary: the same, longer ($GITHUB_STEP_SUMMARY).")
@click.option("--json", "as_json", type=_FILE, metavar="FILE", help="Write all of it as JSON (docs/review-format.md).")
@click.option("--html", type=_FILE, metavar="FILE", help="Write a page of just this change that opens from anywhere.")
@click.option("--openmetrics", type=_FILE, metavar="FILE", help="Write OpenMetrics (GitLab's metrics report).")
@click.option("--code-quality", type=_FILE, metavar="FILE", help="Write findings as GitLab's code quality report.")
@click.option("--annotate/--no-annotate", default=None, help="Print findings as workflow commands; on in GitHub Actions.")
@click.option(
    "--post", is_flag=True, help="Write the comment on the pull request, or bring the one of an earlier build up to date."
)
@click.option("--pull", type=click.IntRange(1), metavar="N", help="The pull request; that of the CI job by default.")
@approvals_option
@signers_option
def review(
    span: str, markdown: Path | None, summary: Path | None, as_json: Path | None, html: Path | None, openmetrics: Path | None,
    code_quality: Path | None, annotate: bool | None, post: bool, pull: int | None, approvals: Path | None,
    allowed_signers: str | None,
) -> None:  # fmt: skip
    """Report what HEAD brings since it left BASE; ends with 1 where a gate fails or records were tampered with.

    Judged by settings and policy of BASE. Nothing of HEAD is run or loaded: only git objects are read. Without an option the Markdown is
    printed. What is shown, and what fails, is said in runfolio.yaml: review.
    """
    from runfolio.folio.opening import open_trusted
    from runfolio.review.annotations import findings_of, lines_in
    from runfolio.review.gathering import gather
    from runfolio.review.options import options_of
    from runfolio.review.releases import Judging
    from runfolio.review.span import proposed_span, split_span
    from runfolio.review.worst import failures

    folio, rules = open_trusted(chosen_folio(), split_span(span)[0])
    try:
        found = proposed_span(folio.repo, span)
        names = approvals_of(folio, found.base, found.head, approvals, allowed_signers, host_needed=False)
        judging = Judging(rules, time.time_ns() // 1_000_000, names)
        settings = folio.settings.review
        change = gather(folio, found, judging=judging, baseline=settings.baseline)
        options = options_of(settings, more=f"runfolio diff {found.base[:12]}..{found.head[:12]}")
        lines = lines_in(change, lambda path: folio.repo.read(f"{found.head}:{path}"))
        findings = findings_of(change)
        for file, text in _texts(change, options, markdown=markdown, as_json=as_json, html=html, openmetrics=openmetrics).items():
            _write(file, text())
        if code_quality is not None:
            from runfolio.hosts.annotations import code_quality as written

            _write(code_quality, written(findings, lines).encode())
        if summary is not None:
            _append(summary, change, options)
        in_actions = os.environ.get("GITHUB_ACTIONS") == "true"
        quiet = not any((markdown, summary, as_json, html, openmetrics, code_quality, post))
        _say(change, options, markdown_only=quiet and not annotate)
        if annotate or (annotate is None and in_actions and not quiet):
            from runfolio.hosts.annotations import annotate as commands

            click.echo(commands(findings, lines), nl=False)
        if post:
            _post(folio, change, options, pull)
        failed = failures(change, settings.fail_on)
    finally:
        folio.close()
    if failed:
        click.echo(f"runfolio: the review fails: {'; '.join(failed)}.", err=True)
        raise click.exceptions.Exit(1)


def _texts(
    change: Change,
    options: ReportOptions,
    *,
    markdown: Path | None,
    as_json: Path | None,
    html: Path | None,
    openmetrics: Path | None,
) -> Mapping[Path, Callable[[], bytes]]:
    """Return what is to be written, by file; each is made when it is written."""
    made: dict[Path, Callable[[], bytes]] = {}
    if markdown is not None:
        made[markdown] = lambda: _markdown(change, options).encode("utf-8", "replace")
    if as_json is not None:
        made[as_json] = lambda: json_bytes(change)
    if html is not None:
        from runfolio.review.page import change_page

        made[html] = lambda: change_page(change, options).encode("utf-8", "replace")
    if openmetrics is not None:
        from runfolio.review.openmetrics import openmetrics as metrics

        made[openmetrics] = lambda: metrics(change).encode("utf-8", "replace")
    return made


def json_bytes(change: Change) -> bytes:
    """Return a change as JSON text."""
    import json

    from runfolio.review.document import change_document

    return (json.dumps(change_document(change), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode(
        "utf-8", "backslashreplace"
    )


def _markdown(change: Change, options: ReportOptions) -> str:
    from runfolio.review.fitting import render_bodies

    bodies = render_bodies(change, options)
    return bodies[0] if bodies else ""


def _say(change: Change, options: ReportOptions, *, markdown_only: bool) -> None:
    """Print the report: as Markdown where nothing else was asked for, else in words, as a log."""
    from runfolio.hosts.annotations import inert, no_command

    if markdown_only:
        text = _markdown(change, options)
        in_a_job = os.environ.get("GITHUB_ACTIONS") == "true"  # Forgejo's and Gitea's runners set it, too
        click.echo(no_command(text) if in_a_job else text, nl=False)
        if change.empty:
            click.echo("Nothing that runfolio looks at differs between the two.", err=True)
        return
    from runfolio.review.text import report_text

    click.echo(inert(report_text(change, options)))


def _write(file: Path, data: bytes) -> None:
    from runfolio.errors import storage_error

    if str(file) == "-":
        click.echo(data, nl=False)
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    except OSError as error:
        raise storage_error(f"write {file}", error) from None


def _append(file: Path, change: Change, options: ReportOptions) -> None:
    """Append to the job summary: other steps of the job write to it, too."""
    from runfolio.errors import storage_error
    from runfolio.review.summary import job_summary

    text = "" if change.empty and options.quiet else job_summary(change, options)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as stream:
            stream.write(text.encode("utf-8", "replace"))
    except OSError as error:
        raise storage_error(f"write {file}", error) from None


def _post(folio: Folio, change: Change, options: ReportOptions, pull: int | None) -> None:
    """Bring the comment on the pull request up to date; where nothing changed and none is there, leave it so."""
    from dataclasses import replace

    from runfolio.errors import RemoteError, UsageError
    from runfolio.hosts import find_host
    from runfolio.review.fitting import render_bodies

    repo = folio.repo
    remote = repo.config(f"remote.{folio.settings.remote}.url")
    host = find_host(remote_url=remote)
    if host is None:
        raise RemoteError(
            "There is no git host to post to: this is no CI job, and the remote is no host that is known. Say which: RUNFOLIO_HOST "
            "(docs/how-to/hosts.md)"
        )
    number = pull or host.pull_request()
    if number is None:
        raise UsageError("This job runs for no pull request. Name one: --pull N")
    # Where there is nothing to say a new comment is noise, but an old one would tell what is true no more.
    quiet = change.empty and options.quiet
    bodies = render_bodies(change, replace(options, quiet=False))
    name = f"review:{folio.place.prefix.strip('/') or '.'}"
    posted = host.upsert_comment(number, name, bodies, order=host.build_order(), create=not quiet)
    if posted.action == "absent":
        click.echo("Nothing that runfolio looks at changed: no comment is written.", err=True)
        return
    click.echo(f"The comment was {posted.action}: {posted.url}", err=True)
