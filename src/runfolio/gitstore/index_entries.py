"""Change an index by git, and see that git took in all it was given.

``git update-index`` ends with 0 where it could not read its input to the end: what it had not read it leaves as it was. So it is asked to
report what it does (``--verbose``), and the last report is looked for. What it takes for the last entry it has come to by reading all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runfolio._typing import NamedTuple
from runfolio.errors import GitError
from runfolio.gitstore.repo import Repo
from runfolio.gitstore.trees import FILE, id_bytes

_A_CALL = 400
"""Paths as arguments of one call."""
_PART = "git update-index did not read all that it was given. Try again; if that does not help: git fsck"


class IndexEntry(NamedTuple):
    """A path as an index is to have it; without an id it is to have no such path."""

    path: str
    oid: str | None
    mode: str = FILE


def set_entries(repo: Repo, entries: Sequence[IndexEntry], env: Mapping[str, str]) -> None:
    """Put entries into an index, in place of all stages that it has of their paths, and take others out.

    Parameters
    ----------
    repo : Repo
    entries : sequence of IndexEntry
        Each path once.
    env : mapping
        ``GIT_INDEX_FILE``.

    Raises
    ------
    GitError
        If git failed, or took in a part only.
    """
    gone = [entry.path for entry in entries if entry.oid is None]
    put = [entry for entry in entries if entry.oid is not None]
    nothing = "0" * 2 * id_bytes(repo)
    # Mode 0 drops every stage of a path. First, so that a file may take the place of a folder, and that the last entry is reported.
    lines = "".join(
        (*(f"0 {nothing}\t{path}\0" for path in gone), *(f"{entry.mode} {entry.oid}\t{entry.path}\0" for entry in put))
    )
    if lines:
        _update(repo, ("-z", "--index-info"), lines.encode("utf-8", "surrogateescape"), put[-1].path if put else None, env)
    if gone and not put:  # git reports no removal
        for start in range(0, len(gone), _A_CALL):
            named = (f":(top,literal){path}" for path in gone[start : start + _A_CALL])
            left = repo.run("ls-files", "-z", "--cached", "--", *named, env=env).decode("utf-8", "surrogateescape").split("\0")
            if not set(gone).isdisjoint(left):
                raise GitError(_PART)


def take_files(repo: Repo, paths: Sequence[str], env: Mapping[str, str], config: Sequence[str] = ()) -> None:
    """Take files of the work tree into an index as they are, or out of it where they are gone.

    Raises
    ------
    GitError
        If git failed, or took in a part only.
    """
    if paths:
        options = ("--add", "--remove", "--replace", "-z", "--stdin")
        names = "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
        _update(repo, options, names, paths[-1], env, config)


def skip_work_tree(repo: Repo, paths: Sequence[str], env: Mapping[str, str]) -> None:
    """Mark entries as not checked out."""
    for start in range(0, len(paths), _A_CALL):  # of this git reports nothing: what is an argument is read or fails
        repo.run("update-index", "--skip-worktree", "--", *paths[start : start + _A_CALL], env=env)


def _update(
    repo: Repo, options: Sequence[str], data: bytes, last: str | None, env: Mapping[str, str], config: Sequence[str] = ()
) -> None:
    said = repo.run(*config, "update-index", "--verbose", *options, input=data, env=env)
    if last is not None and not said.endswith(f"add '{last}'\n".encode("utf-8", "surrogateescape")):
        raise GitError(_PART)
