"""The folio as a whole: make it, commit, recover, sync, migrate, see how it stands."""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from runfolio.cli.ci import HOSTS, commit_command, write_workflows
from runfolio.cli.opening import opened
from runfolio.cli.run_files import progress
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio import Folio
    from runfolio.folio.opening import Made


@click.command("init")
@click.argument("folder", default=None, required=False, type=click.Path(file_okay=False))
@click.option("--artifacts", metavar="PLACE", help="Where artifacts are kept; a folder inside the git folder by default.")
@click.option(
    "--ledger", "branch", metavar="BRANCH", help="Commit records to a branch of their own instead of the branch at hand."
)
@click.option("--commit/--no-commit", default=None, help="Commit the settings. By default only in a repository made here.")
@click.option("--bare", is_flag=True, help="Make a bare repository.")
@click.option(
    "--ci", "hosts", multiple=True, type=HOSTS, help="Write the workflows for this git host, too: see runfolio ci write."
)
@click.option("--force", is_flag=True, help="With --ci: write over workflows that you changed.")
def init(
    folder: str | None,
    artifacts: str | None,
    branch: str | None,
    commit: bool | None,
    bare: bool,
    hosts: tuple[str, ...],
    force: bool,
) -> None:
    """Make a folder into a folio, or bring a folio up to date: the current folder by default.

    Writes runfolio.yaml and .gitattributes, and makes a git repository where there is none. Run it once in each clone, so that git merge
    joins records there, and again at any time.
    """
    from runfolio.folio import initialise

    made = initialise(_folder(folder), artifacts=artifacts, branch=branch, commit=commit, bare=bare)
    root = made.folio.place.root
    if not made.written and made.drivers:
        click.echo(f"{root} is a folio already; git diff and git merge know its records in this clone now.")
    elif not made.written:
        click.echo(f"{root} is a folio already; nothing to do.")
    else:
        _made(made, root)
    if hosts:
        write_workflows(made.folio, hosts, force=force)
    made.folio.close()


def _folder(given: str | None) -> str:
    """Return the folder to make a folio of: the argument, what ``-C`` names, or the current one."""
    from runfolio.folio.locations import location_of

    kind, path = location_of(click.get_current_context().find_root().params.get("folio") or "")
    if kind == "spool":
        raise click.UsageError("A spool folder needs no init: runs that are logged to it make it.")
    if given and path:
        raise click.UsageError(f"Two folders are named: {path} by -C, and {given}. Name one.")
    return given or path or "."


def _made(made: Made, root: Path) -> None:
    click.echo(f"{'Made' if made.new_repository else 'This is now'} a folio: {root}")
    for path in made.written:
        click.echo(f"  {'committed' if made.committed else 'wrote'} {path}")
    if not made.committed:
        click.echo(f"Next: {commit_command(made.written, root, 'Start a folio')}", err=True)
    inside = _store_in_work_tree(made.folio)
    if inside:
        click.echo(f"The artifacts will lie in the work tree; keep them out of git: echo {quote(inside)} >> .gitignore", err=True)
    click.echo("Then, in Python: import runfolio; runfolio.start_run()", err=True)


def _store_in_work_tree(folio: Folio) -> str:
    """Return the folder of the artifacts as .gitignore names it, where ``git add`` would take it; else empty."""
    place, top = folio.artifacts_place, folio.repo.work_tree
    if place is None or top is None or "://" in place:
        return ""
    folder = Path(os.path.abspath(folio.place.root / place.removeprefix("file:")))
    if not folder.is_relative_to(top) or folder == top or folio.repo.succeeds("check-ignore", "-q", "--", f"{folder}/x"):
        return ""
    return f"/{folder.relative_to(top).as_posix()}/"


@click.command("commit")
@click.option("--json", "as_json", is_flag=True, help="Print what was committed as JSON.")
def commit(as_json: bool) -> None:
    """Commit the runs that have ended.

    This happens by itself as processes end; it is for the commit policy `demand`, and for runs that had to wait.
    """
    # Records hold no cycles, and a thousand runs are held at once: the collector is a tenth of it. `main` puts it back.
    gc.disable()
    with opened() as folio:
        result = folio.commit()
    _report(result, as_json)
    if result.waiting:
        raise SystemExit(13)


def _report(result: Any, as_json: bool) -> None:
    if as_json:
        shown = {
            "added": [run.run_id for run in result.added],
            "edited": [run.run_id for run in result.edited],
            "commits": result.commits,
            "waiting": [{"run_id": item.run_id, "reason": item.reason} for item in result.waiting],
            "unsent": result.unsent,
        }
        click.echo(json.dumps(shown, indent=2))
        return
    click.echo(summary(result))
    for item in result.waiting:
        click.echo(f"run {item.run_id} waits: {visible(item.reason)}", err=True)
    if result.unsent:
        click.echo(visible(result.unsent), err=True)


def summary(result: Any) -> str:
    """Say in one line what a commit of runs did."""
    if not result.folded and not result.waiting:
        return "Nothing to commit: no run waits."
    parts = [
        f"{len(runs)} run{'s' * (len(runs) != 1)} {word}"
        for runs, word in ((result.added, "added"), (result.edited, "edited"))
        if runs
    ]
    if result.waiting:
        parts.append(f"{len(result.waiting)} waiting")
    if not result.commits:
        return f"Nothing was committed: {', '.join(parts)}."
    return f"{', '.join(parts)} in {result.commits} commit{'s' * (result.commits != 1)}."


