"""One publisher at a time in a folder: who comes second waits, and goes on from what the first left.

The lock is an ``flock`` on the folder itself, so no file of ours is left in it, and the kernel drops it with the process. It holds
between the processes of a machine; where a file system knows no such locks (some network shares), nobody waits.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from runfolio.errors import BusyError

WAIT_S: Final = 120.0
_UNABLE: Final = frozenset((errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.EBADF))
_held: set[tuple[int, int]] = set()
"""Folders that this process holds, by device and inode: a site may be published into the folder in which it was built."""


@contextmanager
def in_turn(folder: Path, wait_s: float = WAIT_S) -> Iterator[bool]:
    """Hold a folder against other publishers.

    Parameters
    ----------
    folder : Path
        It is there.
    wait_s : float, optional
        Seconds to wait for the others.

    Yields
    ------
    bool
        Whether somebody else had it first: what was read before may be old.

    Raises
    ------
    BusyError
        If it was not free in time.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    found = os.fstat(fd)
    key = (found.st_dev, found.st_ino)
    ours = key in _held
    try:
        waited = False if ours else _waited(fd, folder, time.monotonic() + wait_s)
        _held.add(key)
        yield waited
    finally:
        if not ours:
            _held.discard(key)
        os.close(fd)


def _waited(fd: int, folder: Path, give_up: float) -> bool:
    """Take the lock; tell whether it was somebody else's."""
    pause = 0.0
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return pause > 0
        except BlockingIOError:
            if time.monotonic() >= give_up:
                raise BusyError(
                    f"Another process has been publishing in {folder} for long. What is there is whole; try again, or look for a hung "
                    "process: pgrep -fa 'site publish'"
                ) from None
        except OSError as error:
            if error.errno in _UNABLE:
                return False
            raise
        pause = min(pause * 1.5 or 0.002, 0.05)
        time.sleep(pause)
