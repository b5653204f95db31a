"""A project run that was started: MLflow's ``SubmittedRun``."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from abc import ABC, abstractmethod

from runfolio.errors import RunfolioError

_STOP_S = 25.0
"""How long the process of a run may take to end its command, seal the run and commit it."""


class ExecutionException(RunfolioError):  # noqa: N818  # the name that MLflow's users catch
    """A project's command failed, was stopped, or could not be run.

    Parameters
    ----------
    message : str
    run_id : str, optional
    code : int, optional
        The command's exit status.
    """

    error_code = "INTERNAL_ERROR"

    def __init__(self, message: str, run_id: str = "", code: int = 1) -> None:
        super().__init__(message)
        self.run_id, self.exit_code = run_id, code or 1


class SubmittedRun(ABC):
    """A project run that was started. Backends of others return one of their own."""

    @property
    @abstractmethod
    def run_id(self) -> str:
        """Return the run's id."""

    @abstractmethod
    def wait(self) -> bool:
        """Wait for its end, and return whether it succeeded."""

    @abstractmethod
    def get_status(self) -> str:
        """Return ``RUNNING``, ``FINISHED``, ``FAILED`` or ``KILLED``."""

    @abstractmethod
    def cancel(self) -> None:
        """Stop it, and wait until it has stopped. It is then ``KILLED``."""


class EndedRun(SubmittedRun):
    """A run that has ended.

    Parameters
    ----------
    run_id, status : str
    code : int
        The command's exit status.
    """

    def __init__(self, run_id: str, status: str, code: int) -> None:
        self._run_id, self._status, self.code = run_id, status, code

    @property
    def run_id(self) -> str:
        """Return the run's id."""
        return self._run_id

    def wait(self) -> bool:
        """Return whether it succeeded."""
        return self._status == "FINISHED"

    def get_status(self) -> str:
        """Return how it ended."""
        return self._status

    def cancel(self) -> None:
        """Do nothing: it has ended."""


class ProcessRun(SubmittedRun):
    """A run in a process of its own, which goes on when this one ends.

    Parameters
    ----------
    run_id : str
    process : Popen
        It leads a session of its own, and seals the run.
    """

    def __init__(self, run_id: str, process: subprocess.Popen[bytes]) -> None:
        self._run_id, self._process = run_id, process

    @property
    def run_id(self) -> str:
        """Return the run's id."""
        return self._run_id

    def wait(self) -> bool:
        """Wait for its end, and return whether it succeeded."""
        return self._process.wait() == 0

    def get_status(self) -> str:
        """Return ``RUNNING``, or how it ended."""
        code = self._process.poll()
        if code is None:
            return "RUNNING"
        return "FINISHED" if code == 0 else "KILLED" if code < 0 or code == 124 or 128 < code < 160 else "FAILED"

    def cancel(self) -> None:
        """Stop it, and wait until it has stopped; its command is killed if it does not end within ten seconds."""
        if self._process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
