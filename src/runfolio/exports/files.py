"""An export that is one file: written beside its place and renamed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from runfolio.errors import StateError, UsageError, storage_errors

_LOOKED_AT = 1 << 16


@contextmanager
def export_file(target: Path, is_ours: Callable[[bytes], bool], *, force: bool) -> Iterator[TextIO]:
    """Give a file to write text into; it takes the place of `target` at the end, if nothing was raised.

    Parameters
    ----------
    target : Path
        New, or an earlier export.
    is_ours : callable
        Tells from its first and last bytes whether the file that is there is an earlier export.
    force : bool
        Also over another file.

    Raises
    ------
    StateError
        If another file is there.
    UsageError
        If it is a folder.
    StorageError
        If it cannot be written; what was there is then as it was.
    """
    target = target.expanduser().resolve()
    if target.is_dir():
        raise UsageError(f"{target} is a folder. Name a file, such as {target / 'lineage.json'}.")
    with storage_errors(f"write the export {target}"):
        if target.exists() and not force and not is_ours(_ends(target)):
            raise StateError(f"{target} is there, and no earlier export. Name a new file, or write over it with --force.")
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.runfolio-new-{os.getpid()}")
        try:
            with beside.open("w", encoding="utf-8", newline="") as file:
                yield file
            os.replace(beside, target)
        finally:
            beside.unlink(missing_ok=True)


def _ends(path: Path) -> bytes:
    with path.open("rb") as file:
        first = file.read(_LOOKED_AT)
        file.seek(max(file.tell(), path.stat().st_size - _LOOKED_AT))
        return first + file.read()
