"""Names that a branch of records may have: git's rules, and no other branch in the way.

git keeps branches as files and folders, so ``runfolio`` and ``runfolio/ledger`` cannot both be there.
"""

from __future__ import annotations

from runfolio.errors import StateError, UsageError
from runfolio.gitstore import Repo

_HEADS = "refs/heads/"


def check_branch_name(repo: Repo, branch: str) -> None:
    """Refuse what cannot name a branch, or none in this repository.

    Raises
    ------
    UsageError
        If git has no such names.
    StateError
        If another branch is in the way.
    """
    if not repo.succeeds("check-ref-format", "--branch", branch):
        raise UsageError(f"{branch!r} cannot name a branch. Choose a name such as runfolio/ledger.")
    refuse_clash(repo, _HEADS + branch)


def refuse_clash(repo: Repo, ref: str) -> None:
    """Refuse a branch that git cannot make beside one that is there.

    Parameters
    ----------
    repo : Repo
    ref : str
        Full name.

    Raises
    ------
    StateError
        If there is one.
    """
    parts = ref.removeprefix(_HEADS).split("/")
    above = {_HEADS + "/".join(parts[:depth]) for depth in range(1, len(parts))}
    listed = (
        repo.run("for-each-ref", "--format=%(refname)", f"{ref}/", *sorted(above)).decode("utf-8", "surrogateescape").splitlines()
    )
    other = next((name for name in listed if name in above or name.startswith(f"{ref}/")), None)
    if other is not None:
        there, wanted = other.removeprefix(_HEADS), ref.removeprefix(_HEADS)
        raise StateError(
            f"git cannot make the branch {wanted} while there is a branch {there}. Rename that (git branch -m {there} NEW), or choose "
            "another name for the branch of the records (records.branch in runfolio.yaml)."
        )
