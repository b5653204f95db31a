"""The tree that a commit of a changed work tree would hold, with nothing of the user's index, refs and locks touched.

Where the repository and the changes are plain (files, in folders that stay folders) git makes the blobs, by one ``hash-object`` that
runs the filters of ``git add``, and the folders are written in this process (:mod:`runfolio.gitstore.direct`). Everything else is done by
git through a copy of the index: links, submodules, merges, a branch without commits, other hashes, file systems that fold names.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Sequence
from contextlib import suppress
from functools import partial

from runfolio.errors import GitError
from runfolio.gitstore.admission import ABSENT, Changed
from runfolio.gitstore.direct import tree_with
from runfolio.gitstore.index_entries import IndexEntry, set_entries, take_files
from runfolio.gitstore.ref_files import LeaveToGitError
from runfolio.gitstore.ref_values import OBJECT_ID
from runfolio.gitstore.repo import Repo
from runfolio.gitstore.trees import EXECUTABLE, FILE

_FOLDS_NAMES = ("core.ignorecase", "core.precomposeunicode")
_AS_IT_IS = ("-c", "core.safecrlf=false")
"""Git refuses to add a file whose line ends it could not give back where ``core.safecrlf`` says so: code is kept all the same."""
_PIECE = 1 << 20


def changed_tree(
    repo: Repo, commit: str, taken: Sequence[str], reset: Sequence[Changed], *, plain: bool, known: Container[str] = ()
) -> str:
    """Store the tree of a commit with what changed in the work tree, and return its id.

    Parameters
    ----------
    repo : Repo
        With a work tree.
    commit : str
        Id of HEAD's commit; empty on a branch without commits.
    taken : sequence of str
        Paths to take as they are now.
    reset : sequence of Changed
        Paths to take in the state given.
    plain : bool
        Nothing of it is a submodule, or in the middle of a merge: then these are all the paths that differ from the commit.
    known : container of str, optional
        Paths that the index may hold; the others are new.

    Raises
    ------
    GitError
        If git failed.
    """
    if plain and commit:
        with suppress(LeaveToGitError):
            return _written_here(repo, commit, taken, reset, known)
    return _written_by_git(repo, taken, reset)


def _written_here(repo: Repo, commit: str, taken: Sequence[str], reset: Sequence[Changed], known: Container[str]) -> str:
    said = repo.configured.values()
    if said.truth("core.fileMode") is False or any(said.truth(key) for key in _FOLDS_NAMES):
        raise LeaveToGitError("names or modes")
    files: dict[str, tuple[str, str] | None] = {}
    for item in reset:
        if item.oid and item.mode not in (FILE, EXECUTABLE):
            raise LeaveToGitError(item.path)
        files[item.path] = (item.mode, item.oid) if item.oid and item.mode != ABSENT else None
    modes = [_mode(repo, path) for path in taken]
    for path in taken:
        if path in known and _has_returns(f"{repo.work_tree}/{path}"):
            # `git add` lets CR LF be where the index has it already (convert.c, has_crlf_in_index); hash-object reads no index.
            raise LeaveToGitError(path)
    files.update(zip(taken, zip(modes, _blobs(repo, taken), strict=True), strict=True))
    return tree_with(repo, commit, files)


def _mode(repo: Repo, path: str) -> str:
    """Return the mode of a file as git keeps it."""
    try:
        found = os.lstat(f"{repo.work_tree}/{path}").st_mode
    except OSError:
        raise LeaveToGitError(path) from None
    if not stat.S_ISREG(found) or "\n" in path or path.startswith('"') or path.endswith("\r"):
        raise LeaveToGitError(path)  # what the lines of hash-object cannot say, or say otherwise
    return EXECUTABLE if found & stat.S_IXUSR else FILE


def _has_returns(name: str) -> bool:
    try:
        with open(name, "rb", 0) as file:
            return any(b"\r" in piece for piece in iter(partial(file.read, _PIECE), b""))
    except OSError:
        raise LeaveToGitError(name) from None


def _blobs(repo: Repo, paths: Sequence[str]) -> list[str]:
    """Store files as ``git add`` would, and return their ids."""
    if not paths:
        return []
    names = "".join(f"{path}\n" for path in paths).encode("utf-8", "surrogateescape")
    made = repo.run(*_AS_IT_IS, "hash-object", "-w", "--stdin-paths", input=names, check=False).decode().split()
    if len(made) != len(paths) or not all(map(OBJECT_ID.match, made)):
        raise LeaveToGitError("git made no object of a file")
    return made


def _written_by_git(repo: Repo, taken: Sequence[str], reset: Sequence[Changed]) -> str:
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory(prefix="runfolio-code-") as folder:
        index = os.path.join(folder, "index")
        with suppress(FileNotFoundError):  # nothing was ever added: git makes the file
            # With its time: a file that was changed in the second of the last `git add` is told by being no older than the
            # index ("racy git", Documentation/technical/racy-git.txt). A copy that is younger hides that change.
            shutil.copy2(repo.git_dir / "index", index)
        env = {"GIT_INDEX_FILE": index}
        set_entries(repo, [IndexEntry(item.path, item.oid if item.mode.strip("0") else None, item.mode) for item in reset], env)
        take_files(repo, taken, env, _AS_IT_IS)
        tree = repo.run("write-tree", "--missing-ok", env=env).decode().strip()
    if not OBJECT_ID.match(tree):
        raise GitError(f"git write-tree gave no tree but {tree!r}. Is there room on the disk?")
    return tree
