"""``runfolio ci write|fetch``: the workflows of a repository, and what their jobs need."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runfolio.cli.opening import opened
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.folio import Folio

HOSTS = click.Choice(["github", "gitlab", "forgejo", "gitea"])


@click.group("ci")
def ci() -> None:
    """Check, report and publish in the CI of your git host."""


@ci.command("write")
@click.argument("hosts", nargs=-1, required=True, type=HOSTS)
@click.option("--branch", metavar="NAME", help="The branch that is merged into; the remote's default branch by default.")
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would change (exit code 1 if anything would).")
@click.option("--force", is_flag=True, help="Write over files that you changed, too.")
def write(hosts: tuple[str, ...], branch: str | None, dry_run: bool, force: bool) -> None:
    """Write the workflows for HOSTS into the repository.

    Run it again after an upgrade: files that are as they were generated are brought up to date, files that you changed are left
    alone, and the difference is shown.
    """
    with opened() as folio:
        code = write_workflows(folio, hosts, branch, dry_run=dry_run, force=force)
    if code:
        raise SystemExit(code)


def write_workflows(
    folio: Folio, hosts: tuple[str, ...], branch: str | None = None, *, dry_run: bool = False, force: bool = False
) -> int:
    """Write workflows, say what was done, and return the exit code."""
    from runfolio.errors import EXIT_FINDINGS, StateError
    from runfolio.workflows import facts_of, plan, render
    from runfolio.workflows import write as write_files

    top = folio.repo.work_tree
    if top is None:
        raise StateError("A bare repository has no work tree for workflows. Run this in a clone.")
    facts = facts_of(folio, branch)
    planned = [item for host in dict.fromkeys(hosts) for item in plan(top, render(host, facts))]
    changed = [item for item in planned if item.state != "same"]
    if dry_run:
        for item in changed:
            _show(item.diff(), err=False)
        return EXIT_FINDINGS if changed else 0
    written = write_files(top, planned, force=force)
    for item in planned:
        done = {"new": "wrote", "old": "brought up to date", "same": "is up to date:"}.get(
            item.state, "overwrote" if force else "left alone:"
        )
        click.echo(f"{done} {item.path}")
    for item in planned:
        if item.state == "edited" and not force:
            click.echo(f"\n{item.path} was changed by hand. What it would become (--force does that):", err=True)
            _show(item.diff(), err=True)
    _hints(folio, hosts, [item.path for item in written])
    return 0


def _show(diff: str, *, err: bool) -> None:
    for line in diff.splitlines():
        click.echo(visible(line), err=err)


def commit_command(written: Sequence[str], folder: Path, message: str) -> str:
    """Return the command that commits files, named from the repository's root, so that it works where the user stands."""
    inside = Path.cwd() == folder or folder in Path.cwd().parents
    plain = inside and all(Path(path).exists() for path in written)
    files = " ".join(shlex.quote(path if plain else f":/{path}") for path in written)
    git = "git" if inside else f"git -C {shlex.quote(str(folder))}"
    return f"{git} add {files} && {git} commit -m {shlex.quote(message)}"


def _hints(folio: Folio, hosts: tuple[str, ...], written: list[str]) -> None:
    if written:
        click.echo(f"Next: {commit_command(written, folio.place.root, 'CI of the folio')}", err=True)
    if "github" in hosts and written:
        click.echo("Once, in the repository's settings: Pages, Source: GitHub Actions. More: docs/how-to/ci.md", err=True)
    main = (folio.repo.work_tree or folio.repo.git_dir) / ".gitlab-ci.yml"
    if "gitlab" in hosts and not (main.is_file() and ".gitlab/runfolio.yml" in main.read_text("utf-8", "replace")):
        click.echo("In .gitlab-ci.yml add:  include: {local: .gitlab/runfolio.yml}", err=True)


