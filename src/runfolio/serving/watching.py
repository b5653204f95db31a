"""A thread of the supervisor that looks whether the stage or alias moved, and fetches what it moved to."""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from runfolio._dataclass import dataclass
from runfolio.errors import RunfolioError, storage_errors
from runfolio.serving.sources import Source, Which, why

_log = logging.getLogger("runfolio.serving")


@dataclass(frozen=True, slots=True)
class Moved:
    """What the thread found: another model, in a folder, or why it cannot be had."""

    which: Which
    folder: Path | None
    error: str = ""


class Watch:
    """Looks again and again, on its own thread, which alone uses the source.

    Parameters
    ----------
    source : Source
    served : Which
    folder : path
        To fetch models below.
    interval_s : float
    """

    def __init__(self, source: Source, served: Which, folder: Path, interval_s: float) -> None:
        self._source, self._known, self._folder, self._interval_s = source, served, folder, interval_s
        self._found: SimpleQueue[Moved] = SimpleQueue()
        self._again = threading.Event()
        self._forget = False
        self._fetched = 0
        self._ended = False
        self._trouble = ""
        self.readable, self._writable = os.pipe()
        os.set_blocking(self.readable, False)
        self._thread = threading.Thread(target=self._run, daemon=True, name="watch")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def look(self) -> None:
        """Look now, also at what was refused before."""
        self._forget = True
        self._again.set()

    def end(self) -> None:
        """Stop, at the next turn."""
        self._ended = True
        self._again.set()

    def found(self) -> Moved | None:
        """Return what was found, if anything was."""
        with suppress(BlockingIOError):
            os.read(self.readable, 64)
        try:
            return self._found.get_nowait()
        except Empty:
            return None

    def _run(self) -> None:
        while not self._ended:
            self._again.wait(self._interval_s)
            self._again.clear()
            if self._ended:
                break
            if self._forget:
                self._forget = False
                self._known = Which(self._known.uri)
            self._turn()
        self._source.close()

    def _turn(self) -> None:
        try:
            with storage_errors("look at the folio"):
                which = self._source.which()
        except RunfolioError as error:
            # A stage that is empty for a while, a repository in the middle of something: what is served stays.
            if why(error) != self._trouble:
                self._trouble = why(error)
                _log.warning("the model that is served stays: %s", self._trouble)
            return
        self._trouble = ""
        if (which.version, which.digest) == (self._known.version, self._known.digest):
            return
        self._known = which
        self._fetched += 1  # a folder for each time: that of the time before may be about to go
        target = self._folder / f"{which.version}-{which.digest[-16:]}-{self._fetched}"
        try:
            with storage_errors(f"fetch {which}"):
                moved = Moved(which, self._source.fetch(which, target))
        except RunfolioError as error:
            moved = Moved(which, None, why(error))
        self._found.put(moved)
        os.write(self._writable, b"!")
