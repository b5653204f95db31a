"""What workers handed over, folded into the folio: the sweep's side of the inbox.

Folding in costs a commit, so it is done for many runs at a time, while the sweep goes on with what workers answered. What was not folded
in yet lies in the inbox, whatever becomes of the sweep: whoever resumes it collects first.
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress

from runfolio.errors import BusyError, StateError
from runfolio.folio.collecting import INBOX, collect
from runfolio.folio.folio import Folio
from runfolio.folio.mailboxes import mark_of, place_of
from runfolio.folio.opening import settings_text
from runfolio.objects import LocalStore
from runfolio.sweeps.engines.outbox import Delivery
from runfolio.sweeps.reading import result_of
from runfolio.sweeps.trials import TrialResult
from runfolio.tracking.session import Session

ENOUGH = 200
"""Runs that are folded in at once."""

PAUSE_S = 5.0
"""How long what was handed over waits at most."""


class Gathering:
    """The inbox of a folio, for one sweep.

    Parameters
    ----------
    held : Session

    Raises
    ------
    StateError
        If the sweep itself is logged to a spool folder: there is no inbox then.
    """

    def __init__(self, held: Session) -> None:
        if not isinstance(held.folio, Folio):
            raise StateError(
                "Workers on other machines hand their runs over to the inbox of a folio, and this sweep logs to a spool folder. Start it "
                "in the folio, or run its trials here."
            )
        self._held, self._folio = held, held.folio
        self._waiting = 0
        self._last = time.monotonic()

    def delivery(self) -> Delivery:
        """Return what workers need to know."""
        store = self._folio.store
        mark = mark_of(store) if isinstance(store, LocalStore) else ""
        return Delivery(place_of(store, self._folio.artifacts_place), settings_text(self._folio.place), mark)

    def expect(self) -> None:
        """Note that a run was handed over."""
        self._waiting += 1

    @property
    def due(self) -> bool:
        """Whether it is time to fold in."""
        return self._waiting >= ENOUGH or (self._waiting > 0 and time.monotonic() - self._last > PAUSE_S)

    def collect(self) -> list[TrialResult]:
        """Fold in what is there, and return what trials came to that were among it.

        Raises
        ------
        RunfolioError
            If the folio cannot take it: everything stays in the inbox.
        """
        try:
            done = collect(self._folio)
        except BusyError:
            return []  # somebody else collects just now
        finally:
            self._last = time.monotonic()
        self._waiting = 0
        for left in done.left:
            self._held.say(f"{left.where} was not taken in: {left.reason}")
        found = (result_of(run) for run in done.taken)
        return [result for result in found if result is not None]

    def result(self, run_id: str) -> TrialResult | None:
        """Return what the committed run of a trial says, or None."""
        run = self._folio.runs.committed(run_id)
        return None if run is None else result_of(run)

    def tidy(self, sweep: str) -> None:
        """Remove the sweep's own folder in an inbox that is a folder, if no run lies there any more."""
        if isinstance(self._folio.store, LocalStore):
            folder = self._folio.store.root / INBOX / sweep
            with suppress(OSError):
                (folder / "journal").rmdir()
                shutil.rmtree(folder)
