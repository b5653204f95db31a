"""Find the engine that a user names."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from typing import Any

from runfolio.errors import UsageError
from runfolio.formats.fields import suggestion
from runfolio.sweeps.engines.engine import Engine
from runfolio.sweeps.engines.inline import InlineEngine
from runfolio.tracking.session import Session

ENGINES = {
    "dask": "runfolio.sweeps.engines.dask:dask_engine",
    "kubernetes": "runfolio.sweeps.engines.kubernetes:kubernetes_engine",
    "local": "runfolio.sweeps.engines.local:local_engine",
    "ray": "runfolio.sweeps.engines.ray:ray_engine",
    "slurm": "runfolio.sweeps.engines.slurm:slurm_engine",
}
"""Module and function by name: each is called with ``address``, ``n_jobs`` and ``config``, and loaded when it is asked for."""


def open_engine(
    wanted: Any,
    n_jobs: int | None,
    held: Session,
    trial_of: Callable[[int], Any],
    address: Any = None,
    config: Mapping[str, Any] | None = None,
) -> Engine:
    """Return an engine, not started yet.

    Parameters
    ----------
    wanted : str, Engine or None
        None is this process for one job, and processes of this machine for more.
    n_jobs : int or None
        Trials at once; -1 for as many as there are processors; None for one here, and for as many as a cluster runs there.
    held : Session
    trial_of : callable
        Returns Optuna's trial of a number, for an engine in this process.
    address : object, optional
        Of the cluster, or its client.
    config : Mapping, optional
        Settings of the engine.

    Raises
    ------
    UsageError
        For a name that is none, or a wrong number.
    """
    if n_jobs is not None and (isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs == 0 or n_jobs < -1):
        raise UsageError(f"n_jobs: a number from 1, or -1 for all processors, is expected; found {n_jobs!r}.")
    jobs = _processors() if n_jobs == -1 else n_jobs
    if (wanted is None or not isinstance(wanted, str)) and (address is not None or config):
        raise UsageError(f"engine: address and settings are those of an engine by name: {', '.join(ENGINES)}.")
    if wanted is None:
        if jobs in (None, 1):
            return InlineEngine(held, trial_of)
        wanted = "local"
    if isinstance(wanted, str):
        return engine_of(wanted, address=address, n_jobs=jobs, config=config)
    lacking = [
        name
        for name in ("in_process", "capacity", "place", "start", "submit", "next_result", "stop")
        if not hasattr(wanted, name)
    ]
    if lacking:
        raise UsageError(f"engine: a {type(wanted).__name__} is none: it has no {', '.join(lacking)}.")
    return wanted  # type: ignore[no-any-return]  # has the names of the protocol


def engine_of(name: str, *, address: Any = None, n_jobs: int | None = None, config: Mapping[str, Any] | None = None) -> Engine:
    """Return the engine of a name.

    Raises
    ------
    UsageError
        If there is none, or it cannot be made of these settings.
    MissingPackageError
        If its package is not installed.
    """
    if name not in ENGINES:
        raise UsageError(f"engine: {name!r} is none{suggestion(name, ENGINES, '.')}")
    module, _, function = ENGINES[name].partition(":")
    make = getattr(importlib.import_module(module), function)
    return make(address=address, n_jobs=n_jobs, config=config)  # type: ignore[no-any-return]  # of the table above


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
