"""A file that one process at a time holds: who comes second is told, and does without."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def alone(path: Path, mode: int = 0o644) -> Iterator[BinaryIO | None]:
    """Open and hold a file for reading and writing, made if it is not there; its folder, too.

    Yields
    ------
    file or None
        None where another process has it, or has just moved it away, or where files cannot be locked. What is written belongs
        to the file at `path`, which the holder may move or remove.
    """
    try:
        import fcntl
    except ImportError:
        yield None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, mode), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES, errno.ENOLCK, errno.ENOTSUP):
                raise
            yield None
            return
        # Whoever had it may have moved it away since it was opened.
        same = path.exists() and os.path.samestat(os.fstat(file.fileno()), os.lstat(path))
        yield file if same else None
