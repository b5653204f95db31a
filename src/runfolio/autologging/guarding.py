"""Training never dies of logging: the one guard around all that autologging does.

What it catches is written into the run (a notice, and the tag ``runfolio.autolog.faults`` that a search finds) and, once a process, as
a line of the log ``runfolio.autologging``. What the framework raises is never caught: it is the user's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import TracebackType

from runfolio.errors import RunfolioError

TAG = "runfolio.autolog.faults"
log = logging.getLogger("runfolio.autologging")

Record = Callable[[str, str], None]
"""Writes a fault into the run: what could not be logged, and the whole sentence."""

_said: set[tuple[str, str]] = set()


class guard:  # noqa: N801 # a context manager, called as a function is
    """Run a part of the logging; if it fails, record that and go on after it.

    A class, and no generator: a training enters a guard each iteration, with its own data in the processor's caches and not ours.

    Parameters
    ----------
    what : str
        What is logged, such as "the confusion matrix".
    framework : str
    record : callable, optional
        None where there is no run (yet).
    silent : bool, optional
        Write no log line.
    """

    __slots__ = ("_framework", "_record", "_silent", "_what")

    def __init__(self, what: str, *, framework: str, record: Record | None = None, silent: bool = False) -> None:
        self._what, self._framework, self._record, self._silent = what, framework, record, silent

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if not isinstance(error, Exception):  # whatever else it is, the training is worth more than its log
            return False
        sentence = f"{self._framework}: {self._what} could not be logged: {_told(error)}"
        _write(self._what, sentence, self._record)
        _say(self._what, sentence, self._framework, self._silent)
        return True


def _write(what: str, sentence: str, record: Record | None) -> None:
    if record is None:
        return
    try:
        record(what, sentence)
    except Exception as error:  # noqa: BLE001 # the store itself may be what failed
        log.debug("the fault could not be written into the run: %s", error)


def _say(what: str, sentence: str, framework: str, silent: bool) -> None:
    if silent or (framework, what) in _said:
        return
    _said.add((framework, what))
    log.warning("autologging %s; training goes on", sentence)


def _told(error: Exception) -> str:
    if isinstance(error, RunfolioError):
        return error.message
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:500]}" if text else type(error).__name__
