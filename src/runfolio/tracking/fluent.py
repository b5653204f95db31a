"""The fluent API: the active run, from its start to its end.

Names, arguments and defaults are MLflow's. Active runs are a stack for each thread, as in MLflow: a thread that logs without a run
of its own starts one. The verbs that log to the active run are :mod:`runfolio.tracking.fluent_logging`'s, those that find and change
runs and experiments :mod:`runfolio.tracking.fluent_finding`'s.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType

from runfolio._typing import TYPE_CHECKING, Any, TypeVar
from runfolio.errors import DeletedError, NotFoundError, RunfolioError, StateError, UsageError
from runfolio.records import DEFAULT_EXPERIMENT_ID, Experiment, Lifecycle
from runfolio.records.names import check_experiment_id, check_experiment_name
from runfolio.tracking import entities
from runfolio.tracking.live import LiveRun
from runfolio.tracking.names import artifact_uri
from runfolio.tracking.sampling import forget_choices, start_sampler
from runfolio.tracking.session import CHOSEN_VARIABLE, Session, before_exit, session, worker_failed
from runfolio.tracking.starting import start_live

if TYPE_CHECKING:
    from runfolio.tracking.client import RunfolioClient

F = TypeVar("F", bound=Callable[..., Any])

stacks = threading.local()
_all_active: list[ActiveRun] = []
_experiment_id: str | None = None
_last_run: str | None = None


def client(uri: str | None = None) -> RunfolioClient:
    """Return the object API, which knows registry, searches and files: loaded where a script uses more than a run's params and metrics."""
    from runfolio.tracking.client import RunfolioClient

    return RunfolioClient(uri)


class ActiveRun:
    """A run that is being logged to; a context manager that ends it.

    Attributes
    ----------
    info : RunInfo
        As at the start.
    """

    def __init__(self, held: Session, live: LiveRun, info: entities.RunInfo, *, owner: bool = True) -> None:
        self._held, self._live, self.info = held, live, info
        self._sampler: Any = None
        self._owner = os.getpid() if owner else 0

    @property
    def live(self) -> LiveRun:
        """The hold that this process has on the run: for rooms above, which log to it from any thread."""
        return self._live

    @property
    def held(self) -> Session:
        """The folio that the run is logged to: for rooms above."""
        return self._held

    @property
    def _info(self) -> entities.RunInfo:
        """What examples of MLflow's read in place of `info`."""
        return self.info

    @property
    def data(self) -> entities.RunData:
        """Params, metrics and tags, as they are now."""
        return self._run().data

    @property
    def inputs(self) -> entities.RunInputs:
        """Datasets read, as they are now."""
        return self._run().inputs

    def _run(self) -> entities.Run:
        return client(self._held.uri).get_run(self.info.run_id)

    def to_dictionary(self) -> dict[str, Any]:
        """Return the run as plain dictionaries."""
        return self._run().to_dictionary()

    def __enter__(self) -> ActiveRun:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if not self._live.closed:
            while self in _stack() and _stack()[-1] is not self:
                end_run("FINISHED" if kind is None else "FAILED")
            end_run("FINISHED" if kind is None else "FAILED")
        return kind is None

    def __repr__(self) -> str:
        return f"<ActiveRun: {self.info!r}>"

    def __reduce__(self) -> tuple[Callable[[entities.Run], entities.Run], tuple[entities.Run]]:
        """Pickle what is known of the run: another process cannot hold this one's hold on it, and reads `info` and `data`."""
        return _plain, (self._run(),)

    def _repr_html_(self) -> str:
        return self._run()._repr_html_()


def _plain(run: entities.Run) -> entities.Run:
    return run


def _stack() -> list[ActiveRun]:
    stack: list[ActiveRun] | None = getattr(stacks, "runs", None)
    if stack is None:
        stack = stacks.runs = []
    return stack


def set_experiment(experiment_name: str | None = None, experiment_id: str | None = None) -> entities.Experiment:
    """Choose the experiment that runs of this process, and of processes it starts, go to; made if no experiment has that name.

    Parameters
    ----------
    experiment_name, experiment_id : str
        One of the two.
    """
    if (experiment_name is None) == (experiment_id is None):
        raise UsageError("set_experiment takes experiment_name or experiment_id, one of the two.")
    if experiment_id is not None:
        found = client().get_experiment(experiment_id)
        if found.lifecycle_stage != "active":
            raise DeletedError(f"Cannot set a deleted experiment {found.name!r} as the active experiment. Restore it first.")
        _choose(found.experiment_id, found.name)
        return found
    record = session().folio.experiments.get_or_create(_experiment_name(experiment_name))
    _choose(record.experiment_id, record.name)
    return client().get_experiment(record.experiment_id)


