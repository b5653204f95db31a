"""New records that the change itself rewrote or took away again, which its two ends do not show.

A run that a branch brings is new, whatever a later commit of that branch made of it: the difference of the two ends cannot tell a result
that was logged from one that was edited before the pull request was opened, nor a bad seed that was removed. The branch's commits
can, where they are still there; a squash leaves nothing to see. The cost follows the change: git lists its commits' records once.
"""

from __future__ import annotations

from dataclasses import replace

from runfolio.folio.checks.history import History
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.gitstore import TreeEntry
from runfolio.gitstore.difference import commits_between
from runfolio.records.findings import Finding, Severity
from runfolio.review.change import Span
from runfolio.review.reading import Read

MOST_COMMITS = 1000
"""To read one takes git 3 ms where 10,000 runs are of one day, since a commit changes that day's folder."""
_RULES = {"run.edited": "review.result-edited", "series.edited": "review.history-edited", "run.removed": "review.run-deleted"}
_REMEDY = "A sealed record does not change. Ask for the reason, or have it put back"
_GONE = "It counts as no try in this report. Deleting a run hides it and keeps the record: runfolio runs delete"


def alarms_within(place: Place, read: Read, span: Span, notes: list[str]) -> list[Finding]:
    """Tell which runs of the change were edited, or removed, after one of its commits had brought them.

    Parameters
    ----------
    place : Place
    read : Read
    span : Span
    notes : list of str
        Is told what was not looked at.

    Returns
    -------
    list of Finding
        An edited result is an error, a run that is gone again a warning.
    """
    commits = commits_between(place.repo, span.base, span.head, MOST_COMMITS + 1)
    if len(commits) < 2:
        return []
    start = span.base
    if len(commits) > MOST_COMMITS:
        start = commits[MOST_COMMITS]
        notes.append(
            f"Only the newest {MOST_COMMITS:,} commits of the change were looked at for records that it rewrote itself; "
            "runfolio check looks at all."
        )
    found: list[Finding] = []
    history = History(place.repo, f"{start}..{span.head}", place.prefix, found)
    new = {item.path: item.new for item in read.inner if item.old is None and item.new is not None}
    for path, oid in new.items():
        if paths.run_of_path(place.strip(path)) or paths.series_of_path(place.strip(path)):
            history.present(TreeEntry(path, oid))
    history.finish(without=frozenset(_of_the_base(place, span, [path for path in history.paths() if path not in new])))
    notes += [f"{item.message}. {item.remedy}." for item in found if item.rule == "git.history"]
    return [_told(item) for item in found if item.rule in _RULES]


def _of_the_base(place: Place, span: Span, found: list[str]) -> list[str]:
    """Return the paths that the base has: what became of those, the difference of the two ends says."""
    there = place.repo.read_many(f"{span.base}:{path}" for path in found)
    return [path for path, (_, data) in zip(found, there, strict=True) if data is not None]


def _told(item: Finding) -> Finding:
    severity, remedy = (Severity.WARNING, _GONE) if item.rule == "run.removed" else (Severity.ERROR, _REMEDY)
    return replace(item, rule=_RULES[item.rule], severity=severity, remedy=remedy)
