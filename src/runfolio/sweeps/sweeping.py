"""The verb: :func:`sweep`, as Python has it; ``runfolio sweep`` calls the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from runfolio.errors import NotFoundError, RunfolioError, UsageError
from runfolio.formats.durations import parse_duration
from runfolio.records import Experiment
from runfolio.records import sweeps as tags
from runfolio.records.redaction import MASK
from runfolio.sweeps.asked import add_asked
from runfolio.sweeps.book import TrialEntry
from runfolio.sweeps.document import document_of, encode_document
from runfolio.sweeps.drawing import binder
from runfolio.sweeps.engines.choosing import open_engine
from runfolio.sweeps.objectives import Command, Objective, objective_of, portable
from runfolio.sweeps.result import SweepResult, summary_of
from runfolio.sweeps.resuming import collect_first, end_dead, newest_unfinished, read_book, restore
from runfolio.sweeps.running import Running
from runfolio.sweeps.samplers import choose_pruner, choose_sampler, make_pruner, make_sampler
from runfolio.sweeps.settings import Replicates, SweepSettings, check, read_metrics, read_replicates, settings_of
from runfolio.sweeps.space import Fixed, Space, read_space, shown_space, values_of
from runfolio.sweeps.studies import Study
from runfolio.sweeps.trials import Place
from runfolio.tracking import fluent
from runfolio.tracking.live import LiveRun
from runfolio.tracking.session import Session, session
from runfolio.tracking.starting import start_live


def sweep(
    objective: Any,
    space: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    experiment_name: str | None = None,
    metrics: str | Sequence[str] | Mapping[str, str] | None = None,
    direction: str | Sequence[str] | None = None,
    directions: Sequence[str] | None = None,
    sampler: Any = None,
    pruner: Any = None,
    trials: int | None = None,
    timeout: float | str | None = None,
    replicates: int | Mapping[str, Any] | Replicates | None = None,
    n_jobs: int | None = None,
    engine: Any = None,
    address: Any = None,
    engine_config: Mapping[str, Any] | None = None,
    seed: int | None = None,
    resume: str | bool | None = None,
    catch: bool = True,
    attempts: int = 3,
    run_tags: Mapping[str, Any] | None = None,
    told: Callable[[TrialEntry], None] | None = None,
) -> SweepResult:
    """Search a space: call an objective at many points, each call a run, all of them children of one run.

    Parameters
    ----------
    objective : callable, str, or sequence of str
        A function, ``"module:function"``, or the arguments of a command with ``{name}`` where a param goes. A function is called with the
        params by name, or with a trial if that is its one argument; see :class:`~runfolio.sweeps.drawing.SweepTrial`. It returns
        a number, one for each metric, or a mapping by name; None where it logs the metrics itself.
    space : Mapping, optional
        What each param may be; see :mod:`runfolio.sweeps.space`. Without one the objective draws its params from its trial.
    name : str, optional
        Of the sweep's run.
    experiment_name : str, optional
        Made if it is missing; the one in force by default.
    metrics : str, sequence, or Mapping of str to str, optional
        What is looked at; with a Mapping ``minimize`` or ``maximize`` by name. ``value`` by default.
    direction, directions : str or sequence of str, optional
        Which way is better: ``minimize`` by default, as with Optuna.
    sampler : str, Mapping, or Optuna's sampler, optional
        ``tpe`` by default; ``random``, ``grid``, ``cmaes``, ``gp``, ``qmc``, ``nsgaii``, ``nsgaiii``; a Mapping has ``type`` and options.
    pruner : str, Mapping, or Optuna's pruner, optional
        ``median``, ``percentile``, ``hyperband``, ``halving``, ``threshold``, ``wilcoxon``; none by default.
    trials : int, optional
        How many in all, also over several resumptions; of a grid all its points by default.
    timeout : float or str, optional
        How long new trials are begun: seconds, or a span such as ``"2h"``.
    replicates : int or Mapping, optional
        ``{"seed": [0, 1, 2]}``: each trial is run once for each value, and its value is the mean; the spread is kept.
    n_jobs : int, optional
        Trials at once, in processes of their own; -1 for all processors. With 1, the default, they run in this process; on a cluster as
        many as it runs by default.
    engine : str or Engine, optional
        Who runs the trials: ``local``, ``dask``, ``ray``, ``slurm``, ``kubernetes``; see :mod:`runfolio.sweeps.engines`.
    address : str or client, optional
        Of the cluster: of Dask's scheduler, of Ray.
    engine_config : Mapping, optional
        Settings of the engine: what a trial is given, and how it is asked for.
    seed : int, optional
        Of the points; made and recorded where it is missing.
    resume : str or bool, optional
        Run id or name of the sweep to go on with; what finished counts, what was cut off is run again. True goes on with the
        newest sweep of this `name` that has not finished, or starts one.
    catch : bool, optional
        Go on after a trial that failed.
    attempts : int, optional
        How often a run whose worker died is begun before its trial has failed.
    run_tags : Mapping, optional
        Tags of the sweep's run.
    told : callable, optional
        Told of each trial that is over.

    Returns
    -------
    SweepResult

    Raises
    ------
    UsageError
        With every mistake in the arguments.
    StateError
        If the sweep goes on elsewhere, or all of its first trials failed.
    StorageError
        If nothing can be logged any more: the disk is full. Resume when there is room.

    Examples
    --------
    >>> import tempfile, runfolio
    >>> from runfolio.folio import initialise
    >>> runfolio.set_tracking_uri(initialise(tempfile.mkdtemp()).folio.place.root)
    >>> found = runfolio.sweep(lambda x: (x - 2) ** 2, {"x": {"type": "float", "low": 0, "high": 4}}, trials=20, seed=1)
    >>> abs(found.best_params["x"] - 2) < 0.5
    True
    """
    held = session()
    called = objective_of(objective)
    timeout_s = parse_duration(timeout) if isinstance(timeout, str) else timeout
    given = _Given(metrics, direction if direction is not None else directions, space, sampler, pruner, seed, replicates)
    found = _found(held, resume, name, experiment_name)
    if found is not None:
        end_dead(held, found)
        collect_first(held)
    settings = _settings(held, found, given, trials, called, timeout_s)
    _check_call(called, settings)
    studies: list[Study] = []

    def trial_of(number: int) -> Any:
        return studies[0].trial(number)

    opened = open_engine(engine, n_jobs, held, trial_of, address, engine_config)
    book = read_book(held, found, settings) if found is not None else {}
    if found is not None:
        add_asked(held, found, book)
    with _run_of(held, found, settings, name, experiment_name, called, run_tags) as (live, experiment):
        run_id, space = live.run_id, settings.space
        study = Study(run_id, settings.directions, settings.sampler, settings.pruner, settings.seed, space, not opened.in_process)
        studies.append(study)
        fresh = restore(study, book, {key: each.value for key, each in (space or {}).items() if isinstance(each, Fixed)})
        place = opened.place(Place(held.uri if opened.in_process else held.location, experiment, _source(live)))
        carried = called if opened.in_process else portable(called)
        running = Running(held, live, settings, carried, study, opened, place, book, attempts=attempts, catch=catch, told=told)
        running.note(fresh)
        return _go(running, timeout_s)


def plan(objective: Any, points: int, **arguments: Any) -> tuple[SweepSettings, list[dict[str, Any]]]:
    """Say what a sweep would do, and run nothing.

    Parameters
    ----------
    objective : callable, str, or sequence of str
    points : int
        How many of the first points are drawn, as they are before anything is known.
    **arguments
        Of :func:`sweep`.

    Returns
    -------
    SweepSettings
    list of dict
        Params of the first trials.
    """
    called = objective_of(objective)
    timeout = arguments.get("timeout")
    given = _Given(
        arguments.get("metrics"), arguments.get("direction"), arguments.get("space"), arguments.get("sampler"),
        arguments.get("pruner"), arguments.get("seed"), arguments.get("replicates"),
    )  # fmt: skip
    timeout_s = parse_duration(timeout) if isinstance(timeout, str) else timeout
    settings = _settings(session(), None, given, arguments.get("trials"), called, timeout_s)
    _check_call(called, settings)
    if settings.space is None:
        return settings, []
    fixed = {name: each.value for name, each in settings.space.items() if isinstance(each, Fixed)}
    if settings.replicates is not None:
        fixed[settings.replicates.param] = settings.replicates.values[0]
    study = Study(
        "dry-run", settings.directions, settings.sampler, settings.pruner, settings.seed, settings.space, parallel=False
    )
    count = points if settings.trials is None else min(points, settings.trials)
    return settings, [{**study.ask(number).params, **fixed} for number in range(count)]


class _Given:
    """The arguments that a resumed sweep has recorded, as they were given; None where they were not."""

    def __init__(
        self, metrics: Any, direction: Any, space: Any, sampler: Any, pruner: Any, seed: int | None, replicates: Any
    ) -> None:
        self.metrics = None if metrics is None and direction is None else read_metrics(metrics, direction)
        self.space: Space | None = None if space is None else read_space(space)
        self.sampler = None if sampler is None else choose_sampler(sampler)
        self.pruner = None if pruner is None else choose_pruner(pruner)
        self.seed, self.replicates = seed, read_replicates(replicates)


def _found(held: Session, resume: str | bool | None, name: str | None, experiment_name: str | None) -> str | None:
    if not resume:
        return None
    if isinstance(resume, str):
        return held.folio.runs.resolve(resume) if hasattr(held.folio.runs, "resolve") else resume
    if not name:
        raise UsageError("resume=True goes on with the newest sweep of a name: give the name.")
    return newest_unfinished(held, name, _experiment(held, experiment_name).slug)


def _experiment(held: Session, name: str | None) -> Experiment:
    return held.folio.experiments.get_or_create(name) if name else fluent.experiment_in_force(held)


def _settings(
    held: Session, found: str | None, given: _Given, trials: int | None, objective: Objective, timeout_s: float | None
) -> SweepSettings:
    if found is None:
        made = SweepSettings(
            given.metrics or read_metrics(None, None), given.space, given.sampler or choose_sampler(None),
            given.pruner or choose_pruner(None), random.SystemRandom().getrandbits(31) if given.seed is None else given.seed, trials,
            given.replicates, objective.name[:2000],
        )  # fmt: skip
        return check(made, timeout_s)
    before = settings_of(held.folio.runs.get(found))
    if (
        before.space is not None
        and given.space is not None
        and shown_space(given.space, held.redactor.fresh().value) == before.space
    ):
        before = replace(before, space=given.space)  # the record has secrets as ***, and home folders as ~
    faults = [
        f"{field}: the sweep has {shown(said)}, and {shown(new)} is given"
        for field, said, new, shown in (
            ("metrics", before.metrics, given.metrics, str),
            ("space", before.space, given.space, lambda space: "none" if space is None else ", ".join(map(str, space.items()))),
            ("sampler", before.sampler.name, given.sampler and given.sampler.name, str),
            ("pruner", before.pruner.name, given.pruner and given.pruner.name, str),
            ("seed", before.seed, given.seed, str),
            ("replicates", before.replicates, given.replicates, str),
        )
        if new is not None and new != said
    ]
    if faults:
        raise UsageError("\n".join([*faults, f"A sweep that is resumed ({found}) goes on as it was begun: leave these out."]))
    hidden = [name for name, each in (before.space or {}).items() if MASK in (values_of(each) or ())]
    if hidden:
        raise UsageError(
            f"space: the record of the sweep {found} has {', '.join(hidden)} as {MASK}, as secrets are. Give the space again."
        )
    made = replace(
        before,
        trials=before.trials if trials is None else trials,
        sampler=given.sampler or before.sampler,
        pruner=given.pruner or before.pruner,
    )
    return check(made, timeout_s)


def _check_call(objective: Objective, settings: SweepSettings) -> None:
    """Refuse an objective that cannot be called, and options that Optuna does not take, before anything is recorded."""
    make_sampler(settings.sampler, settings.seed, 0, settings.space, False)
    make_pruner(settings.pruner)
    names = [*(settings.space or {}), *([settings.replicates.param] if settings.replicates else [])]
    if isinstance(objective, Command):
        unknown = objective.unknown(names)
        if settings.space is None:
            raise UsageError("space: a command draws no params itself: say what each may be.")
        if unknown:
            raise UsageError(
                f"command: there is no param for {', '.join(f'{{{name}}}' for name in unknown)}; known: {', '.join(names)}."
            )
    else:
        binder(objective.load(), names, draws=settings.space is None)


@contextmanager
def _run_of(
    held: Session, found: str | None, settings: SweepSettings, name: str | None, experiment_name: str | None, objective: Objective,
    run_tags: Mapping[str, Any] | None,
) -> Iterator[tuple[LiveRun, Experiment]]:  # fmt: skip
    """Give the sweep's own run: started, or opened again; it ends with the block."""
    active = fluent.active_run()
    if found is None:
        experiment = _experiment(held, experiment_name)
        all_tags = {**(run_tags or {}), **settings.shown(held.redactor.fresh()).tags()}
        if active is not None:
            all_tags["mlflow.parentRunId"] = active.info.run_id
        entry = None
        if isinstance(objective, Command):
            entry = {"script": objective.arguments[0], "type": "PROGRAM", "args": list(objective.arguments[1:])}
        live = start_live(held, experiment, name=name, tags=all_tags, entry=entry)
    else:
        record = held.folio.runs.get(found)
        named = held.folio.experiments.by_slug(record.experiment)
        if named is None:
            raise NotFoundError(f"The experiment {record.experiment!r} of the sweep {found} is not here.")
        experiment = named
        live = held.run(found, resume=True)
        live.writer.event("end", "RUNNING", 0)
        live.batch((), {}, {**(run_tags or {}), **settings.shown(held.redactor.fresh()).tags()})
    entered = fluent.enter(held, live, experiment.experiment_id)
    status = "FAILED"
    try:
        yield live, experiment
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        fluent.leave(entered, status)
        if not live.closed:
            live.end(status)
        held.sealed(live, top=active is None)
        if active is None:
            held.commit(wait=False)


