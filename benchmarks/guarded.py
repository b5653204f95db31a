"""The CPU of all that autologging does, part by part: every part stands within a guard, and guards are timed.

``with Guarded() as spent: training()`` puts a clock into each guard of :mod:`runfolio.autologging`. What a guard within another one
takes is counted as its own part, and once. A whole training less one without autologging says little beside it: two trainings of ten
seconds differ by three tenths.
"""

from __future__ import annotations

import contextlib
import resource
import sys
import threading
import time
from collections import Counter

from runfolio.autologging import guarding


def process_cpu():
    """Return the CPU seconds of this process, all its threads, and of its child processes that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


class Guarded:
    """A clock in each guard.

    Parameters
    ----------
    clock : callable
        ``time.thread_time`` where the training's own threads work on while something is logged;
        ``time.perf_counter`` for what a user waits: it costs a fiftieth of ``process_cpu``, whose own calls count with each guard (of
        400 iterations 8 ms of 20).

    Attributes
    ----------
    parts : Counter
        Seconds of what is logged, by the guards' words for it. Of guards within threads that logging starts nothing apart, for whoever
        waits for those has them in a guard of its own; but where CPU is counted, what threads do while the training goes on.
    """

    def __init__(self, clock=process_cpu):
        self.parts = Counter()
        self._clock, self._open, self._since = clock, [], 0.0
        self._thread = threading.get_ident()

    @property
    def total(self):
        """Seconds so far."""
        return sum(self.parts.values())

    def __enter__(self):
        self._own = guarding.guard
        self._put(self._own, self._timed)
        return self

    def __exit__(self, *_):
        self._put(self._timed_now, self._own)

    def _put(self, before, after):
        self._timed_now = after
        for name, module in list(sys.modules.items()):
            if name.startswith("runfolio.autologging") and getattr(module, "guard", None) is before:
                module.guard = after

    def _timed(self, what, **options):
        return _Timed(self, what, self._own(what, **options))

    def part(self, what):
        """Return a context in which something is logged that stands within no guard: what a user's own loop calls."""
        return _Timed(self, what, contextlib.nullcontext())

    def open(self, what):
        """Begin a part; return how to end it."""
        if threading.get_ident() == self._thread:
            self._turn()
            self._open.append(what)
            return self._close
        if self._clock is not process_cpu or self._open:
            return lambda: None
        began = time.thread_time()
        return lambda: self.parts.update({what: time.thread_time() - began})

    def _close(self):
        self._turn()
        self._open.pop()

    def _turn(self):
        """Give the time since the last turn to the innermost guard that is open."""
        now = self._clock()
        if self._open:
            self.parts[self._open[-1]] += now - self._since
        self._since = now


class _Timed:
    """A guard, and the clock around it; like a guard it may be entered again and again."""

    def __init__(self, spent, what, own):
        self._spent, self._what, self._own, self._close = spent, what, own, None

    def __enter__(self):
        self._close = self._spent.open(self._what)
        return self._own.__enter__()

    def __exit__(self, *raised):
        try:
            return self._own.__exit__(*raised)
        finally:
            self._close()