def _experiment_name(name: object) -> str:
    """Return what `set_experiment` was given as a name: text, or a number, whose digits are its name.

    Raises
    ------
    UsageError
        If it is neither, or cannot be told to processes that are started.
    """
    if not isinstance(name, str):
        from numbers import Number

        name = str(name) if isinstance(name, Number) else name
    text = check_experiment_name(name)
    if "\0" in text:
        raise UsageError(f"Invalid experiment name {text!r}: it holds a NUL, which no environment variable can.")
    return text


def _choose(experiment_id: str | None, name: str = "") -> None:
    """Take the choice of an experiment, or forget it. Processes that are started learn it from their environment, as MLflow's do."""
    global _experiment_id
    _experiment_id = experiment_id
    # By name: a spool folder knows no ids of another process's, and a program that works in another folio finds an experiment there.
    if name:
        os.environ[CHOSEN_VARIABLE] = name
    else:
        os.environ.pop(CHOSEN_VARIABLE, None)


def _experiment(held: Session, experiment_id: str | None) -> Experiment:
    """Return the experiment for a new run: named, set, from the environment, or the default one."""
    wanted = _experiment_id or os.environ.get("RUNFOLIO_EXPERIMENT_ID") if experiment_id in (None, "") else experiment_id
    if wanted is None:
        name = os.environ.get("RUNFOLIO_EXPERIMENT_NAME") or os.environ.get(CHOSEN_VARIABLE)
        if name:
            return held.folio.experiments.get_or_create(name)
    text = check_experiment_id(DEFAULT_EXPERIMENT_ID if wanted is None else wanted)
    found = held.folio.experiments.by_id(text)
    if found is None:
        raise NotFoundError(f"No Experiment with id={text} exists here. List them: runfolio experiments list --all")
    return found


def _get_experiment_id() -> str:
    """Return the id of the experiment that a run would be of now: MLflow's name for it, which its own examples import."""
    return str(_experiment(session(), None).experiment_id)


def experiment_in_force(held: Session, experiment_id: str | None = None) -> Experiment:
    """Return the experiment that a new run goes to: named, set, from the environment, or the default one."""
    return _experiment(held, experiment_id)


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
) -> ActiveRun:
    """Start a run, or go on with one, and make it the active run.

    Parameters
    ----------
    run_id : str, optional
        Go on with this run: attach to it where another process logs to it, or open it again where it has ended.
    experiment_id : str, optional
        The one of :func:`set_experiment` by default.
    run_name : str, optional
        Made where it is missing.
    nested : bool, optional
        Start a child of the active run.
    parent_run_id : str, optional
        Start a child of this run.
    tags : Mapping, optional
    description : str, optional
        Shown with the run; the tag ``mlflow.note.content``.
    log_system_metrics : bool, optional
        Sample CPU, memory and GPU use; the folio's setting by default.

    Raises
    ------
    StateError
        If a run is active and `nested` is false.
    """
    stack = _stack()
    stack[:] = [run for run in stack if not run._live.closed]
    if stack and not nested:
        raise StateError(
            f"Run with UUID {stack[-1].info.run_id} is already active. To start a new run, first end the current run with "
            "runfolio.end_run(). To start a nested run, call start_run with nested=True"
        )
    held = session()
    run_id = run_id or (os.environ.get("RUNFOLIO_RUN_ID") if not stack else None)
    all_tags = dict(tags or {})
    if description:
        if "mlflow.note.content" in all_tags:
            raise UsageError("Description is given as an argument and as the tag mlflow.note.content. Give one of them.")
        all_tags["mlflow.note.content"] = description
    if run_id:
        active = _go_on(held, run_id, experiment_id, all_tags)
    else:
        if parent_run_id and stack and parent_run_id != stack[-1].info.run_id:
            raise UsageError(
                f"Current run with UUID {stack[-1].info.run_id} does not match the specified parent_run_id {parent_run_id}. To start "
                "a nested run under it, first end the current run with runfolio.end_run()."
            )
        if parent_run_id and held.folio.runs.get(parent_run_id).lifecycle is Lifecycle.DELETED:
            raise DeletedError(
                f"The parent run {parent_run_id} is deleted. Restore it first: runfolio runs restore {parent_run_id}"
            )
        if parent_run_id or stack:
            all_tags["mlflow.parentRunId"] = parent_run_id or stack[-1].info.run_id
        experiment = _experiment(held, experiment_id)
        live = start_live(held, experiment, name=run_name, tags=all_tags)
        active = ActiveRun(held, live, entities.info_entity(live.record, experiment.experiment_id, artifact_uri(live.run_id)))
    stack.append(active)
    _all_active.append(active)
    active._sampler = start_sampler(held, active._live, log_system_metrics)
    return active


