"""What is done before this process forks: our threads and other threads' imports are waited for, then locks are held that a child needs.

``os.register_at_fork`` asks the latest comer first, and who comes when is a matter of imports: who held a lock that a thread needs, and
waited for that thread then, would wait for ever.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

IMPORT_WAIT_S = 5.0
"""How long a fork waits for the imports of other threads."""

Act = Callable[[], None]
_waits: list[Act] = []
_holds: list[tuple[Act, Act]] = []


def wait_before_fork(act: Act) -> None:
    """Have a function called before each fork that returns when no thread of its own works any more."""
    _waits.append(act)


def hold_at_fork(take: Act, give_back: Act) -> None:
    """Have locks taken before each fork, after all that is waited for, and given back after it in parent and child."""
    _holds.append((take, give_back))


def _await_imports() -> None:
    """Wait until no other thread is in the middle of an import.

    A child that imports such a module waits for ever: the thread that would finish it is not there. Ours import what they need when they
    first need it, such as for the first commit, beside a program that starts the workers of its data loader.
    """
    if len(sys._current_frames()) < 2 or _importing():
        return
    until = time.monotonic() + IMPORT_WAIT_S
    while time.monotonic() < until:
        # A list, for the threads go on to import.
        if not any(getattr(getattr(module, "__spec__", None), "_initializing", False) for module in list(sys.modules.values())):
            return
        time.sleep(0.001)


def _importing() -> bool:
    """Tell whether this thread forks within an import, for which it would wait in vain."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _before() -> None:
    for act in _waits:
        act()
    _await_imports()
    for take, _ in _holds:
        take()


def _after() -> None:
    for _, give_back in reversed(_holds):
        give_back()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
