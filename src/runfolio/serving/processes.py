"""A worker as its supervisor sees it: a process, what it said, and whether it still answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from runfolio.errors import RunfolioError
from runfolio.serving.counters import Counters
from runfolio.serving.options import ServeOptions

STARTING, READY, ENDING = "starting", "ready", "ending"


class WorkerError(RunfolioError):
    """A worker could not serve; with what it said, and its exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code


class WorkerProcess:
    """A worker.

    Parameters
    ----------
    python : str
        That runs it.
    options : ServeOptions
    model : path
        Folder of the model.
    folder : path
        Where its counters go.
    name : str
        Of its counters.
    listening : int
        Descriptor of the socket.
    """

    def __init__(self, python: str, options: ServeOptions, model: Path, folder: Path, name: str, listening: int) -> None:
        self.state = STARTING
        self.model = model
        self.replaced = False
        self.began = time.monotonic()
        self.report, given = os.pipe()
        os.set_blocking(self.report, False)
        self._said = b""
        self._error: tuple[str, int] | None = None
        self._kill_at: float | None = None
        self.counters = Counters(folder / name)
        line = {
            "options": json.loads(options.to_json()),
            "model": str(model),
            "folder": str(folder),
            "counters": name,
            "socket": listening,
            "report": given,
        }
        # A worker's standard output is the log's: what a model prints must not end in whatever reads ours.
        self._process = subprocess.Popen(
            [python, "-m", "runfolio.serving.worker"],
            stdin=subprocess.PIPE,
            stdout=sys.stderr.fileno(),
            pass_fds=(listening, given),
            start_new_session=True,
        )
        os.close(given)
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(line).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended already, and hear() says how

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def hear(self) -> None:
        """Read what it says about its start."""
        try:
            said = os.read(self.report, 65536)
        except BlockingIOError:
            return
        self._said += said
        if said and not self._said.endswith(b"\n"):
            return
        os.close(self.report)
        self.report = -1
        if not self._said:
            self._error = (f"the worker ended before it served: {self._ended_by()}", 1)
            return
        line = json.loads(self._said)
        if line.get("ready"):
            self.state = READY
        else:
            self._error = (str(line["error"]), int(line["exit_code"]))

    def failed(self) -> bool:
        """Return whether it could not begin to serve."""
        return self._error is not None

    def error(self) -> RunfolioError:
        """Return why."""
        assert self._error is not None
        return WorkerError(*self._error)

    def ended(self) -> bool:
        """Return whether the process has ended, or is about to since it cannot serve."""
        return self._process.poll() is not None

    def how_it_ended(self) -> str:
        """Say it in words."""
        if self._error is not None:
            return self._error[0]
        return self._ended_by() if self.ended() else "it did not begin to serve in time"

    def _ended_by(self) -> str:
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            return "it closed its report"
        if code >= 0:
            return f"exit code {code}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return f"{name}{' (out of memory?)' if -code == signal.SIGKILL else ''}"

    def hung(self, now: float, limit_s: float) -> bool:
        """Return whether a worker that serves has not turned its loop for long: a model may hold the interpreter's lock."""
        beat = self.counters.get("beat")
        return self.state == READY and beat > 0 and now - beat > limit_s

    def late(self, now: float, limit_s: float) -> bool:
        """Return whether it has not begun to serve in time."""
        return self.state == STARTING and now - self.began > limit_s

    def asks(self) -> bool:
        """Return whether it asks to be replaced."""
        return self.state == READY and self.counters.get("alive") == 2

    def terminate(self, kill_at: float) -> None:
        """Tell it to answer what is under way and to end; it is killed where that takes too long."""
        self._kill_at = kill_at
        if not self.ended():
            self._process.send_signal(signal.SIGTERM)

    def gone(self, now: float) -> bool:
        """Return whether it has ended; end it where its time is up."""
        if self._kill_at is not None and now > self._kill_at:
            self.kill()
        if not self.ended():
            return False
        self.counters.leave()
        self._close()
        return True

    def kill(self) -> None:
        """End it now."""
        if not self.ended():
            self._process.kill()
            self._process.wait()
        self.counters.leave()
        self._close()

    def _close(self) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        if self.report >= 0:
            os.close(self.report)
            self.report = -1
