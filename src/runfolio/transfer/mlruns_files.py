"""The files of a folder ``mlruns``, one by one: a document, a folder of texts, the lines of a metric; what is broken is said.

The layout is the one that MLflow's file store has written from its first version on, and that MLflow 3.17 reads only when it is asked to:
``meta.yaml`` for an experiment, run, model or version; a file for each param and tag whose text is the value; a file for each metric whose
lines are ``time value step`` (before MLflow 1.0 without the step; in MLflow 3 with the dataset's name and digest behind it).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runfolio.errors import DamagedError
from runfolio.transfer.source import Point

META = "meta.yaml"
_LARGEST = 64 << 20  # a dataset's profile has 16 MB at the most
_NUMBERS = range(-(1 << 63), 1 << 63)


def read_meta(folder: Path) -> dict[str, Any]:
    """Read the document of a folder.

    Raises
    ------
    DamagedError
        If it is missing, or no document; the message says which.
    """
    import yaml

    place = folder / META
    try:
        if place.stat().st_size > _LARGEST:
            raise DamagedError(f"its {META} has more than {_LARGEST >> 20} MB")
        data = place.read_bytes()
    except FileNotFoundError:
        raise DamagedError(f"its {META} is missing") from None
    except OSError as error:
        raise DamagedError(f"its {META} cannot be read: {error.strerror}") from None
    try:
        found = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(data).get_single_data()  # the same values, ten times as fast
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise DamagedError(f"its {META} is broken{where}: {getattr(error, 'problem', None) or 'it is not UTF-8 text'}") from None
    if not isinstance(found, dict):
        raise DamagedError(f"its {META} is broken: it is {'empty' if found is None else 'no list of fields'}")
    return {str(key): value for key, value in found.items()}


def number_in(meta: dict[str, Any], name: str) -> int | None:
    """Return a whole number of a document, None where it has none.

    Raises
    ------
    DamagedError
        If there is something else.
    """
    value = meta.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise DamagedError(f"its {META} is broken: {name} is no number")
    try:
        return int(value)
    except (ValueError, OverflowError):
        raise DamagedError(f"its {META} is broken: {name} is no number") from None


def text_in(meta: dict[str, Any], name: str) -> str:
    """Return a text of a document, empty where it has none."""
    value = meta.get(name)
    return "" if value is None else str(value)


def folders_in(place: Path) -> list[Path]:
    """Return the folders in a folder, in the order of their names; none where it is missing."""
    try:
        with os.scandir(place) as found:
            return sorted(Path(entry.path) for entry in found if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DamagedError(f"{place.name} cannot be listed: {error.strerror}") from None


def names_in(place: Path, prefix: str = "") -> Iterator[str]:
    """Yield the names of the files below a folder of params, tags or metrics: a name with ``/`` lies deeper."""
    try:
        with os.scandir(place) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from names_in(Path(entry.path), f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}"


def texts_in(place: Path, said: Callable[[str], None]) -> dict[str, str]:
    """Read the params or tags of a folder, one file each; `said` is given what could not be read, or not as it is."""
    made = {}
    for name in names_in(place):
        try:
            data = (place / name).read_bytes()
        except OSError as error:
            said(f"{place.name}/{name} was not taken: {error.strerror}")
            continue
        try:
            made[name] = data.decode()
        except UnicodeDecodeError:
            said(f"{place.name}/{name} is not UTF-8: what cannot be read in it is \N{REPLACEMENT CHARACTER}")
            made[name] = data.decode(errors="replace")
    return made


def metric_points(place: Path, name: str, said: Callable[[str], None]) -> Iterator[Point]:
    """Yield the points of a metric, line by line; a line that is none is passed over and told, with its number."""
    wrong, first = 0, 0
    try:
        with open(place / name, "rb") as lines:
            for number, line in enumerate(lines, 1):
                point = _point(line)
                if point is None:
                    wrong, first = wrong + 1, first or number
                else:
                    yield point
    except OSError as error:
        said(f"metrics/{name} was not taken: {error.strerror}")
        return
    if wrong:
        said(f"metrics/{name}: {wrong} line{'s' if wrong > 1 else ''} not taken, cut off or no point (the first is line {first})")


def _point(line: bytes) -> Point | None:
    """Read a line of a metric's file; None where it is none. MLflow ends each line, so that one without an end was cut off."""
    parts = line.split(b" ", 4)
    if line[-1:] != b"\n" or len(parts) == 4:
        return None
    try:
        made = Point(float(parts[1]), int(parts[0]), int(parts[2]) if len(parts) > 2 else 0)
    except (ValueError, IndexError):
        return None
    return made if made.timestamp in _NUMBERS and made.step in _NUMBERS else None


def metric_names(place: Path) -> dict[str, float]:
    """Return the names of a run's metrics, each with the value of its last line that can be read."""
    made = {}
    for name in names_in(place):
        made[name] = float("nan")
        try:
            with open(place / name, "rb") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(0, end - 1024))
                lines = file.read().splitlines(keepends=True)
        except OSError:
            continue  # told when its points are read
        for line in reversed(lines):
            point = _point(line)
            if point is not None:
                made[name] = point.value
                break
    return made
