"""What steps print, passed on: as it is where one runs at a time, line by line with the step's name where several do."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runfolio.pipelines.steps import Show


MAX_LINE = 1 << 16


def shower(named: bool, *, errors_only: bool = False) -> Callable[[str], Show | None]:
    """Return what gives each step its place to print to.

    Parameters
    ----------
    named : bool
        Put the step's name before each line.
    errors_only : bool, optional
        Use standard error only, since standard output is for something else.
    """
    lock = threading.Lock()

    def give(name: str) -> Show | None:
        if not named and not errors_only:
            return None
        rest: dict[int, bytes] = {}

        def show(target: int, data: bytes) -> None:
            place = 2 if errors_only else target
            if named:
                held = rest.get(target, b"") + data
                lines, rest[target] = _lines(held)
                data = b"".join(f"{name} | ".encode() + line + b"\n" for line in lines)
            with lock:
                _write(place, data)

        return show

    return give


def _lines(data: bytes) -> tuple[list[bytes], bytes]:
    """Cut whole lines off; what is longer than a line may be is one."""
    *lines, rest = data.split(b"\n")
    if len(rest) > MAX_LINE:
        return [*lines, rest], b""
    return lines, rest


def _write(place: int, data: bytes) -> None:
    with suppress(OSError):  # whoever read our output has gone: the step goes on
        (sys.stdout if place == 1 else sys.stderr).flush()
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(place, rest) :]