@ci.command("fetch")
@click.option(
    "--pull-request", is_flag=True, help="Also the commits of the pull request that the job is about, to refs/runfolio/pull/head."
)
@click.option("--remote", metavar="NAME", help="Git remote; the setting sync.remote, origin by default.")
def fetch(pull_request: bool, remote: str | None) -> None:
    """Fetch what a CI job's checkout left out: records on a branch of their own, and the code of runs.

    With --pull-request also its head, and as much history as joins it to the branch at hand. Only git objects come: nothing is
    checked out. In a job with GITHUB_TOKEN git gets that token for its server only.
    """
    from runfolio.workflows.fetching import fetch_code, fetch_ledger

    with opened(quiet=True) as folio:
        name = remote or folio.place.settings.remote
        ledger = fetch_ledger(folio, name)
        code = fetch_code(folio.repo, name)
        if ledger:
            click.echo(f"records  {ledger[:12]} of {folio.place.settings.records.branch}")
        click.echo(f"code     {code[:12] if code else 'none kept'}")
        if pull_request:
            _fetch_pull(folio, name)


def _fetch_pull(folio: Folio, remote: str) -> None:
    from runfolio.errors import NotFoundError
    from runfolio.hosts import find_host
    from runfolio.hosts.job import actions_job, gitlab_job
    from runfolio.workflows.fetching import PULL_REF, fetch_pull

    host = find_host(os.environ, folio.repo.config(f"remote.{remote}.url"))
    number = host.pull_request() if host else None
    if host is None or number is None:
        raise NotFoundError(
            "This job is about no pull request that is open. --pull-request is for jobs that a pull request starts, or that follow one "
            "(workflow_run)."
        )
    gitlab = host.kind == "gitlab"
    job = (gitlab_job if gitlab else actions_job)(os.environ)
    ref = f"refs/merge-requests/{number}/head" if gitlab else f"refs/pull/{number}/head"
    branch = os.environ.get("GITHUB_BASE_REF") or os.environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") or None
    found = fetch_pull(folio, remote, ref, job.head_commit, branch)
    click.echo(f"base     {found.base[:12]} (HEAD)")
    click.echo(f"head     {found.head[:12]} ({PULL_REF}) of pull request {number}")
    if found.ancestor is None:
        click.echo("runfolio: the two have no history in common.", err=True)


@ci.command("train")
def train() -> None:
    """Train as runfolio.yaml says, on a branch of its own, and register the model.

    The settings are training.command and those beside it. Needs no token. What it made is brought to review by: runfolio ci propose
    """
    from runfolio.training.carrying_out import train as run

    with opened() as folio:
        made, code = run(folio)
    said = f"{len(made.runs)} run{'s' * (len(made.runs) != 1)} on {made.branch}"
    click.echo(f"{said}, {visible(made.model)} {made.version} registered" if made.version else said)
    if code:
        click.echo(f"runfolio: the training failed with exit status {code}; its runs are kept, no model is registered.", err=True)
        raise SystemExit(code)


@ci.command("propose")
@click.option("--output", type=click.Path(dir_okay=False), envvar="GITHUB_OUTPUT", help="Append what came of it; $GITHUB_OUTPUT.")
def propose(output: str | None) -> None:
    """Judge the gates, push what was trained, and open its pull request.

    Runs nothing of the repository's. The git host's token is taken from the environment (GITHUB_TOKEN, GITLAB_TOKEN, GITEA_TOKEN). A model
    that a gate refuses is not promoted: the pull request brings its runs alone, and says why.
    """
    from runfolio.cli.policy import print_verdict
    from runfolio.errors import storage_errors
    from runfolio.training.proposing import propose_training

    with opened() as folio:
        made = propose_training(folio)
    if made.verdict is not None and made.verdict.gates:
        print_verdict(made.verdict)
    click.echo(made.text, err=True)
    if made.address:
        click.echo(made.address)
    if output:
        facts = {
            "text": made.text,
            "address": made.address,
            "number": made.number or "",
            "base": made.base,
            "branch": made.branch,
        }
        with storage_errors(f"write {output}"), open(output, "a", encoding="utf-8") as file:
            file.writelines(f"{name}={visible(str(value))}\n" for name, value in facts.items())
