"""Bring work tree and index up to a commit of records, touching nothing else.

After a commit on the branch that is checked out, the records must appear in the work tree and in the index, or
``git status`` would call them deleted. Staged changes and work in progress of the user stay byte for byte: only entries
of the commit's own paths are added to the index, and a file that the user has changed is left alone.

The index is replaced as git itself does it, under ``index.lock``; but the lock is made by linking a file of ours whose
inode is written down first (``pending.json``). A process killed at any point leaves a note from which the next one finishes
the work, and a lock that is *provably ours* is removed. A lock of anybody else is waited for, then reported.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from runfolio.errors import BusyError, GitError, storage_error
from runfolio.gitstore.process import explain, run_git
from runfolio.gitstore.repo import Change, Repo

PENDING = "pending.json"
LOCK_WAIT_S = 10.0


def write_note(repo: Repo, note: dict[str, object]) -> None:
    """Write down what is about to be done, so that the next process can finish it."""
    target = _note_path(repo)
    temporary = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        temporary.write_text(json.dumps(note), "utf-8")
        os.replace(temporary, target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise storage_error("write down the pending commit", error) from None


def read_note(repo: Repo) -> dict[str, object] | None:
    """Return what an earlier process of this work tree did not finish, or None."""
    try:
        note = json.loads(_note_path(repo).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def drop_note(repo: Repo) -> None:
    """Say that nothing is pending any more."""
    with suppress(FileNotFoundError):
        _note_path(repo).unlink()


def _note_path(repo: Repo) -> Path:
    folder = repo.git_dir / "runfolio"
    folder.mkdir(exist_ok=True)
    return folder / PENDING


def finish_pending(repo: Repo) -> None:
    """Finish what a killed process left between its commit and the work tree.

    The caller holds the folio's lock, so no other process of ours is at work.
    """
    note = read_note(repo)
    if note is None:
        return
    _remove_own_lock(repo, note.get("inode"))
    branch, old, new = note.get("branch"), note.get("old"), note.get("new")
    folder = str(note.get("folder", ""))
    tip = repo.resolve(str(branch)) if branch else None
    if tip and repo.head_branch() == branch:
        if new and tip == old:
            advance(repo, str(branch), str(old), str(new))
        elif tip != old and (new is None or tip == new):
            update(repo, str(branch), str(old) if old else empty_tree(repo), tip, folder)
    drop_note(repo)


def empty_tree(repo: Repo) -> str:
    """Return the id of the empty tree, the state before a first commit; git knows it without its being stored."""
    return repo.run("hash-object", "-t", "tree", "--stdin", input=b"").decode().strip()


def update(repo: Repo, branch: str, old: str, new: str, folder: str) -> None:
    """Write the records that differ between two commits into the work tree and the index.

    Parameters
    ----------
    repo : Repo
        With a work tree on `branch`.
    branch : str
        Full name of the branch, for the note.
    old, new : str
        Ids of the commits (or the empty tree).
    folder : str
        Folder of the folio from the repository's root; ``""`` for all.

    Raises
    ------
    BusyError
        If another git process holds ``index.lock`` for longer than we wait; the next command finishes the work.
    """
    changes = repo.changes(old, new, folder)
    if not changes or repo.work_tree is None:
        return
    wanted = _write_files(repo, repo.work_tree, changes)
    _update_index(repo, branch, old, wanted, folder)


def _write_files(repo: Repo, root: Path, changes: list[Change]) -> list[Change]:
    """Write changed files; return the changes whose index entries may follow."""
    if _left_out_by_sparse(repo, changes):
        return changes
    contents = dict(repo.read_many([change.new for change in changes if change.new]))
    done = []
    made_folders: set[Path] = set()
    for change in changes:
        target = root / change.path
        data = contents.get(change.new) if change.new else None
        try:
            current = target.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            current = None
        except OSError as error:
            raise storage_error(f"read {change.path}", error) from None
        if current is not None and current != data:
            before = repo.read(change.old) if change.old else None
            if current != before:
                continue  # the user's own edit: theirs to commit or to throw away
        _write_file(root, target, data, current, made_folders)
        done.append(change)
    return done


def _write_file(root: Path, target: Path, data: bytes | None, current: bytes | None, made: set[Path]) -> None:
    try:
        if data is None:
            with suppress(FileNotFoundError):
                target.unlink()
            for folder in target.parents:
                if folder == root:
                    break
                try:
                    folder.rmdir()
                except OSError:
                    break
        elif current is None or current != data:
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
            temporary.write_bytes(data)
            os.replace(temporary, target)
    except OSError as error:
        raise storage_error(f"write {target.relative_to(root)} into the work tree", error) from None


def _left_out_by_sparse(repo: Repo, changes: Iterable[Change]) -> bool:
    if not (repo.git_dir / "info" / "sparse-checkout").exists() or repo.config("core.sparseCheckout") != "true":
        return False
    assert repo.work_tree is not None
    tops = {change.path.split("/", 1)[0] for change in changes}
    return not any((repo.work_tree / top).exists() for top in tops)


def _update_index(repo: Repo, branch: str, old: str, changes: list[Change], folder: str) -> None:
    if not changes:
        return
    index = repo.git_dir / "index"
    ours = repo.git_dir / "runfolio" / f"lock.{os.getpid()}"
    fresh = repo.git_dir / "runfolio" / "index.new"
    try:
        ours.parent.mkdir(exist_ok=True)
        ours.write_bytes(b"")
        note: dict[str, object] = {"branch": branch, "old": old, "folder": folder, "inode": os.stat(ours).st_ino}
        write_note(repo, note)
        _take_lock(repo, ours)
        try:
            with suppress(FileNotFoundError):
                fresh.unlink()
            if index.exists():
                shutil.copyfile(index, fresh)
            _edit_index(repo, fresh, changes)
            os.replace(fresh, index)
        finally:
            with suppress(FileNotFoundError):
                (repo.git_dir / "index.lock").unlink()
    except OSError as error:
        raise storage_error("update git's index", error) from None
    finally:
        with suppress(OSError):
            ours.unlink()


def _edit_index(repo: Repo, file: Path, changes: list[Change]) -> None:
    zero = "0" * len(next(filter(None, (change.new or change.old for change in changes)), "0" * 40))
    lines = [
        f"{'100644' if change.new else '0'} {change.new or zero}\t".encode() + change.path.encode("utf-8", "surrogateescape") + b"\0"
        for change in changes
    ]
    env = {"GIT_INDEX_FILE": str(file)}
    repo.run("update-index", "-z", "--index-info", input=b"".join(lines), env=env)
    if _left_out_by_sparse(repo, changes):
        present = b"\0".join(change.path.encode("utf-8", "surrogateescape") for change in changes if change.new)
        repo.run("update-index", "--skip-worktree", "-z", "--stdin", input=present, env=env)


def _take_lock(repo: Repo, ours: Path) -> None:
    lock = repo.git_dir / "index.lock"
    give_up = time.monotonic() + LOCK_WAIT_S
    pause = 0.005
    while True:
        try:
            os.link(ours, lock)
            return
        except FileExistsError:
            if time.monotonic() > give_up:
                raise BusyError(
                    f"{lock} is held by another git process. The runs are committed; git status will be right as soon as any "
                    "runfolio command has run after it is done. If no git process is running, remove the file."
                ) from None
            time.sleep(pause)
            pause = min(pause * 2, 0.2)


def _remove_own_lock(repo: Repo, inode: object) -> None:
    lock = repo.git_dir / "index.lock"
    try:
        if inode is not None and os.stat(lock).st_ino == inode:
            lock.unlink()
    except FileNotFoundError:
        pass
    for left in (repo.git_dir / "runfolio").glob("lock.*"):
        with suppress(OSError):
            left.unlink()


def advance(repo: Repo, branch: str, old: str, new: str) -> None:
    """Move a checked-out branch to a commit with its work tree, keeping local changes, as ``git merge --ff-only`` does.

    Raises
    ------
    GitError
        If a local change would be overwritten; then nothing is moved.
    """
    write_note(repo, {"branch": branch, "old": old, "new": new, "folder": ""})
    # Entries that were added by id carry no file times yet; without a refresh read-tree takes them for local changes.
    repo.succeeds("update-index", "-q", "--refresh")
    args = ("--git-dir", str(repo.git_dir), "--work-tree", str(repo.work_tree), "read-tree", "-m", "-u", "--end-of-options", old, new)
    done = run_git(args, repo.work_tree)
    if done.returncode:
        drop_note(repo)
        said = done.stderr.decode("utf-8", "replace")
        if "would be overwritten" in said or "not uptodate" in said:
            raise GitError("the remote's changes touch files that you have changed and not committed. Commit or stash them, then sync again.")
        raise explain(("read-tree",), done)
    if not repo.update_ref(branch, new, old, "runfolio: sync"):
        drop_note(repo)
        raise BusyError("the branch moved while runfolio was bringing in the remote's runs. Run sync again.")
    drop_note(repo)