@click.command("recover")
@click.option("--detached", is_flag=True, help="End also the runs that a client let go without terminating them.")
@click.option("--json", "as_json", is_flag=True, help="Print the recovered runs as JSON.")
def recover(detached: bool, as_json: bool) -> None:
    """Turn what killed processes left into runs.

    Everything up to the last logged event is there; the run is marked KILLED and committed.
    """
    from runfolio.folio.recovery import recover as bring_back
    from runfolio.tracking.recording import take_left

    with opened(quiet=True) as folio:
        take_left(folio, lambda text: click.echo(f"runfolio: {visible(text)}", err=True))
        result = bring_back(folio, detached=detached)
        names = {run.experiment: folio.experiments.name_of(run.experiment) for run in result.recovered}
    if as_json:
        rows = [
            {"run_id": run.run_id, "name": run.name, "experiment": names[run.experiment], "status": run.status.value}
            for run in result.recovered
        ]
        click.echo(json.dumps(rows, indent=2))
    else:
        for run in result.recovered:
            counts = ((len(run.params), "param"), (len(run.metrics), "metric"))
            held = ", ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts)
            click.echo(f"recovered {run.run_id} {visible(run.name)}: {held}, ended as {run.status}")
        for run_id in result.empty:
            click.echo(f"removed the empty journal of {run_id}: its process died before it wrote anything")
        click.echo(summary(result.fold) if result.fold.folded or result.fold.waiting else "Nothing to recover.")
        for item in result.fold.waiting:
            click.echo(f"run {item.run_id} waits: {visible(item.reason)}", err=True)
    if result.fold.waiting:
        raise SystemExit(13)


@click.command("sync")
@click.option("--remote", metavar="NAME", help="Git remote; the setting sync.remote, origin by default.")
@click.option("--with-code", is_flag=True, help="Push your own commits on the branch, too.")
@click.option("--no-push", is_flag=True, help="Only bring in what the remote has.")
def sync(remote: str | None, with_code: bool, no_push: bool) -> None:
    """Commit, fetch, join and push, so that runs of all clones come together.

    Never rewrites history, never pushes by force, and pushes commits of your own code only with --with-code.
    """
    from runfolio.folio.syncing import sync as bring_together

    with opened() as folio, progress("sending", folio.store.waits()[1] if not no_push else 0) as told:
        result = bring_together(folio, remote, with_code=with_code, push=not no_push, told=told)
    for item in result.fold.waiting:
        click.echo(f"run {item.run_id} waits: {visible(item.reason)}", err=True)
    came = f"{result.brought} run record{'s' * (result.brought != 1)} came"
    click.echo(f"{visible(result.remote)}/{visible(result.branch)}: {came}, {result.sent} went.")
    if result.files_stay:
        click.echo(
            "runfolio: artifacts lie in this clone, and git does not carry them: other clones see the runs without their files. Take "
            "them to a place that all can reach (runfolio artifacts mirror PLACE), then name it in runfolio.yaml: artifacts",
            err=True,
        )


@click.command("migrate")
@click.option("--to", "branch", metavar="BRANCH", help="Name of the ledger branch, for example runfolio/ledger.")
@click.option("--to-branch-at-hand", "back", is_flag=True, help="Move the records back to the branch you stand on.")
def migrate(branch: str | None, back: bool) -> None:
    """Move the records between the branch at hand and a ledger branch.

    On the branch at hand a pull request shows the runs with the code that made them. A ledger branch is never checked out, so
    100,000 runs do not slow the work tree down; `runfolio doctor` says when it pays.
    """
    from runfolio.folio.migration import migrate as move

    if bool(branch) == back:
        raise click.UsageError("Give --to BRANCH, or --to-branch-at-hand.")
    with opened() as folio:
        result = move(folio, branch)
    click.echo(f"{result.runs} run{'s' * (result.runs != 1)} moved from {visible(result.source)} to {visible(result.target)}.")


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def status(as_json: bool) -> None:
    """Show where records go and what is live, waiting or left behind."""
    from runfolio.folio.drivers import missing_drivers
    from runfolio.objects.places import why_uploads_begin_anew

    with opened(quiet=True) as folio:
        place = folio.place
        journals = folio.spool.journals()
        left = folio.spool.left_behind()
        branch = place.branch_at_hand()
        facts = {
            "folio": str(place.root),
            "records_go_to": branch.removeprefix("refs/heads/") if branch else None,
            "cannot_commit_because": place.why_not_writable(branch),
            "live": sum(not journal.sealed for journal in journals) - len(left),
            "waiting": sum(journal.sealed for journal in journals),
            "left_behind": len(left),
            "objects": folio.artifacts_place or str(place.local / "objects"),
            "objects_waiting": folio.store.waits()[0],
            "large_uploads_begin_anew": why_uploads_begin_anew(folio.artifacts_place) or None,
            "durability": folio.settings.durability,
            "commit": folio.settings.commit.when,
            "git_merge": "by lines: runfolio init was not run in this clone" if missing_drivers(folio.repo) else None,
        }
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for key, value in facts.items():
        if value is not None:
            click.echo(f"{key.replace('_', ' '):22} {visible(str(value))}")
