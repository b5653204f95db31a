"""Publish to a branch of a git remote, as hosts of pages show it.

The branch holds one commit without a parent: history would be a copy of the site for each publish. The remote's branch moves by
compare-and-swap, so that of two builds at once neither wipes out the other: who comes second takes in what the first put beside the site.
"""

from __future__ import annotations

import os
import random
import re
import time

from runfolio.errors import BusyError, RemoteError, StateError, UsageError
from runfolio.gitstore import Repo
from runfolio.gitstore.commits import FileChange, commit_alone, configured_ident
from runfolio.gitstore.remotes import fetch, replace_branch
from runfolio.site.destinations.contents import LIST, Built, Listing, Published, Unpublished, decode_listing

TRIES = 20
_PLAIN = re.compile(r"[a-z0-9]+(?:[-_/][a-z0-9]+)*", re.ASCII)
"""Branches whose names git need not be asked about."""
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
    folder, ref, tracking = _named(repo, branch, remote, folder)
    known = _known_tip(repo, tracking)
    for attempt in range(TRIES):
        tip = known or _tip(repo, remote, ref, tracking)
        old = _listing(repo, tip, folder, f"{remote}/{branch}")
        if tip is not None and old.files == built.digests():
            if known is None:
                return Published(f"{remote}/{branch}", 0, len(built.files), 0, 0)
            known = None
            continue
        known = None
        changes, made = _changes(built, old, folder, f"{remote}/{branch}", first=tip is None)
        if _put(repo, remote, (ref, tracking), changes, tip, message, at_s):
            return made
        time.sleep(random.uniform(0.01, 0.05) * min(attempt + 1, 8))
    raise BusyError(f"{remote}/{branch} kept moving under {TRIES} pushes. What is there is whole; publish again.")


def unpublish_from_branch(
    repo: Repo, branch: str, remote: str = "origin", folder: str = "", message: str = "site\n", at_s: int | None = None
) -> Unpublished:
    """Take a site away from a branch of a remote; what lies beside it is kept.

    Parameters
    ----------
    repo, branch, remote, folder, message, at_s
        As for :func:`publish_to_branch`.

    Raises
    ------
    StateError
        If the branch is not one of published sites.
    RemoteError
        If there is no such remote, or it refuses.
    BusyError
        If others moved the branch again and again.
    """
    folder, ref, tracking = _named(repo, branch, remote, folder)
    place = f"{remote}/{branch}" + (f":{folder}" if folder else "")
    start = f"{folder}/" if folder else ""
    for attempt in range(TRIES):
        tip = _tip(repo, remote, ref, tracking)
        old = _listing(repo, tip, folder, f"{remote}/{branch}")
        if not old.known() and (tip is None or not folder or repo.read(f"{tip}:{start}{LIST}") is None):
            return Unpublished(place, 0)
        # At the top the list stays, for by it the branch is known as one of sites.
        list_left = None if folder else Listing().encode()
        changes = [*(FileChange(start + path, None) for path in sorted(old.known())), FileChange(start + LIST, list_left)]
        if _put(repo, remote, (ref, tracking), changes, tip, message, at_s):
            return Unpublished(place, len(old.known()))
        time.sleep(random.uniform(0.01, 0.05) * min(attempt + 1, 8))
    raise BusyError(f"{remote}/{branch} kept moving under {TRIES} pushes. What is there is whole; try again.")


def _named(repo: Repo, branch: str, remote: str, folder: str) -> tuple[str, str, str]:
    """Return the folder, the branch's ref and the one that follows it here, once they are known to be good names."""
    folder = folder.strip("/")
    if not _PLAIN.fullmatch(branch) and not repo.succeeds("check-ref-format", "--branch", branch):
        raise UsageError(f"{branch!r} cannot name a branch.")
    if any(part in ("", ".", "..", ".git") for part in folder.split("/")) and folder:
        raise UsageError(f"{folder!r} is no folder of a branch.")
    if repo.config(f"remote.{remote}.url") is None:
        raise RemoteError(
            f"There is no git remote {remote!r}. Add one: git remote add {remote} URL; or name another: --remote NAME"
        )
    return folder, f"refs/heads/{branch}", f"refs/remotes/{remote}/{branch}"


def _known_tip(repo: Repo, tracking: str) -> str | None:
    """Return where the branch was when this clone last saw it, if that was one of sites.

    Mostly it still is there, and a push that only succeeds where it is saves the fetch. If it is not, the next attempt fetches.
    """
    tip = repo.resolve(tracking)
    return tip if tip is not None and repo.read(f"{tip}:{LIST}") is not None else None


def _tip(repo: Repo, remote: str, ref: str, tracking: str) -> str | None:
    """Return where the branch is; None where there is none."""
    tip = repo.resolve(tracking) if fetch(repo, remote, (f"+{ref}:{tracking}",)) else None
    if tip is not None and repo.read(f"{tip}:{LIST}") is None:
        raise StateError(
            f"{tracking.removeprefix('refs/remotes/')} holds something else than a site of runfolio's, so nothing was sent. Name a branch "
            "of its own, such as --branch gh-pages; if that one is old and not needed, delete it first."
        )
    return tip


def _put(
    repo: Repo, remote: str, refs: tuple[str, str], changes: list[FileChange], tip: str | None, message: str, at_s: int | None
) -> bool:
    """Put changed files in place of what a branch holds; False if it was moved meanwhile."""
    ref, tracking = refs
    commit = commit_alone(repo, tip, changes, message, configured_ident(repo), f"refs/runfolio/site-{os.getpid()}", at_s=at_s)
    if not replace_branch(repo, remote, ref, commit, tip):
        return False
    # Where the remote is fetched from as usual, the push has noted it.
    if repo.resolve(tracking) != commit:
        repo.run("update-ref", tracking, commit, check=False)
    return True


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
    where = place + (f":{folder}" if folder else "")
    return changes, Published(where, len(stale), len(built.files) - len(stale), len(gone), size)
