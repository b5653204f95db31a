"""Programs of steps that are to end: because of a timeout, of Ctrl-C, or of a signal that our own process was sent."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

GRACE_S = 10.0
"""How long a program may tidy up before it is killed."""


class Halt:
    """A wish that all steps end, told to the threads that follow them."""

    def __init__(self) -> None:
        self.signal = 0

    def ask(self, number: int) -> None:
        """Wish it; a second time means at once."""
        self.signal = signal.SIGKILL if self.signal else number


class Leash:
    """Ends the program of one step, with all that it started.

    Parameters
    ----------
    halt : Halt
    timeout_s : int or None
    """

    def __init__(self, halt: Halt, timeout_s: int | None) -> None:
        self._halt = halt
        self._due = None if timeout_s is None else time.monotonic() + timeout_s
        self._sent_at, self._sent = 0.0, 0
        self.late = False

    def watch(self, program: subprocess.Popen[bytes]) -> None:
        """Look whether the program is to end; called about once a second."""
        now = time.monotonic()
        self.late = self.late or (self._due is not None and now >= self._due and not self._halt.signal)
        wanted = self._halt.signal or (signal.SIGTERM if self.late else 0)
        if self._sent and now - self._sent_at >= GRACE_S:
            wanted = signal.SIGKILL
        if wanted and wanted != self._sent:
            self._sent, self._sent_at = wanted, self._sent_at or now
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(program.pid, wanted)


@contextmanager
def signals_told(halt: Halt) -> Iterator[None]:
    """Take signals that ask us to end as a wish that all steps end: what is being written down is written to its end."""

    def take(number: int, _frame: FrameType | None) -> None:
        halt.ask(number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, take)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
