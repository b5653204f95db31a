"""Which call is a training, and which only a part of one: a search fits a hundred estimators, a forest its trees.

The first patched call of a thread opens a session; calls within it are parts of it, except for those that it admits. Worker threads
that joblib starts for a training know how deep joblib's calls are nested: a call nested deeper than a session that is open in another
thread is a part of that one, while two trainings that a user runs in threads of their own are two.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runfolio._dataclass import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """One training.

    Parameters
    ----------
    framework : str
    admits : str
        Name of calls within it that are logged as its parts; empty for none.
    nesting : int
        How deep joblib's calls were nested when it was opened.
    thread : int
    """

    framework: str
    admits: str
    nesting: int
    thread: int


_here = threading.local()
_open: set[Session] = set()


def current() -> Session | None:
    """Return the session of this thread, or None."""
    stack = getattr(_here, "stack", None)
    return stack[-1] if stack else None


def is_part(name: str = "") -> bool:
    """Tell whether a call belongs to a training under way, and is not of the name that this admits."""
    session = current()
    if session is not None:
        return not name or session.admits != name
    others = [each for each in tuple(_open) if each.thread != threading.get_ident()]
    return bool(others) and _nesting() > min(each.nesting for each in others)


@contextmanager
def session(framework: str, admits: str = "") -> Iterator[None]:
    """Open a session; calls within it are parts of it.

    Parameters
    ----------
    framework : str
    admits : str, optional
        Name of calls within it that are logged all the same.
    """
    made = Session(framework, admits, _nesting(), threading.get_ident())
    stack = getattr(_here, "stack", None)
    if stack is None:
        stack = _here.stack = []
    stack.append(made)
    _open.add(made)
    try:
        yield
    finally:
        stack.remove(made)
        _open.discard(made)


def _nesting() -> int:
    joblib = sys.modules.get("joblib.parallel")
    backend = joblib.get_active_backend()[0] if joblib is not None else None
    return getattr(backend, "nesting_level", 0) or 0
