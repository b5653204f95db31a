"""Run a command to its end or its time's, its output kept within a bound.

The command has a session of its own: at its end, when its time is over or when we are told to stop, all that it started ends with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from runfolio._dataclass import dataclass
from runfolio.errors import RunfolioError
from runfolio.reproduction.asking import CannotRunError
from runfolio.tracking.console import Console, join

LOG_LIMIT = 1 << 20
GRACE_S = 5.0
_CHUNK = 1 << 16
_TAIL = 15


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Parameters
    ----------
    code : int or None
        Its exit status; None where it was stopped, or a signal ended it.
    why : str
        In words; empty where it ended with 0.
    seconds : float
    log : Path or None
        What it said, beginning and end.
    """

    code: int | None
    why: str
    seconds: float
    log: Path | None

    @property
    def last_words(self) -> str:
        """The last lines of what it said."""
        if self.log is None:
            return ""
        text = self.log.read_bytes()[-8000:].decode("utf-8", "replace")
        return "\n".join(text.strip().splitlines()[-_TAIL:])


def run_command(
    argv: Sequence[str],
    folder: Path,
    env: Mapping[str, str],
    logs: Path,
    *,
    timeout_s: float | None = None,
    hold: int | None = None,
) -> Ended:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str
    folder : Path
        Working folder.
    env : Mapping
        All of its environment.
    logs : Path
        A folder that takes its output.
    timeout_s : float, optional
        Seconds after which it is stopped.
    hold : int, optional
        A file descriptor that it inherits.

    Raises
    ------
    CannotRunError
        If it could not be started.
    StorageError
        If its output could not be kept; it was stopped then.
    """
    logs.mkdir(parents=True, exist_ok=True)
    console = Console(logs, LOG_LIMIT)
    began = time.monotonic()
    kept = () if hold is None else (hold,)
    try:
        process = subprocess.Popen(
            argv, cwd=folder, env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, pass_fds=kept, bufsize=0,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise CannotRunError(f"{argv[0]} could not be started: {getattr(error, 'strerror', None) or error}") from None
    with process, _told_to_stop(process):
        stopped = _followed(process, console, None if timeout_s is None else began + timeout_s)
    console.close()
    found = join(logs, LOG_LIMIT)
    code = process.returncode
    why = "" if code == 0 else f"it ended with exit status {code}"
    if stopped:
        code, why = None, f"it was stopped after {timeout_s:g} s (--timeout)"
    elif code < 0:
        why = f"it was ended by {_signal_name(-code)}"
    return Ended(code if code is None or code >= 0 else None, why, time.monotonic() - began, found[0] if found else None)


def _followed(process: subprocess.Popen[bytes], console: Console, due: float | None) -> bool:
    """Keep what it says until it ends; tell whether its time was over first."""
    fault: list[RunfolioError] = []
    assert process.stdout is not None
    reader = threading.Thread(target=_read, args=(process, process.stdout, console, fault), name="runfolio-output", daemon=True)
    reader.start()
    stopped = False
    try:
        process.wait(None if due is None else max(due - time.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        stopped = True
    finally:
        _end(process)
    reader.join(GRACE_S)
    if fault:
        raise fault[0]
    return stopped


def _read(process: subprocess.Popen[bytes], stream: BinaryIO, console: Console, fault: list[RunfolioError]) -> None:
    with suppress(ValueError):  # closed: the command has ended, and something that it left behind holds its output
        while data := stream.read(_CHUNK):
            if fault:
                continue  # read on, or it would wait for us until it is ended
            try:
                console.take(data)
            except RunfolioError as error:
                fault.append(error)
                _send(process, signal.SIGTERM)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End all that is left of it: politely, then not."""
    if process.poll() is None:
        _send(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    _send(process, signal.SIGKILL)
    process.wait()


def _send(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


@contextmanager
def _told_to_stop(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Turn a SIGTERM or SIGHUP into an interrupt while it runs, so that it is ended, and the scratch folio removed."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