def _go_on(held: Session, run_id: str, experiment_id: str | None, tags: Mapping[str, Any] | None) -> ActiveRun:
    live = held.run(run_id, resume=True)
    found = held.folio.experiments.by_slug(live.record.experiment)
    known_id = found.experiment_id if found else live.record.experiment
    wanted = _experiment_id if experiment_id in (None, "") else check_experiment_id(experiment_id)
    if wanted is not None and wanted != known_id:
        raise UsageError(
            f"Cannot start run with ID {run_id} because active run ID does not match: it belongs to experiment {known_id!r}, and the "
            f"experiment in force is {wanted!r}. Call set_experiment(experiment_id={known_id!r}) first."
        )
    if live.record.end is not None:
        live.writer.event("end", "RUNNING", 0)
    if tags:
        live.batch((), {}, tags)
    record = held.folio.runs.get(run_id)
    return ActiveRun(held, live, entities.info_entity(record, known_id, artifact_uri(run_id)))


def _remember(run_id: str) -> None:
    global _last_run
    _last_run = run_id


def end_run(status: str | None = "FINISHED") -> None:
    """End the active run of this thread; returns once it can no longer be lost.

    Parameters
    ----------
    status : str
        ``FINISHED``, ``FAILED`` or ``KILLED``.
    """
    status = entities.RunStatus.from_string("FINISHED" if status is None else str(status))
    stack = _stack()
    if not stack:
        return
    active = stack.pop()
    with suppress(ValueError):
        _all_active.remove(active)
    _end(active, status, top=not stack)


def enter(held: Session, live: LiveRun, experiment_id: str) -> ActiveRun:
    """Make a run that a room above has started the active run of this thread, below the one that is active.

    Parameters
    ----------
    held : Session
    live : LiveRun
    experiment_id : str
    """
    active = ActiveRun(held, live, entities.info_entity(live.record, experiment_id, artifact_uri(live.run_id)))
    _stack().append(active)
    return active


def leave(active: ActiveRun, status: str) -> None:
    """Take a run that :func:`enter` made active from the stack, with those within it that were left open, which end in `status`."""
    stack = _stack()
    while active in stack and stack[-1] is not active:
        end_run(status)
    if active in stack:
        stack.pop()


def end(active: ActiveRun, status: str) -> None:
    """End a run that somebody holds, with those within it that were left open; runs around it and of other threads stay open."""
    leave(active, status)
    with suppress(ValueError):
        _all_active.remove(active)
    _end(active, status, top=not _stack())


def _end(active: ActiveRun, status: str, *, top: bool) -> None:
    if active._sampler is not None:
        active._sampler.stop()
    _remember(active.info.run_id)
    if not active._live.closed:
        active._live.end(status)
        active._held.sealed(active._live, top=top)


def active_run() -> ActiveRun | None:
    """Return the active run of this thread, or None."""
    stack = _stack()
    return stack[-1] if stack else None


def last_active_run() -> entities.Run | None:
    """Return the active run of this thread, else the run that ended last in this process; None if there was none."""
    active = active_run()
    if active is not None:
        return active._run()
    if _last_run is None:
        return None
    with suppress(NotFoundError):
        return client().get_run(_last_run)
    return None


def tracked(
    run_name: str | None = None, experiment_name: str | None = None, nested: bool = False, tags: Mapping[str, Any] | None = None
) -> Callable[[F], F]:
    """Make each call of a function a run: the decorator form of :func:`start_run`.

    Parameters
    ----------
    run_name : str, optional
        The function's name by default.
    experiment_name : str, optional
    nested : bool, optional
        Allow calls within an active run.
    tags : Mapping, optional
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            chosen = session().folio.experiments.get_or_create(experiment_name).experiment_id if experiment_name else None
            with start_run(run_name=run_name or function.__name__, experiment_id=chosen, nested=nested, tags=tags):
                return function(*args, **kwargs)

        return run  # type: ignore[return-value]

    return decorate


def live_run() -> LiveRun:
    """Return the hold on the active run of this thread, which is started if there is none."""
    stack = getattr(stacks, "runs", None)
    if stack and not stack[-1]._live.writer.closed:
        return stack[-1]._live  # type: ignore[no-any-return]
    return start_run()._live


def flush() -> None:
    """Commit the runs that have ended, now."""
    session().commit(wait=True)


def _end_all() -> None:
    """End what is still active when the process ends (as FAILED after an uncaught error), and forget what was chosen."""
    global _last_run
    # A worker of multiprocessing may end while its error is on the way out; elsewhere Python has put it down by now.
    reported = getattr(sys, "last_type", None) is not None and not hasattr(sys, "ps1")
    broken = isinstance(sys.exc_info()[1], Exception) or reported or worker_failed()
    status = "FAILED" if broken else "FINISHED"
    for active in reversed(_all_active[:]):
        if active._owner == os.getpid():
            try:
                _end(active, status, top=False)
            except RunfolioError as error:
                active._held.say(error.message)
    _all_active.clear()
    _stack().clear()
    _choose(None)
    _last_run = None
    forget_choices()


def _forget_after_fork() -> None:
    # The child may log to the runs it inherited; ending them is for the process that started them.
    _all_active.clear()


before_exit(_end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
