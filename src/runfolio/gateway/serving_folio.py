"""A folio behind a server: what has ended is committed in the background, since no process ends to do it."""

from __future__ import annotations

import threading
import weakref

from runfolio.tracking.session import Session

PAUSE_S = 5.0
_kept: weakref.WeakSet[Session] = weakref.WeakSet()


def keep_committing(session: Session, pause_s: float = PAUSE_S) -> None:
    """Commit the runs of a session that have ended, every few seconds, for as long as the process lives.

    Parameters
    ----------
    session : Session
    pause_s : float, optional
    """
    if session in _kept:
        return
    _kept.add(session)
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(pause_s):
            if session.waits and not session.on_demand:
                try:
                    session.commit(wait=False)
                except OSError as error:  # a disk that is full now may have room later
                    session.say(f"what has ended is not committed yet, and is tried again: {error}")

    threading.Thread(target=work, name="runfolio-commits", daemon=True).start()


def is_served(session: Session) -> bool:
    """Tell whether a server of this process serves a session's folio."""
    return session in _kept
