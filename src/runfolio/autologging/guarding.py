"""Training never dies of logging: the one guard around all that autologging does.

What it catches is written into the run (a notice, and the tag ``runfolio.autolog.faults`` that a search finds) and, once a process, as
a line of the log ``runfolio.autologging``. What the framework raises is never caught: it is the user's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runfolio.errors import RunfolioError

TAG = "runfolio.autolog.faults"
log = logging.getLogger("runfolio.autologging")

Record = Callable[[str, str], None]
"""Writes a fault into the run: what could not be logged, and the whole sentence."""

_said: set[tuple[str, str]] = set()


@contextmanager
def guard(what: str, *, framework: str, record: Record | None = None, silent: bool = False) -> Iterator[None]:
    """Run a part of the logging; if it fails, record that and go on after it.

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
    try:
        yield
    except Exception as error:  # noqa: BLE001 # whatever it is, the training is worth more than its log
        sentence = f"{framework}: {what} could not be logged: {_told(error)}"
        _write(what, sentence, record)
        _say(what, sentence, framework, silent)


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
