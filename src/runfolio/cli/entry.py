"""Where the program begins."""

from __future__ import annotations

import gc
import os
import sys


def main() -> int:
    """Load the command line, run it, and return its exit code.

    What is loaded stays to the end, and is hardly ever in circles: while it is, and after it, the collector does not go through it. It went
    through it ten times, a twentieth of the start of every command.
    """
    gc.disable()
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        _open_closed_streams()
    try:
        from runfolio.cli.main import main as command
    except KeyboardInterrupt:  # in the moment before there is anything that ends a command
        exec("")  # noqa: S102 - of no text: takes away CPython's mark of an interrupt that nobody caught, see `ending`
        sys.stderr.write("runfolio: interrupted\n")
        return 130

    gc.freeze()
    gc.enable()
    return command()


def _open_closed_streams() -> None:
    """Put the null device where a standard stream is closed: else the next file that is opened has its number, and is printed into."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            setattr(sys, name, os.fdopen(opened, "w" if number else "r", encoding="utf-8", closefd=False))
