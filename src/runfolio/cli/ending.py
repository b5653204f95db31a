"""How a command ends: errors in words, exit codes, and a report where the fault is ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Literal

import click

from runfolio.errors import EXIT_BUG, EXIT_USAGE, STORAGE_REMEDIES, RunfolioError, storage_error

INTERRUPTED = 130
"""128 and the number of SIGINT, as shells say it."""

BROKEN_PIPE = 141
"""128 and the number of SIGPIPE: what reads us (``head``) had enough."""


class Ending:
    """A guard around the whole program: whatever is raised in it becomes words on standard error and an exit code.

    Parameters
    ----------
    args : sequence of str
        Arguments of the program; of these a report shows only the words that name commands.

    Attributes
    ----------
    code : int
        The exit code.
    """

    def __init__(self, args: Sequence[str]) -> None:
        self.code = 0
        self._args = args

    def __enter__(self) -> Ending:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[True]:
        if error is not None:
            self.code = self._end(error)
        return True

    def _end(self, error: BaseException) -> int:
        if isinstance(error, SystemExit):
            return error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        if isinstance(error, click.exceptions.Exit):
            return error.exit_code
        if isinstance(error, (click.Abort, KeyboardInterrupt)):
            _caught()
            _say("runfolio: interrupted")
            return INTERRUPTED
        if isinstance(error, BrokenPipeError):
            close_output()
            return BROKEN_PIPE
        if isinstance(error, click.ClickException):
            with suppress(OSError):
                error.show()
            return EXIT_USAGE if isinstance(error, (click.UsageError, click.FileError)) else error.exit_code
        if isinstance(error, OSError) and not isinstance(error, RunfolioError) and error.errno in STORAGE_REMEDIES:
            # No file is named where standard output itself could not be written: sent to a file on a full disk.
            close_output()
            error = storage_error("finish the command" if error.filename else "write the output", error)
        if isinstance(error, RunfolioError):
            from runfolio.hosts.annotations import no_command  # names in it may be anybody's, and this a job of CI

            _say(no_command(f"runfolio: {error.message}"))
            return error.exit_code
        _say(bug_report(error, self._args).rstrip("\n"))
        return EXIT_BUG


def _caught() -> None:
    """Make the interpreter forget an interrupt that it believes nobody caught.

    One that arrives in source text that is being run (``dataclasses`` and ``namedtuple`` write their methods so) leaves a mark that
    whoever catches it does not take away, and for which ``python -m`` ends by killing itself, whatever the exit code. Running any
    source text takes the mark away (``run_eval_code_obj`` in CPython's ``pythonrun.c``).
    """
    exec("")  # noqa: S102 - of no text


def _say(text: str) -> None:
    with suppress(OSError):  # standard error may be on the disk that is full: the exit code says it too
        click.echo(text, err=True)


def close_output() -> None:
    """Send what is left in the buffer nowhere: nobody can have it, and the interpreter's last flush would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def bug_report(error: BaseException, args: Sequence[str]) -> str:
    """Write the report of a fault of ours: short, ready to paste, without values of the user's.

    Parameters
    ----------
    error : BaseException
    args : sequence of str
        Words that are no plain command names are left out.
    """
    import platform
    import traceback

    from runfolio._version import __version__

    if os.environ.get("RUNFOLIO_DEBUG"):
        return "".join(traceback.format_exception(error))
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(package)]
    words: list[str] = []
    for word in args:
        if not word.isalpha() or len(words) == 2:
            break
        words.append(word)
    lines = [
        "runfolio: this is a bug in runfolio; your records are as they were. Please report these lines:",
        f"  command: runfolio {' '.join(words)}".rstrip(),
        f"  error:   {type(error).__name__}: {str(error)[:300]}",
        *(f"  at:      {os.path.relpath(frame.filename, package)}:{frame.lineno} in {frame.name}" for frame in frames[-3:]),
        f"  with:    runfolio {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        "The whole traceback: set RUNFOLIO_DEBUG=1 and run it again.",
    ]
    return "\n".join(lines) + "\n"
