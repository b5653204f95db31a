"""Join two histories without touching index and work tree: a three-way merge of their trees."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.errors import StateError
from runfolio.gitstore.checkout import empty_tree
from runfolio.gitstore.commits import Ident, commit_tree
from runfolio.gitstore.index_entries import IndexEntry, set_entries
from runfolio.gitstore.repo import Repo


@dataclass(frozen=True, slots=True)
class Clash:
    """One file that both sides changed; a content is None where the file is not there."""

    path: str
    base: bytes | None
    ours: bytes | None
    theirs: bytes | None


Resolver = Callable[[Clash], bytes | None]


def is_ancestor(repo: Repo, old: str, new: str) -> bool:
    """Tell whether `new` contains `old`."""
    return old == new or repo.succeeds("merge-base", "--is-ancestor", old, new)


def merge(
    repo: Repo, ours: str, theirs: str, resolve: Resolver, message: str, author: Ident, *, durable: bool, sign: bool = False
) -> str:
    """Make the commit that joins two; nothing is moved.

    Parameters
    ----------
    repo : Repo
    ours, theirs : str
        Commit ids.
    resolve : callable
        Gives the content of a file that both sides changed (None removes it); raises where it cannot.
    message : str
    author : Ident
    durable : bool
    sign : bool, optional

    Returns
    -------
    str
        The new commit's id.
    """
    base = repo.run("merge-base", ours, theirs, check=False).decode().split()
    if not base and repo.shallow:
        raise StateError("This is a shallow clone, and the history that joins both sides is cut off. Run: git fetch --unshallow")
    start = base[0] if base else empty_tree(repo)
    with temporary_index(repo) as env:
        repo.run("read-tree", "-i", "-m", "--aggressive", start, ours, theirs, env=env)
        _resolve_all(repo, env, resolve)
        tree = repo.run("write-tree", env=env).decode().strip()
    return commit_tree(repo, tree, (ours, theirs), message, author, durable=durable, sign=sign)


def _resolve_all(repo: Repo, env: dict[str, str], resolve: Resolver) -> None:
    clashes: dict[str, dict[int, str]] = {}
    for line in repo.run("ls-files", "-u", "-z", env=env).split(b"\0"):
        if line:
            head, _, raw = line.partition(b"\t")
            _, oid, stage = head.decode().split(" ")
            clashes.setdefault(raw.decode("utf-8", "surrogateescape"), {})[int(stage)] = oid
    entries = []
    for path, stages in clashes.items():
        base, ours, theirs = (repo.read(stages[stage]) if stage in stages else None for stage in (1, 2, 3))
        data = resolve(Clash(path, base, ours, theirs))
        resolved = None if data is None else repo.run("hash-object", "-w", "--stdin", input=data).decode().strip()
        entries.append(IndexEntry(path, resolved))
    set_entries(repo, entries, env)


@contextmanager
def temporary_index(repo: Repo) -> Iterator[dict[str, str]]:
    """Yield the environment under which git commands use an index of their own."""
    folder = repo.local_folder() / "tmp"
    folder.mkdir(exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix="index.")
    os.close(handle)
    os.unlink(name)
    try:
        yield {"GIT_INDEX_FILE": name}
    finally:
        for left in (Path(name), Path(name + ".lock")):
            left.unlink(missing_ok=True)


def foreign_paths(repo: Repo, new: str, old: str | None, folders: tuple[str, ...], remote: str = "") -> list[str]:
    """Return the paths outside some folders that commits in `new` but not in `old` change, merges apart.

    Parameters
    ----------
    repo : Repo
    new : str
    old : str or None
        None: all history.
    folders : tuple of str
        From the repository's root.
    remote : str, optional
        What any branch of this remote holds, as it was last fetched, is left out, too.
    """
    span = (new, *((f"^{old}",) if old else ()), *(("--not", f"--remotes={remote}") if remote else ()))
    said = repo.run("log", "--no-merges", "--format=", "--name-only", "-z", "--no-renames", *span, "--")
    names = dict.fromkeys(name.decode("utf-8", "surrogateescape").strip("\n") for name in said.split(b"\0") if name.strip(b"\n"))
    return [name for name in names if not any(name.startswith(f"{folder}/") for folder in folders)]
