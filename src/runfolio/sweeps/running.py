"""A sweep at work: points to plans, plans to the engine, results into the book, until all is done or time is over.

Order of things, and why nothing is lost or done twice: a trial's run says at its start which trial it is and at which point; it
is sealed with its values by whoever runs it, before the sweep hears of it. So the sweep itself may die at any moment: whoever
goes on finds each finished trial in its run, and runs again what has none.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from runfolio.errors import NotFoundError, StateError
from runfolio.folio.recovery import end_left
from runfolio.records import new_run_id
from runfolio.sweeps.asked import Asked
from runfolio.sweeps.book import TrialEntry, is_better
from runfolio.sweeps.engines.engine import Engine
from runfolio.sweeps.objectives import Objective
from runfolio.sweeps.reading import result_of
from runfolio.sweeps.settings import SweepSettings
from runfolio.sweeps.space import Fixed
from runfolio.sweeps.studies import Study
from runfolio.sweeps.trials import HANDED_OVER, Place, TrialPlan, TrialResult, TrialState, run_id_of
from runfolio.sweeps.work import seal_failed
from runfolio.tracking.live import LiveRun
from runfolio.tracking.session import Session

HOPELESS = 10
"""Trials that fail from the very first on before the sweep gives up: what fails always will not get better."""

POLL_S = 0.5


class Running:
    """One sweep at work.

    Parameters
    ----------
    held : Session
    live : LiveRun
        The sweep's own run.
    settings : SweepSettings
    objective : Objective
    study : Study
    engine : Engine
    place : Place
        Where trials log to.
    book : dict of int to TrialEntry
        Trials that are known already.
    attempts : int
        How often a run of a trial is begun before the trial counts as failed.
    catch : bool
        Whether the sweep goes on after a trial that failed.
    told : callable, optional
        Told of each trial that is over.
    """

    def __init__(
        self, held: Session, live: LiveRun, settings: SweepSettings, objective: Objective, study: Study, engine: Engine, place: Place,
        book: dict[int, TrialEntry], *, attempts: int = 3, catch: bool = True, told: Callable[[TrialEntry], None] | None = None,
    ) -> None:  # fmt: skip
        self.held, self.live, self.settings, self.objective = held, live, settings, objective
        self.study, self.engine, self.place, self.book = study, engine, place, book
        self.attempts, self.catch, self.told = attempts, catch, told
        self._fixed = {name: each.value for name, each in (settings.space or {}).items() if isinstance(each, Fixed)}
        self._queue: deque[tuple[TrialEntry, int]] = deque()
        self._out: dict[str, TrialPlan] = {}
        self._seen: set[str] = set()
        self._far = place.uri == HANDED_OVER
        self._asked = Asked(held, live.run_id) if self._far else None
        self._best: dict[str, float] = {}
        # A sweep that is resumed has said so much already.
        self._best_said = {key: found.step for key, found in live.record.metrics.items()}
        self._failed_first = not book
        self._resumed = bool(book)
        self._failures = 0

    def run(self, timeout_s: float | None = None) -> None:
        """Run all trials; returns when all are done, or no new one may be begun any more.

        Parameters
        ----------
        timeout_s : float, optional
            How long new trials are begun, in seconds; what runs then comes to its end.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        for entry in sorted(self.book.values(), key=lambda each: each.number):
            if entry.state is None:
                self._enqueue(entry)
            else:
                self._note_best(entry)
        while True:
            while len(self._out) < self.engine.capacity and (until is None or time.monotonic() < until):
                plan = self._next()
                if plan is None:
                    break
                self._out[plan.run_id] = plan
                self.engine.submit(plan)
            if not self._out:
                return
            result = self.engine.next_result(POLL_S)
            if result is not None:
                self._take(result)

    def begin(self, number: int) -> TrialEntry:
        """Draw the point of a trial and enter it into the book."""
        trial = self.study.ask(number)
        point, params = ("", {}) if self.study.draws else (self.study.point(trial), dict(trial.params))
        entry = TrialEntry(number, {**params, **self._fixed}, point, sampled=self.study.sampled(trial))
        self.book[number] = entry
        if self._asked is not None:
            self._asked.note(entry)
        return entry

    def note(self, numbers: Sequence[int]) -> None:
        """Write down the points of trials that were drawn before this began."""
        for number in numbers:
            if self._asked is not None:
                self._asked.note(self.book[number])

    def close(self, *, finished: bool) -> None:
        """Let go of what was written down."""
        if self._asked is not None:
            self._asked.close(finished=finished)

    def _enqueue(self, entry: TrialEntry) -> None:
        places = entry.open_places(self.settings.repeats)
        first = self._first_alone and 0 in places
        self._queue.extend((entry, place) for place in (places[:1] if first else places))

    @property
    def _first_alone(self) -> bool:
        """Whether the first replicate is run before the others: the pruner judges it, or it draws the params for all."""
        return self.study.prunes or self.study.draws

    def _next(self) -> TrialPlan | None:
        while self._queue:
            entry, place = self._queue.popleft()
            if entry.state is None and place not in entry.results:
                return self._plan(entry, place)
        number = len(self.book)
        if self.settings.trials is not None and number >= self.settings.trials:
            return None
        self._enqueue(self.begin(number))
        return self._next()

    def _plan(self, entry: TrialEntry, place: int) -> TrialPlan:
        replicates, before = self.settings.replicates, entry.attempts.setdefault(place, [])
        params = dict(entry.params)
        if replicates is not None:
            params[replicates.param] = replicates.values[place]
        judged = place == 0 and self.study.prunes
        snapshot = b"" if self.engine.in_process else None
        if not self.engine.in_process and (judged or self.study.draws):
            snapshot = self.study.snapshot(entry.number)
        run_id = self._run_id(entry.number, place, len(before) + 1)
        plan = TrialPlan(
            self.live.run_id, entry.number, run_id, params, entry.point, self.objective, self.settings.names, self.place,
            replicate=None if replicates is None else place, attempt=len(before) + 1, retry_of=before[-1] if before else "",
            name=self._name(entry.number, place), judged=judged, study=snapshot, sampled=entry.sampled, draws=self.study.draws,
        )  # fmt: skip
        before.append(run_id)
        return plan

    def _run_id(self, number: int, place: int, attempt: int) -> str:
        """Return the id of a new run: on other machines one that whoever resumes the sweep would give it, too."""
        if not self._far:
            return new_run_id()
        made = run_id_of(self.live.run_id, number, place, attempt)
        while self._resumed and self.held.folio.runs.committed(made) is not None:
            attempt += 1  # it was deleted, so that the trial is run again
            made = run_id_of(self.live.run_id, number, place, attempt)
        return made

    def _name(self, number: int, place: int) -> str:
        return f"trial-{number:04d}" + (f"-{place}" if self.settings.replicates is not None else "")

    def _take(self, result: TrialResult) -> None:
        plan = self._out.pop(result.run_id, None)
        if plan is None or result.run_id in self._seen:
            return  # a second execution of a plan that is through
        self._seen.add(result.run_id)
        if not self.engine.in_process and not self._far:
            self.held.sealed_elsewhere()
        entry, place = self.book[result.number], result.replicate or 0
        if result.state is TrialState.LOST:
            result = self._found(result) or self._again(entry, place, result, plan)
            if result.state is TrialState.LOST:
                return
        entry.take(result)
        if self.study.draws and result.point:
            entry.params = self.study.adopt(entry.number, result.point, result.distributions)
        state = entry.settled(self.settings.repeats)
        if state is None:
            if self._first_alone and place == 0:
                self._queue.extend((entry, each) for each in entry.open_places(self.settings.repeats))
        elif entry.state is None:
            self._settle(entry, state)

    def _found(self, result: TrialResult) -> TrialResult | None:
        """Look whether a run that nobody answers for is there and whole: its worker died after it had sealed it."""
        end_left(self.held.folio.spool, lambda header: header.get("run_id") == result.run_id)
        try:
            return result_of(self.held.folio.runs.get(result.run_id))
        except (NotFoundError, StateError):
            return None  # it died before the run had begun

    def _again(self, entry: TrialEntry, place: int, result: TrialResult, plan: TrialPlan) -> TrialResult:
        """Begin a run again whose worker died; after too many times the trial has failed."""
        tries = len(entry.attempts.get(place, ()))
        if tries < self.attempts:
            self.held.say(f"trial {entry.number}: {result.fault}; it is run again")
            self._queue.appendleft((entry, place))
            return result
        why = f"{result.fault}, {tries} times in a row"
        if self._far:
            seal_failed(replace(plan, place=replace(plan.place, uri=self.held.uri)), why)
        return TrialResult(entry.number, result.run_id, TrialState.FAILED, replicate=result.replicate, fault=why)

    def _settle(self, entry: TrialEntry, state: TrialState) -> None:
        entry.state = state
        values = entry.values if state is TrialState.COMPLETE else ()
        self.study.finish(entry.number, state, values, entry.reported)
        self._note_best(entry)
        if self.told is not None:
            self.told(entry)
        self._failures = self._failures + 1 if state is TrialState.FAILED else 0
        if state is not TrialState.FAILED:
            self._failed_first = False
        elif not self.catch:
            raise StateError(
                f"Trial {entry.number} failed: {entry.fault}. The sweep was told to stop then; {self.resume_words()}"
            )
        elif self._failed_first and self._failures >= HOPELESS:
            raise StateError(
                f"The first {self._failures} trials all failed, the last one so: {entry.fault}. Mend the objective; {self.resume_words()}"
            )

    def resume_words(self) -> str:
        """Say how the sweep is resumed."""
        return f"go on with: resume={self.live.run_id!r} (runfolio sweep … --resume {self.live.run_id[:8]})"

    def _note_best(self, entry: TrialEntry) -> None:
        if entry.state is not TrialState.COMPLETE:
            return
        for (name, way), value in zip(self.settings.metrics, entry.values, strict=True):
            if is_better(value, self._best.get(name), way):
                self._best[name] = value
                if entry.number > self._best_said.get(f"best_{name}", -1):
                    self.live.metric(f"best_{name}", value, None, entry.number)
