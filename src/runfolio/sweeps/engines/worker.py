"""A worker of the local engine: takes plans from a socket, runs them, answers, until the socket closes.

A thread reads the socket. When it closes because the sweep died, the worker ends at once, with all that its trial has started: a
trial whose sweep is dead is begun again by whoever resumes the sweep, and must not go on beside it.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading

from runfolio.errors import RunfolioError, StorageError
from runfolio.sweeps.engines.frames import Frames, Refused
from runfolio.sweeps.trials import TrialPlan, TrialResult, lost
from runfolio.sweeps.work import run_trial


def main(number: int) -> None:
    """Work until there is no more.

    Parameters
    ----------
    number : int
        File descriptor of the socket.
    """
    frames = Frames(socket.socket(fileno=number))
    plans: queue.SimpleQueue[TrialPlan] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(frames, plans), name="runfolio-plans", daemon=True).start()
    try:
        while True:
            frames.send(_run(plans.get()))
    except (KeyboardInterrupt, OSError):
        _leave()


def _read(frames: Frames, plans: queue.SimpleQueue[TrialPlan]) -> None:
    try:
        while (plan := frames.receive()) is not None:
            plans.put(plan)
    except OSError:
        pass
    _leave()


def _run(plan: TrialPlan) -> TrialResult | Refused:
    try:
        return run_trial(plan)
    except StorageError as error:
        return Refused(error.message, error.errno)
    except RunfolioError as error:
        return lost(plan, error.message)
    except SystemExit as error:
        return lost(plan, f"the objective ended its process: SystemExit({error.code!r})")


def _leave() -> None:
    """End at once, and take along what the trial has started; what was logged lies in its journal."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    signal.signal(signal.SIGTERM, signal.SIG_IGN) if threading.current_thread() is threading.main_thread() else None
    os.killpg(os.getpgrp(), signal.SIGKILL) if os.getpgrp() == os.getpid() else os._exit(1)
