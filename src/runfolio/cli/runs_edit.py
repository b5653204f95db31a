"""``runfolio runs delete|restore|tag|rename|note|retain``: changes of runs, each command one commit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from runfolio.cli import options
from runfolio.cli.listing import Listing, age_text, chosen_fields
from runfolio.cli.opening import opened
from runfolio.cli.tables import print_columns, print_json
from runfolio.errors import NotFoundError, RunfolioError
from runfolio.records import Lifecycle, Run, RunStatus
from runfolio.records.briefs import brief_of
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio import Folio
    from runfolio.folio.folding import FoldResult

SHOWN = 30
ENDED = [status.value for status in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)]


@click.command("delete")
@options.some_runs
@click.option("--filter", "filter", metavar="FILTER", help="Runs that match; with the options below, or alone.")
@options.experiments
@click.option("--older-than", metavar="SPAN", help="Only runs that ended longer ago: 90d, 12h, 1d12h.")
@click.option(
    "--status",
    "statuses",
    type=click.Choice(ENDED, case_sensitive=False),
    multiple=True,
    help="Only runs that ended so; repeat for more.",
)
@options.yes
@options.as_json
def delete(
    run_texts: tuple[str, ...],
    filter: str | None,
    experiments: tuple[str, ...],
    older_than: str | None,
    statuses: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """Delete runs that are named, or match.

    Only runs that have ended match. A deleted run is hidden and can be restored. With --filter, --older-than, --status or -e
    nothing is done without --yes: what would go is listed.

    \b
    runfolio runs delete --older-than 90d --status FINISHED
    """
    from runfolio.formats.durations import parse_duration
    from runfolio.tracking.bulk import delete_runs, ended_runs

    asked = filter is not None or bool(older_than or statuses or experiments)
    if run_texts and asked:
        raise click.UsageError("Name runs, or say which by --filter, --older-than, --status or -e: one of the two.")
    if not run_texts and not asked:
        raise click.UsageError("Name runs, or say which by --filter, --older-than, --status or -e.")
    if filter is not None and not filter.strip() and not (older_than or statuses or experiments):
        # What a variable that is not set makes of --filter "$FILTER": it must not take every run.
        raise click.UsageError("--filter is empty, and would take every run. All that ended are meant by --older-than 0s.")
    with opened() as folio:
        if run_texts:
            found, yes = _named(folio, run_texts), True
        else:
            slugs = [folio.experiments.find(text).slug for text in experiments] or None
            span = parse_duration(older_than) if older_than else None
            found = ended_runs(folio, filter or "", older_than_s=span, statuses=statuses, experiments=slugs)
        if as_json:
            print_json([{"run_id": run.run_id, "name": run.name, "deleted": yes} for run in found])
        if not yes:
            _preview(folio, found, as_json)
            return
        _report(delete_runs(folio, found), _done(found, Lifecycle.DELETED, "deleted"), quiet=as_json)


def _done(runs: Sequence[Run], lifecycle: Lifecycle, word: str) -> str:
    """Say how many runs were hidden or brought back, and how many already were."""
    changed = [run for run in runs if run.lifecycle is not lifecycle]
    were = len(runs) - len(changed)
    return f"{_count(changed)} {word}" + (
        f"; {_count(runs[:were])} {'was' if were == 1 else 'were'} {lifecycle.value} already" if were else ""
    )


def _preview(folio: Folio, found: Sequence[Run], quiet: bool) -> None:
    if not quiet and found:
        listing = Listing(list(map(brief_of, found[:SHOWN])), len(found), {item.slug: item for item in folio.experiments.all()})
        now = time.time_ns() // 1_000_000
        fields = chosen_fields(listing, ("id", "name", "experiment", "status", "started"), now)
        print_columns([field.column for field in fields], [field.cells(listing.runs) for field in fields])
        if len(found) > SHOWN:
            click.echo(f"… and {len(found) - SHOWN} more, the oldest from {age_text(found[-1].start, now)}")
    click.echo(f"{_count(found)} would be deleted." + (" Do it with --yes." if found else ""), err=True)


def _count(runs: Sequence[Run]) -> str:
    return f"{len(runs)} run{'s' * (len(runs) != 1)}"


def _named(folio: Folio, texts: Sequence[str]) -> list[Run]:
    ids = dict.fromkeys(folio.runs.resolve(text) for text in texts)
    return [folio.runs.get(run_id) for run_id in ids]


def _report(result: FoldResult, done: str, *, quiet: bool = False) -> None:
    """Say what was done and what could not be committed.

    Raises
    ------
    SystemExit
        With 13, if anything waits.
    """
    if not quiet:
        click.echo(f"{done}.", err=True)
    for item in result.waiting:
        click.echo(f"run {item.run_id} waits: {visible(item.reason)}", err=True)
    if result.waiting:
        raise SystemExit(13)


@click.command("restore")
@options.some_runs
def restore(run_texts: tuple[str, ...]) -> None:
    """Bring deleted runs back."""
    from runfolio.tracking.bulk import restore_runs

    if not run_texts:
        raise click.UsageError("Name a run. The deleted ones: runfolio runs list --deleted")
    with opened() as folio:
        found = _named(folio, run_texts)
        _report(restore_runs(folio, found), _done(found, Lifecycle.ACTIVE, "restored"))
        lacking = [run for run in found if _lacks_files(folio, run)]
    for run in lacking:
        click.echo(
            f"runfolio: files of run {run.run_id} are gone, as after a clean-up. Which ones: runfolio artifacts verify {run.run_id[:16]}",
            err=True,
        )


def _lacks_files(folio: Folio, run: Run) -> bool:
    """Tell whether an object of a run is not in its store; False where the store cannot be asked."""
    try:
        entries = folio.runs.artifacts(run).values()
        return any(isinstance(said, NotFoundError) for said in folio.store.inspect({item.digest for item in entries}).values())
    except NotFoundError:
        return True
    except RunfolioError:
        return False


@click.command("tag")
@options.run
@click.argument("pairs", metavar="[KEY=VALUE]…", nargs=-1)
@click.option("--remove", metavar="KEY", multiple=True, help="Take a tag away; repeat for more.")
def tag(run: str, pairs: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """Set and remove tags of a run."""
    from runfolio.tracking.bulk import tag_runs

    tags = options.key_values(pairs, "tag")
    if not tags and not remove:
        raise click.UsageError("Give KEY=VALUE, or --remove KEY.")
    with opened() as folio:
        found = _named(folio, [run])
        _report(tag_runs(folio, found, tags, remove), f"Run {found[0].run_id}: {len(tags)} set, {len(remove)} removed")


@click.command("rename")
@options.run
@click.argument("name")
def rename(run: str, name: str) -> None:
    """Give a run another name."""
    from runfolio.tracking.bulk import rename_run

    with opened() as folio:
        [found] = _named(folio, [run])
        _report(rename_run(folio, found, name), f"Run {found.run_id} is now {visible(name)}")


@click.command("note")
@options.run
@click.argument("text", required=False)
@click.option("--remove", is_flag=True, help="Take the note away.")
def note(run: str, text: str | None, remove: bool) -> None:
    """Write or print the note of a run.

    TEXT replaces the note that is there; without TEXT it is printed.
    """
    from runfolio.tracking.bulk import NOTE, tag_runs

    if text is not None and remove:
        raise click.UsageError("Give a text, or --remove.")
    with opened() as folio:
        [found] = _named(folio, [run])
        if text is None and not remove:
            click.echo(found.tags.get(NOTE, ""))
        elif text is None:
            _report(tag_runs(folio, [found], {}, [NOTE]), f"Run {found.run_id}: note removed")
        else:
            _report(tag_runs(folio, [found], {NOTE: text}), f"Run {found.run_id}: note written")


@click.command("retain")
@options.yes
@options.as_json
def retain(yes: bool, as_json: bool) -> None:
    """Delete what the retention rules name.

    The rules are in runfolio.yaml. Without --yes it only lists what would go.
    """
    from runfolio.tracking.bulk import delete_runs, expired_runs

    with opened() as folio:
        rules = expired_runs(folio)
        found = [run for _, runs in rules for run in runs]
        if as_json:
            print_json(
                [{"run_id": run.run_id, "name": run.name, "rule": rule, "deleted": yes} for rule, runs in rules for run in runs]
            )
        else:
            for rule, runs in rules:
                click.echo(f"rule {visible(rule) or '(all runs)'}: {_count(runs)}", err=True)
        if not rules:
            click.echo("runfolio.yaml has no retention rules.", err=True)
        elif not yes:
            _preview(folio, found, as_json)
        else:
            _report(delete_runs(folio, found), f"{_count(found)} deleted", quiet=as_json)
