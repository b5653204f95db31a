"""A board that a process writes without a system call: what it says cannot be failed by whoever fails its system calls.

Acknowledgements that go over a pipe are no oracle where each ``write`` of the process may fail: the lost word is then taken for
lost work, or the script dies of its own printing. Here they are bytes in memory that the driver and the process share.
"""

from __future__ import annotations

import json
import mmap
import os
from pathlib import Path
from typing import Any

SIZE = 1 << 16
_BLOCKS = b"\0" * SIZE


class Board:
    """Lines in a file that is mapped into memory.

    Parameters
    ----------
    path : Path
    create : bool
        Make it, with all its blocks on the disk: writing into a hole of a full disk kills the process.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create:
            path.write_bytes(_BLOCKS)
        fd = os.open(path, os.O_RDWR)
        self._memory = mmap.mmap(fd, SIZE)
        os.close(fd)
        self._at = 1

    def say(self, *parts: Any) -> None:
        """Add one acknowledgement."""
        line = json.dumps(parts).encode() + b"\n"
        self._memory[self._at : self._at + len(line)] = line
        self._at += len(line)

    def lines(self) -> list[str]:
        """Return all that was said."""
        return self._memory[1:].rstrip(b"\0").decode().splitlines(keepends=True)

    def begin(self) -> None:
        """Let the other process go on."""
        self._memory[0] = 1

    def wait(self) -> None:
        """Wait until the other process says so, without a system call that anybody fails."""
        while not self._memory[0]:
            os.sched_yield()
