"""How data that lie here differ from what a run read, in words: which lines are other, and how far the columns have moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from runfolio.diff.drift import drift
from runfolio.errors import RunfolioError
from runfolio.folio.dataset_reading import read_content
from runfolio.folio.folio import Folio
from runfolio.records.datasets import Dataset, DatasetKind
from runfolio.records.runs import Run
from runfolio.reproduction.data import recorded_datasets

MOST_BYTES = 64_000_000
"""Of a text whose lines are compared; a larger one is told by its columns alone."""
_IN_LINES = ("csv", "tsv", "jsonl", "text")
_NAMED = 3


def told_data(folio: Folio, run: Run, changed: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Tell how the files of datasets differ from those that a run's code names.

    Parameters
    ----------
    folio : Folio
    run : Run
    changed : Mapping of str to (str, str)
        By path, as :func:`runfolio.reproduction.data.changed_data` returns them.

    Returns
    -------
    dict of str to str
        By path, in words; without those of which nothing is known (folders are named file by file already).
    """
    made = {}
    for dataset in recorded_datasets(folio, run):
        place = (folio.repo.work_tree or Path()) / dataset.path
        if dataset.path in changed and dataset.kind is DatasetKind.FILE and place.is_file():
            parts = _told(folio, dataset, place)
            if parts:
                made[dataset.path] = "; ".join(parts)
    return made


def _told(folio: Folio, dataset: Dataset, place: Path) -> list[str]:
    try:
        now = read_content(place, None).facts
        then = next((facts for facts in folio.datasets.contents(dataset.slug) if facts.digest == dataset.digest), None)
    except RunfolioError as error:
        return [error.message]
    parts = []
    if now.format in _IN_LINES and dataset.object is not None and not place.name.endswith(".gz"):
        lines = _lines(folio, dataset, place)
        if lines:
            parts.append(lines)
    if then is not None:
        parts.append(drift(then, now).words())
    return parts


def _lines(folio: Folio, dataset: Dataset, place: Path) -> str:
    """Say which lines are only in one of two texts, whatever the order of the others; empty where that is not known."""
    assert dataset.object is not None
    try:
        if max(place.stat().st_size, folio.store.size(dataset.object)) > MOST_BYTES:
            return ""
        with folio.store.open_verified(dataset.object) as stream:
            left = Counter(stream)
    except (RunfolioError, OSError):
        return ""
    new = []
    with open(place, "rb") as stream:
        for number, line in enumerate(stream, 1):
            if left[line]:
                left[line] -= 1
            else:
                new.append(number)
    gone = left.total()
    if not new and not gone:
        return "the same lines in another order"
    some = ", ".join(map(str, new[:_NAMED])) + (" …" if len(new) > _NAMED else "")
    where = f" (line {some})" if len(new) == 1 else f" (lines {some})" if new else ""
    return f"lines +{len(new)} −{gone}{where}"
