"""One action on many objects, several at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from threading import Thread

from runfolio.errors import DamagedError, RunfolioError
from runfolio.records.runs import Digest

PARALLEL = 8
_HOPELESS = 3
"""Faults, with nothing done, after which the rest is not tried: the place cannot be reached."""


def side_by_side(action: Callable[[Digest], None], digests: Iterable[Digest]) -> int:
    """Do something with each object; the first fault is raised once all others are done, and says how many failed.

    Returns
    -------
    int
        How many objects there were.
    """
    items = list(digests)
    done: list[Digest] = []
    faults: list[RunfolioError] = []

    def one(digest: Digest) -> None:
        if len(faults) >= _HOPELESS and not done:
            return
        try:
            action(digest)
        except RunfolioError as error:
            faults.append(error)
        else:
            done.append(digest)

    _spread(one, items)
    if faults:
        worst = next((fault for fault in faults if isinstance(fault, DamagedError)), faults[0])
        left = len(items) - len(done) - 1
        if left:
            more = f"{left} more object{'s' * (left != 1)} failed or {'were' if left != 1 else 'was'} not tried"
            raise type(worst)(f"{worst.message} {more}; {len(done)} {'are' if len(done) != 1 else 'is'} done.") from worst
        raise worst
    return len(done)


def _spread(action: Callable[[Digest], None], items: list[Digest]) -> None:
    """Call `action` with each item, in several threads."""
    pending: SimpleQueue[Digest] = SimpleQueue()
    for item in items:
        pending.put(item)

    def work() -> None:
        with contextlib.suppress(Empty):
            while True:
                action(pending.get_nowait())

    in_threads(work, min(PARALLEL, len(items)))


def in_threads(work: Callable[[], None], hands: int) -> None:
    """Call `work` so many times at once, in this thread and in others, where threads can be had; return when all came back.

    Runs are committed as the interpreter ends, when a pool of the standard library takes no more work and Python 3.12 starts no more
    threads: what those cannot do is done in this one, so each `work` goes on until nothing is left to do.
    """
    threads = []
    with contextlib.suppress(RuntimeError):
        for _ in range(hands - 1):
            thread = Thread(target=work, daemon=True)
            thread.start()
            threads.append(thread)
    work()
    for thread in threads:
        thread.join()
