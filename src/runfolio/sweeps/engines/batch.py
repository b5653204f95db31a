"""The engine of a batch system: Slurm, Kubernetes. Trials are asked for in rounds.

A round is put into the store as one object, and submitted as one job with as many tasks as it needs. Results are told as they come; the
next round is drawn once this one is over. So a sampler that learns learns from round to round: with many small rounds it learns more,
with few large ones the cluster is fuller (``round``). For a grid or random points it makes no difference.

A sweep whose process died leaves its job in the queue. Whoever resumes it finds the job by its name, and waits for it before it asks for
anything new: the trials are the same, under the same run ids.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Protocol

from runfolio._dataclass import dataclass
from runfolio.deployments.client import Config, whole
from runfolio.errors import RunfolioError, UsageError
from runfolio.sweeps.engines.batch_job import BatchJob
from runfolio.sweeps.engines.gathering import Gathering
from runfolio.sweeps.engines.outbox import Delivery
from runfolio.sweeps.engines.plans import encode_plans
from runfolio.sweeps.trials import HANDED_OVER, Place, TrialPlan, TrialResult, lost
from runfolio.tracking.session import Session, session

ROUND = 100
POLL_S = 10.0
KEYS = {
    "round": f"trials that are asked for at once; {ROUND} by default",
    "poll": f"seconds between two looks at the inbox and the queue; {POLL_S:g} by default",
}
NO_PLANS = f"sha256:{'0' * 64}"
"""Stands in a dry run for the digest of the plans, which are not drawn."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a job stands.

    Parameters
    ----------
    going : bool
        Whether a task waits or runs.
    over : Mapping of int to str
        Tasks that have ended, and how, in the words of the system; only those that it names.
    """

    going: bool
    over: Mapping[int, str] = field(default_factory=dict)


class BatchSystem(Protocol):
    """Takes a job, and tells how it stands."""

    def per_task(self, trials: int) -> int:
        """Return how many trials one task runs, of a round of so many."""

    def open(self, held: Session) -> None:
        """Make sure that the system is there."""

    def text(self, job: BatchJob) -> str:
        """Return what is submitted, for people."""

    def submit(self, job: BatchJob) -> None:
        """Submit a job; one of that name that is there already is the same job."""

    def earlier(self, sweep_id: str) -> list[str]:
        """List the names of a sweep's jobs that wait or run."""

    def look(self, name: str) -> Standing:
        """Tell how a job stands; one that is not known any more is over."""

    def cancel(self, name: str) -> None:
        """End a job."""


