"""Speak to remotes: fetch refs from them, and push refs to them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from runfolio.errors import RemoteError
from runfolio.gitstore.credentials import job_credentials
from runfolio.gitstore.process import run_git
from runfolio.gitstore.repo import Repo
from runfolio.gitstore.started import Said

NETWORK_TIMEOUT_S = 600.0
_MOVED = (
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "failed to update ref",
    "reference already exists",
    "incorrect old value",
)
"""What git says where a remote's ref is no longer where it was."""


def credentials(repo: Repo, remote: str) -> dict[str, str]:
    """Return the variables by which a CI job's token is used for a remote; see :mod:`runfolio.gitstore.credentials`."""
    return job_credentials(repo.config(f"remote.{remote}.url")) if os.environ.get("GITHUB_ACTIONS") == "true" else {}


def fetch(repo: Repo, remote: str, refspecs: tuple[str, ...]) -> bool:
    """Fetch some refs.

    Returns
    -------
    bool
        False if the remote has none of that name.

    Raises
    ------
    RemoteError
        If the remote cannot be reached, or refuses.
    """
    done = _spoken(
        repo, remote, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--end-of-options", remote, *refspecs
    )
    if done.returncode == 0:
        return True
    said = done.stderr.decode("utf-8", "replace").strip()
    if "couldn't find remote ref" in said:
        return False
    raise RemoteError(
        f"Could not fetch from {remote}: {_last(said)}. Your runs are committed here; sync again when the remote answers."
    )


_SYNCED = "Your runs are committed here. If the branch is protected, push to another branch and open a pull request."


def push(repo: Repo, remote: str, refspec: str, advice: str = _SYNCED) -> bool:
    """Push one ref, never by force.

    Parameters
    ----------
    repo : Repo
    remote, refspec : str
    advice : str, optional
        What to say where the remote refuses, or cannot be reached.

    Returns
    -------
    bool
        False if the remote has moved meanwhile: fetch, integrate and push again.
    """
    said = _pushed(repo, remote, refspec)
    if said is None:
        return True
    if any(sign in said for sign in _MOVED):
        return False
    raise RemoteError(f"{remote} did not take {refspec.split(':')[-1]}: {_last(said)}. {advice}")


def replace_branch(repo: Repo, remote: str, ref: str, new: str, old: str | None) -> bool:
    """Put a commit in place of a remote's branch, history and all, if the branch is still where it was.

    Parameters
    ----------
    repo : Repo
    remote : str
    ref : str
        Full name of the branch.
    new : str
        Id of the commit.
    old : str or None
        Where the branch must be; None: it must not exist.

    Returns
    -------
    bool
        False if it was elsewhere: nothing was changed.

    Raises
    ------
    RemoteError
        If the remote cannot be reached, or refuses.
    """
    with _told_of(repo, old) as env:
        said = _pushed(repo, remote, f"{new}:{ref}", f"--force-with-lease={ref}:{old or ''}", env=env)
    if said is None:
        return True
    if any(sign in said for sign in ("stale info", *_MOVED)):
        return False
    raise RemoteError(f"{remote} did not take {ref}: {_last(said)}. Nothing was changed there. May this job push to that branch?")


@contextmanager
def _told_of(repo: Repo, old: str | None) -> Iterator[dict[str, str]]:
    """Yield the environment in which git leaves out of a push what a commit has that the remote's branch stands at.

    For two commits with no history in common git sends every object of the new one, also those that the remote has in the old one. Only in
    a shallow repository does it look into the trees of such commits (``--objects-edge-aggressive`` in its ``pack-objects.c``), and any that
    has no parent may be called shallow without cutting anything off.
    """
    if old is None or repo.parents(old) or (repo.common_dir / "shallow").exists():
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="runfolio-") as folder:
        file = Path(folder, "shallow")
        file.write_text(f"{old}\n")
        yield {"GIT_SHALLOW_FILE": str(file)}


def _spoken(repo: Repo, remote: str, *args: str, env: Mapping[str, str] | None = None) -> Said:
    """Run a git command that speaks to a remote."""
    return run_git(
        ("--git-dir", str(repo.git_dir), *args),
        repo.work_tree or repo.git_dir,
        env={**credentials(repo, remote), **(env or {})},
        timeout_s=NETWORK_TIMEOUT_S,
    )


def _pushed(repo: Repo, remote: str, refspec: str, *options: str, env: Mapping[str, str] | None = None) -> str | None:
    """Push one ref; return None if it was taken, else what git said."""
    # Against what the remote has, a few files are sent: threads cost more than they share out.
    verb = ("-c", "pack.threads=1", "push") if env else ("push",)
    options = ("--quiet", "--no-verify", "--porcelain", *options, "--end-of-options")
    done = _spoken(repo, remote, *verb, *options, remote, refspec, env=env)
    return None if done.returncode == 0 else (done.stdout + done.stderr).decode("utf-8", "replace")


_OF_EVERY_FAILURE = (
    "Please make sure you have the correct access rights",
    "and the repository exists",
    "fatal: Could not read from remote",
)
"""What git adds to whatever went wrong; the lines before it say that."""


def _last(said: str) -> str:
    lines = [
        # Of a line of `push --porcelain` (flag, refs, what became of it) only the last part is for people.
        " ".join(line.rpartition("\t")[2].split())
        for line in said.splitlines()
        if line.strip() and not line.startswith(("hint:", "To ", "Done", "error: failed to push"))
    ]
    lines = [line for line in lines if not line.startswith(_OF_EVERY_FAILURE)] or lines
    return "; ".join(lines[-2:]).rstrip(".") or "no reason given"
