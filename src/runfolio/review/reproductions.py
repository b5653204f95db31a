"""Verdicts of reproduction that a change brings, in words; and those that somebody rewrote, which a verdict never is."""

from __future__ import annotations

from collections.abc import Iterator

from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.records.findings import Finding, Severity
from runfolio.records.reproductions import Reproduction
from runfolio.review.change import RegistryChange
from runfolio.review.reading import Read


def verdict_changes(read: Read) -> Iterator[RegistryChange]:
    """Tell the newest verdict that came on each run."""
    newest: dict[str, Reproduction] = {}
    for path, item in sorted(read.after.reproductions.items()):
        if path not in read.before.reproductions:
            newest[item.run_id] = item
    for run_id, item in newest.items():
        code = (
            "" if item.same_code else f", with the code of {item.code.get('from')}, the data of {item.code.get('data', 'then')}"
        )
        where = f" ({item.manager})" if item.manager else ""
        path = paths.reproduction_path(run_id, item.attempt_id)
        yield RegistryChange("reproduced", f"run {run_id[:12]}", path, f"made again{where}{code}: {item.words}")


def verdict_alarms(place: Place, read: Read) -> Iterator[Finding]:
    """Tell of verdicts that say something else than when they were written, or that are gone."""
    for path, before in sorted(read.before.reproductions.items()):
        after = read.after.reproductions.get(path)
        if after is None and any(finding.file.endswith(path) for finding in read.faults):
            continue  # damaged, and told so
        if after != before:
            what = f"now says {after.words!r}" if after is not None else "was removed"
            message = f"a verdict of reproduction is written once; it said {before.words!r} and {what}"
            remedy = "Take the change back, or make the run again: runfolio reproduce"
            yield Finding("review.verdict", Severity.ERROR, place.full(path), "verdict", message, remedy)