def _go(running: Running, timeout_s: float | None) -> SweepResult:
    """Run what is to be run, and leave the document whatever comes."""
    live, settings, book = running.live, running.settings, running.book
    now = True
    try:
        running.engine.start()
        running.run(timeout_s)
        now = False
    except BaseException:
        with suppress(RunfolioError):  # the disk may be full; what stopped the sweep is what is told
            _leave_document(live, settings, book, None)
        raise
    finally:
        running.engine.stop(now=now)
        running.close(finished=not now)
    return _result(live, settings, book, running.study)


def _source(live: LiveRun) -> dict[str, Any]:
    record = live.record
    return {"code": dict(record.code), "entry": dict(record.entry), "user": record.user}


def _leave_document(
    live: LiveRun, settings: SweepSettings, book: Mapping[int, TrialEntry], study: Study | None
) -> Mapping[str, Any]:
    document = document_of(live.record.name, settings, book, study, live.redactor.fresh())
    live.artifact_bytes(encode_document(document), tags.DOCUMENT)
    return document


def _result(live: LiveRun, settings: SweepSettings, book: Mapping[int, TrialEntry], study: Study) -> SweepResult:
    document = _leave_document(live, settings, book, study)
    return SweepResult(
        live.run_id,
        live.record.name,
        dict(settings.metrics),
        tuple(summary_of(book[number], settings) for number in sorted(book)),
        document.get("importance", {}).get("metrics", {}),
        document,
        study.optuna,
    )
