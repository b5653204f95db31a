"""Where environments are kept, which are there, and how one is removed.

::

    ~/.cache/runfolio/environments/
      3f2a…/                     an environment; whole once environment.json is in it
      3f2a….lock                 held by who makes it, and by who runs in it
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import BusyError, NotFoundError, UsageError, storage_errors

FACTS = "environment.json"
NAME_LENGTH = 32
_REMOVING = ".removing-"


@dataclass(frozen=True, slots=True)
class Kept:
    """An environment that is kept.

    Parameters
    ----------
    name : str
        The first 32 hex digits of its digest.
    folder : Path
    manager, python : str
        Empty where the environment is not whole.
    packages : int
        How many lines it was made of.
    size : int
        Bytes on disk; of what is hard-linked from an installer's cache, too.
    used : float
        When it was used last, in seconds since the epoch.
    whole : bool
        False for what a killed process left.
    """

    name: str
    folder: Path
    manager: str
    python: str
    packages: int
    size: int
    used: float
    whole: bool


def cache_folder() -> Path:
    """Return where environments are kept: below ``XDG_CACHE_HOME``, or ``~/.cache``."""
    chosen = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(chosen) / "runfolio" / "environments"


def read_facts(folder: Path) -> dict[str, Any] | None:
    """Return what an environment says of itself; None where it is not whole."""
    try:
        said = json.loads((folder / FACTS).read_bytes())
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None


def write_facts(folder: Path, facts: Mapping[str, Any]) -> None:
    """Say that an environment is whole: the last that is written."""
    part = folder / f".{FACTS}.part"
    with open(part, "w", encoding="utf-8") as file:
        json.dump(dict(facts), file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, folder / FACTS)


def mark_used(folder: Path) -> None:
    """Note that an environment is used now."""
    with suppress(OSError):
        os.utime(folder / FACTS)


@contextmanager
def locked(place: Path, *, wait: bool = True) -> Iterator[int]:
    """Hold the lock of an environment alone; yields its file descriptor.

    Parameters
    ----------
    place : Path
        The environment's folder, which need not be there.
    wait : bool, optional

    Raises
    ------
    BusyError
        If somebody else holds it and `wait` is false.
    """
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(place.with_name(f"{place.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise BusyError(f"{place}: a process runs in this environment, or makes it. Try again when it has ended.") from None
        yield lock
    finally:
        os.close(lock)  # not unlocked: an installer that outlives us keeps it


def kept_environments(*, sizes: bool = True) -> list[Kept]:
    """Return the environments that are kept, the last used first.

    Parameters
    ----------
    sizes : bool, optional
        Add up the bytes of each.
    """
    top = cache_folder()
    found = [_kept(folder, sizes) for folder in (top.iterdir() if top.is_dir() else ()) if _is_one(folder)]
    return sorted(found, key=lambda item: -item.used)


def _is_one(folder: Path) -> bool:
    return folder.is_dir() and not folder.name.startswith(".")


def _kept(folder: Path, sizes: bool) -> Kept:
    facts = read_facts(folder)
    said = facts or {}
    with suppress(OSError):
        return Kept(
            folder.name, folder, str(said.get("manager", "")), str(said.get("python", "")), len(said.get("lines") or ()),
            _size(folder) if sizes else 0, (folder / FACTS if facts else folder).stat().st_mtime, facts is not None,
        )  # fmt: skip
    return Kept(folder.name, folder, "", "", 0, 0, 0.0, False)


def _size(folder: Path) -> int:
    total = 0
    for top, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                total += os.lstat(os.path.join(top, name)).st_size
    return total


def remove_environment(name: str) -> Path:
    """Remove an environment.

    Parameters
    ----------
    name : str
        Its digest, or a beginning of it that only one has.

    Raises
    ------
    NotFoundError
    UsageError
        If several begin so.
    BusyError
        If a process runs in it, or makes it.
    """
    found = [item for item in kept_environments(sizes=False) if name and item.name.startswith(name[:NAME_LENGTH])]
    if not found:
        raise NotFoundError(f"No environment {name!r} is kept in {cache_folder()}. List them: runfolio environments list")
    if len(found) > 1:
        raise UsageError(f"{len(found)} environments begin with {name!r}. Write more of the name.")
    place = found[0].folder
    with storage_errors(f"remove the environment {place}"), locked(place, wait=False):
        clear(place)
    return place


def clear(place: Path) -> None:
    """Remove a folder: first under another name, so that nobody takes a half removed one for whole. The lock's file stays."""
    if os.path.lexists(place):
        os.replace(place, place.with_name(f"{_REMOVING}{place.name}-{os.getpid()}-{time.time_ns()}"))
    for aside in place.parent.glob(f"{_REMOVING}*"):
        shutil.rmtree(aside, ignore_errors=True)
