"""Gather what a change says: one pass over its files, a few questions to the index, the policy of the base.

Nothing of the head is followed: settings, policy and the place of the objects are the base's, no file of the change is run or loaded,
and a file too broken to read becomes an alarm beside what the others say.
"""

from __future__ import annotations

from collections.abc import Sequence

from runfolio.folio.folio import Folio
from runfolio.gitstore.difference import commits_between, merge_base
from runfolio.query import Filter
from runfolio.query.grammar import TAGS, Clause
from runfolio.records import Experiment, Lifecycle, Run
from runfolio.records.findings import Finding, Severity
from runfolio.review.change import Change, Span
from runfolio.review.datasets import dataset_changes
from runfolio.review.reading import Read, read_change
from runfolio.review.releases import Judging, alias_alarms, promotions, registry_changes
from runfolio.review.reproductions import verdict_alarms, verdict_changes
from runfolio.review.results import Base, experiment_changes, live_runs
from runfolio.review.surroundings import artifact_changes, code_changes, data_changes, package_changes, pairs_of
from runfolio.review.tampering import alarms_of_files, edits
from runfolio.review.within import alarms_within

MOST_COMMITS = 5000
_BATCH = 500
_SOURCE = "mlflow.source.git.commit"
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def gather(folio: Folio, span: Span, *, judging: Judging | None = None, baseline: str = "auto") -> Change:
    """Gather what a change says.

    Parameters
    ----------
    folio : Folio
        Opened with the settings of the base, where the change is not agreed on; see :func:`runfolio.folio.opening.open_trusted`.
    span : Span
    judging : Judging, optional
        How promotions are judged; without it gates are left out.
    baseline : str, optional
        Which baseline experiments are held against: ``auto``, ``pinned``, ``live`` or ``best``.

    Returns
    -------
    Change

    Raises
    ------
    GitError
        If a commit of the span is not in this clone.
    """
    read = read_change(folio.place, span.base, span.head)
    notes: list[str] = []
    edited, deleted, alarms = edits(read)
    alarms = [
        *read.faults, *alarms, *alarms_within(folio.place, read, span, notes), *alarms_of_files(folio.place, read, span.head),
        *alias_alarms(folio.place, read), *verdict_alarms(folio.place, read),
    ]  # fmt: skip
    by_source = _by_source(folio, span)
    if by_source:
        added, base = _of_commits(folio, span, notes)
    else:
        known = read.before.runs.keys() | {
            run_id for run_id, path in read.run_paths.items() if folio.place.strip(path) in read.unread
        }
        added = [run for run_id, run in sorted(read.after.runs.items()) if run_id not in known]
        base = _base(folio, span, read, added)
    experiments = experiment_changes(base, read, added, baseline, notes)
    promoted, unjudged = promotions(folio, read, span, judging)
    pairs = pairs_of(experiments)
    commits = (base.commit, base.commit if by_source else span.head)
    return Change(
        span=span,
        alarms=_sorted([*alarms, *unjudged]),
        edited=tuple(edited),
        deleted=tuple(deleted),
        experiments=tuple(experiments),
        registry=(*registry_changes(read), *verdict_changes(read)),
        promotions=tuple(promoted),
        packages=package_changes(folio.place, commits, pairs),
        data=data_changes(pairs),
        datasets=dataset_changes(folio.place, read, span),
        artifacts=artifact_changes(pairs),
        code=code_changes(folio.place, pairs),
        files=dict(sorted(read.files.items())),
        by_source=by_source,
        notes=tuple(notes),
    )


def _sorted(alarms: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return alarms once each, errors first, then by file."""
    return tuple(sorted(dict.fromkeys(alarms), key=lambda item: (_ORDER[item.severity], item.rule, item.file, item.field)))


def _base(folio: Folio, span: Span, read: Read, added: Sequence[Run]) -> Base:
    """Ask the index where it stands, if it stands at one of the two sides: it need not be copied, nor moved there and back."""
    tip = folio.place.tip()
    unseen: frozenset[str] = frozenset()
    instead: dict[str, Run] = {}
    damaged: dict[str, str] = {}
    if tip == span.head and tip != span.tip:
        index = folio.fresh_index()
        mended = _mended(folio, read)
        damaged = {path: f"{path}: the base's version cannot be read." for path in mended.values()}
        unseen = frozenset((*(run.run_id for run in added), *read.before.runs, *mended))
        instead = {run_id: run for run_id, run in read.before.runs.items() if run.lifecycle is Lifecycle.ACTIVE}
    else:
        index = folio.fresh_index(span.tip)
    return Base(folio, index, span.tip, _known(folio, span.tip), unseen, instead, *live_runs(folio, span.tip), damaged)


def _mended(folio: Folio, read: Read) -> dict[str, str]:
    """Return the runs that only the head's record tells, for the base's cannot be read: by run id, the path from the folio's root."""
    found = {run_id: folio.place.strip(path) for run_id, path in read.run_paths.items() if run_id not in read.before.runs}
    return {run_id: path for run_id, path in found.items() if path in read.unread}


def _known(folio: Folio, commit: str) -> dict[str, Experiment]:
    return {item.slug: item for item in folio.experiments.all(commit)}


def _by_source(folio: Folio, span: Span) -> bool:
    """Tell whether the span is of code, while the records lie on a branch of their own."""
    tip = folio.place.tip()
    return folio.place.ledger is not None and tip is not None and merge_base(folio.repo, span.head, tip) is None


def _of_commits(folio: Folio, span: Span, notes: list[str]) -> tuple[list[Run], Base]:
    """Find the runs that the commits of a change made, on the ledger branch."""
    tip = folio.place.tip()
    assert tip is not None
    index = folio.fresh_index()
    commits = commits_between(folio.repo, span.base, span.head, MOST_COMMITS)
    if len(commits) == MOST_COMMITS:
        notes.append(f"Only the newest {MOST_COMMITS:,} commits of the change were looked at for runs.")
    added: dict[str, Run] = {}
    for start in range(0, len(commits), _BATCH):
        wanted = Filter((Clause(TAGS, _SOURCE, "IN", tuple(commits[start : start + _BATCH])),))
        added.update((run.run_id, run) for run in index.search_runs(wanted))
    base = Base(folio, index, tip, _known(folio, tip), frozenset(added), {}, *live_runs(folio, tip))
    return list(added.values()), base
