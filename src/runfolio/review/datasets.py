"""Recorded datasets that a change touches: which content was current, which is now, and how far the data drifted."""

from __future__ import annotations

from runfolio.diff.drift import Level, drift
from runfolio.errors import DamagedError
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.datasets import decode_facts
from runfolio.records.datasets import Dataset, Facts, facts_name
from runfolio.review.change import DatasetChange, Span
from runfolio.review.reading import Read, Side


def dataset_changes(place: Place, read: Read, span: Span) -> tuple[DatasetChange, ...]:
    """Tell what became of the datasets whose files differ.

    Parameters
    ----------
    place : Place
    read : Read
        What was read of the change.
    span : Span
        Facts of contents that the change does not bring are read at its two sides, and with the records.
    """
    made = []
    for slug in sorted(read.before.datasets.keys() | read.after.datasets.keys()):
        before, after = read.before.datasets.get(slug), read.after.datasets.get(slug)
        path = place.full(paths.dataset_path(slug))
        old = _facts(place, before, read.before, span) if before else None
        new = _facts(place, after, read.after, span) if after else None
        text, drifted = _words(before, after, old, new)
        named = after or before
        assert named is not None
        digests = before.digest if before else None, after.digest if after else None
        made.append(DatasetChange(named.name, path, *digests, text, drifted))
    return tuple(made)


def _facts(place: Place, dataset: Dataset, side: Side, span: Span) -> Facts | None:
    found = side.facts.get(dataset.digest)
    path = paths.facts_path(dataset.slug, facts_name(dataset.digest))
    for commit in dict.fromkeys((span.base, span.head, place.tip())) if found is None else ():
        data = place.read(commit, path)
        try:
            if data is not None and (read := decode_facts(data, path)).digest == dataset.digest:
                return read
        except DamagedError:
            continue  # where the change brings it, it is among the faults
    return found


def _words(before: Dataset | None, after: Dataset | None, old: Facts | None, new: Facts | None) -> tuple[str, bool]:
    if before is None or after is None:
        what = "new" if after else "removed"
        facts = new if after else old
        rows = "" if facts is None or facts.rows is None else f", {facts.rows:,} row{'' if facts.rows == 1 else 's'}"
        return f"{what}{rows}", False
    if before.digest == after.digest:
        return "the same content; its description, place or tags differ", False
    if old is None or new is None:
        return "another content; how it differs is not recorded", False
    found = drift(old, new)
    return found.words(), found.level >= Level.MODERATE
