"""The run that a logger writes to: the active one, or one that is started for the training and ends with it.

>>> class Callback(Ending):                                                                    # doctest: +SKIP
...     def on_step(self, loss):
...         self.to.write("the metrics of a step", lambda log: log.metrics({"loss": loss}, self.step))

Few libraries tell their callbacks that a training failed. So a run that was started here ends as FAILED when its callback is let go, or
begins with another training, and nobody ended it before; what is still open when the process ends is ended there.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, TypeVar

from runfolio._dataclass import dataclass
from runfolio.autologging.guarding import guard
from runfolio.autologging.options import Options
from runfolio.autologging.run_log import RunLog
from runfolio.errors import UsageError
from runfolio.tracking import fluent
from runfolio.tracking.session import Session, session

Self = TypeVar("Self", bound="Ending")
_open: weakref.WeakValueDictionary[str, JoinedRun] = weakref.WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The run that a user wants for a training; without a run's id it counts only where none is active.

    Parameters
    ----------
    experiment_name : str, optional
        Made if it is missing; the one in force by default.
    run_name : str, optional
    tags : Mapping, optional
        Also set where a run is active already.
    run_id : str, optional
        Go on with this run.
    nested : bool, optional
        Where a run is active, start a child of it.
    description : str, optional
    """

    experiment_name: str | None = None
    run_name: str | None = None
    tags: Mapping[str, Any] | None = None
    run_id: str | None = None
    nested: bool = False
    description: str | None = None