class BatchEngine:
    """Runs plans as jobs of a batch system.

    Parameters
    ----------
    system : BatchSystem
    config : Mapping
        See `KEYS`.
    """

    in_process = False

    def __init__(self, system: BatchSystem, config: Config) -> None:
        self._system = system
        self._round = whole(config.get("round", ROUND), "round", 1)
        self._poll_s = _seconds(config.get("poll", POLL_S))
        self._held: Session | None = None
        self._gathering: Gathering | None = None
        self._delivery: Delivery | None = None
        self._waiting: list[TrialPlan] = []
        self._out: dict[str, TrialPlan] = {}
        self._tasks: dict[str, int] = {}
        self._jobs: list[str] = []
        self._ready: deque[TrialResult] = deque()
        self._next = 0.0
        self._number, self._sweep = 0, ""

    @property
    def capacity(self) -> int:
        """A round; while one is out no more than what is out."""
        busy = len(self._out) + len(self._ready)
        return busy + len(self._waiting) if busy else self._round

    def place(self, here: Place) -> Place:
        """Return that runs are handed over through the inbox of the folio's store."""
        self._held = session(here.uri)
        self._gathering = Gathering(self._held)
        self._delivery = self._gathering.delivery()
        return replace(here, uri=HANDED_OVER)

    def start(self) -> None:
        """Look whether the system is there."""
        assert self._held is not None
        self._system.open(self._held)

    def preview(self, sweep_id: str, trials: int, store: str) -> str:
        """Return what would be submitted for the first round."""
        size = min(trials, self._round)
        return self._system.text(BatchJob(sweep_id, 1, size, self._system.per_task(size), store, NO_PLANS))

    def submit(self, plan: TrialPlan) -> None:
        """Let a plan wait for its round."""
        self._waiting.append(plan)
        self._sweep = plan.sweep

    def next_result(self, timeout_s: float | None = None) -> TrialResult | None:
        """Return the next result; None where none came in time.

        Raises
        ------
        StateError
            If the system refuses the job, or is gone.
        """
        if self._waiting and not self._out and not self._ready:
            self._begin()
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._ready and self._out:
            left = self._next - time.monotonic()
            if left > 0:
                room = left if until is None else min(left, until - time.monotonic())
                if room <= 0:
                    return None
                time.sleep(room)
                continue
            self._look()
            self._next = time.monotonic() + self._poll_s
        return self._ready.popleft() if self._ready else None

    def _begin(self) -> None:
        """Submit a round, unless an earlier process of this sweep has left one that goes on."""
        assert self._held is not None
        self._out, self._waiting = {plan.run_id: plan for plan in self._waiting}, []
        self._number += 1
        self._next = 0.0
        if self._number == 1:
            self._jobs = self._system.earlier(self._sweep)
            if self._jobs:
                self._tasks = dict.fromkeys(self._out, -1)
                self._held.say(
                    f"{len(self._jobs)} job(s) of this sweep go on ({', '.join(self._jobs)}): their end is waited for first"
                )
                return
        self._submit(list(self._out.values()))

    def _submit(self, plans: list[TrialPlan]) -> None:
        assert self._held is not None
        assert self._delivery is not None
        store = self._held.folio.store
        digest, _ = store.put_bytes(encode_plans(plans, self._delivery))
        store.upload()
        each = self._system.per_task(len(plans))
        job = BatchJob(self._sweep, self._number, len(plans), each, self._delivery.store, digest)
        self._tasks = {plan.run_id: at // each for at, plan in enumerate(plans)}
        self._system.submit(job)
        self._jobs = [job.name]

    def _look(self) -> None:
        """Ask the system first, and then the inbox: what a task had handed over before it ended is found."""
        assert self._gathering is not None
        standings = [self._system.look(name) for name in self._jobs]
        going = any(standing.going for standing in standings)
        for result in self._gathering.collect():
            self._answer(result)
        if going:
            over = standings[-1].over if len(standings) == 1 else {}
            for run_id in [run_id for run_id in self._out if self._tasks[run_id] in over]:
                self._give_up(run_id, over[self._tasks[run_id]])
            return
        if -1 in self._tasks.values():
            # Earlier jobs are over. What they did not do is submitted now.
            for run_id in list(self._out):
                found = self._gathering.result(run_id)
                if found is not None:
                    self._answer(found)
            if self._out:
                self._submit(list(self._out.values()))
            return
        over = standings[-1].over if standings else {}
        for run_id in list(self._out):
            self._give_up(run_id, over.get(self._tasks[run_id], "its task is over"))

    def _answer(self, result: TrialResult) -> None:
        if self._out.pop(result.run_id, None) is not None:
            self._ready.append(result)

    def _give_up(self, run_id: str, how: str) -> None:
        """Answer for a trial whose task has ended: by its run, if somebody else has collected that, or as lost."""
        assert self._gathering is not None
        plan = self._out.pop(run_id)
        self._ready.append(self._gathering.result(run_id) or lost(plan, f"no run of it came, and {how}"))

    def stop(self, *, now: bool = False) -> None:
        """Cancel what waits or runs, and fold in what was handed over."""
        if self._gathering is None or self._held is None:
            return
        try:
            if now:
                for name in self._jobs:
                    self._system.cancel(name)
            if self._sweep:
                self._gathering.collect()
                if not now:
                    self._gathering.tidy(self._sweep)
        except RunfolioError as error:
            self._held.say(f"{error.message} Take in what is in the inbox with: runfolio collect")


def _seconds(value: object) -> float:
    try:
        made = float(str(value))
    except ValueError:
        made = -1.0
    if not 0.0 <= made < 86_400:
        raise UsageError(f"config: poll: seconds are expected, found {value!r}.")
    return made
