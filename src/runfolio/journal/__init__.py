"""Live runs: an append-only log a run, outside the work tree, from which nothing that was written can be lost.

A run that goes on is a file of events in a *spool* folder (under the git folder, or any folder where there is no repository
at hand). Logging appends one line by one ``write``: no lock, no git, no network; what was written is in the kernel's hands,
so ``kill -9`` loses nothing. Ending a run writes the end, syncs the file (mode ``power``) and gives it its sealed
name; only then is the end acknowledged. Who holds the file open holds a shared ``flock`` on it, which the kernel drops with
the process; so a journal without its lock and without its end belongs to a process that died.

Files: ``events`` (one line ↔ one event), ``writer`` (append), ``state`` (events → run), ``tags`` (events → its tags alone),
``spool`` (the folder).
``docs/format.md`` describes the lines. This room knows no git and no object store.
"""

from __future__ import annotations

from runfolio._lazy import lazy_names
from runfolio._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runfolio.journal.spool import Journal, Spool
    from runfolio.journal.state import RunState, replay
    from runfolio.journal.writer import JournalWriter

__all__ = ["Journal", "JournalWriter", "RunState", "Spool", "replay"]

__getattr__ = lazy_names(__name__, {"spool": ("Journal", "Spool"), "state": ("RunState", "replay"), "writer": ("JournalWriter",)})
