"""What goes to whoever runs a trial, and what comes back: plain values that can be pickled and sent anywhere.

A :class:`TrialPlan` says everything: which run to write (its id is given here, so that a task which some engine executes twice writes one
run), at which point of the space, what to call, and where to log. A :class:`TrialResult` says how it went. Neither knows who runs it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.records import Experiment
from runfolio.sweeps.objectives import Objective


class TrialState(str, Enum):
    """How a trial ended; the first three count, and are never run again."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    LOST = "lost"
    """Whoever ran it died, or was stopped: nothing is known of it, and it is run again."""

    def __str__(self) -> str:
        return self.value


HANDED_OVER = "spool:"
"""The URI of a place whose worker chooses the folder itself, and hands runs over to the inbox of the folio's store."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trial logs to, and under what.

    Parameters
    ----------
    uri : str
        As for ``set_tracking_uri``: the folder of a folio, or ``spool:PATH``.
    experiment : Experiment
    source : Mapping
        What was started and from which code, as the sweep's own run has it: fields ``code``, ``entry`` and ``user`` of a record.
    """

    uri: str
    experiment: Experiment
    source: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """One run of one trial.

    Parameters
    ----------
    sweep : str
        Run id of the sweep: the parent.
    number : int
        Of the trial, from 0.
    run_id : str
        Of the run that this writes.
    params : Mapping
        What the objective is called with: the point, what is fixed, and the replicate's value.
    point : str
        The point for the record: JSON, as the sampler counts it; empty where the objective draws its params itself.
    objective : Objective
    metrics : tuple of str
        Names of what the objective returns, in order.
    place : Place
    replicate : int or None
        Place among the sweep's replicates.
    attempt : int
        From 1; more where earlier ones were cut off.
    retry_of : str
        Run id of the attempt before; empty for the first.
    name : str
        Of the run.
    judged : bool
        Whether the pruner is asked about this run (the first replicate's alone).
    study : bytes or None
        What is known of earlier trials, pickled, where the objective draws its params itself or may be pruned; see
        :mod:`runfolio.sweeps.studies`.
    sampled : str
        JSON: what the sampler noted of the trial for itself; empty where nothing.
    draws : bool
        Whether the objective draws its params itself.
    """

    sweep: str
    number: int
    run_id: str
    params: Mapping[str, Any]
    point: str
    objective: Objective
    metrics: tuple[str, ...]
    place: Place
    replicate: int | None = None
    attempt: int = 1
    retry_of: str = ""
    name: str = ""
    judged: bool = True
    study: bytes | None = None
    sampled: str = ""
    draws: bool = False


@dataclass(frozen=True, slots=True)
class TrialResult:
    """How one run of a trial went.

    Parameters
    ----------
    number : int
    run_id : str
    state : TrialState
    values : tuple of float
        One for each metric; empty unless the trial is complete.
    replicate : int or None
    reported : Mapping of int to float
        What was reported on the way, by step.
    fault : str
        Why it failed or was lost, in words.
    point, distributions : str
        JSON: the params that the objective drew itself, and from what; empty where the plan had them.
    """

    number: int
    run_id: str
    state: TrialState
    values: tuple[float, ...] = ()
    replicate: int | None = None
    reported: Mapping[int, float] = field(default_factory=dict)
    fault: str = ""
    point: str = ""
    distributions: str = ""


def run_id_of(sweep: str, number: int, place: int, attempt: int) -> str:
    """Return the run id of one attempt at one run of a trial: the same whenever it is asked, so that nobody writes the run twice.

    Parameters
    ----------
    sweep : str
        Run id of the sweep.
    number : int
        Of the trial.
    place : int
        Among the replicates.
    attempt : int
        From 1.

    Returns
    -------
    str
        UUID version 7: the time is that of the sweep, and the ids of its trials sort by number.

    Examples
    --------
    >>> run_id_of("01a20af6586b7000ad3376d9e9ffcfe6", 3, 0, 1)
    '01a20af6586b7000800000c8c03b3a2d'
    """
    drawn = hashlib.sha256(f"{sweep} {number} {place} {attempt}".encode()).digest()
    time_ms = int(sweep[:12], 16) if re.fullmatch(r"[0-9a-f]{12}7[0-9a-f]{19}", sweep) else 0
    order = min(number, (1 << 34) - 1)
    # 48 bits of time, version, the trial's number in 12 + 22 bits, 40 bits drawn from all that tells the run apart.
    low = (0b10 << 62) | ((order & ((1 << 22) - 1)) << 40) | int.from_bytes(drawn[:5], "big")
    return f"{(time_ms << 80) | (7 << 76) | ((order >> 22) << 64) | low:032x}"


def lost(plan: TrialPlan, why: str) -> TrialResult:
    """Return the result for a plan of which nothing is known any more: an engine's answer for a worker that died."""
    return TrialResult(plan.number, plan.run_id, TrialState.LOST, replicate=plan.replicate, fault=why)
