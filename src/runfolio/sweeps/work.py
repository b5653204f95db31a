"""Run one trial: a run is started, the objective called, what it returns is logged, the run is sealed. Runs anywhere.

>>> # result = run_trial(plan)      in this process, in a worker, on a machine without git: all that is needed is in the plan

A plan that is run twice writes one run: where its run is there already, what it says is the result; where somebody is still at
it, his end is waited for; where he died, the trial is begun anew under the same id.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from runfolio.errors import RunfolioError, StorageError, UsageError, storage_error
from runfolio.folio.offline import OfflineFolio
from runfolio.journal import RunState
from runfolio.journal.spool import LIVE, sealed_name
from runfolio.records import sweeps as tags
from runfolio.sweeps.drawing import SweepTrial, TrialPruned, binder
from runfolio.sweeps.objectives import Command, Objective
from runfolio.sweeps.reading import result_of
from runfolio.sweeps.trials import TrialPlan, TrialResult, TrialState, lost
from runfolio.tracking import fluent
from runfolio.tracking.attaching import LINES_VARIABLE, RUN_VARIABLE
from runfolio.tracking.live import LiveRun, number_of
from runfolio.tracking.program import run_program
from runfolio.tracking.provenance import recorded_arguments
from runfolio.tracking.recording import forget, run_recorded
from runfolio.tracking.session import URI_VARIABLE, Session, session
from runfolio.tracking.starting import start_live

QUICK_S = 0.2
"""A trial that took less is brought to disk by the commit that follows, with the others: to sync each would take longer than the trial."""

MAX_FAULT = 2000
_STATUS = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "FINISHED", TrialState.FAILED: "FAILED", TrialState.LOST: "KILLED"}
_loaded: tuple[Objective, tuple[str, ...], Callable[[SweepTrial], Any]] | None = None


def run_trial(plan: TrialPlan, *, draw: Callable[[], Any] | None = None, held: Session | None = None) -> TrialResult:
    """Run a trial.

    Parameters
    ----------
    plan : TrialPlan
    draw : callable, optional
        Returns Optuna's trial, where the study is in this process; else one is made of what the plan says of it.
    held : Session, optional
        Of the process of the sweep itself: then nobody has begun this plan before, and it is not looked for.

    Returns
    -------
    TrialResult
        An objective that raises is a result too (``failed``).

    Raises
    ------
    StorageError
        If the run could not be logged: the disk is full. What was written of the run is sealed as KILLED if that is possible.
    """
    if held is None:
        held = session(plan.place.uri)
        before = _before(held, plan)
        if before is not None:
            return before
    live = start_live(
        held,
        plan.place.experiment,
        name=plan.name or None,
        tags=_tags(plan),
        run_id=plan.run_id,
        source=_source(plan, held),
        capture=not plan.place.source,
    )
    active = fluent.enter(held, live, plan.place.experiment.experiment_id)
    begun = time.monotonic()
    made = lost(plan, "it was interrupted")
    try:
        live.batch((), plan.params, {})
        made = _called(plan, held, live, draw or (lambda: _drawn_elsewhere(plan)))
    finally:
        # Also when we are interrupted: what was logged so far is a run.
        fluent.leave(active, "KILLED" if made.state is TrialState.LOST else "FINISHED")
        if not live.closed:
            live.end(_STATUS[made.state], synced=time.monotonic() - begun > QUICK_S)
        held.sealed(live, top=False)
        if isinstance(plan.objective, Command) and not plan.objective.records:
            forget(held, plan.run_id)
    return made


def seal_failed(plan: TrialPlan, fault: str) -> None:
    """Write the run of a trial that nobody could run to its end: failed, and why."""
    held = session(plan.place.uri)
    live = start_live(
        held,
        plan.place.experiment,
        name=plan.name or None,
        tags=_tags(plan),
        run_id=plan.run_id,
        source=_source(plan, held),
        capture=not plan.place.source,
    )
    live.batch((), plan.params, {tags.STATE_TAG: str(TrialState.FAILED), tags.FAULT_TAG: fault[:MAX_FAULT]})
    live.end("FAILED")
    held.sealed(live, top=False)


def _source(plan: TrialPlan, held: Session) -> Mapping[str, Any]:
    """Return the origin of the sweep's run; of a command with this trial's values in place, so that the trial can be made again."""
    source, objective = plan.place.source, plan.objective
    entry = source.get("entry")
    if not isinstance(objective, Command) or not entry or not held.folio.settings.capture.arguments:
        return source
    redactor = held.redactor.fresh()
    shown = {name: redactor.value(name, value) if isinstance(value, str) else value for name, value in plan.params.items()}
    # A program that goes on with the trial's run is given another one then.
    said = tuple(word for word in objective.arguments if not (objective.records and "{run_id}" in word))
    words = Command(said).filled(shown, plan.number, plan.run_id)
    return {**source, "entry": {**entry, "args": recorded_arguments(words[1:], redactor)}}


def _tags(plan: TrialPlan) -> dict[str, str]:
    made = {"mlflow.parentRunId": plan.sweep, tags.TRIAL_TAG: str(plan.number)}
    more = ((tags.POINT_TAG, plan.point), (tags.SAMPLED_TAG, plan.sampled), (tags.RETRY_TAG, plan.retry_of))
    made.update({key: value for key, value in more if value})
    if plan.replicate is not None:
        made[tags.REPLICATE_TAG] = str(plan.replicate)
    return made


def _called(plan: TrialPlan, held: Session, live: LiveRun, draw: Callable[[], Any]) -> TrialResult:
    """Call the objective and log how it went."""
    trial = SweepTrial(plan, live, draw)
    state, fault = TrialState.COMPLETE, ""
    values: tuple[float, ...] = ()
    more: dict[str, float] = {}
    try:
        values, more = _values(plan, held, _call(plan, held, live, trial))
        if any(value != value for value in values):
            state, fault = TrialState.FAILED, f"the objective returned {', '.join(map(str, values))}: not a number"
    except StorageError:
        raise  # not the objective's fault: nothing more can be logged
    except Exception as error:  # noqa: BLE001 - whatever an objective raises is its trial's fault, told in its run
        if _is_pruned(error):
            state = TrialState.PRUNED
        else:
            state, fault = TrialState.FAILED, _fault(error)
            live.artifact_bytes("".join(traceback.format_exception(error)).encode("utf-8", "replace"), "traceback.txt")
    point, distributions = _point(plan, trial)
    said = {tags.STATE_TAG: str(state)}
    drawn = ((tags.FAULT_TAG, fault), (tags.POINT_TAG, point), (tags.DISTRIBUTIONS_TAG, distributions))
    said.update({key: text for key, text in drawn if text})
    if values:
        said[tags.VALUES_TAG] = json.dumps(values)
    live.batch(_points(plan, live, values, more), {}, said)
    kept = () if state is TrialState.FAILED else values
    return TrialResult(plan.number, plan.run_id, state, kept, plan.replicate, trial.reported, fault, point, distributions)


def _call(plan: TrialPlan, held: Session, live: LiveRun, trial: SweepTrial) -> Any:
    if isinstance(plan.objective, Command):
        words = plan.objective.filled(plan.params, plan.number, plan.run_id)
        if plan.objective.records:
            env = {key: value for key, value in os.environ.items() if key not in (RUN_VARIABLE, LINES_VARIABLE)}
            ending = run_program(words, {**env, URI_VARIABLE: held.location}, tick=lambda: None)
        else:
            ending = run_recorded(held, live, plan.place.experiment, words)
        if ending.signal == "SIGINT":
            raise KeyboardInterrupt
        if ending.status != "FINISHED":
            how = f"was ended by {ending.signal}" if ending.signal else f"ended with {ending.code}"
            raise UsageError(f"the command {how}; its output is in console.log")
        return None
    return _function(plan)(trial)


def _function(plan: TrialPlan) -> Callable[[SweepTrial], Any]:
    global _loaded  # noqa: PLW0603 - one objective a process, loaded once
    names = tuple(plan.params)
    found = _loaded  # a thread that runs another sweep's trials may put its own there at any moment
    if found is None or found[1] != names or (found[0] is not plan.objective and found[0] != plan.objective):
        assert not isinstance(plan.objective, Command)
        found = _loaded = plan.objective, names, binder(plan.objective.load(), names, draws=plan.draws)
    return found[2]


def _values(plan: TrialPlan, held: Session, said: Any) -> tuple[tuple[float, ...], dict[str, float]]:
    """Return the values of the metrics, and what else was returned by name."""
    more: dict[str, float] = {}
    if said is None:
        logged = held.folio.runs.get(plan.run_id).metrics
        missing = [name for name in plan.metrics if name not in logged]
        if missing:
            there = f"it logged {', '.join(sorted(logged)[:10])}" if logged else "it logged none"
            raise UsageError(f"the run has no metric {', '.join(missing)}: return it, or log it ({there})")
        return tuple(logged[name].last for name in plan.metrics), more
    if isinstance(said, Mapping):
        missing = [name for name in plan.metrics if name not in said]
        if missing:
            raise UsageError(
                f"the objective returned no {', '.join(missing)}: it returned {', '.join(map(str, said)) or 'nothing'}"
            )
        more = {str(name): number_of(str(name), value) for name, value in said.items() if name not in plan.metrics}
        said = [said[name] for name in plan.metrics]
    elif not (isinstance(said, Sequence) and not isinstance(said, (str, bytes))):
        said = [said]
    if len(said) != len(plan.metrics):
        raise UsageError(f"the objective returned {len(said)} value(s) for the metrics {', '.join(plan.metrics)}")
    return tuple(number_of(name, value) for name, value in zip(plan.metrics, said, strict=True)), more


def _points(
    plan: TrialPlan, live: LiveRun, values: Sequence[float], more: Mapping[str, float]
) -> list[tuple[str, float, None, int]]:
    made: list[tuple[str, float, None, int]] = []
    if isinstance(plan.objective, Command):
        return made  # the program logged them
    known = RunState(live.writer.path).refresh().reduction.summaries() if any(map(live.knows, plan.metrics)) else {}
    for name, value in [*zip(plan.metrics, values, strict=False), *more.items()]:
        there = known.get(name)
        if there is None or (there.last != value and there.last == there.last):
            made.append((name, value, None, 0 if there is None else there.step + 1))
    return made


def _point(plan: TrialPlan, trial: SweepTrial) -> tuple[str, str]:
    if not plan.draws or plan.point or trial.drawn is None:
        return "", ""  # the plan says it, or nothing was drawn
    from runfolio.sweeps.studies import spelled_point

    return spelled_point(trial.drawn)


def _drawn_elsewhere(plan: TrialPlan) -> Any:
    from runfolio.sweeps.studies import trial_of

    if plan.study is None:
        raise UsageError("The plan of this trial has nothing to draw from.")
    return trial_of(plan.study, plan.number)


def _is_pruned(error: Exception) -> bool:
    return isinstance(error, TrialPruned) or (
        type(error).__name__ == "TrialPruned" and type(error).__module__.startswith("optuna")
    )


def _fault(error: Exception) -> str:
    said = error.message if isinstance(error, RunfolioError) else f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames and not isinstance(error, RunfolioError) else ""
    return f"{said[:MAX_FAULT]}{where}"


def _before(held: Session, plan: TrialPlan) -> TrialResult | None:
    """Return what an earlier execution of the plan came to; None where there was none, or it died on the way."""
    live = held.folio.spool.journals_folder / f"{plan.run_id}{LIVE}"
    if live.exists():
        _take_over(live)
    sealed = Path(sealed_name(live))
    if sealed.exists():
        run = RunState(sealed).refresh().run()
    elif isinstance(held.folio, OfflineFolio) or (found := held.folio.runs.committed(plan.run_id)) is None:
        return None
    else:
        run = found
    return result_of(run) or lost(plan, "an earlier execution was cut off, and its run is sealed")


def _take_over(live: Path) -> None:
    """Wait until nobody logs to a run any more; if he did not end it, it is removed."""
    try:
        fd = os.open(live, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as error:
        raise storage_error("look at the run's journal", error) from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(fd), os.stat(live)):
                live.unlink()
    finally:
        os.close(fd)
