"""Publish to a branch of a git remote, as hosts of pages show it.

The branch holds one commit without a parent: history would be a copy of the site for each publish. The remote's branch moves by
compare-and-swap, so that of two builds at once neither wipes out the other: who comes second takes in what the first put beside the site.
"""

from __future__ import annotations

import os
import random
import time

from runfolio.errors import BusyError, RemoteError, StateError, UsageError
from runfolio.gitstore import Repo
from runfolio.gitstore.commits import FileChange, commit_alone, configured_ident
from runfolio.gitstore.merging import fetch, replace_branch
from runfolio.site.destinations.contents import LIST, Built, Listing, Published, decode_listing

TRIES = 20
_NO_JEKYLL = ".nojekyll"
"""Without it GitHub Pages passes a branch through Jekyll, which leaves files out."""


def publish_to_branch(
    repo: Repo,
    built: Built,
    branch: str,
    remote: str = "origin",
    folder: str = "",
    message: str = "site\n",
    at_s: int | None = None,
) -> Published:
    """Bring a branch of a remote up to date.

    Parameters
    ----------
    repo : Repo
        In which the remote is known.
    built : Built
    branch : str
        Such as ``gh-pages``. Never one that holds something else than sites.
    remote : str, optional
        Name of a git remote.
    folder : str, optional
        Folder of the branch that takes the site, such as ``preview/7``; its root by default.
    message : str, optional
    at_s : int, optional
        Time of the commit, seconds since the epoch; the clock's by default.

    Raises
    ------
    StateError
        If the branch is not one of published sites.
    RemoteError
        If there is no such remote, or it refuses.
    BusyError
        If others moved the branch again and again.
    """
    folder = folder.strip("/")
    if not repo.succeeds("check-ref-format", "--branch", branch):
        raise UsageError(f"{branch!r} cannot name a branch.")
    if any(part in ("", ".", "..", ".git") for part in folder.split("/")) and folder:
        raise UsageError(f"{folder!r} is no folder of a branch.")
    if repo.config(f"remote.{remote}.url") is None:
        raise RemoteError(
            f"There is no git remote {remote!r}. Add one: git remote add {remote} URL; or name another: --remote NAME"
        )
    ref, tracking = f"refs/heads/{branch}", f"refs/remotes/{remote}/{branch}"
    for attempt in range(TRIES):
        tip = repo.resolve(tracking) if fetch(repo, remote, (f"+{ref}:{tracking}",)) else None
        if tip is not None and repo.read(f"{tip}:{LIST}") is None:
            raise StateError(
                f"{remote}/{branch} holds something else than a site of runfolio's, so nothing was sent. Name a branch of its own, such "
                "as --branch gh-pages; if that one is old and not needed, delete it first."
            )
        old = _listing(repo, tip, folder, f"{remote}/{branch}")
        if tip is not None and old.files == built.digests():
            return Published(f"{remote}/{branch}", 0, len(built.files), 0, 0)
        changes, made = _changes(built, old, folder, f"{remote}/{branch}", first=tip is None)
        commit = commit_alone(repo, tip, changes, message, configured_ident(repo), f"refs/runfolio/site-{os.getpid()}", at_s=at_s)
        if replace_branch(repo, remote, ref, commit, tip):
            repo.run("update-ref", tracking, commit, check=False)
            return made
        time.sleep(random.uniform(0.01, 0.05) * min(attempt + 1, 8))
    raise BusyError(f"{remote}/{branch} kept moving under {TRIES} pushes. What is there is whole; publish again.")


def _listing(repo: Repo, tip: str | None, folder: str, place: str) -> Listing:
    path = f"{folder}/{LIST}" if folder else LIST
    data = repo.read(f"{tip}:{path}") if tip else None
    return decode_listing(data, f"{place}:{folder}") if data is not None else Listing()


def _changes(built: Built, old: Listing, folder: str, place: str, *, first: bool) -> tuple[list[FileChange], Published]:
    start = f"{folder}/" if folder else ""
    gone = sorted(old.known() - built.files.keys())
    stale = sorted(path for path, file in built.files.items() if old.files.get(path) != file.digest)
    changes = [FileChange(start + path, None) for path in gone]
    changes += [FileChange(start + path, (built.folder / path).read_bytes()) for path in stale]
    changes.append(FileChange(start + LIST, Listing(built.digests()).encode()))
    if first:
        changes.append(FileChange(_NO_JEKYLL, b""))
        if folder:
            changes.append(FileChange(LIST, Listing().encode()))
    size = sum(built.files[path].size for path in stale)
    return changes, Published(place, len(stale), len(built.files) - len(stale), len(gone), size)
