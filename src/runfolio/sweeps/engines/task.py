"""A task of a batch system: reads the plans whose turn it is, runs them, hands their runs over. ``runfolio sweep-worker`` is this.

A trial that fails is a result, and the task has done its work. The task fails where it could not: the plans are not what was submitted,
the store does not answer, this machine cannot write. Then the batch system may start it again.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from runfolio.errors import UsageError
from runfolio.folio.mailboxes import open_mailbox
from runfolio.formats.runs import check_digest
from runfolio.sweeps.engines.batch_job import task_number
from runfolio.sweeps.engines.outbox import work
from runfolio.sweeps.engines.plans import decode_plans
from runfolio.sweeps.trials import TrialPlan, TrialResult

LARGEST = 1 << 28
"""Bytes of plans that are read at most."""


def run_task(
    store: str,
    plans: str,
    *,
    per_task: int = 1,
    task: int | None = None,
    told: Callable[[TrialPlan, TrialResult], None] | None = None,
) -> list[TrialResult]:
    """Run the trials of one task.

    Parameters
    ----------
    store : str
        Place of the folio's store.
    plans : str
        Digest of the round's plans: what has other bytes is refused.
    per_task : int, optional
        Trials of a task.
    task : int, optional
        Number of the task, from 0; the batch system's own by default.
    told : callable, optional
        Told of each trial that is over.

    Raises
    ------
    UsageError
        If there is no such task, or a value cannot be read.
    NotFoundError, DamagedError
        If the plans are not there, or are not those of the digest.
    StorageError
        If a run could not be written or handed over.
    """
    number = task_number() if task is None else task
    digest = check_digest(plans)
    if per_task < 1 or number < 0:
        raise UsageError(f"A task has a number from 0 and runs at least one trial; found {number} and {per_task}.")
    with tempfile.TemporaryDirectory(prefix="runfolio-plans-") as scratch:
        data = open_mailbox(store, Path(scratch)).store.read(digest, LARGEST)
    found, delivery = decode_plans(data, store)
    mine = found[number * per_task : (number + 1) * per_task]
    if not mine:
        raise UsageError(f"There is no task {number}: the round has {len(found)} trials, {per_task} for a task.")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # the objective's module lies where the task starts
    made = []
    for plan in mine:
        result = work(plan, delivery)
        made.append(result)
        if told is not None:
            told(plan, result)
    return made