class JoinedRun:
    """The run of one training at a time.

    It can be copied and pickled, as callbacks are by searches and launchers: a copy knows what is wanted, and begins anew.

    Parameters
    ----------
    framework : str
        Named where something cannot be logged.
    wanted : Wanted
    options : Options, optional
    resumes : bool, optional
        Writing after the end opens the same run again; otherwise that is one more change of a run that has ended.
    """

    def __init__(
        self, framework: str, wanted: Wanted | None = None, *, options: Options | None = None, resumes: bool = False
    ) -> None:
        self.framework, self.wanted, self.resumes = framework, wanted or Wanted(), resumes
        self.options = options or Options()
        self.run_id: str | None = self.wanted.run_id
        self.experiment_id: str | None = None
        self.moved = False
        self._log: RunLog | None = None
        self._own: fluent.ActiveRun | None = None
        self._held: Session | None = None
        self.begun = False
        self._process = os.getpid()

    def __reduce__(self) -> tuple[Any, ...]:
        wanted = replace(self.wanted, run_id=self.run_id) if self.resumes else self.wanted
        return _again, (type(self), self.framework, wanted, self.options, self.resumes)

    @property
    def own(self) -> fluent.ActiveRun | None:
        """The run, if it was started here and goes on."""
        return self._own if self._own is not None and not self._own.live.closed else None

    def begin(self) -> bool:
        """Join the active run, or start one; False where neither could be, which the log says once."""
        self.end("FAILED")
        self._log, self.begun, self.moved = None, True, False
        if not is_first_process():
            return False
        with guard("a run", framework=self.framework, silent=self.options.silent):
            self._join(self.run_id if self.resumes else self.wanted.run_id)
        return self._log is not None

    def _join(self, run_id: str | None) -> None:
        active = fluent.active_run()
        if active is not None and active.info.run_id in _open:
            _open[active.info.run_id].superseded(self)
            active = fluent.active_run()
        if active is not None and active.live.closed:
            active = None
        wanted = self.wanted
        if active is None or wanted.nested or (run_id is not None and run_id != active.info.run_id):
            chosen = None
            if wanted.experiment_name and run_id is None:
                chosen = session().folio.experiments.get_or_create(wanted.experiment_name).experiment_id
            active = self._own = fluent.start_run(
                run_id=run_id, experiment_id=chosen, run_name=wanted.run_name, nested=active is not None, tags=wanted.tags,
                description=wanted.description,
            )  # fmt: skip
            _open[active.info.run_id] = self
        elif wanted.tags:
            active.live.batch((), {}, wanted.tags)
        self.run_id, self.experiment_id = active.info.run_id, str(active.info.experiment_id)
        self._held, self._process = active.held, os.getpid()
        self._log = RunLog(self.framework, self.options, active.live)

    def superseded(self, by: JoinedRun) -> None:
        """End the run as FAILED if it is of a training that was left, and another of the library begins.

        Two callbacks of one training have both begun before either has logged a step.
        """
        if by is not self and by.framework == self.framework and self.moved:
            self.end("FAILED")

    def write(self, what: str, do: Callable[[RunLog], None], *, step: bool = False) -> None:
        """Log something; whatever goes wrong is recorded in the run and stays here.

        Parameters
        ----------
        what : str
            For the sentence that says what could not be logged.
        do : callable
        step : bool, optional
            The training has gone on, and is not only prepared.
        """
        if not is_first_process() or (self._log is None and (self.begun or not self.begin())):
            return
        self.moved = self.moved or step
        with guard(what, framework=self.framework, silent=self.options.silent), self._opened() as log, log.guard(what):
            do(log)

    @contextmanager
    def _opened(self) -> Iterator[RunLog]:
        assert self._log is not None
        if not self._log.live.closed:
            yield self._log
        elif self.resumes:
            self._join(self.run_id)
            yield self._log
        else:
            assert self._held is not None
            assert self.run_id is not None
            with self._held.holding(self.run_id) as live:
                yield RunLog(self.framework, self.options, live)

    def keep(self, log_model: Callable[..., Any], model: Any, **more: Any) -> None:
        """Keep a model as ``model`` in the run, also where another run is active by now."""

        def do(log: RunLog) -> None:
            assert self._held is not None
            active = fluent.enter(self._held, log.live, self.experiment_id or "")
            try:
                log_model(model, "model", **more)
            finally:
                fluent.leave(active, "FINISHED")

        self.write("the model", do)

    def end(self, status: str) -> None:
        """End the run if it was started here, and goes on."""
        own, self._own = self.own, None
        if own is None or os.getpid() != self._process:
            return
        with RunLog(self.framework, self.options, own.live).guard("the end of the run"):
            fluent.end(own, status)

    def __del__(self) -> None:
        if getattr(self, "_own", None) is not None:
            self.end(self.if_let_go())

    def if_let_go(self) -> str:
        """Return the status of a run that nobody ended; that of a library which does not tell the end of a training is another."""
        return "FAILED"


def _again(kind: type[JoinedRun], framework: str, wanted: Wanted, options: Options, resumes: bool) -> JoinedRun:
    return kind(framework, wanted, options=options, resumes=resumes)


class Ending:
    """What a callback has for its user: its run, and ways to end it.

    Attributes
    ----------
    to : JoinedRun
    """

    to: JoinedRun

    @property
    def run_id(self) -> str | None:
        """Of the run that is logged to; None before training has begun."""
        return self.to.run_id

    def finish(self, status: str = "FINISHED") -> None:
        """End the run, if it was started for the training and goes on.

        Parameters
        ----------
        status : str
            ``FINISHED``, ``FAILED`` or ``KILLED``.
        """
        self.to.end(status)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.finish("FINISHED" if kind is None else "FAILED")


def is_first_process() -> bool:
    """Tell whether this process logs: all do but those that ``torchrun`` and its like started beside the first."""
    return os.environ.get("RANK", "0") in ("", "0")


def checked_every(log_every_n: int) -> int:
    """Return how many iterations lie between two points.

    Raises
    ------
    UsageError
        If it is no whole number from 1.
    """
    if isinstance(log_every_n, bool) or not isinstance(log_every_n, int) or log_every_n < 1:
        raise UsageError(f"log_every_n: a whole number from 1 is expected; found {log_every_n!r}.")
    return log_every_n
