"""A sweep taken up again: its children read, what died ended, the study made of them.

The children are all there is. One with a state counts, once for its trial and replicate. One without was cut off: if its process
is dead it is ended as KILLED, and its trial is run again at the same point, under a run of its own that names the one before.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from runfolio.errors import StateError
from runfolio.folio.collecting import collect
from runfolio.folio.folio import Folio
from runfolio.folio.offline import OfflineFolio
from runfolio.folio.recovery import end_left
from runfolio.query import parse_filter
from runfolio.records import Lifecycle, Run, RunStatus, ViewType
from runfolio.records import sweeps as tags
from runfolio.sweeps.book import TrialEntry
from runfolio.sweeps.reading import replicate_of, result_of
from runfolio.sweeps.settings import SweepSettings
from runfolio.sweeps.space import Fixed
from runfolio.sweeps.studies import Study
from runfolio.sweeps.trials import TrialResult, TrialState
from runfolio.tracking.recording import take_left
from runfolio.tracking.session import Session

EVERYTHING = 1 << 31
WORKERS_END_S = 10.0
"""How long the workers of a sweep that died have to notice it: they end at once, unless the machine is busy."""


def children_of(held: Session, sweep: str) -> list[Run]:
    """Return the runs of a sweep's trials, committed and live, in the order in which they were begun."""
    if isinstance(held.folio, OfflineFolio):
        found: Iterable[Run] = held.folio.runs.live()
    else:
        wanted = parse_filter(f"tags.`mlflow.parentRunId` = '{sweep}'", "runs")
        found = held.folio.runs.search(wanted, (), None, ViewType.ACTIVE_ONLY, EVERYTHING)
    mine = [run for run in found if run.parent == sweep and tags.trial_number(run) is not None]
    return sorted((run for run in mine if run.lifecycle is Lifecycle.ACTIVE), key=lambda run: (run.start, run.run_id))


def end_dead(held: Session, sweep: str) -> None:
    """End what processes that died left of a sweep: its own run, and those of trials that were cut off.

    Raises
    ------
    StateError
        If a living process works at the sweep.
    """

    def wanted(header: Mapping[str, Any]) -> bool:
        return sweep in (header.get("run_id"), header.get("parent"))

    take_left(held.folio, held.say)
    until = time.monotonic() + WORKERS_END_S
    while going := end_left(held.folio.spool, wanted):
        if sweep in going:
            raise StateError(
                f"The sweep {sweep} goes on in another process: it is not to be resumed before that has ended. See it: runfolio status"
            )
        if time.monotonic() > until:
            raise StateError(
                f"{len(going)} run(s) of the sweep {sweep} go on in other processes ({', '.join(sorted(going)[:3])}): wait for their "
                "end, or end those processes, and resume then."
            )
        time.sleep(0.05)


def collect_first(held: Session) -> None:
    """Take in what workers on other machines have handed over and nobody has collected yet."""
    if isinstance(held.folio, Folio):
        for left in collect(held.folio).left:
            held.say(f"{left.where} was not taken in: {left.reason}")


def read_book(held: Session, sweep: str, settings: SweepSettings) -> dict[int, TrialEntry]:
    """Read the trials of a sweep from its children.

    Parameters
    ----------
    held : Session
    sweep : str
        Run id.
    settings : SweepSettings

    Returns
    -------
    dict of int to TrialEntry
        By number; a number that no child has is missing.
    """
    book: dict[int, TrialEntry] = {}
    fixed = {name: each.value for name, each in (settings.space or {}).items() if isinstance(each, Fixed)}
    key = settings.names[0] + tags.REPORTED
    for run in children_of(held, sweep):
        number = tags.trial_number(run)
        assert number is not None
        entry = book.setdefault(number, TrialEntry(number, {**_params(run, settings), **fixed}))
        place = replicate_of(run) or 0
        entry.attempts.setdefault(place, []).append(run.run_id)
        entry.point = entry.point or run.tags.get(tags.POINT_TAG, "")
        entry.sampled = entry.sampled or run.tags.get(tags.SAMPLED_TAG, "")
        entry.duration_ms += run.duration_ms or 0
        result = result_of(run)
        if result is None:
            continue
        if key in run.metrics:
            result = _with_reported(held, run, key, result)
        entry.take(result)
    for entry in book.values():
        entry.state = entry.settled(settings.repeats)
    return book


def _params(run: Run, settings: SweepSettings) -> dict[str, Any]:
    """Return a run's params as numbers where they are; for trials that say no point of a space."""
    own = settings.replicates.param if settings.replicates else ""
    made: dict[str, Any] = {}
    for name, text in run.params.items():
        if name != own:
            try:
                made[name] = int(text) if text.lstrip("-").isdigit() else float(text)
            except ValueError:
                made[name] = text
    return made


def _with_reported(held: Session, run: Run, key: str, result: TrialResult) -> TrialResult:
    return replace(result, reported={point.step: point.value for point in held.folio.runs.history(run, key)})


def restore(study: Study, book: dict[int, TrialEntry], fixed: Mapping[str, Any]) -> list[int]:
    """Make the study of what is known, trial by trial in the order of their numbers.

    Parameters
    ----------
    study : Study
        Empty; filled.
    book : dict of int to TrialEntry
        Changed: the params of each are entered.
    fixed : Mapping
        Params that are always the same.

    Returns
    -------
    list of int
        Numbers that are to be drawn again: the process died before their runs had begun, or what they say is no point of the space.
    """
    again: list[int] = []
    for number in range(max(book, default=-1) + 1):
        entry = book.get(number)
        if entry is not None and entry.state is not None:
            values = entry.values if entry.state is TrialState.COMPLETE else ()
            params = study.add(number, entry.state, entry.point, entry.distributions, values, entry.reported, entry.sampled)
            entry.params = {**(params or entry.params), **fixed}
            continue
        found = study.again(number, entry.point, entry.distributions, entry.sampled) if entry is not None else None
        if entry is None or found is None:
            trial = study.ask(number)
            found = {} if study.draws else dict(trial.params)
            entry = book.setdefault(number, TrialEntry(number))
            entry.point = "" if study.draws else study.point(trial)
            entry.sampled = study.sampled(trial)
            again.append(number)
        entry.params = {**found, **fixed}
    return again


def newest_unfinished(held: Session, name: str, experiment: str) -> str | None:
    """Return the newest sweep of that name in an experiment that has not finished, or None."""
    if isinstance(held.folio, OfflineFolio):
        return None
    wanted = parse_filter(f"tags.`{tags.METRICS_TAG}` != ''", "runs")
    found = held.folio.runs.search(wanted, (), [experiment], ViewType.ACTIVE_ONLY, EVERYTHING)
    mine = [run for run in found if run.name == name and run.status is not RunStatus.FINISHED]
    return max(mine, key=lambda run: (run.start, run.run_id)).run_id if mine else None
