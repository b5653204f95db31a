"""What comes after a training made ready while it goes on: in a process's first training, packages that are then imported.

YAML and Pillow take 0.03 and 0.05 s to import, which a training of seconds would have its user wait for at its end. A training gives up
Python's lock wherever it works in native code; where it does not, it waits here for what it would have waited for later. A fork waits for
the thread: no child is born while a module is half imported.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from runfolio.autologging.guarding import guard
from runfolio.errors import MissingPackageError
from runfolio.tracking.beside import Beside

_beside = Beside()
_known: set[Callable[[], None]] = set()
_todo: list[Callable[[], None]] = []


def prepare(*needed: Callable[[], None]) -> None:
    """Make things ready in a thread, each once a process.

    Parameters
    ----------
    *needed : callable
        :func:`models`, :func:`plots`.
    """
    fresh = [each for each in needed if each not in _known]
    if fresh:
        _known.update(fresh)
        _todo.extend(fresh)
        _beside.begin(_work)


def _work() -> None:
    while _todo:
        # What is wrong here is wrong again, and told, where it is needed.
        with guard("what comes after the training", framework="runfolio", silent=True), suppress(MissingPackageError):
            _todo.pop(0)()


def models() -> None:
    """Import what a model's folder is described by, and stored by."""
    import runfolio.journal.tags
    import runfolio.objects.local
    import runfolio.tracking.copies  # noqa: F401
    from runfolio.formats.mlmodel import render_yaml

    render_yaml({})


def plots() -> None:
    """Import what plots are drawn by."""
    from runfolio.autologging.canvas import INK, Sheet

    sheet = Sheet(0.1, 0.1)
    sheet.text("0", (0, 0), points=10.0)
    sheet.text("0", (0, 0))
    sheet.line([(0, 0), (1, 1)], INK, width=1.0)
    sheet.png()
