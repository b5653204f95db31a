"""The files of a run of another store, by the names that they have here; what cannot be had now is remembered on the run.

A file that is gone or cannot be read is a finding, and does not keep the rest of its run away. Its name stands in the tag
:data:`MISSING_TAG` of the run: the next import tries again, and the tag goes once nothing is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from functools import partial
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError, RunfolioError, StorageError
from runfolio.gateway.model_facts import CARRIES_TAG, RunModels
from runfolio.records.names import MAX_TAG_LENGTH
from runfolio.transfer.source import Source, SourceFile, SourceRun, StoreGoneError

MISSING_TAG = "runfolio.import_missing"
ALL = "*"
"""In the tag's list: which files there are could not be asked, or the names of those that are missing are too long for a tag."""

Fetch = Callable[[Path], Path]


@dataclass(slots=True)
class Listing:
    """What a store says of a run's files.

    Parameters
    ----------
    fetch : dict of str to callable
        By the name here: fetches the file into a folder, and returns where it lies.
    whole : bool
        False where a list could not be read.
    """

    fetch: dict[str, Fetch] = field(default_factory=dict)
    whole: bool = True


def list_files(
    source: Source,
    run: SourceRun,
    models: RunModels,
    spell: Callable[[str, Collection[str]], str],
    find: Callable[[str], None],
) -> Listing:
    """List the files of a run and of the models that it made.

    Parameters
    ----------
    source : Source
    run : SourceRun
    models : RunModels
    spell : callable
        Given a name and all names of its list, returns what it is here.
    find : callable
        Given a fault in words.

    Returns
    -------
    Listing

    Raises
    ------
    StoreGoneError
        If the store answers no more.
    """
    made = Listing()
    if CARRIES_TAG not in run.tags:
        with _reading(made, find):
            listed = source.files(run.run_id)
            names = {item.path for item in listed}
            for item in listed:
                made.fetch[spell(item.path, names)] = _fetch_of(item, partial(source.fetch, run.run_id, item.path))
    for facts in models.made.values():
        with _reading(made, find):
            listed = source.logged_files(facts.model_id)
            names = {f"{facts.path}/{item.path}" for item in listed}
            for item in listed:
                # MLflow may have listed it with the run's own.
                path = spell(f"{facts.path}/{item.path}", names)
                made.fetch.setdefault(path, _fetch_of(item, partial(source.fetch_logged, facts.model_id, item.path)))
    return made


def _fetch_of(item: SourceFile, fetch: Fetch) -> Fetch:
    def refuse(_folder: Path) -> Path:
        raise NotFoundError(item.refused)

    return refuse if item.refused else fetch


@contextmanager
def _reading(made: Listing, find: Callable[[str], None]) -> Iterator[None]:
    try:
        yield
    except (StoreGoneError, StorageError):
        raise
    except RunfolioError as error:
        made.whole = False
        find(error.message)


def is_missing(path: str, said: Collection[str]) -> bool:
    """Tell whether an earlier import lacked a file, or the folder that it lies in: a link to a folder is refused as one."""
    return ALL in said or path in said or any(path.startswith(f"{name}/") for name in said)


def missing_text(missing: Collection[str], *, whole: bool = True) -> str:
    """Return the tag's value: a JSON list of names; empty where nothing is missing."""
    text = json.dumps(sorted(missing) if whole else [ALL])
    return "" if whole and not missing else text if len(text) <= MAX_TAG_LENGTH else json.dumps([ALL])


def missing_of(tags: Mapping[str, str]) -> frozenset[str]:
    """Return what an earlier import could not fetch; :data:`ALL` where it does not say which."""
    try:
        said = json.loads(tags.get(MISSING_TAG, "[]"))
    except ValueError:
        return frozenset((ALL,))
    return frozenset(map(str, said)) if isinstance(said, list) else frozenset((ALL,))
