"""What is done before this process forks, in order: threads that work for us are waited for, then locks are held that a child needs free.

``os.register_at_fork`` asks the latest comer first, and who comes when is a matter of imports: who held a lock that a thread needs, and
waited for that thread then, would wait for ever.
"""

from __future__ import annotations

import os
from collections.abc import Callable

Act = Callable[[], None]
_waits: list[Act] = []
_holds: list[tuple[Act, Act]] = []


def wait_before_fork(act: Act) -> None:
    """Have a function called before each fork that returns when no thread of its own works any more."""
    _waits.append(act)


def hold_at_fork(take: Act, give_back: Act) -> None:
    """Have locks taken before each fork, after all that is waited for, and given back after it in parent and child."""
    _holds.append((take, give_back))


def _before() -> None:
    for act in _waits:
        act()
    for take, _ in _holds:
        take()


def _after() -> None:
    for _, give_back in reversed(_holds):
        give_back()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
