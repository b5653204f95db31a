"""What signals said to a server: SIGTERM and SIGINT to end, SIGHUP to look at the model's stage again."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any

HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def hold() -> None:
    """Let signals wait, also while the process becomes another program, until they are heard."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)


class Signals:
    """Hears signals while it is entered. Handlers only note them; a pipe wakes the loop."""

    def __init__(self) -> None:
        self._said: set[int] = set()
        self.readable = self._writable = -1
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        self._said.clear()
        self.readable, self._writable = os.pipe()
        os.set_blocking(self.readable, False)
        os.set_blocking(self._writable, False)
        signal.set_wakeup_fd(self._writable, warn_on_full_buffer=False)
        for number in HEARD:
            self._before[number] = signal.signal(number, lambda given, _: self._said.add(given))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        for number, before in self._before.items():
            signal.signal(number, before)
        os.close(self.readable)
        os.close(self._writable)

    def clear(self) -> None:
        """Empty the pipe."""
        with suppress(BlockingIOError):
            os.read(self.readable, 64)

    def ending(self) -> bool:
        """Return whether the server is to end."""
        return bool(self._said & {signal.SIGTERM, signal.SIGINT})

    def reload(self) -> bool:
        """Return whether it is to look at the model's stage again; says so once."""
        if signal.SIGHUP in self._said:
            self._said.discard(signal.SIGHUP)
            return True
        return False
