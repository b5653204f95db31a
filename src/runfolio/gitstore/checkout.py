"""Bring work tree and index up to a commit of records, touching nothing else.

After a commit on the branch that is checked out, the records must appear in the work tree and in the index, or
``git status`` would call them deleted. Staged changes and work in progress of the user stay byte for byte: only entries
of the commit's own paths are added to the index, and a file that the user has changed is left alone.

What is about to be done is written down first (``pending.json``): a process killed at any point leaves a note from which the next
one finishes the work. The index is replaced as git itself does it, under ``index.lock`` (``index_lock``); whoever moves a branch that
is checked out holds that lock from before the move, so that no ``git commit`` of the user reads the new branch with the old index.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from runfolio._hashing import sha1_of, sha256
from runfolio.errors import BusyError, GitError, storage_error
from runfolio.gitstore.commits import FileChange
from runfolio.gitstore.index_entries import IndexEntry, set_entries, skip_work_tree
from runfolio.gitstore.index_file import write_entries
from runfolio.gitstore.index_lock import index_held, remove_left_behind, remove_own
from runfolio.gitstore.process import explain, run_git
from runfolio.gitstore.ref_files import LeaveToGitError
from runfolio.gitstore.repo import Change, Repo
from runfolio.gitstore.settled import read_small
from runfolio.records.visible import visible

PENDING = "pending.json"


def write_note(repo: Repo, note: dict[str, object]) -> None:
    """Write down what is about to be done, so that the next process can finish it."""
    target = _note_path(repo)
    temporary = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(exist_ok=True)
        temporary.write_text(json.dumps(note), "utf-8")
        os.replace(temporary, target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise storage_error("write down the pending commit", error) from None


def read_note(repo: Repo) -> dict[str, object] | None:
    """Return what an earlier process of this work tree did not finish, or None."""
    try:
        note = json.loads(read_small(f"{repo.git_dir}/runfolio/{PENDING}"))
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def drop_note(repo: Repo) -> None:
    """Say that nothing is pending any more."""
    try:
        _note_path(repo).unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise storage_error("remove the note of a pending commit", error) from None


def _note_path(repo: Repo) -> Path:
    return repo.git_dir / "runfolio" / PENDING


def finish_pending(repo: Repo, wait_s: float | None = None) -> None:
    """Finish what a killed process left between its commit and the work tree.

    The caller holds the folio's lock, so no other process of ours is at work.

    Parameters
    ----------
    repo : Repo
    wait_s : float, optional
        Seconds to wait for somebody else who holds the index.
    """
    note = read_note(repo) if PENDING in remove_own(repo) else None
    if note is None:
        return
    branch, old, new = note.get("branch"), note.get("old"), note.get("new")
    locks = [repo.common_dir / f"{branch}.lock", repo.git_dir / "HEAD.lock"]
    # Only while the tree is moved does git itself take the index's lock for us.
    remove_left_behind([*locks, repo.git_dir / "index.lock"] if new else locks, _note_path(repo).stat().st_mtime)
    tip = repo.resolve(str(branch)) if branch else None
    if tip and not repo.bare and repo.head_branch() == branch:
        if new and tip == old:
            advance(repo, str(branch), str(old), str(new))
        elif tip != old and (new is None or tip == new):
            only = note.get("only")
            chosen = tuple(map(str, only)) if isinstance(only, list) else ()
            update(
                repo,
                str(branch),
                str(old) if old else empty_tree(repo),
                tip,
                str(note.get("folder", "")),
                only=chosen,
                wait_s=wait_s,
                again=True,
            )
        elif tip == old and not new:
            return  # the git of the killed process may be about to move the branch: the note stays until it has, or the next commit
    drop_note(repo)


def empty_tree(repo: Repo) -> str:
    """Return the id of the empty tree, the state before a first commit; git knows it without its being stored."""
    return repo.run("hash-object", "-t", "tree", "--stdin", input=b"").decode().strip()


def update(
    repo: Repo,
    branch: str,
    old: str,
    new: str,
    folder: str,
    *,
    only: tuple[str, ...] = (),
    wait_s: float | None = None,
    held: bool = False,
    again: bool = False,
) -> None:
    """Write the records that differ between two commits into the work tree and the index.

    Parameters
    ----------
    repo : Repo
        With a work tree on `branch`.
    branch : str
        Full name of the branch.
    old, new : str
        Ids of the commits (or the empty tree).
    folder : str
        Folder of the folio from the repository's root; ``""`` for all.
    only : tuple of str, optional
        Folders and files from the repository's root: what else differs is the user's own commit, which brought it here already.
    wait_s : float, optional
        Seconds to wait for somebody else who holds the index.
    held : bool, optional
        The caller holds the index.
    again : bool, optional
        An earlier process was killed at this: remove its unfinished files.

    Raises
    ------
    BusyError
        If another git process holds ``index.lock`` for longer than we wait; the next command finishes the work.
    """
    if repo.work_tree is None:
        return
    changes = [change for change in repo.changes(old, new, folder) if not only or _within(change.path, only)]
    if not changes:
        return
    if again:
        _remove_unfinished(repo.work_tree, changes)
    if held:
        _update_index(repo, _write_files(repo, repo.work_tree, changes))
        return
    with index_held(repo, wait_s):
        _update_index(repo, _write_files(repo, repo.work_tree, changes))


def show_known(repo: Repo, files: Sequence[FileChange], before: str | None) -> None:
    """Write records that were just committed into the work tree and the index; the caller holds the index.

    What :func:`update` does, for the one who made the commit and so need not ask git what is in it.

    Parameters
    ----------
    repo : Repo
    files : sequence of FileChange
        What was committed; their donors are used up.
    before : str or None
        The commit before, which the work tree shows.
    """
    if repo.work_tree is None or not files:
        return
    kind = repo.object_format
    changes = [Change(file.path, None, None if file.data is None else blob_id(file.data, kind)) for file in files]
    if not _left_out_by_sparse(repo, changes):
        folders: dict[str, bool] = {}
        changes = [change for change, file in zip(changes, files, strict=True) if _show(repo, file, before, folders)]
    _update_index(repo, changes)


def _show(repo: Repo, file: FileChange, before: str | None, folders: dict[str, bool]) -> bool:
    """Write one file; False where the user has changed it: theirs to commit or to throw away."""
    root = repo.work_tree
    assert root is not None
    target = f"{root}/{file.path}"
    current = _current(target, file.path)
    if current is not None and current != file.data and (before is None or repo.read(f"{before}:{file.path}") != current):
        return False
    _write_file(root, target, file.data, current, folders, file.donor)
    return True


def _current(target: str, path: str) -> bytes | None:
    try:
        os.lstat(target)  # most are new, and to see that costs less than to try to open them
        with open(target, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise storage_error(f"read {path}", error) from None


def blob_id(data: bytes, kind: str = "sha1") -> str:
    """Return the object id that git gives a file's content.

    Examples
    --------
    >>> blob_id(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    whole = b"blob %d\0" % len(data) + data
    return sha256(whole, usedforsecurity=False).hexdigest() if kind == "sha256" else sha1_of(whole).hex()


def _within(path: str, only: tuple[str, ...]) -> bool:
    return any(path == name or path.startswith(name + "/") for name in only)


def _remove_unfinished(root: Path, changes: list[Change]) -> None:
    names: dict[Path, set[str]] = {}
    for change in changes:
        target = root / change.path
        names.setdefault(target.parent, set()).add(target.name)
    for folder, wanted in names.items():
        for left in folder.glob(".*.tmp"):
            match = re.fullmatch(r"\.(.+)\.\d+\.tmp", left.name)
            if match and match[1] in wanted:
                with suppress(OSError):
                    left.unlink()


def _write_files(repo: Repo, root: Path, changes: list[Change]) -> list[Change]:
    """Write changed files; return the changes whose index entries may follow."""
    if _left_out_by_sparse(repo, changes):
        return changes
    contents = dict(repo.read_many([change.new for change in changes if change.new]))
    done = []
    folders: dict[str, bool] = {}
    for change in changes:
        target = f"{root}/{change.path}"
        data = contents.get(change.new) if change.new else None
        if change.new and data is None:
            raise GitError(f"{change.path}: git does not have the content {change.new} that the branch names. Run: git fsck")
        current = _current(target, change.path)
        if current is not None and current != data:
            before = repo.read(change.old) if change.old else None
            if current != before:
                continue  # the user's own edit: theirs to commit or to throw away
        _write_file(root, target, data, current, folders)
        done.append(change)
    return done


def _write_file(
    root: Path, target: str, data: bytes | None, current: bytes | None, folders: dict[str, bool], donor: str | None = None
) -> None:
    folder, _, name = target.rpartition("/")
    temporary = f"{folder}/.{name}.{os.getpid()}.tmp"
    try:
        if data is None:
            _remove_file(root, Path(target))
        elif current is None or current != data:
            if folder not in folders:
                os.makedirs(folder, exist_ok=True)
                # Where a folder hands its group down, only a file that is made in it gets that group.
                folders[folder] = not os.stat(folder).st_mode & stat.S_ISGID
            taken = donor is not None and folders[folder] and _take_over(donor, temporary)
            _fill(temporary, data, os.O_WRONLY if taken else os.O_WRONLY | os.O_CREAT)
            os.replace(temporary, target)
    except OSError as error:
        with suppress(OSError):
            os.unlink(temporary)
        raise storage_error(f"write {os.path.relpath(target, root)} into the work tree", error) from None


def _take_over(donor: str, name: str) -> bool:
    """Make the donor a file of that name, to be overwritten; False where it cannot be had (on another device, gone).

    To make a file and remove another costs 0.1 to 0.4 ms where to rename and overwrite one costs 0.05 (decision 17).
    """
    try:
        os.rename(donor, name)
    except OSError:
        return False
    return True


def _fill(name: str, data: bytes, flags: int) -> None:
    """Make data the content of a file, by four calls of the system; `open` makes twice as many."""
    fd = os.open(name, flags | os.O_CLOEXEC, 0o666)
    try:
        if os.write(fd, data) != len(data):  # a disk that fills up takes the first bytes without a word
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
        os.ftruncate(fd, len(data))
    finally:
        os.close(fd)


def _remove_file(root: Path, target: Path) -> None:
    with suppress(FileNotFoundError):
        target.unlink()
    for folder in target.parents:
        if folder == root:
            break
        try:
            folder.rmdir()
        except OSError:
            break


def _left_out_by_sparse(repo: Repo, changes: Iterable[Change]) -> bool:
    if not (repo.git_dir / "info" / "sparse-checkout").exists() or repo.config("core.sparseCheckout") != "true":
        return False
    assert repo.work_tree is not None
    tops = {change.path.split("/", 1)[0] for change in changes}
    return not any((repo.work_tree / top).exists() for top in tops)


def _update_index(repo: Repo, changes: list[Change]) -> None:
    """Put the changes' entries into the index; the caller holds it."""
    if not changes:
        return
    index = repo.git_dir / "index"
    # A name of its own: the git of a process that was killed may still be writing to another.
    fresh = repo.git_dir / "runfolio" / f"index.new.{os.getpid()}"
    try:
        fresh.unlink(missing_ok=True)
        with suppress(LeaveToGitError):
            write_entries(repo, {change.path: change.new for change in changes}, fresh)
            return
        if index.exists():
            import shutil

            # With its time, by which git tells a file that was changed in the second of the last `git add` ("racy git"): under a
            # younger index such a change would never be seen again.
            shutil.copy2(index, fresh)
        _edit_index(repo, fresh, changes)
        os.replace(fresh, index)
    except OSError as error:
        raise storage_error("update git's index", error) from None
    finally:
        with suppress(OSError):
            fresh.unlink()


def _edit_index(repo: Repo, file: Path, changes: list[Change]) -> None:
    env = {"GIT_INDEX_FILE": str(file)}
    set_entries(repo, [IndexEntry(change.path, change.new) for change in changes], env)
    if _left_out_by_sparse(repo, changes):
        skip_work_tree(repo, [change.path for change in changes if change.new], env)


def _in_the_way(said: str) -> str:
    """Say which file keeps the remote's changes out, from git's words, which name the first."""
    name = re.search(r"'(.+)'", said)
    if name is None:
        return "the remote's changes touch files that you have changed and not committed. Commit or stash them, then sync again."
    path = visible(name[1])
    if "ntracked" in said:
        return f"{path} is in the way: the remote has such a file, and yours is not in git. Move it away or commit it, then sync again."
    return f"the remote's changes touch {path}, which you have changed and not committed. Commit or stash your changes, then sync again."


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
    args = (
        "--git-dir",
        str(repo.git_dir),
        "--work-tree",
        str(repo.work_tree),
        "read-tree",
        "-m",
        "-u",
        "--end-of-options",
        old,
        new,
    )
    done = run_git(args, repo.work_tree)
    if done.returncode:
        drop_note(repo)
        said = done.stderr.decode("utf-8", "replace")
        if "would be overwritten" in said or "not uptodate" in said:
            raise GitError(_in_the_way(said))
        if "index.lock" in said and "File exists" in said:
            raise BusyError(
                f"{repo.git_dir / 'index.lock'} is held by another git process. Your runs are committed here; sync again when it is done."
            )
        raise explain(("read-tree",), done)
    if not repo.update_ref(branch, new, old, "runfolio: sync"):
        drop_note(repo)
        raise BusyError("the branch moved while runfolio was bringing in the remote's runs. Run sync again.")
    drop_note(repo)
