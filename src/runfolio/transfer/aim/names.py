"""What Aim keeps of its runs in ``run_metadata.sqlite``: names, descriptions, experiments, tags, notes; opened read-only."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError

if TYPE_CHECKING:
    import sqlite3

FILE = "run_metadata.sqlite"
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Named:
    """What Aim's database says of a run.

    Parameters
    ----------
    name, description, experiment : str
    archived : bool
    created : int
        Milliseconds since the epoch, UTC; 0 where it is not said.
    tags, notes : tuple of str
    """

    name: str = ""
    description: str = ""
    experiment: str = DEFAULT
    archived: bool = False
    created: int = 0
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def named_runs(folder: Path) -> Mapping[str, Named]:
    """Return what the database says of each run, by the run's hash.

    Raises
    ------
    DamagedError
        If it cannot be read.
    """
    import sqlite3

    place = folder / FILE
    try:
        with closing(sqlite3.connect(f"file:{quote(str(place.resolve()))}?mode=ro", uri=True)) as database:
            tags = _lists(
                database, "SELECT run_tag.run_id, tag.name FROM run_tag JOIN tag ON tag.id = run_tag.tag_id ORDER BY tag.name"
            )
            notes = _lists(database, "SELECT run_id, content FROM note WHERE run_id IS NOT NULL ORDER BY id")
            rows = database.execute(
                "SELECT run.id, run.hash, run.name, run.description, run.is_archived, run.created_at, experiment.name FROM run "
                "LEFT JOIN experiment ON experiment.id = run.experiment_id"
            ).fetchall()
    except sqlite3.Error as error:
        raise DamagedError(f"{place}: it cannot be read: {error}. Is it a repository of Aim 3?") from None
    return {
        run_hash: Named(
            name or "", description or "", experiment or DEFAULT, bool(archived), _moment(created), tuple(tags.get(number, ())),
            tuple(notes.get(number, ())),
        )
        for number, run_hash, name, description, archived, created, experiment in rows
    }  # fmt: skip


def _lists(database: sqlite3.Connection, query: str) -> dict[int, list[str]]:
    made: dict[int, list[str]] = {}
    for number, text in database.execute(query):
        made.setdefault(number, []).append(text)
    return made


def _moment(text: str | None) -> int:
    """Return a time as SQLAlchemy writes it, in UTC."""
    try:
        return int(datetime.datetime.fromisoformat(text or "").replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)
    except ValueError:
        return 0
