"""``runfolio site build|serve|publish|unpublish``: the static site."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from runfolio.cli.lazy import LazyCommands
from runfolio.cli.opening import chosen_folio, opened

if TYPE_CHECKING:
    from runfolio.folio import Folio
    from runfolio.site import BuildOptions, BuildReport


@click.group(
    "site", cls=LazyCommands, elsewhere={"publish": "runfolio.cli.site_publish", "unpublish": "runfolio.cli.site_unpublish"}
)
def site() -> None:
    """Build, look at and publish the static site."""


@site.command("build")
@click.option(
    "-o",
    "--output",
    "out",
    default="site",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The site's folder: new, empty, or made by an earlier build.",
)
@click.option("--at", metavar="REV", help="Show the folio as of this revision.")
@click.option("--diff", metavar="A..B", help="Add a page of the difference of two revisions.")
@click.option("--base-url", metavar="URL", help="Where the site will stand, for the feed and link previews.")
@click.option("--public", is_flag=True, help="Leave out users, arguments, remotes and whatever site.hide names.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes that render; one for each core, at most 4, by default.")
@click.option("--templates", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Use these templates first.")
@click.option("--no-python-charts", is_flag=True, help="Do not run charts that are declared in Python.")
@click.option("--check", is_flag=True, help="Build nothing; say whether the site is up to date (exit code 1 if not).")
@click.option("--force", is_flag=True, help="Make every file again.")
@click.option("--json", "as_json", is_flag=True, help="Print what was built as JSON.")
def build(
    out: Path, at: str | None, diff: str | None, base_url: str | None, public: bool, jobs: int | None, templates: Path | None,
    no_python_charts: bool, check: bool, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Build the site, or bring it up to date.

    Every page works from any address, from a sub-path, from a zip, or by double-click.
    """
    from runfolio.site.options import BuildOptions
    from runfolio.site.unchanged import report_if_unchanged

    options = BuildOptions(at, base_url, public, jobs or default_jobs(), templates, not no_python_charts, force, _two(diff))
    report, hint = report_if_unchanged(chosen_folio(), out, options), ""
    if check:
        _say_whether_current(report is not None, out, options)
    if report is None:
        gc.disable()  # see `publish`
        from runfolio.site import build_site

        with opened() as folio:
            with Steps() as steps:
                report = build_site(folio, out, options, steps)
            hint = _tracked_hint(folio, out) if report.rendered else ""
    for text in (*report.warnings, *filter(None, [hint])):
        click.echo(f"runfolio: {text}", err=True)
    _report(report, as_json)


def _say_whether_current(current: bool, out: Path, options: BuildOptions) -> NoReturn:
    """End ``--check``; where it is not known yet that nothing changed, the folio is asked."""
    if not current:
        from runfolio.site import is_current

        with opened() as folio:
            current = is_current(folio, out, options)
    click.echo(f"{out} is up to date." if current else f"{out} is not up to date: runfolio site build -o {out}")
    raise SystemExit(0 if current else 1)


@site.command("serve")
@click.option("-p", "--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--templates", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Use these templates first.")
@click.option("--open/--no-open", "show", default=False, help="Open it in the browser.")
def serve(port: int, host: str, templates: Path | None, show: bool) -> None:
    """Build the site, show it, and bring it up to date as commits come.

    Pages that are open reload by themselves. It is for looking: for others, `runfolio site publish`.
    """
    from runfolio.site.serving import serve_site

    with opened() as folio:
        serve_site(folio, host, port, templates, lambda text: click.echo(text, err=True), show=show)


def _tracked_hint(folio: Folio, out: Path) -> str:
    """Say how to keep a site inside the repository out of git; nothing where it is outside or ignored, or this is a job's clone."""
    if os.environ.get("CI", "").lower() == "true":  # GitHub, GitLab, Gitea and Forgejo set it; their clone is thrown away
        return ""
    top = folio.repo.work_tree
    place = out.resolve()
    if (
        top is None
        or not place.is_relative_to(top.resolve())
        or folio.repo.succeeds("check-ignore", "-q", "--", str(place / "index.html"))
    ):
        return ""
    line, file = f"/{place.relative_to(top.resolve()).as_posix()}/", os.path.relpath(top / ".gitignore")
    return f"{out} lies in your repository, where it does not belong: echo '{line}' >> {file}"


def _two(diff: str | None) -> tuple[str, str] | None:
    if diff is None:
        return None
    old, dots, new = diff.partition("..")
    if not dots or not old or not new or new.startswith("."):
        raise click.BadParameter(f"{diff!r}: two revisions are expected, such as main~10..main.", param_hint="--diff")
    return old, new


class Steps:
    """Says on a terminal what a build is doing; silent elsewhere."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._last = 0

    def __enter__(self) -> Steps:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and self._last:
            click.echo("\r" + " " * self._last + "\r", nl=False, err=True)

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
        """Show a step, and how much of it is done."""
        if not self._shown:
            return
        bar = f" [{'█' * (20 * done // total):<20}] {done:,}/{total:,}" if total else ""
        line = f"{step}{bar}"
        click.echo("\r" + line.ljust(self._last), nl=False, err=True)
        self._last = len(line)


def default_jobs() -> int:
    """Return how many processes render by default."""
    return max(1, min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1))


def _report(report: BuildReport, as_json: bool) -> None:
    if as_json:
        import json

        shown = {
            "out": str(report.out), "commit": report.commit, "runs": report.runs, "experiments": report.experiments,
            "rendered": report.rendered, "kept": report.kept, "removed": report.removed, "bytes": report.bytes,
            "warnings": list(report.warnings),
        }  # fmt: skip
        click.echo(json.dumps(shown, indent=2))
        return
    from runfolio.site.words import bytes_words, count_words

    click.echo(
        f"{report.out}: {count_words(report.experiments, 'experiment')}, {count_words(report.runs, 'run')}, {bytes_words(report.bytes)}"
    )
    click.echo(f"  {report.rendered:,} files written, {report.kept:,} kept, {report.removed:,} removed")
    click.echo(f"Open {report.out / 'index.html'} in a browser, or: runfolio site serve", err=True)
