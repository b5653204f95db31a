"""Bring a file and the folder that names it to disk, both at once.

An end of a run is acknowledged when both are there, and neither waits for the other: two syncs one after the other take twice as long as
two under way together (decision 19). A thread that sleeps meanwhile does the folder's; where there can be none (the interpreter is about
to end), one comes after the other.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from runfolio._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queue import SimpleQueue


class _Folders:
    """The thread that syncs folders."""

    def __init__(self) -> None:
        from queue import SimpleQueue  # a start that syncs nothing need not pay for it

        self._new = SimpleQueue[OSError | None]
        self._asked: SimpleQueue[tuple[str, SimpleQueue[OSError | None]]] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def begin(self, folder: str) -> SimpleQueue[OSError | None] | None:
        """Begin to sync a folder; what is returned gives its error, or None, when it is done. None if there can be no thread."""
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    thread = threading.Thread(target=self._work, name="runfolio-sync", daemon=True)
                    try:
                        thread.start()
                    except RuntimeError:
                        return None
                    self._thread = thread
        answer = self._new()
        self._asked.put((folder, answer))
        return answer

    def _work(self) -> None:
        while True:
            folder, answer = self._asked.get()
            try:
                sync_folder(folder)
            except OSError as error:
                answer.put(error)
            else:
                answer.put(None)


_folders: _Folders | None = None
_making = threading.Lock()


def _renew() -> None:
    # The parent's thread is not in the child, nor is who held the lock.
    global _folders, _making
    _folders, _making = None, threading.Lock()


def _the_folders() -> _Folders:
    global _folders  # noqa: PLW0603 - made at its first use
    with _making:
        if _folders is None:
            _folders = _Folders()
        return _folders


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


def sync_with_folder(fd: int, folder: Path | str) -> None:
    """Bring a file's content and its folder's entries to disk; returns when both are there.

    Parameters
    ----------
    fd : int
        The open file.
    folder : Path or str

    Raises
    ------
    OSError
        If one of the two failed.
    """
    answer = _the_folders().begin(str(folder))
    try:
        os.fsync(fd)
    finally:
        error = answer.get() if answer is not None else None
    if error is not None:
        raise error
    if answer is None:
        sync_folder(folder)


def sync_folder(folder: Path | str) -> None:
    """Bring a folder's entries to disk."""
    fd = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
