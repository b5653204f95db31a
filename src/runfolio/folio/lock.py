"""One writer of commits at a time in one repository."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runfolio.errors import BusyError, storage_error

WAIT_S = 120.0


@contextmanager
def locked(folder: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the repository's commit lock.

    The lock is an ``flock`` on a file that stays: the kernel drops it with the process, so no lock can be left behind.

    Parameters
    ----------
    folder : Path
        The repository's folder for what is ours.
    wait_s : float, optional
        Seconds to wait; 0 takes it only if it is free.

    Raises
    ------
    BusyError
        If it was not free in time.
    """
    try:
        fd = _opened(folder)
    except OSError as error:
        raise storage_error("take the folio's lock", error) from None
    try:
        give_up = time.monotonic() + wait_s
        pause = 0.001
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= give_up:
                    import shlex

                    raise BusyError(
                        f"Another runfolio process has been committing for more than {wait_s:g} s. Your runs are safe; "
                        "try again, or look for a hung process: fuser " + shlex.quote(str(folder / "lock"))
                    ) from None
                time.sleep(pause)
                pause = min(pause * 1.5, 0.05)
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)  # a child that was forked meanwhile has the file open, too
        os.close(fd)


def _opened(folder: Path) -> int:
    file, flags = f"{folder}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(file, flags, 0o644)
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(file, flags, 0o644)
