"""Do one thing to many items in several processes, where the platform can fork."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Sequence
from typing import TypeVar

from runfolio.errors import RunfolioError

A = TypeVar("A")
B = TypeVar("B")

_WORTH_IT = 8
"""Items below which a process more costs more than it gives."""


def in_processes(
    work: Callable[[A], B], items: Sequence[A], jobs: int, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[B]:
    """Return ``work(item)`` for each item, in their order.

    The children inherit `work` and `items` as they are, so both may hold what cannot be pickled; results must be picklable.

    Parameters
    ----------
    work : callable
    items : sequence
    jobs : int
        Processes, this one among them.
    progress : callable, optional
        Called with how many items are done, about, and how many there are.

    Raises
    ------
    RunfolioError
        If `work` raised one, or a process died.
    """
    jobs = min(jobs, len(items) // _WORTH_IT) if hasattr(os, "fork") else 1
    if jobs <= 1:
        return _worked(work, items, 1, progress)
    children = [_start(work, items[place::jobs]) for place in range(1, jobs)]
    parts: list[list[B]] = []
    failed: BaseException | None = None
    try:
        parts.append(_worked(work, items[::jobs], jobs, progress))
    except BaseException as error:  # noqa: BLE001 - raised again below; the children are waited for all the same
        failed = error
    for pid, pipe in children:
        with os.fdopen(pipe, "rb") as stream:
            data = stream.read()
        _, status = os.waitpid(pid, 0)
        if failed is None:
            try:
                parts.append(_result(data, status))
            except RunfolioError as error:
                failed = error
    if failed is not None:
        raise failed
    made: list[B] = [None] * len(items)  # type: ignore[list-item]
    for place, part in enumerate(parts):
        made[place::jobs] = part
    return made


def _worked(work: Callable[[A], B], items: Sequence[A], jobs: int, progress: Callable[[int, int], None]) -> list[B]:
    made = []
    for place, item in enumerate(items):
        if place % 16 == 0:
            progress(place * jobs, len(items) * jobs)
        made.append(work(item))
    return made


def _start(work: Callable[[A], B], items: Sequence[A]) -> tuple[int, int]:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    status = 1
    try:
        os.close(reader)
        try:
            answer: object = [work(item) for item in items]
        except RunfolioError as error:
            answer = error
        with os.fdopen(writer, "wb") as stream:
            pickle.dump(answer, stream)
        status = 0
    except BaseException as error:  # noqa: BLE001 - the parent fails for it; a child must never run the parent's clean-up
        os.write(2, f"runfolio: a process of the build failed: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(status)


def _result(data: bytes, status: int) -> list[B]:
    if status:
        raise RunfolioError(f"A process of the build ended early (status {status}). Build with one process: --jobs 1")
    # Our own child wrote it, through a pipe that nobody else can open.
    answer = pickle.loads(data)  # noqa: S301
    if isinstance(answer, RunfolioError):
        raise answer
    assert isinstance(answer, list)
    return answer
