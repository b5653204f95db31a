"""What steps made, put where steps and people look for it; what a person changed is never overwritten unasked.

A file may be overwritten or removed if its bytes are in the object store, so that they can be had again, or if a step of this pipeline was
writing it when it failed or was killed: a note is kept from before a step starts until its outputs are stored.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from runfolio.errors import RunfolioError, storage_error, storage_errors
from runfolio.objects import ObjectStore
from runfolio.pipelines.contents import Content, Stamps, joined


class Placer:
    """Puts contents into the work tree.

    Parameters
    ----------
    base : Path
        The pipeline's folder.
    store : ObjectStore
    stamps : Stamps
    notes : Path
        The folder for the note of what is being made.
    overwrite : bool
        Overwrite also what a person changed.
    """

    def __init__(self, base: Path, store: ObjectStore, stamps: Stamps, notes: Path, *, overwrite: bool = False) -> None:
        self._base, self._store, self._stamps, self._overwrite = base, store, stamps, overwrite
        self._note = notes / "making.json"
        self._making = self._read_note()

    def _read_note(self) -> dict[str, str]:
        try:
            found = json.loads(self._note.read_bytes())
        except (OSError, ValueError):
            return {}
        return {str(place): str(step) for place, step in found.items()} if isinstance(found, dict) else {}

    def begin(self, step: str, places: Iterable[str]) -> None:
        """Note that a step is about to write to places."""
        self._making.update(dict.fromkeys(places, step))
        self._write_note()

    def done(self, places: Iterable[str]) -> None:
        """Take a note away: what was written is stored."""
        for place in places:
            self._making.pop(place, None)
        self._write_note()

    def _write_note(self) -> None:
        temporary = self._note.with_name(f".making.{os.getpid()}")
        try:
            self._note.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(self._making), "utf-8")
            os.replace(temporary, self._note)
        except OSError as error:
            raise storage_error("note which outputs are being made", error) from error

    def strangers(self, place: str, wanted: Content | None = None) -> list[str]:
        """Name the files at a place that nobody could bring back: not those of `wanted`, not in the store, not left by a step."""
        if self._overwrite or place in self._making:
            return []
        here = self._stamps.content(self._base, place) or {}
        given = wanted or {}
        other = {path: entry for path, entry in here.items() if path not in given or given[path].digest != entry.digest}
        if not other:
            return []
        known = self._store.inspect({entry.digest for entry in other.values()})
        return [joined(place, path) for path, entry in other.items() if isinstance(known.get(entry.digest), RunfolioError)]

    def is_placed(self, place: str, wanted: Content) -> bool:
        """Tell whether a place holds exactly a content."""
        here = self._stamps.content(self._base, place)
        return here is not None and {path: entry.digest for path, entry in here.items()} == {
            path: entry.digest for path, entry in wanted.items()
        }

    @storage_errors("put the outputs of steps into the work tree")
    def place(self, place: str, wanted: Content) -> int:
        """Make a place hold exactly a content, each file verified; return how many files were written."""
        here = self._stamps.content(self._base, place) or {}
        if "" in here and "" not in wanted:
            (self._base / place).unlink()
        elif "" in wanted and (self._base / place).is_dir():
            shutil.rmtree(self._base / place)
            here = {}
        stale = {path: entry for path, entry in wanted.items() if path not in here or here[path].digest != entry.digest}
        self._store.fetch(entry.digest for entry in stale.values())
        for path, entry in stale.items():
            target = self._base / joined(place, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            self._store.copy_to(entry.digest, target)
        for path in here:
            if path not in wanted and path:
                (self._base / joined(place, path)).unlink(missing_ok=True)
        return len(stale)

    @storage_errors("clear the outputs of a step before it makes them")
    def clear(self, places: Iterable[str]) -> None:
        """Remove what lies at places, so that a step makes it afresh."""
        for place in places:
            path = self._base / place
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)


def notes_folder(local: Path, file: Path) -> Path:
    """Return the folder for notes on one pipeline in one work tree."""
    name = hashlib.sha256(os.fsencode(file)).hexdigest()[:16]
    return local / "pipelines" / name
