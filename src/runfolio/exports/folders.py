"""The folder of an export: made beside its place, told of in ``export.json``, and moved there whole.

``export.json`` says what the folder is: kind of export, commit, selection, counts, findings, and each file with its SHA-256. By it a later
export knows the folder again, and replaces it; anything else that lies there is never removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runfolio._version import __version__
from runfolio.errors import StateError, UsageError, storage_errors
from runfolio.exports.report import Report
from runfolio.exports.selection import Selection

ABOUT = "export.json"
FORMAT = 1
_MOST_NAMED = 5


@contextmanager
def export_folder(target: Path, folio_root: Path, *, force: bool) -> Iterator[Path]:
    """Give a folder to write into; it takes the place of `target` at the end, if nothing was raised.

    Parameters
    ----------
    target : Path
        New, empty, or an earlier export.
    folio_root : Path
        May not lie in `target`.
    force : bool
        Also where other files lie in `target`: they stay, but for those whose name the export needs.

    Raises
    ------
    StateError
        If other files lie there, or the folio.
    StorageError
        If it cannot be written; what was there is then as it was.
    """
    target = target.expanduser().resolve()
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file. An export is a folder: name a new one.")
    if folio_root.resolve().is_relative_to(target.resolve()):
        raise StateError(f"{target} holds the folio. Export to another folder.")
    others = _others(target)
    if others and not force:
        some = ", ".join(others[:_MOST_NAMED]) + " …" * (len(others) > _MOST_NAMED)
        raise StateError(
            f"{target} holds files that no export of runfolio wrote ({some}), so nothing was written there. Name a new folder, or "
            "keep them beside the export with --force."
        )
    start = f".{target.name}.runfolio-"
    beside = target.with_name(f"{start}new-{socket.gethostname()}-{os.getpid()}")
    with storage_errors(f"write the export {target}"):
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent, f"{start}new-{socket.gethostname()}-")
        beside.mkdir()
        try:
            yield beside
            _put(beside, target, others, target.with_name(f"{start}old-{os.getpid()}"))
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def write_about(folder: Path, kind: str, selection: Selection, report: Report, more: Mapping[str, Any]) -> None:
    """Write ``export.json``, last of all: it names every file that is there.

    Parameters
    ----------
    folder : Path
    kind : str
        ``parquet``, ``csv``, ``json`` or ``ro-crate``.
    selection : Selection
    report : Report
    more : Mapping
        What else is to be said, such as the columns of tables.
    """
    files = {path: {"sha256": _digest(folder / path), "size": (folder / path).stat().st_size} for path in _files(folder)}
    about = {
        "runfolio_export": FORMAT,
        "kind": kind,
        "runfolio": __version__,
        "selection": selection.document(),
        **report.document(),
    }
    text = json.dumps({**about, **more, "files": files}, indent=1, ensure_ascii=True)
    (folder / ABOUT).write_text(text + "\n", encoding="utf-8")


def read_about(folder: Path) -> dict[str, Any] | None:
    """Return what ``export.json`` says; None where the folder is no export."""
    try:
        found = json.loads((folder / ABOUT).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "runfolio_export" in found and isinstance(found.get("files"), dict) else None


def _others(target: Path) -> list[str]:
    """Return the files in a folder that no export wrote there; links and empty folders are files, too."""
    if not target.is_dir():
        return []
    about = read_about(target)
    ours = {*about["files"], ABOUT} if about else set()
    return [path for path in _files(target) if path not in ours]


def _files(folder: Path) -> list[str]:
    made = []
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        made += [os.path.relpath(os.path.join(place, name), folder).replace(os.sep, "/") for name in (*names, *links)]
    return sorted(made)


def _digest(path: Path) -> str:
    made = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            made.update(block)
    return made.hexdigest()


def _put(beside: Path, target: Path, others: list[str], away: Path) -> None:
    """Move the export to its place; what was there before goes only when it is."""
    if target.is_dir() and Path.cwd().is_relative_to(target):
        _put_inside(beside, target)
        return
    if not target.exists() or not any(target.iterdir()):
        os.rename(beside, target)
        return
    for path in others:
        place = beside / path
        if not os.path.lexists(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            _link(target / path, place)
    os.rename(target, away)
    try:
        os.rename(beside, target)
    except OSError:
        os.rename(away, target)
        raise
    shutil.rmtree(away)


def _put_inside(beside: Path, target: Path) -> None:
    """Move the files one by one, ``export.json`` last, into a folder that must stay the same, since somebody stands in it."""
    about = read_about(target)
    before = about["files"] if about else {}
    files = [path for path in _files(beside) if path != ABOUT]
    for path in (*files, ABOUT):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        os.replace(beside / path, target / path)
    for path in sorted(set(before).difference(files)):
        (target / path).unlink(missing_ok=True)
        for parent in Path(path).parents:
            if str(parent) != "." and (target / parent).is_dir() and not any((target / parent).iterdir()):
                (target / parent).rmdir()


def _link(source: Path, place: Path) -> None:
    """Give a file a second name, or copy it, so that the first stays until all is done."""
    if source.is_symlink():
        os.symlink(os.readlink(source), place)
        return
    try:
        os.link(source, place)
    except OSError:
        shutil.copy2(source, place)


def _sweep(parent: Path, start: str) -> None:
    """Remove what exports of this machine left that were killed."""
    for found in parent.glob(f"{start.replace('[', '[[]')}*"):
        number = found.name.removeprefix(start)
        if number.isdecimal() and not _alive(int(number)):
            shutil.rmtree(found, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
