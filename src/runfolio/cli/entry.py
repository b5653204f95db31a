"""Where the program begins."""

from __future__ import annotations

import gc


def main() -> int:
    """Load the command line, run it, and return its exit code.

    What is loaded stays to the end, and is hardly ever in circles: while it is, and after it, the collector does not go through it. It went
    through it ten times, a twentieth of the start of every command.
    """
    gc.disable()
    from runfolio.cli.main import main as command

    gc.freeze()
    gc.enable()
    return command()
