"""Which points a sweep on other machines has asked for: a note beside the folio, for the case that the sweep's process dies.

The run of such a trial is on its worker until it ends, so the folio does not know its point yet. A sweep that is resumed reads the note
and asks for the same point under the same run id: what the worker hands over meanwhile is that trial. The note lies in what is local to a
clone; without it the point is drawn anew, and nothing else is lost.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import IO

from runfolio.errors import storage_error
from runfolio.folio.folio import Folio
from runfolio.sweeps.book import TrialEntry
from runfolio.tracking.session import Session

FOLDER = "sweeps"


class Asked:
    """The note of one sweep.

    Parameters
    ----------
    held : Session
    sweep : str
        Run id.
    """

    def __init__(self, held: Session, sweep: str) -> None:
        self._file = _file_of(held, sweep)
        self._open: IO[str] | None = None

    def note(self, entry: TrialEntry) -> None:
        """Write down the point of a trial, before anybody is asked to run it."""
        if self._file is None:
            return
        try:
            if self._open is None:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._open = open(self._file, "a", encoding="utf-8")  # noqa: SIM115 - as long as the sweep goes on
            self._open.write(json.dumps([entry.number, entry.point, entry.sampled]) + "\n")
            self._open.flush()
        except OSError as error:
            raise storage_error(f"write {self._file}", error) from None

    def close(self, *, finished: bool) -> None:
        """Let go of it; of a sweep that has finished nobody asks any more."""
        if self._open is not None:
            self._open.close()
        if finished and self._file is not None:
            with suppress(OSError):
                self._file.unlink()


def add_asked(held: Session, sweep: str, book: dict[int, TrialEntry]) -> None:
    """Enter into the book the trials that were asked for and of which no run is known.

    Parameters
    ----------
    held : Session
    sweep : str
        Run id.
    book : dict of int to TrialEntry
        Changed.
    """
    file = _file_of(held, sweep)
    if file is None:
        return
    try:
        lines = file.read_text("utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        with suppress(ValueError, TypeError):  # the last line may have been cut off
            number, point, sampled = json.loads(line)
            if isinstance(number, int) and isinstance(point, str) and isinstance(sampled, str):
                book.setdefault(number, TrialEntry(number, point=point, sampled=sampled))


def _file_of(held: Session, sweep: str) -> Path | None:
    return held.folio.place.local / FOLDER / f"{sweep}.jsonl" if isinstance(held.folio, Folio) else None
