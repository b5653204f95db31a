"""Hold git's index as git itself does: by ``index.lock``, so that nobody else's command reads or writes it half-way.

The lock is a hard link to a file of ours. Whoever finds both names on one file after a kill knows that the lock is ours to remove; a
lock of anybody else is waited for, then reported. The refs that git commands of ours lock cannot be marked in this way: such a lock is
removed only where a note says that a process of ours died at work there, and the lock is of that time and does not go away.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runfolio.errors import BusyError, storage_error
from runfolio.gitstore.ref_files import left_refs, remove_left_refs
from runfolio.gitstore.repo import Repo

LOCK_WAIT_S = 10.0
SETTLED_S = 1.0
"""How long the lock of a killed process's git must stay as it is before it counts as left behind, in seconds."""

_UNFINISHED = ("lock.", "index.new", "pending.json.")


def lock_wait_s() -> float:
    """Return how long a lock of somebody else is waited for, in seconds: ``RUNFOLIO_LOCK_WAIT``, or ten."""
    try:
        return float(os.environ.get("RUNFOLIO_LOCK_WAIT", ""))
    except ValueError:
        return LOCK_WAIT_S


@contextmanager
def index_held(repo: Repo, wait_s: float | None = None) -> Iterator[None]:
    """Hold the index of a work tree.

    Parameters
    ----------
    repo : Repo
        Not bare.
    wait_s : float, optional
        Seconds to wait for somebody else.

    Raises
    ------
    BusyError
        If somebody else held it for longer.
    """
    ours = repo.git_dir / "runfolio" / f"lock.{os.getpid()}"
    lock = repo.git_dir / "index.lock"
    try:
        ours.parent.mkdir(exist_ok=True)
        ours.write_bytes(b"")
        _take(ours, lock, lock_wait_s() if wait_s is None else wait_s)
    except BaseException as error:
        with suppress(OSError):
            ours.unlink()
        if isinstance(error, OSError):
            raise storage_error("lock git's index", error) from None
        raise
    try:
        yield
    finally:
        _give_back(ours, lock)


def _give_back(ours: Path, lock: Path) -> None:
    try:
        with suppress(FileNotFoundError):
            lock.unlink()
    except OSError as error:
        # Our own name stays with it: by that the next process knows whose lock it is, and removes it.
        raise storage_error(f"remove {lock}", error) from None
    with suppress(OSError):
        ours.unlink()


def _take(ours: Path, lock: Path, wait_s: float) -> None:
    give_up, pause = time.monotonic() + wait_s, 0.005
    while True:
        try:
            os.link(ours, lock)
            return
        except FileExistsError:
            if time.monotonic() >= give_up:
                raise BusyError(
                    f"{lock} is held by another git process. Nothing is lost: finished runs wait, and the next runfolio command after it "
                    "is done commits them (or: runfolio commit). If no git process is running, remove the file."
                ) from None
            time.sleep(pause)
            pause = min(pause * 2, 0.2)


def own_left(repo: Repo) -> bool:
    """Tell whether a process of ours holds the index or a branch, or left it locked."""
    try:
        return left_refs(repo.common_dir) or any(name.startswith("lock.") for name in os.listdir(repo.git_dir / "runfolio"))
    except OSError:
        return False


def remove_own(repo: Repo) -> list[str]:
    """Remove what processes of ours left that were killed while they held the index; the caller holds the folio's lock.

    Returns
    -------
    list of str
        The names that were in our folder of the repository.
    """
    lock, folder = f"{repo.git_dir}/index.lock", f"{repo.git_dir}/runfolio"
    try:
        names = repo.files.names(folder)
    except OSError:
        return []
    for name in names:
        if not name.startswith(_UNFINISHED):
            continue
        if name.startswith("lock."):
            with suppress(OSError):
                if os.path.samefile(f"{folder}/{name}", lock):
                    os.unlink(lock)
        with suppress(OSError):
            os.unlink(f"{folder}/{name}")
    remove_left_refs(repo.common_dir)
    return names


def remove_left_behind(paths: Iterable[Path], since_s: float) -> None:
    """Remove locks that git commands of a killed process of ours left.

    Parameters
    ----------
    paths : iterable of Path
        The lock files.
    since_s : float
        When that process wrote its note, seconds since the epoch: an older lock is somebody else's.
    """
    for path in paths:
        seen = _identity(path)
        if seen is None or seen[1] < since_s - 1.0:
            continue
        # The killed process's git may be alive and about to finish: its lock goes, or changes hands, in milliseconds.
        give_up = time.monotonic() + SETTLED_S
        while time.monotonic() < give_up and _identity(path) == seen:
            time.sleep(0.05)
        if _identity(path) == seen:
            with suppress(OSError):
                path.unlink()


def _identity(path: Path) -> tuple[int, float] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime
