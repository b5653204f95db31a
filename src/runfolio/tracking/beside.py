"""Work of the folio's that a call has no need to wait for: done in a thread, one piece at a time, while the user's code goes on.

A commit of runs that have ended is such work: their journals are sealed, and a process that is killed meanwhile leaves them for the next
commit. The process's end waits for it, and so does a fork: no child is born while a thread that it does not have holds locks.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable

from runfolio._forking import wait_before_fork


class Beside:
    """One thread at most, which is there only while it has something to do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        _all.add(self)

    def begin(self, act: Callable[[], object]) -> bool:
        """Call a function in the thread, unless it has something to do already; False where no thread can be started."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return True
            thread = threading.Thread(target=act, name="runfolio-beside")  # no daemon: the interpreter's end waits for it
            try:
                thread.start()
            except RuntimeError:  # the interpreter is about to end, or there are too many
                return False
            self._thread = thread
            return True

    def wait(self) -> None:
        """Return once it is done; at once in the thread itself."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()


_all: weakref.WeakSet[Beside] = weakref.WeakSet()


def _wait_for_all() -> None:
    for each in list(_all):
        each.wait()


def _renew() -> None:
    # Held by a thread of the parent at the fork, nobody in the child would give it back.
    for each in list(_all):
        each._lock, each._thread = threading.Lock(), None


wait_before_fork(_wait_for_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
