"""One run of a pipeline at a time in one work tree, and the end of what a killed one left.

Two locks of the kernel's, which it drops with the process: one that the runner holds, and one that each step's program inherits. So a
runner that was killed is told from one that works, and a step that outlived its runner from one that ended.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runfolio.errors import BusyError, storage_error
from runfolio.folio.folio import Folio
from runfolio.journal import RunState
from runfolio.pipelines.model import Pipeline
from runfolio.records.pipelines import PIPELINE_TAG


@contextmanager
def alone(notes: Path, folio: Folio, pipeline: Pipeline, say: Callable[[str], None]) -> Iterator[None]:
    """Hold a pipeline in a work tree; what a killed runner of it left is ended first.

    Parameters
    ----------
    notes : Path
        The folder for notes on it.
    folio : Folio
    pipeline : Pipeline
    say : callable
        Tells the user something.

    Raises
    ------
    BusyError
        If it runs already, or a step of a runner that was killed goes on.
    """
    runner = _opened(notes, "run.lock")
    try:
        if not _taken(runner):
            raise BusyError(f"The pipeline {pipeline.name} runs already in this work tree{_by(runner)}. Wait for it, or end it.")
        os.ftruncate(runner, 0)
        os.pwrite(runner, str(os.getpid()).encode(), 0)
        _refuse_survivors(notes, pipeline)
        _end_left(folio, pipeline, say)
        yield
    finally:
        with suppress(OSError):
            os.ftruncate(runner, 0)
        fcntl.flock(runner, fcntl.LOCK_UN)
        os.close(runner)


def _opened(notes: Path, name: str) -> int:
    try:
        notes.mkdir(parents=True, exist_ok=True)
        return os.open(notes / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise storage_error("lock the pipeline", error) from error


def _taken(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _by(fd: int) -> str:
    said = os.pread(fd, 20, 0).decode("ascii", "replace")
    return f" (process {said})" if said.isdigit() else ""


def _refuse_survivors(notes: Path, pipeline: Pipeline) -> None:
    fd = _opened(notes, "steps.lock")
    try:
        if not _taken(fd):
            import shlex

            raise BusyError(
                f"A step of {pipeline.name} goes on though its runner was killed. Wait for it, or end it; it is found by: "
                f"fuser {shlex.quote(str(notes / 'steps.lock'))}"
            )
        fcntl.flock(fd, fcntl.LOCK_UN)
    finally:
        os.close(fd)


def _end_left(folio: Folio, pipeline: Pipeline, say: Callable[[str], None]) -> None:
    """End the runs of a runner that was killed; everything that they logged is kept."""
    from runfolio.folio.recovery import recover
    from runfolio.tracking.recording import take_left

    left = [journal.run_id for journal in folio.spool.left_behind() if _is_ours(journal.path, pipeline)]
    if left:
        say(
            f"{len(left)} run{'s' * (len(left) != 1)} of {pipeline.name} left by a process that died: brought back as far as logged"
        )
        take_left(folio, say)
        recover(folio)


def _is_ours(journal: Path, pipeline: Pipeline) -> bool:
    return dict(RunState(journal).refresh().header.get("tags") or {}).get(PIPELINE_TAG) == pipeline.name
