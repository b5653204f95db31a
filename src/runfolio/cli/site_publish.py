"""``runfolio site publish``: the site to where people see it."""

from __future__ import annotations

import gc
import json
from contextlib import nullcontext
from pathlib import Path

import click

from runfolio._typing import TYPE_CHECKING, NamedTuple
from runfolio.cli.opening import chosen_folio, opened
from runfolio.errors import UsageError
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio import Folio
    from runfolio.site import BuildReport
    from runfolio.site.destinations import Built, Published

_OWN_SITES = {False: "site", True: "site-public"}
"""Folders beside the index by whether the site is for the public: one folder for both would be made anew each time."""


@click.command("publish")
@click.argument("destination", required=False)
@click.option("--branch", metavar="NAME", help="Publish to this branch of the remote, such as gh-pages, instead.")
@click.option("--remote", metavar="NAME", help="Git remote of --branch; the setting sync.remote, origin by default.")
@click.option("--folder", default="", metavar="PATH", help="Folder of the branch or bucket, such as preview/7.")
@click.option(
    "--site",
    "built",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Publish this built site as it is, instead of bringing one up to date first.",
)
@click.option("--public", is_flag=True, help="Leave out users, arguments, remotes and whatever site.hide names.")
@click.option("--base-url", metavar="URL", help="Where the site will stand, for the feed and link previews.")
@click.option(
    "--keep-old", default="10m", show_default=True, metavar="TIME",
    help="In a bucket: how long files stay that the site has no more, for pages that are open.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="To a bucket: send every file again, whatever its list says is there.")
@click.option("--json", "as_json", is_flag=True, help="Print what was published as JSON.")
def publish(
    destination: str | None, branch: str | None, remote: str | None, folder: str, built: Path | None, public: bool,
    base_url: str | None, keep_old: str, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Bring the site up to date and publish it to DESTINATION.

    DESTINATION is a folder of this machine, or a bucket (s3://BUCKET/FOLDER, gs://, az://). Only what changed is sent; a publish
    that is killed leaves the old site whole. What lies beside the site there is kept.
    """
    if (destination is None) == (branch is None):
        raise click.UsageError("Give one destination: a folder, a bucket, or --branch NAME.")
    if built is not None and (public or base_url):
        raise click.UsageError("--public and --base-url say how to build the site; --site DIR publishes one as it is.")
    # Loading three hundred modules makes few cycles and the rows of a site none: the collector took 8 of 200 ms. `main` puts it back.
    gc.disable()
    wanted = _Wanted(destination, branch, remote, folder, keep_old, force)
    current = None if built else _if_unchanged(public, base_url)
    done: Published | None = None
    if current is not None and branch is None:
        from runfolio.site.destinations.turns import in_turn

        with in_turn(current.folder.parent) as waited:
            # Who was first may have made the site anew meanwhile.
            site = _if_unchanged(public, base_url) if waited else current
            done = _send(site, wanted) if site is not None else None
    if done is None:
        done = _opened_and_sent(wanted, current, built, public, base_url)
    _report(done, as_json)


class _Wanted(NamedTuple):
    """Where the site goes."""

    destination: str | None
    branch: str | None
    remote: str | None
    folder: str
    keep_old: str
    force: bool


def _opened_and_sent(wanted: _Wanted, current: Built | None, built: Path | None, public: bool, base_url: str | None) -> Published:
    from runfolio.site.destinations.turns import in_turn

    with opened() as folio:
        folio.place.local.mkdir(parents=True, exist_ok=True)
        # A site of the folio's own is not made anew while another process sends it.
        with nullcontext(False) if built else in_turn(folio.place.local) as waited:
            site = current if current is not None and not waited else _built(folio, built, public, base_url)
            if wanted.branch is None:
                return _send(site, wanted)
            from runfolio.site.destinations import publish_to_branch

            title = folio.settings.site.title or folio.place.root.name
            message = f"site: {visible(title)} at {(folio.place.tip() or '')[:12]}\n"
            remote = wanted.remote or folio.place.settings.remote
            return publish_to_branch(folio.repo, site, wanted.branch, remote, wanted.folder, message)


def _if_unchanged(public: bool, base_url: str | None) -> Built | None:
    """Return the built site, if it is up to date as far as can be told without opening the folio."""
    from runfolio.cli.site import default_jobs
    from runfolio.site.options import BuildOptions
    from runfolio.site.unchanged import report_if_unchanged

    options = BuildOptions(base_url=base_url, public=public, jobs=default_jobs())
    report = report_if_unchanged(chosen_folio(), _OWN_SITES[public], options)
    return None if report is None else _told(report)


def _built(folio: Folio, built: Path | None, public: bool, base_url: str | None) -> Built:
    if built is not None:
        from runfolio.site.destinations import read_built

        return read_built(built)
    from runfolio.cli.site import Steps, default_jobs
    from runfolio.site import BuildOptions, build_site

    out = folio.place.local / _OWN_SITES[public]
    with Steps() as steps:
        report = build_site(folio, out, BuildOptions(base_url=base_url, public=public, jobs=default_jobs()), steps)
    return _told(report)


def _told(report: BuildReport) -> Built:
    """Say what the person who publishes should know of a build, and return the site."""
    from runfolio.site.destinations import built_of

    for text in report.warnings:
        click.echo(f"runfolio: {text}", err=True)
    return built_of(report)


def _send(site: Built, wanted: _Wanted) -> Published:
    from runfolio.objects import is_bucket

    destination, folder, keep_old = str(wanted.destination), wanted.folder, wanted.keep_old

    if not is_bucket(destination):
        from runfolio.site.destinations import publish_to_folder

        path = Path(destination.removeprefix("file://"))
        return publish_to_folder(site, path / folder if folder else path)
    from runfolio.formats.durations import parse_duration
    from runfolio.objects import open_bucket
    from runfolio.site.destinations import publish_to_bucket

    try:
        bucket = open_bucket(destination)
    except UsageError as error:
        raise UsageError(error.message.removeprefix("artifacts: ")) from None
    gc.freeze()
    gc.enable()  # for thousands of requests through a client that is not ours
    grace = 0 if keep_old in ("0", "") else parse_duration(keep_old)
    return publish_to_bucket(site, bucket, folder, grace_s=grace, force=wanted.force)


def _report(done: Published, as_json: bool) -> None:
    from runfolio.site.words import bytes_words

    if as_json:
        shown = {"place": done.place, "sent": done.sent, "kept": done.kept, "removed": done.removed, "bytes": done.bytes}
        click.echo(json.dumps(shown, indent=2))
        return
    click.echo(f"{visible(done.place)}: {done.sent:,} files sent ({bytes_words(done.bytes)}), {done.kept:,} as they were, "
               f"{done.removed:,} removed")  # fmt: skip
