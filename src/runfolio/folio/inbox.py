"""What lies in a spool folder: journals of ours, folders with a ``run.json``, and folders of workers that hold either.

A name tells what a folder is; nothing is opened here. Folders that were taken in (``*.collected``) and hidden ones are
passed over.
"""

from __future__ import annotations

import os
from pathlib import Path

from runfolio._dataclass import dataclass, field
from runfolio.errors import NotFoundError, storage_error

RUN_FILE = "run.json"
ID_FILE = "run.id"
METRICS_FILE = "metrics.jsonl"
ARTIFACTS = "artifacts"
TAKEN = ".collected"
_OURS = ("journal", "objects", "environments", "recordings")
_OF_A_RUN = (METRICS_FILE, ARTIFACTS, ID_FILE)


@dataclass(slots=True)
class Inbox:
    """What a folder holds.

    Parameters
    ----------
    spools : list of Path
        Folders with journals of ours.
    runs : list of Path
        Folders with a ``run.json``.
    unfinished : list of Path
        Folders of runs without one.
    """

    spools: list[Path] = field(default_factory=list)
    runs: list[Path] = field(default_factory=list)
    unfinished: list[Path] = field(default_factory=list)


def look(folder: Path) -> Inbox:
    """Find what a folder holds, also one level down.

    Raises
    ------
    NotFoundError
        If there is no such folder.
    """
    made = Inbox()
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder} to collect from. Check the path.")
    if _is_run(folder):
        made.runs.append(folder)
    else:
        _look(folder, made, deep=True)
    return made


def name_when_taken(folder: Path) -> Path:
    """Return a free name for a run's folder that was taken in: no collector looks into it again."""
    target, number = folder.with_name(folder.name + TAKEN), 2
    while target.exists():
        target, number = folder.with_name(f"{folder.name}-{number}{TAKEN}"), number + 1
    return target


def _look(folder: Path, made: Inbox, *, deep: bool) -> bool:
    """Add what a folder holds; tell whether it holds anything of a spool."""
    before = len(made.spools) + len(made.runs)
    ours = (folder / "journal").is_dir()
    if ours:
        made.spools.append(folder)
    for child in _folders(folder):
        if ours and child.name in _OURS:
            continue
        if _is_run(child):
            made.runs.append(child)
        elif not (deep and not _has_part(child) and (_look(child, made, deep=False) or _emptied(child))):
            made.unfinished.append(child)
    return ours or len(made.spools) + len(made.runs) > before


def _has_part(folder: Path) -> bool:
    """Tell whether a folder holds a part of a run."""
    return any((folder / name).exists() for name in _OF_A_RUN)


def _emptied(folder: Path) -> bool:
    """Tell whether a folder holds nothing but what was taken in, as that of a worker whose runs all were."""
    names = os.listdir(folder)
    return bool(names) and all(name.endswith(TAKEN) for name in names)


def _is_run(folder: Path) -> bool:
    return (folder / RUN_FILE).is_file()


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as found:
            names = [item.name for item in found if item.is_dir(follow_symlinks=False)]
    except OSError as error:
        raise storage_error(f"look into {folder}", error) from None
    return [folder / name for name in sorted(names) if not name.startswith(".") and not name.endswith(TAKEN)]
