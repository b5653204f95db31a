"""The run that a training is logged to, as a framework's leaf sees it: few verbs, each one write, none of which may fail quietly.

Keys and values that a run cannot hold are made to fit as MLflow's autologging does: ``@`` in a metric's name becomes ``_at_``, a param
that is too long ends in ``...``.
"""

from __future__ import annotations

import functools
import inspect
import numbers
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from runfolio.autologging.guarding import TAG, guard, log
from runfolio.autologging.options import Options
from runfolio.autologging.sessions import session
from runfolio.errors import UsageError
from runfolio.records.names import MAX_KEY_LENGTH, MAX_PARAM_LENGTH, MAX_TAG_LENGTH
from runfolio.tracking import fluent
from runfolio.tracking.live import LiveRun
from runfolio.tracking.media import render_dict

AUTOLOGGING_TAG = "mlflow.autologging"
_NOT_IN_KEYS = re.compile(r"[^/\w.\- :]")


class RunLog:
    """One training's run.

    Parameters
    ----------
    framework : str
    options : Options
    live : LiveRun
        This process's hold on the run: it is logged to from any thread.
    owned : bool, optional
        Whether the run was started for this training, and ends with it.
    """

    def __init__(self, framework: str, options: Options, live: LiveRun, *, owned: bool = False) -> None:
        self.framework, self.options = framework, options
        self.live, self.run_id = live, live.run_id
        self._owned = owned
        self._asides: list[threading.Thread] | None = None
        self._faults: list[str] = []
        self._datasets: set[tuple[str, str]] = set()

    def guard(self, what: str) -> AbstractContextManager[None]:
        """Return a guard around the logging of something: what it catches stands in the run."""
        return guard(what, framework=self.framework, record=self._fault, silent=self.options.silent)

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Let things be logged aside within; at its end all of them are logged."""
        begun: list[threading.Thread] = []
        self._asides = begun
        try:
            yield
        finally:
            self._asides = None
            for thread in begun:
                thread.join()

    def aside(self, what: str, act: Callable[[], None]) -> None:
        """Log something while others are logged, if somebody waits for it (:meth:`settled`): a plot is drawn while the model is saved.

        Half of saving is C that gives up Python's lock, and hashing and writing, while drawing needs one processor.

        Parameters
        ----------
        what : str
            For the guard around it.
        act : callable
        """
        thread = threading.Thread(target=self._alone, args=(what, act), name="runfolio-aside")
        if self._asides is not None:
            with suppress(RuntimeError):  # no more threads are to be had
                thread.start()
                self._asides.append(thread)
                return
        self._alone(what, act)

    def _alone(self, what: str, act: Callable[[], None]) -> None:
        with session(self.framework), self.guard(what):  # the training's session, which other threads do not know
            act()

    def _fault(self, what: str, sentence: str) -> None:
        self._faults.append(what)
        self.live.notice(f"autologging {sentence}")
        self.live.tag(TAG, "; ".join(dict.fromkeys(self._faults))[:MAX_TAG_LENGTH])

    def say(self, sentence: str) -> None:
        """Tell the user something that is no fault, by the log and in the run."""
        self.live.notice(f"autologging {self.framework}: {sentence}")
        if not self.options.silent:
            log.warning("autologging %s: %s", self.framework, sentence)

    def params(self, params: Mapping[Any, Any]) -> None:
        """Log params; one that the run has with another value stays as it is, and that is told."""
        texts = {_cut(str(key), MAX_KEY_LENGTH): _cut(_spelled(value), MAX_PARAM_LENGTH) for key, value in params.items()}
        with suppress(UsageError):
            self.live.batch((), texts, {})
            return
        kept = []
        for key, text in texts.items():
            try:
                self.live.param(key_of(key), text)
            except UsageError:
                kept.append(key)
        if kept:
            self.say(f"the run has other values of {', '.join(kept[:10])} already; they stay, and this training's are not logged")

    def metrics(self, metrics: Mapping[Any, Any], step: int | None = None) -> None:
        """Log one point each of those values that are numbers, by one write."""
        self.live.points(
            [(key_of(str(key)), value) for key, value in metrics.items() if type(value) is float or _is_real(value)], step or 0
        )

    def tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags."""
        self.live.batch((), {}, tags)

    def text(self, text: str, path: str) -> None:
        """Store text as an artifact."""
        self.bytes(text.encode("utf-8", "surrogatepass"), path)

    def json(self, data: Any, path: str) -> None:
        """Store data as JSON."""
        self.bytes(render_dict(data, path), path)

    def bytes(self, data: bytes, path: str) -> None:
        """Store bytes as an artifact."""
        self.live.artifact_bytes(data, path)

    def file(self, place: Path, path: str) -> None:
        """Store a file as an artifact."""
        self.live.artifact_file(place, path)

    def dataset(self, dataset: Any, context: str) -> None:
        """Record a dataset (from ``runfolio.data``) that the training read; one that is both is what it was first.

        Parameters
        ----------
        dataset : Dataset
        context : {"train", "eval"}
        """
        from runfolio.tracking.datasets import to_input

        if (dataset.name, dataset.digest) not in self._datasets:
            self._datasets.add((dataset.name, dataset.digest))
            self.live.input(to_input(dataset, context, notify=self.live.notice, redactor=self.live.redactor))

    def end(self, status: str) -> None:
        """End the run, if it was started for this training."""
        if self._owned and not self.live.closed:
            fluent.end_run(status)


@contextmanager
def opened(framework: str, options: Options) -> Iterator[RunLog | None]:
    """Give the active run, or one started for this training: ended after it, as FAILED if it raised.

    Where none can be started, None is given, the log says why, and training goes on.
    """
    made = None
    with guard("a run", framework=framework, silent=options.silent):
        made = _open(framework, options)
    try:
        yield made
    except BaseException:
        _end(made, "FAILED")
        raise
    _end(made, "FINISHED")


def active_log(framework: str, options: Options) -> RunLog:
    """Return the log of the active run, or of one that is started: for callbacks that users make themselves."""
    return _open(framework, options)


def _open(framework: str, options: Options) -> RunLog:
    active = fluent.active_run()
    owned = active is None or active.live.closed
    if active is None or owned:
        active = fluent.start_run(tags={AUTOLOGGING_TAG: framework, **(options.extra_tags or {})})
        log.info("autologging %s: run %s (%s)", framework, active.info.run_name, active.info.run_id)
    return RunLog(framework, options, active.live, owned=owned)


def _end(made: RunLog | None, status: str) -> None:
    if made is not None:
        with made.guard("the end of the run"):
            made.end(status)


def _is_real(value: Any) -> bool:
    return isinstance(value, numbers.Number) and not isinstance(value, (bool, complex))


def _spelled(value: Any) -> str:
    """Return a value as text; of a function its name, since where it lies in memory tells nobody anything."""
    if inspect.isroutine(value):
        return f"{value.__module__}.{value.__qualname__}"
    return str(value)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


@functools.lru_cache(maxsize=1024)
def key_of(key: str) -> str:
    """Return a name as the key of a param or a metric that a run can hold."""
    return _cut(_NOT_IN_KEYS.sub("_", key.replace("@", "_at_")), MAX_KEY_LENGTH)
