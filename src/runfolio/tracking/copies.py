"""Artifacts that a call has taken a copy of: hashed and published by a thread of the process while the user's code goes on.

The journal names the copy before the call returns, so a kill loses nothing (:mod:`runfolio.folio.copies`). The thread begins when no file
was logged for a moment: on busy cores, a thread that wants the interpreter would hold up a row of calls more than it could take off them.
What it has not come to is bounded in number and bytes: who logs more settles the oldest itself. Before a run ends or is let go, and before
its artifacts are read here, all of its copies are settled; one that could not be (the disk is full) is tried again then, at the latest at
the next artifact that is logged, and its error is that call's.

A forked child has neither the thread nor the copies: they are the parent's to settle.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter, deque
from contextlib import suppress

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError, RunfolioError
from runfolio.journal import JournalWriter
from runfolio.objects import ObjectStore
from runfolio.objects.copies import Copy

MOST_WAITING = 64
MOST_WAITING_BYTES = 128 << 20
PAUSE_S = 0.01
"""So long after a call the thread begins, unless half of what may wait does."""
MOST_PAUSE_S = 0.5
"""So often it looks by itself whether there is something: being woken by each call would cost that call more than the rest of it."""


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """One artifact on its way.

    Parameters
    ----------
    writer : JournalWriter
        Of the run.
    store : ObjectStore
    path : str
        In the run.
    copy : Copy
    """

    writer: JournalWriter
    store: ObjectStore
    path: str
    copy: Copy

    def settle(self) -> None:
        """Hash and publish it, and write its digest into the journal.

        Raises
        ------
        NotFoundError
            If somebody has removed the copy.
        RunfolioError
            If it could not be stored: it can be tried again.
        """
        name, size = self.copy
        digest = self.store.copies.settle(name, size)
        self.writer.event("a", self.path, digest, size, "", name)
        self.store.copies.drop(name)

    def give_up(self) -> None:
        """Write down that the copy is gone, so that the run can go on and end without it."""
        self.writer.event("-copy", self.copy.name)
        self.writer.event("n", f"{self.path}: its copy was removed before it was hashed; the artifact is lost")


class Backlog:
    """The copies of this process that have no digest yet, and the thread that sees to them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()  # of a lock that a signal's handler may take again
        self._waiting: deque[CopiedFile] = deque()
        self._bytes = 0
        self._under_way: Counter[JournalWriter] = Counter()
        self._failed: dict[JournalWriter, list[CopiedFile]] = {}
        self._added_at = 0.0
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, item: CopiedFile) -> None:
        """Leave a copy to the thread; settle the oldest ones here if there are too many."""
        with self._changed:
            self._waiting.append(item)
            self._bytes += item.copy.size
            self._added_at = time.monotonic()
            alone = not self._has_thread()
        if self._is_full(0.5):
            self._hurry.set()
        while (alone or self._is_full(1)) and (oldest := self._next()):
            self._settle(oldest)

    def finish(self, writer: JournalWriter) -> None:
        """Return once all copies of a run are settled.

        Raises
        ------
        RunfolioError
            If one could not be stored. It is tried again at the next call; one that is gone is given up.
        """
        while item := self._next(writer):
            self._settle(item)
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way[writer])
            del self._under_way[writer]
            failed = deque(self._failed.pop(writer, ()))
        try:
            while failed:
                failed[0].settle()
                failed.popleft()
        except NotFoundError as error:
            lost = failed.popleft()
            lost.give_up()
            raise NotFoundError(f"The artifact {lost.path!r} is lost: {error.message} Log it again.") from None
        finally:
            if failed:
                with self._changed:
                    self._failed.setdefault(writer, []).extend(failed)

    def retry(self, writer: JournalWriter) -> None:
        """Try the copies of a run again that could not be stored, if there are any; see :meth:`finish`."""
        if writer in self._failed:
            self.finish(writer)

    def _is_full(self, share: float) -> bool:
        return len(self._waiting) > share * MOST_WAITING or self._bytes > share * MOST_WAITING_BYTES

    def _has_thread(self) -> bool:
        if self._thread is None or not self._thread.is_alive():
            thread = threading.Thread(target=self._work, name="runfolio-copies", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter is about to end
                return False
            self._thread = thread
        return True

    def _work(self) -> None:
        pause = PAUSE_S
        while True:
            self._hurry.wait(pause)
            pause = PAUSE_S if self._waiting else min(2 * pause, MOST_PAUSE_S)
            while self._is_due() and (item := self._next()):
                self._settle(item)
            self._hurry.clear()

    def _is_due(self) -> bool:
        """Tell whether no file was logged for a moment, or many wait."""
        return time.monotonic() - self._added_at >= PAUSE_S or self._is_full(0.5)

    def _next(self, writer: JournalWriter | None = None) -> CopiedFile | None:
        """Take the oldest copy, of one run or of any, into work."""
        with self._changed:
            for place, item in enumerate(self._waiting):
                if writer is None or item.writer is writer:
                    del self._waiting[place]
                    self._bytes -= item.copy.size
                    self._under_way[item.writer] += 1
                    return item
            return None

    def _settle(self, item: CopiedFile) -> None:
        """Settle a copy; one that could not be waits for whoever finishes the run, who is told why."""
        done = False
        try:
            with suppress(RunfolioError):
                item.settle()
                done = True
        finally:
            with self._changed:
                self._under_way[item.writer] -= 1
                if not done:
                    self._failed.setdefault(item.writer, []).append(item)
                self._changed.notify_all()


_backlog = Backlog()


def backlog() -> Backlog:
    """Return the backlog of this process."""
    return _backlog


def _renew() -> None:
    # The parent's thread is not in the child, nor is who held its lock.
    global _backlog
    _backlog = Backlog()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
