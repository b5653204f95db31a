"""Trying again, for a place that fails now and then; and telling how far one has come."""

from __future__ import annotations

import time

from runfolio.objects.store import Progress

_TRIES = 4
_PATIENCE_S = 30.0


class Patience:
    """How often something is tried again, and how long: for a place that fails now and then, not one that is away."""

    def __init__(self) -> None:
        self._tries, self._end = 0, time.monotonic() + _PATIENCE_S

    def end_or_wait(self) -> None:
        """Wait before the next try, longer each time; called where an error is handled, which goes on where there is none left."""
        self._tries += 1
        if self._tries == _TRIES or time.monotonic() > self._end:
            raise  # noqa: PLE0704 the error at hand
        time.sleep(0.1 * 2**self._tries)


class Mark:
    """Tells of each byte once, though an object may be sent or read again."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress, self._reached = progress, 0

    def reach(self, offset: int) -> None:
        """Note that all bytes before `offset` went by."""
        if self._progress and offset > self._reached:
            self._progress(offset - self._reached)
            self._reached = offset
