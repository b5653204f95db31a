"""Make a commit in which the repository has its say: its hooks see it first, and it bears the user's signature.

Slower than :func:`~runfolio.gitstore.commits.commit_files` by five to ten git processes, so only where ``runfolio.yaml`` asks for
it (``commit.hooks``, ``commit.sign``). The same fast-import writes blobs and trees, onto a ref of our own which goes again; the hooks
read them through an index of their own; ``git commit-tree`` makes (and signs) the commit; the branch moves by compare-and-swap.

Invariants: the user's index and message file are not used; what a hook stages is not taken over, since records are what they are; a
message that a hook changed is. A hook that refuses, or a key that cannot sign, changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

from runfolio.errors import GitError, storage_error
from runfolio.gitstore.commits import FileChange, Ident, commit_files, commit_tree
from runfolio.gitstore.hooks import run_hook
from runfolio.gitstore.merging import temporary_index
from runfolio.gitstore.program import durability_options
from runfolio.gitstore.repo import Repo

DRAFT = "refs/runfolio/draft"
"""Holds the commit in the making; the caller's lock sees to it that there is one at a time."""


def commit_attested(
    repo: Repo,
    branch: str,
    parent: str | None,
    changes: Sequence[FileChange],
    message: str,
    author: Ident,
    *,
    durable: bool = False,
    hooks: bool = False,
    sign: bool = False,
) -> bool:
    """Commit some files on a branch, past its hooks and with a signature.

    Parameters
    ----------
    repo : Repo
    branch : str
        Full ref name.
    parent : str or None
        The tip on which the changes were made; None for a branch without commits.
    changes : sequence of FileChange
    message : str
    author : Ident
    durable : bool, optional
        Sync objects and ref to disk before returning.
    hooks : bool, optional
        Run ``pre-commit``, ``prepare-commit-msg``, ``commit-msg`` and ``reference-transaction``; ``post-commit`` is the caller's, who
        has the work tree to bring up first.
    sign : bool, optional
        Sign as git is configured (``gpg.format``, ``user.signingKey``).

    Returns
    -------
    bool
        False if the branch was not at `parent` any more: nothing was changed.

    Raises
    ------
    StateError
        If a hook refused.
    GitError
        If the commit could not be signed, or git failed.
    """
    tree = _draft(repo, parent, changes, author, durable)
    if hooks:
        with temporary_index(repo) as env:
            repo.run("read-tree", tree, env=env)
            run_hook(repo, "pre-commit", env=env)
            message = _checked_message(repo, message, env)
    new = commit_tree(repo, tree, [parent] if parent else [], message, author, durable=durable, sign=sign)
    args = (*durability_options(durable), "update-ref", "-m", "runfolio: commit", "--end-of-options")
    try:
        repo.run(*args, branch, new, parent or "0" * len(new), hooks=hooks)
    except GitError:
        if repo.resolve(branch) == parent:
            raise
        return False
    return True


def _draft(repo: Repo, parent: str | None, changes: Sequence[FileChange], author: Ident, durable: bool) -> str:
    """Write blobs and trees, and return the tree's id."""
    repo.run("update-ref", "-d", DRAFT, check=False)  # of a process that was killed
    try:
        commit_files(repo, DRAFT, parent, changes, "runfolio: draft\n", author, durable=durable)
        return repo.run("rev-parse", "--verify", f"{DRAFT}^{{tree}}").decode().strip()
    finally:
        repo.run("update-ref", "-d", DRAFT, check=False)


def _checked_message(repo: Repo, message: str, env: dict[str, str]) -> str:
    """Let the hooks read and change the message, in a file of our own: the user may be writing one."""
    path = repo.local_folder() / f"COMMIT_EDITMSG.{os.getpid()}"
    try:
        path.write_text(message, "utf-8", "surrogateescape")
        run_hook(repo, "prepare-commit-msg", str(path), "message", env=env)
        run_hook(repo, "commit-msg", str(path), env=env)
        return path.read_text("utf-8", "surrogateescape")
    except OSError as error:
        if hasattr(error, "exit_code"):
            raise
        raise storage_error("write the commit's message", error) from None
    finally:
        with suppress(OSError):
            path.unlink()
