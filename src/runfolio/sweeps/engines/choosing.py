"""Find the engine that a user names."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

from runfolio.errors import UsageError
from runfolio.formats.fields import suggestion
from runfolio.sweeps.engines.engine import Engine
from runfolio.sweeps.engines.inline import InlineEngine
from runfolio.tracking.session import Session

ENGINES = {"local": "runfolio.sweeps.engines.local:LocalEngine"}
"""Module and class by name; each is made with ``n_jobs``, and loaded when it is asked for."""


def open_engine(wanted: Any, n_jobs: int, held: Session, trial_of: Callable[[int], Any]) -> Engine:
    """Return an engine, not started yet.

    Parameters
    ----------
    wanted : str, Engine or None
        None is this process for one job, and processes of this machine for more.
    n_jobs : int
        Trials at once; -1 for as many as there are processors.
    held : Session
    trial_of : callable
        Returns Optuna's trial of a number, for an engine in this process.

    Raises
    ------
    UsageError
        For a name that is none, or a wrong number.
    """
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs == 0 or n_jobs < -1:
        raise UsageError(f"n_jobs: a number from 1, or -1 for all processors, is expected; found {n_jobs!r}.")
    jobs = n_jobs if n_jobs > 0 else _processors()
    if wanted is None:
        if jobs == 1:
            return InlineEngine(held, trial_of)
        wanted = "local"
    if isinstance(wanted, str):
        if wanted not in ENGINES:
            raise UsageError(f"engine: {wanted!r} is none{suggestion(wanted, ENGINES)}.")
        module, _, name = ENGINES[wanted].partition(":")
        return getattr(importlib.import_module(module), name)(n_jobs=jobs)  # type: ignore[no-any-return]  # of the table above
    lacking = [
        name
        for name in ("in_process", "capacity", "place", "start", "submit", "next_result", "stop")
        if not hasattr(wanted, name)
    ]
    if lacking:
        raise UsageError(f"engine: a {type(wanted).__name__} is none: it has no {', '.join(lacking)}.")
    return wanted  # type: ignore[no-any-return]  # has the names of the protocol


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
