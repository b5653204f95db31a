"""Keep the exact code of runs: trees on one hidden ref, which no squash, rebase or deletion of a branch can lose.

``refs/runfolio/code`` is a chain of commits whose tree has one entry for each kept code tree: ``ab/<tree id>``, where
``ab`` are the id's first two digits. Objects are named by content, so code that is committed anyway takes no room but
the entry's line; one ref carries all, so one push and one fetch do, and two clones' refs are merged by taking the union.

Invariants: an entry is only ever added; the ref moves by compare-and-swap, so writers at once lose nothing; keeping a
tree that is kept costs one look-up and starts no process.

Worked example::

    state = code_tree(code_repo, rules)
    carry_tree(code_repo, folio_repo, state.tree)     # only where they are two repositories
    keep_tree(folio_repo, state.tree)
    restore_tree(folio_repo, state.tree, "/tmp/as-it-was")

What it does *not* do: push or fetch (sync does), or remove an entry.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from runfolio.errors import BusyError, GitError, NotFoundError, StateError, storage_error
from runfolio.gitstore.ref_values import OBJECT_ID
from runfolio.gitstore.repo import Repo, TreeEntry
from runfolio.gitstore.trees import EXECUTABLE, FOLDER, SUBMODULE, SYMLINK, Entry, read_tree, write_trees

CODE_REF = "refs/runfolio/code"
MAX_CARRIED_BYTES = 256 << 20
WAIT_S = 10.0
STALE_LOCK_S = 600.0

_IDENT = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "runfolio"), ("EMAIL", "runfolio@localhost"))
}


def has_tree(repo: Repo, tree: str) -> bool:
    """Tell whether a tree is kept in a repository."""
    tip = _tip(repo)
    return tip is not None and repo.read(f"{tip}:{tree[:2]}/{tree}") is not None


def keep_tree(repo: Repo, tree: str, *, wait_s: float = WAIT_S) -> None:
    """Keep a tree from git's garbage collection, for good.

    Parameters
    ----------
    repo : Repo
    tree : str
        Id of a tree that is in the repository.
    wait_s : float, optional
        Seconds for which other writers are waited for.

    Raises
    ------
    NotFoundError
        If there is no such tree.
    BusyError
        If the ref stayed locked.
    GitError
        If git failed.
    """
    if has_tree(repo, tree):
        return
    if not OBJECT_ID.match(tree) or repo.read_kind(tree) != "tree":
        raise NotFoundError(f"The code tree {tree!r} is not in {repo.common_dir}, so it cannot be kept. Capture the code again.")
    give_up, pause = time.monotonic() + wait_s, 0.005
    while True:
        tip = _tip(repo)
        if tip and repo.read(f"{tip}:{tree[:2]}/{tree}") is not None:
            return
        made = _commit(
            repo, _shards(repo, tip), {tree[:2]: [tree]}, [tip] if tip else [], "code: one tree more", int(time.time())
        )
        if repo.update_ref(CODE_REF, made, tip, "runfolio: keep code"):
            return
        if not _dropped_stale_lock(repo) and time.monotonic() > give_up:
            lock = repo.common_dir / f"{CODE_REF}.lock"
            raise BusyError(
                f"{CODE_REF} stayed locked for {wait_s:g} s. If no git process is running, remove {lock} and try again."
            )
        # Writers that met once are spread, or they meet again.
        time.sleep(pause * (0.5 + os.urandom(1)[0] / 255))
        pause = min(pause * 2, 0.2)


def _dropped_stale_lock(repo: Repo) -> bool:
    # The ref is ours alone and a move of it takes milliseconds: a lock that is minutes old was left by a crash.
    lock = repo.common_dir / f"{CODE_REF}.lock"
    with suppress(OSError):
        if time.time() - lock.stat().st_mtime > STALE_LOCK_S:
            lock.unlink()
            return True
    return False


def merge_code_refs(repo: Repo, ours: str, theirs: str) -> str:
    """Make the commit that keeps what either of two commits of the code ref keeps.

    Parameters
    ----------
    repo : Repo
    ours, theirs : str
        Commit ids.

    Returns
    -------
    str
        `theirs` where it holds all already, `ours` where it also contains `theirs` (so that a push is a fast-forward); else a
        new commit, the same whoever merges the two.
    """
    mine, other = _shards(repo, ours), _shards(repo, theirs)
    missing = {shard: _absent(repo, mine.get(shard), oid) for shard, oid in other.items() if oid != mine.get(shard)}
    missing = {shard: trees for shard, trees in missing.items() if trees}
    if not any(_absent(repo, other.get(shard), oid) for shard, oid in mine.items() if oid != other.get(shard)):
        return theirs
    if not missing and repo.succeeds("merge-base", "--is-ancestor", "--end-of-options", theirs, ours):
        return ours
    parents = sorted((ours, theirs))
    when = max(int(repo.run("show", "-s", "--format=%ct", "--end-of-options", parent)) for parent in parents)
    return _commit(repo, mine, missing, parents, "code: both sides", when)


def carry_tree(source: Repo, target: Repo, tree: str, *, max_bytes: int = MAX_CARRIED_BYTES) -> None:
    """Copy a tree with all that it names from one repository into another; only what is missing there moves.

    Parameters
    ----------
    source, target : Repo
    tree : str
    max_bytes : int, optional
        The most that may be missing.

    Raises
    ------
    StateError
        If more is missing than `max_bytes`, or the repositories name objects in different ways.
    GitError
        If git failed.
    """
    if source.common_dir == target.common_dir or has_tree(target, tree):
        return
    if source.object_format != target.object_format:
        raise StateError(
            f"the code's repository uses {source.object_format} and the folio's {target.object_format}: trees cannot move."
        )
    listed = source.run("ls-tree", "-r", "-t", "-z", "--end-of-options", tree).split(b"\0")
    heads = (line.split(b"\t", 1)[0].split(b" ") for line in listed if line)
    # A submodule's commit lies in a repository of its own.
    wanted = dict.fromkeys([tree, *(head[2].decode() for head in heads if head[1] != b"commit")])
    check = "cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)"
    missing = [line[0] for line in _answers(target, check, wanted) if line[-1] == "missing"]
    size = sum(int(line[2]) for line in _answers(source, check, missing) if line[-1] != "missing")
    if size > max_bytes:
        raise StateError(
            f"the code's files come to {size >> 20} MiB, more than the {max_bytes >> 20} MiB that a folio of its own takes."
        )
    if missing:
        pack = source.run("pack-objects", "--stdout", "-q", input="".join(f"{oid}\n" for oid in missing).encode())
        target.run("unpack-objects", "-q", input=pack) if len(missing) < 500 else target.run("index-pack", "--stdin", input=pack)


def _answers(repo: Repo, command: tuple[str, str], oids: Iterable[str]) -> list[list[str]]:
    return [line.split() for line in repo.run(*command, input="".join(f"{oid}\n" for oid in oids).encode()).decode().splitlines()]


def restore_tree(repo: Repo, tree: str, target: Path | str) -> int:
    """Write the files of a kept tree into an empty or new folder, byte for byte as git holds them.

    No filter, hook or attribute of the repository runs: a file that git LFS keeps comes out as its pointer.

    Parameters
    ----------
    repo : Repo
    tree : str
    target : path
        A submodule becomes an empty folder in it.

    Returns
    -------
    int
        Files written.

    Raises
    ------
    NotFoundError
        If the tree is not in the repository.
    StateError
        If the folder is not empty, or the tree names a path outside it.
    StorageError
        If a file cannot be written.
    """
    if not OBJECT_ID.match(tree) or repo.read_kind(tree) != "tree":
        raise NotFoundError(f"The code tree {tree!r} is not in {repo.common_dir}. Run: runfolio sync")
    entries = repo.tree_entries(tree, "")
    for entry in entries:
        _check_path(entry.path)
    root = Path(target)
    try:
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()):
            raise StateError(f"{root} is not empty. Name an empty or new folder.")
        return _write_all(repo, entries, root)
    except OSError as error:
        raise storage_error("restore the code", error) from None


def _check_path(path: str) -> None:
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" or "\\" in part for part in parts):
        raise StateError(
            f"the code tree names the path {path!r}, which no work tree may hold: it was not made by git. Nothing was written."
        )


def _write_all(repo: Repo, entries: Sequence[TreeEntry], root: Path) -> int:
    for entry in entries:
        if entry.mode == SUBMODULE:
            (root / entry.path).mkdir(parents=True, exist_ok=True)
    files = [entry for entry in entries if entry.mode not in (SUBMODULE, SYMLINK)]
    # Links last: no file can then be written through one.
    links = [entry for entry in entries if entry.mode == SYMLINK]
    for entry, (_, data) in zip([*files, *links], repo.read_many(item.oid for item in [*files, *links]), strict=True):
        if data is None:
            raise GitError(f"the content of {entry.path} is not in {repo.common_dir} (a partial clone?). Run: git fsck")
        place = root / entry.path
        place.parent.mkdir(parents=True, exist_ok=True)
        if entry.mode == SYMLINK:
            os.symlink(data, place)
            continue
        with open(place, "xb") as file:
            file.write(data)
        if entry.mode == EXECUTABLE:
            place.chmod(place.stat().st_mode | 0o111 & ~_umask())
    return len(files) + len(links)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _tip(repo: Repo) -> str | None:
    return repo.resolve(CODE_REF)


def _shards(repo: Repo, commit: str | None) -> dict[str, str]:
    entries = read_tree(repo, commit) if commit else []
    if entries is None:
        raise GitError(f"{CODE_REF} names {commit}, which is not in {repo.common_dir}. Run: git fsck, then git fetch --refetch")
    return {entry.name: entry.oid for entry in entries if entry.mode == FOLDER}


def _absent(repo: Repo, shard: str | None, other: str) -> list[str]:
    """Return the trees that the shard `other` keeps and `shard` does not."""
    kept = {entry.name for entry in _shard(repo, shard)} if shard else set()
    # A name that is not the entry's own id was not written by us, and keeps nothing that could be asked for.
    return [entry.name for entry in _shard(repo, other) if entry.name not in kept and entry.name == entry.oid]


def _shard(repo: Repo, oid: str) -> list[Entry]:
    """Read a shard; one that cannot be read is an error, or the next commit would let go of all that it keeps."""
    entries = read_tree(repo, oid)
    if entries is None:
        raise GitError(f"{CODE_REF} names the tree {oid}, which cannot be read in {repo.common_dir}. Run: git fsck")
    return entries


def _commit(
    repo: Repo, shards: dict[str, str], added: dict[str, list[str]], parents: Sequence[str], message: str, at_s: int
) -> str:
    """Make a commit of the code ref: the shards with some trees added."""
    filled = []
    for shard, trees in added.items():
        kept = _shard(repo, shards[shard]) if shard in shards else []
        filled.append([*kept, *(Entry(FOLDER, tree, tree) for tree in trees)])
    made = {**shards, **dict(zip(added, write_trees(repo, filled), strict=True))}
    root = write_trees(repo, [[Entry(FOLDER, name, oid) for name, oid in made.items()]])[0]
    env = {**_IDENT, "GIT_AUTHOR_DATE": f"@{at_s} +0000", "GIT_COMMITTER_DATE": f"@{at_s} +0000"}
    heads = [word for parent in parents for word in ("-p", parent)]
    return repo.run("-c", "commit.gpgSign=false", "commit-tree", *heads, "-m", message, root, env=env).decode().strip()
