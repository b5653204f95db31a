"""Files below a folder of another tool: regular ones, and links that stay where the user pointed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path


def files_below(
    folder: Path, roots: Sequence[Path], refuse: Callable[[Path, str], None], never: Sequence[str] = ()
) -> Iterator[tuple[str, Path]]:
    """Yield the regular files below a folder: path from it, with ``/``, and place.

    Parameters
    ----------
    folder : Path
    roots : sequence of Path
        A link is followed if it ends in one of these folders: a folder that was given by somebody else must not name any file of this
        machine.
    refuse : callable
        Given each link or special file that is not taken, and why.
    never : sequence of str, optional
        Names of folders that are not looked into.
    """
    allowed = [os.path.realpath(root) for root in roots]
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in never)
        for name in [*folders]:
            if os.path.islink(os.path.join(parent, name)):
                folders.remove(name)
                refuse(Path(parent, name), "it is a link to a folder, which is not followed")
        for name in sorted(names):
            place = Path(parent, name)
            if place.is_symlink():
                target = os.path.realpath(place)
                if not os.path.exists(target):
                    refuse(place, f"it is a link to {target}, which is gone")
                    continue
                if not any(os.path.commonpath([target, root]) == root for root in allowed):
                    refuse(place, f"it is a link to {target}, outside of what is imported; copy the file in its place to take it")
                    continue
            if not place.is_file():
                refuse(place, "it is no regular file")
                continue
            yield place.relative_to(folder).as_posix(), place


def walked(root: Path, refuse: Callable[[Path, str], None]) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Go through the folders below a folder, in the order of their names, as ``os.walk`` does.

    Parameters
    ----------
    root : Path
    refuse : callable
        Given each folder that is not gone through, and why: one that cannot be read, a link to a folder that lies elsewhere (of a
        link to one below `root` nothing is said: it is gone through where it lies).
    """
    inside = os.path.realpath(root)
    told = lambda error: refuse(Path(error.filename), f"the folder cannot be read: {error.strerror}")  # noqa: E731
    for parent, folders, names in os.walk(root, onerror=told):
        folders.sort()
        yield Path(parent), folders, names
        for name in folders:
            place = Path(parent, name)
            target = os.path.realpath(place)
            if place.is_symlink() and os.path.commonpath([target, inside]) != inside:
                refuse(
                    place,
                    f"it is a link to {target}, outside of what is imported, which is not followed: import that folder, too",
                )
