"""Do one thing to many items in several processes, where the platform can fork."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from runfolio import errors
from runfolio.errors import RunfolioError

A = TypeVar("A")
Progress = Callable[[int, int], None]

_WORTH_IT = 8
"""Items below which a process more costs more than it gives."""


def in_processes(
    work: Callable[[A], list[Any]], items: Sequence[A], jobs: int, progress: Progress = lambda done, total: None
) -> list[list[Any]]:
    """Return ``work(item)`` for each item, in their order.

    The children inherit `work` and `items` as they are, so both may hold anything; results are JSON values.

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
    try:
        own = _worked(work, items[::jobs], jobs, progress)
    finally:
        answers = [_answer(pid, pipe) for pid, pipe in children]
    made: list[list[Any]] = [[]] * len(items)
    for place, part in enumerate([own, *map(_results, answers)]):
        made[place::jobs] = part
    return made


def _worked(work: Callable[[A], list[Any]], items: Sequence[A], jobs: int, progress: Progress) -> list[list[Any]]:
    made = []
    for place, item in enumerate(items):
        if place % 16 == 0:
            progress(place * jobs, len(items) * jobs)
        made.append(work(item))
    return made


def _start(work: Callable[[A], list[Any]], items: Sequence[A]) -> tuple[int, int]:
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reader)
        _work_and_exit(work, items, writer)
    os.close(writer)
    return pid, reader


def _work_and_exit(work: Callable[[A], list[Any]], items: Sequence[A], writer: int) -> NoReturn:
    status = 1
    try:
        answer: dict[str, Any]
        try:
            answer = {"results": [work(item) for item in items]}
        except RunfolioError as error:
            answer = {"error": type(error).__name__, "message": error.message}
        with os.fdopen(writer, "wb") as stream:
            stream.write(json.dumps(answer).encode())
        status = 0
    finally:
        # A child never runs the clean-up of the parent that it is a copy of, whatever happened to it.
        if status:
            os.write(2, f"runfolio: a process of the build failed: {sys.exc_info()[1]!r}\n".encode("utf-8", "backslashreplace"))
        os._exit(status)


def _answer(pid: int, pipe: int) -> dict[str, Any]:
    with os.fdopen(pipe, "rb") as stream:
        data = stream.read()
    _, status = os.waitpid(pid, 0)
    if status:
        message = f"A process of the build ended early (status {status}). Build with one process: --jobs 1"
        return {"error": RunfolioError.__name__, "message": message}
    found: dict[str, Any] = json.loads(data)
    return found


def _results(answer: dict[str, Any]) -> list[list[Any]]:
    if "error" in answer:
        raise getattr(errors, answer["error"], RunfolioError)(answer["message"])
    results: list[list[Any]] = answer["results"]
    return results
