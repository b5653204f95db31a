"""A folder beside the objects, whose files become objects by a rename: written once, hashed while they are written, never copied.

It lies in ``incoming/``; what a killed process leaves there is swept like any file in the making.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runfolio.objects.incoming import make_folder, sync_path


@contextmanager
def folder_in(incoming: Path) -> Iterator[Path]:
    """Yield a new folder, which is gone at the end with what still lies in it."""
    made = incoming / f".{os.urandom(16).hex()}.part"
    made.mkdir(parents=True)
    try:
        yield made
    finally:
        import shutil  # loaded where a folder is made

        shutil.rmtree(made, ignore_errors=True)


def rename_in(path: Path, target: Path, *, durable: bool) -> None:
    """Make a file visible at its place among the objects; it may not be written any more."""
    path.chmod(path.stat().st_mode & 0o444)
    if durable:
        sync_path(path)
    try:
        os.replace(path, target)
    except FileNotFoundError:
        make_folder(target.parent, durable=durable)
        os.replace(path, target)
    if durable:
        sync_path(target.parent)
