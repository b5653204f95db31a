"""One run of a pipeline, from the plan to the end of its run.

The order of things for a step: its inputs are in place, the note that its outputs are being made, its run, its program, its outputs stored,
its key, the end of its run, and only then what needs it. A kill between any two loses nothing that was finished.

Threads follow programs and store what these made; all else is done by one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio._dataclass import dataclass
from runfolio.errors import StateError, UsageError
from runfolio.pipelines.document import pipeline_document
from runfolio.pipelines.finding import Made
from runfolio.pipelines.model import Pipeline, Step
from runfolio.pipelines.placing import Placer
from runfolio.pipelines.planning import Judged, Planner
from runfolio.pipelines.results import PipelineRun, StepResult
from runfolio.pipelines.stopping import Halt, signals_told
from runfolio.pipelines.wanted import Wanted
from runfolio.records import RunStatus
from runfolio.records.pipelines import DOCUMENT, FAILED, KILLED, MADE, NOT_RUN, PIPELINE_TAG, RUNNING, STEP_TAG, UP_TO_DATE

if TYPE_CHECKING:
    from runfolio.pipelines.steps import Bench, Outcome, Show
    from runfolio.tracking.live import LiveRun
    from runfolio.tracking.session import Session

Told = Callable[[StepResult], None]
_LOOK_S = 0.5


@dataclass(slots=True)
class Course:
    """One run of a pipeline, under way.

    Parameters
    ----------
    held : Session
    planner : Planner
    wanted : Wanted
    notes : Path
        The folder for notes on this pipeline.
    told : callable
        Told of each step as its state changes.
    show : callable
        Given a step's name, returns what its output is given to.
    run_name : str or None
    """

    held: Session
    planner: Planner
    wanted: Wanted
    notes: Path
    told: Told
    show: Callable[[str], Show | None]
    run_name: str | None
    made: dict[str, Made] = field(default_factory=dict)
    results: dict[str, StepResult] = field(default_factory=dict)
    parent: LiveRun | None = None
    bench: Bench | None = None

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline."""
        return self.planner.pipeline

    def go(self) -> PipelineRun:
        """Make what is to be made."""
        steps, forced = self.wanted.chosen(self.pipeline)
        faults = self.planner.faults(steps)
        if faults:
            raise StateError("\n".join(faults))
        halt = Halt()
        placer = self._placer()
        plan = self._refuse_strangers(placer, steps, forced)
        with signals_told(halt):
            try:
                if all(each.made is not None for each in plan):
                    for each in plan:
                        self._take(each)
                else:
                    self._make(steps, forced, halt, placer)
            except BaseException:
                self._end(RunStatus.FAILED)
                raise
        if not halt.signal:
            self._restore(placer)
        done = PipelineRun(
            self.pipeline.name, self.parent.run_id if self.parent else "",
            tuple(self.results[step.name] for step in steps), halt.signal,
        )  # fmt: skip
        self._end(RunStatus.KILLED if halt.signal else RunStatus.FINISHED if done.succeeded else RunStatus.FAILED)
        return done

    def _placer(self) -> Placer:
        folio = self.planner.folio
        return Placer(self.planner.base, folio.store, self.planner.stamps, self.notes, overwrite=self.wanted.overwrite)

    def _refuse_strangers(self, placer: Placer, steps: Sequence[Step], forced: frozenset[str]) -> list[Judged]:
        """Return the plan as things are now; refuse to begin where a file that a person changed would be overwritten.

        What the plan makes up to date by now is compared with what was made; what will be made, with what the store can give back.
        """
        found: list[str] = []
        known: dict[str, Made] = {}
        plan: list[Judged] = []
        for step in steps:
            judged = self.planner.judge(step, known, force=step.name in forced)
            plan.append(judged)
            if judged.made is not None:
                known[step.name] = judged.made
            for place in step.outputs:
                there = placer.strangers(place, judged.made.at(place) if judged.made else None)
                found += [f"{path} (made by {step.name})" for path in there]
            for item in step.inputs:
                if item.uri or item.dataset:
                    source = item.uri or f"data:{item.dataset}"
                    there = placer.strangers(item.place, self.planner.source(item))
                    found += [f"{path} (fetched from {source})" for path in there]
        if found:
            shown = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
            raise StateError(
                f"These files are not as any run made them, and would be overwritten: {shown}. "
                "Move them away, or let them be overwritten: --overwrite"
            )
        return plan

    def _make(self, steps: Sequence[Step], forced: frozenset[str], halt: Halt, placer: Placer) -> None:
        from runfolio.pipelines.steps import carry_out  # a third of the imports: not for a run with nothing to do

        waiting = list(steps)
        going: dict[Future[Outcome], tuple[Judged, LiveRun, int]] = {}
        with ThreadPoolExecutor(self.wanted.jobs, thread_name_prefix="runfolio-step") as pool:
            while waiting or going:
                for step in list(waiting):
                    if halt.signal or self._is_barred(step):
                        waiting.remove(step)
                        self._note(self._barred(step, halt))
                    elif len(going) < self.wanted.jobs and all(name in self.made for name in step.needs):
                        waiting.remove(step)
                        judged = self.planner.judge(step, self.made, force=step.name in forced)
                        if judged.made is not None:
                            self._take(judged)
                        else:
                            live, at = self._begin(judged, halt, placer)
                            assert self.bench is not None
                            going[pool.submit(carry_out, self.bench, live, judged, self.show(step.name))] = (judged, live, at)
                if going:
                    for future in wait(going, timeout=_LOOK_S, return_when=FIRST_COMPLETED).done:
                        self._finish(*going.pop(future), future.result(), placer)

    def _is_barred(self, step: Step) -> bool:
        return any(name in self.results and self.results[name].state in (FAILED, KILLED, NOT_RUN) for name in step.needs)

    def _barred(self, step: Step, halt: Halt) -> StepResult:
        failed = [name for name in step.needs if name in self.results and self.results[name].state in (FAILED, KILLED, NOT_RUN)]
        why = tuple(
            f"it needs {name}, which {'was not run' if self.results[name].state == NOT_RUN else 'failed'}" for name in failed
        )
        return StepResult(step.name, NOT_RUN, why=why if failed else ("the pipeline was ended before it",) if halt.signal else ())

    def _take(self, judged: Judged) -> None:
        """Take a step as up to date."""
        made, facts = judged.made, judged.facts
        assert made is not None
        assert facts is not None
        self.made[judged.step.name] = made
        run = made.run
        self._note(
            StepResult(judged.step.name, UP_TO_DATE, run.run_id, (), run.start, run.end, facts.key, judged.inputs, made.files)
        )

    def _begin(self, judged: Judged, halt: Halt, placer: Placer) -> tuple[LiveRun, int]:
        """Put a step's inputs in place and start its run."""
        from runfolio.pipelines.entries import argv_of
        from runfolio.pipelines.steps import Bench, describe
        from runfolio.tracking.recording import chosen_experiment
        from runfolio.tracking.starting import start_live

        step = judged.step
        if self.parent is None:
            experiment = chosen_experiment(self.held, self.pipeline.experiment or self.pipeline.name)
            again = [word for name, value in self.pipeline.params.items() for word in ("-P", f"{name}={value}")]
            entry = {"script": "runfolio", "type": "PROGRAM", "args": ["pipeline", "run", self.pipeline.file, *again]}
            tags = {PIPELINE_TAG: self.pipeline.name, **_outer()}
            self.parent = start_live(self.held, experiment, name=self.run_name, tags=tags, entry=entry)
            self.parent.batch((), self.pipeline.params, {})
            self.bench = Bench(self.held, experiment, self.pipeline, self.planner.base, self.notes / "steps.lock", halt)
        assert self.bench is not None
        for item in step.inputs:
            if (item.step or item.uri or item.dataset) and not placer.is_placed(item.place, judged.inputs[item.place]):
                placer.place(item.place, judged.inputs[item.place])
        placer.begin(step.name, step.outputs)
        placer.clear(step.outputs)
        tags = {PIPELINE_TAG: self.pipeline.name, STEP_TAG: step.name, "mlflow.parentRunId": self.parent.run_id}
        started: dict[str, Any] = {"script": step.command[0], "type": "PROGRAM", "args": list(step.command[1:])}
        with suppress(UsageError):  # an entry point that lacks a parameter: it fails when it is started
            redactor = self.held.redactor.fresh()
            shown = {name: redactor.value(name, value) for name, value in self.pipeline.values(step).items()}
            program, *args = argv_of(step, shown)
            started = {"script": program, "type": "PROGRAM", "args": args, "cwd": str(self.planner.base)}
            started["env"] = dict(step.env)
        live = start_live(self.held, self.bench.experiment, name=step.name, tags=tags, entry=started)
        try:
            describe(self.bench, live, judged, self.made)
        except BaseException:
            live.end("FAILED")
            raise
        at = time.time_ns() // 1_000_000
        assert judged.facts is not None
        self._note(StepResult(step.name, RUNNING, live.run_id, judged.why, at, None, judged.facts.key, judged.inputs))
        return live, at

    def _finish(self, judged: Judged, live: LiveRun, at: int, outcome: Outcome, placer: Placer) -> None:
        """End a step's run."""
        from runfolio.tracking.recording import forget

        step = judged.step
        if outcome.why:
            live.notice(f"the step {step.name} did not finish: {outcome.why}")
        live.end(outcome.status.value)
        self.held.sealed(live, top=False)
        forget(self.held, live.run_id)
        state = {RunStatus.FINISHED: MADE, RunStatus.KILLED: KILLED}.get(outcome.status, FAILED)
        if state == MADE:
            placer.done(step.outputs)
            self.made[step.name] = Made(live.record, outcome.files)
        assert judged.facts is not None
        end = time.time_ns() // 1_000_000
        why = (outcome.why,) if outcome.why else judged.why
        self._note(
            StepResult(step.name, state, live.run_id, why, at, end, judged.facts.key, judged.inputs, outcome.files or None)
        )

    def _note(self, result: StepResult) -> None:
        self.results[result.name] = result
        self.told(result)
        if self.parent is not None:
            self.parent.artifact_bytes(pipeline_document(self.pipeline, self.results, self.planner.redactor), DOCUMENT)

    def _restore(self, placer: Placer) -> None:
        """Put what the steps made where people look for it."""
        for step in self.pipeline.steps:
            made = self.made.get(step.name)
            if made is not None and self.results[step.name].state == UP_TO_DATE:
                for place in step.outputs:
                    if not placer.is_placed(place, made.at(place)):
                        placer.place(place, made.at(place))
                placer.done(step.outputs)

    def _end(self, status: RunStatus) -> None:
        if self.parent is not None and not self.parent.closed:
            self.parent.end(status.value)
            self.held.sealed(self.parent, top=not os.environ.get("RUNFOLIO_RUN_ID"))


def _outer() -> dict[str, str]:
    """Return the tag of the run that this process belongs to, as that of a parent."""
    outer = os.environ.get("RUNFOLIO_RUN_ID")
    return {"mlflow.parentRunId": outer} if outer else {}
