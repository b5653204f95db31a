"""Bring into a CI job's clone what its checkout left out: the records' branch, the code of runs, a pull request's commits.

A checkout gives branches, at best; records may lie on a branch of their own, the exact code of runs lies under ``refs/runfolio/code``, and
the head of a pull request from a fork under a ref of the host's. Everything is fetched as git objects: nothing is checked out or run.
"""

from __future__ import annotations

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError, StateError
from runfolio.folio import Folio
from runfolio.gitstore import Repo
from runfolio.gitstore.completing import complete, deepen
from runfolio.gitstore.remotes import fetch
from runfolio.gitstore.snapshots import CODE_REF, merge_code_refs

PULL_REF = "refs/runfolio/pull/head"
"""Where the head of the pull request at hand is kept."""


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request's commits, all of them here.

    Parameters
    ----------
    base : str
        What the work tree stands on.
    head : str
    ancestor : str or None
        Of both; None where their histories have nothing in common.
    """

    base: str
    head: str
    ancestor: str | None


def fetch_ledger(folio: Folio, remote: str) -> str | None:
    """Fetch the branch of the records, where it is one of their own, and make the local branch where there is none.

    With it the remote's first branch, as ``refs/remotes/REMOTE/HEAD``: settings and policy, by which a change of the records is judged,
    stand there, and a checkout of the ledger brings neither.

    Returns
    -------
    str or None
        The branch's tip.
    """
    place, ref = folio.place, folio.place.ledger
    if ref is None:
        return None
    fetch(place.repo, remote, (f"+HEAD:refs/remotes/{remote}/HEAD",))
    tracking = f"refs/remotes/{remote}/{place.settings.records.branch}"
    if not fetch(place.repo, remote, (f"+{ref}:{tracking}",)):
        return None  # no run was recorded yet
    tip = place.repo.resolve(tracking)
    if tip is not None and place.repo.resolve(ref) is None:
        place.repo.update_ref(ref, tip, None, "runfolio: ci fetch")
    return tip


def fetch_code(repo: Repo, remote: str) -> str | None:
    """Fetch the code of runs; what is kept here already stays.

    Returns
    -------
    str or None
        The tip of the ref that keeps it.
    """
    arrived = f"refs/runfolio/remotes/{remote}/code"
    theirs = repo.resolve(arrived) if fetch(repo, remote, (f"+{CODE_REF}:{arrived}",)) else None
    ours = repo.resolve(CODE_REF)
    if theirs is None or theirs == ours:
        return ours
    made = theirs if ours is None else merge_code_refs(repo, ours, theirs)
    repo.update_ref(CODE_REF, made, ours, "runfolio: ci fetch")
    return made


def fetch_pull(folio: Folio, remote: str, ref: str, expected: str | None, branch: str | None) -> Pull:
    """Fetch the head of a pull request to :data:`PULL_REF`, and as much history as joins it to what the work tree stands on.

    Parameters
    ----------
    folio : Folio
    remote : str
    ref : str
        The remote's ref of the head, such as ``refs/pull/7/head``.
    expected : str or None
        The commit that the job is about.
    branch : str or None
        The branch of the remote that the pull request is to be merged into.

    Raises
    ------
    NotFoundError
        If the remote has no such pull request.
    StateError
        If the pull request does not contain the commit (any more).
    RemoteError
        If something cannot be fetched.
    """
    repo = folio.repo
    if not fetch(repo, remote, (f"+{ref}:{PULL_REF}",)):
        raise NotFoundError(f"{remote} has no {ref}. Was the pull request's branch deleted?")
    head, base = repo.resolve(PULL_REF), repo.resolve("HEAD")
    if head is None or base is None:
        raise StateError(f"{ref} or HEAD is no commit, so there is nothing to compare.")
    if expected is not None and expected != head:
        if repo.resolve(expected) is None:
            raise StateError(
                f"{ref} is at {head[:12]} and does not contain {expected[:12]}, which this job is about: the branch was rewritten "
                "meanwhile. The job that its push started reports on it."
            )
        repo.run("update-ref", "-m", "runfolio: ci fetch", PULL_REF, expected)
        head = expected
    leading = (f"+{ref}:{PULL_REF}-all", *((f"+refs/heads/{branch}:refs/remotes/{remote}/{branch}",) if branch else ()))
    try:
        ancestor = deepen(repo, remote, base, head, leading)
    finally:
        repo.run("update-ref", "-d", f"{PULL_REF}-all", check=False)
    for commit in (base, head):
        complete(repo, commit, folio.place.run_folders)
    return Pull(base, head, ancestor)
