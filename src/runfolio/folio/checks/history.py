"""Records that were changed or removed other than by runfolio.

Of a sealed record runfolio changes name, tags and lifecycle; results come to it only when the run is opened again, which adds
a moment to its ``resumed``. So where an earlier commit holds other results with the same ``resumed``, someone edited the
record, and where a record of a run that was not deleted is gone, someone removed it. This finds what no look at one commit
can: a digit that became another.

A version that was brought back is in order again. In a shallow clone the look ends where history does. A tag or a name that
someone wrote into the file in the right spelling looks as if runfolio had set it; ``git log`` says who did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping
from itertools import pairwise
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import GitError, RunfolioError
from runfolio.folio.checks.blobs import read_blobs
from runfolio.folio.checks.faults import restore
from runfolio.formats import paths
from runfolio.formats.runs import decode_run, run_fields
from runfolio.gitstore import Repo, TreeEntry
from runfolio.records import Lifecycle, Run
from runfolio.records.findings import Finding, Severity

_FREE = frozenset(("lifecycle", "deleted_at", "name", "tags", "parent", "user", "notices"))
"""Fields that are changed without opening the run again; parent and user by the tags that MLflow uses for them."""

_FIXED = ("start", "run_id", "experiment", "code", "entry", "environment")
_MANY = 10


@dataclass(frozen=True, slots=True)
class _Event:
    commit: str
    old: str
    new: str | None


class History:
    """The changes and removals of records before a commit.

    Parameters
    ----------
    repo : Repo
    tip : str
        A commit; or ``BASE..TIP`` for what came between the two.
    prefix : str
        The folio's folder.
    findings : list of Finding
    """

    def __init__(self, repo: Repo, tip: str, prefix: str, findings: list[Finding]) -> None:
        self._repo, self._prefix, self._findings = repo, prefix, findings
        self._events: defaultdict[str, list[_Event]] = defaultdict(list)
        self._present: dict[str, str] = {}
        self._load(tip)

    def _load(self, tip: str) -> None:
        folders = [f"{self._prefix}{name}" for name in (paths.RUNS, paths.EXPERIMENTS, paths.ENVIRONMENTS, paths.REPRODUCTIONS)]
        options = ("-m", "--full-history", "--no-renames", "--no-abbrev", "--diff-filter=MDT", "--no-ext-diff", "--format=%H")
        try:
            listed = self._repo.run("log", "--raw", *options, "--end-of-options", tip, "--", *folders)
        except GitError as error:
            message = f"git cannot read the history: {error.message.rstrip('.')}"
            remedy = "Run: git fsck. Fetch what is missing from another clone: git fetch --refetch"
            self._findings.append(Finding("git.history", Severity.ERROR, "", "", message, remedy))
            return
        commit = ""
        for line in listed.decode("utf-8", "surrogateescape").splitlines():
            if line.startswith(":"):
                head, _, path = line.partition("\t")
                _, _, old, new, kind = head.split(" ")
                self._events[path].append(_Event(commit, old, None if kind == "D" else new))
            elif line:
                commit = line

    def restore(self, path: str) -> str:
        """Return how a file is brought back, with the commit before its last change where there is one."""
        events = self._events.get(path)
        return restore(path, f"{events[0].commit[:10]}~1" if events else None)

    def present(self, entry: TreeEntry) -> None:
        """Note that a file is there, in which version."""
        if entry.path in self._events:
            self._present[entry.path] = entry.oid

    def paths(self) -> list[str]:
        """Return the files that were changed or removed."""
        return list(self._events)

    def finish(self, without: Container[str] = ()) -> None:
        """Say which records were changed or removed, but for those of which something else tells."""
        gone: defaultdict[str, list[str]] = defaultdict(list)
        for path, events in self._events.items():
            if path in without:
                continue
            inner = path[len(self._prefix) :]
            tip = self._present.get(path)
            if paths.run_of_path(inner):
                if tip is None:
                    if self._was_active(path, events):
                        gone[events[0].commit].append(path)
                else:
                    self._judge(path, events, tip)
            elif tip is not None and paths.series_of_path(inner):
                self._judge_series(path, events, tip)
            elif tip is not None and paths.reproduction_of_path(inner) and any(event.new for event in events):
                self._rewritten(path, events[0].commit)
        for commit, removed in gone.items():
            self._removed(commit, removed)

    def _rewritten(self, path: str, commit: str) -> None:
        message = f"a verdict is written once, and the commit {commit[:10]} changed it"
        self._findings.append(Finding("reproduction.changed", Severity.ERROR, path, "", message, self.restore(path)))

    def _was_active(self, path: str, events: list[_Event]) -> bool:
        runs = self._versions(path, [events[0].old])
        return not runs or runs[0].lifecycle is not Lifecycle.DELETED

    def _removed(self, commit: str, removed: list[str]) -> None:
        remedy = "Bring {} back with: git checkout {}~1 -- :/{}. If it was meant, delete runs with: runfolio runs delete"
        if len(removed) > _MANY:
            message = f"the commit {commit[:10]} removed {len(removed)} runs that were not deleted, such as {removed[0]}"
            folder = f"{self._prefix}{paths.RUNS}"
            fix = remedy.format("them", commit[:10], folder)
            self._findings.append(Finding("run.removed", Severity.WARNING, folder, "", message, fix))
            return
        for path in removed:
            message = f"the commit {commit[:10]} removed the record of a run that was not deleted"
            fix = remedy.format("it", commit[:10], path)
            self._findings.append(Finding("run.removed", Severity.WARNING, path, "", message, fix))

    def _judge_series(self, path: str, events: list[_Event], tip: str) -> None:
        record = path.removesuffix(".series.json") + ".json"
        resumed = {event.commit for event in self._events.get(record, ())}
        by_hand = [event for event in events if event.commit not in resumed and event.new is not None]
        if by_hand and by_hand[-1].old != tip:
            message = f"the commit {by_hand[0].commit[:10]} changed the metric histories of a run that was not resumed"
            self._findings.append(Finding("series.edited", Severity.ERROR, path, "", message, self.restore(path)))

    def _judge(self, path: str, events: list[_Event], tip: str) -> None:
        """Compare the versions of a record, those between two resumptions with one another."""
        oids = [event.old for event in reversed(events)] + [tip]
        runs = self._versions(path, oids)
        if not runs:
            return
        groups: list[list[Run]] = []
        for run in runs:
            if groups and groups[-1][-1].resumed == run.resumed:
                groups[-1].append(run)
            else:
                groups.append([run])
        for group in groups:
            self._say(path, events, edited_fields(group[0], group[-1]))
        for before, after in pairwise(groups):
            self._say(path, events, amended_fields(before[-1], after[0]))

    def _say(self, path: str, events: list[_Event], fields: Mapping[str, tuple[Any, Any]]) -> None:
        if not fields:
            return
        shown = "; ".join(f"{field}: {_short(old)} became {_short(new)}" for field, (old, new) in list(fields.items())[:3])
        more = f" and {len(fields) - 3} more" if len(fields) > 3 else ""
        message = f"the record was edited after the run was sealed, last in commit {events[0].commit[:10]}: {shown}{more}"
        self._findings.append(Finding("run.edited", Severity.ERROR, path, next(iter(fields)), message, self.restore(path)))

    def _versions(self, path: str, oids: list[str]) -> list[Run]:
        made: list[Run] = []
        for _, data, _ in read_blobs(self._repo, [TreeEntry(path, oid) for oid in oids]):
            try:
                if data is not None:
                    made.append(decode_run(data, path, trusted=True))
            except RunfolioError:
                continue  # the version at the tip is named by the check of records; older ones are of no account
        return made


def edited_fields(before: Run, after: Run) -> dict[str, tuple[Any, Any]]:
    """Return what differs between two versions of a record and may not, by field: old and new value."""
    made = _differences(run_fields(before), run_fields(after), _FREE)
    if not set(before.notices) <= set(after.notices):
        made["notices"] = (list(before.notices), list(after.notices))
    return made


def amended_fields(before: Run, after: Run) -> dict[str, tuple[Any, Any]]:
    """Return what a resumption changed and may not: the facts of the start, params, points that are fewer than before."""
    old, new = run_fields(before), run_fields(after)
    made = _differences({key: old.get(key) for key in _FIXED}, {key: new.get(key) for key in _FIXED}, frozenset())
    if after.resumed[: len(before.resumed)] != before.resumed:
        made["resumed"] = (list(before.resumed), list(after.resumed))
    for key, value in before.params.items():
        if after.params.get(key) != value:
            made[f"params.{key}"] = (value, after.params.get(key))
    for key, summary in before.metrics.items():
        count = after.metrics[key].count if key in after.metrics else 0
        if count < summary.count:
            made[f"metrics.{key}.count"] = (summary.count, count)
    return made


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], free: frozenset[str]) -> dict[str, tuple[Any, Any]]:
    made: dict[str, tuple[Any, Any]] = {}
    for key in sorted((old.keys() | new.keys()) - free):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if isinstance(before, dict) or isinstance(after, dict):
            inner = _differences(before or {}, after or {}, frozenset()) if _both(before, after) else {"": (before, after)}
            made.update({f"{key}.{name}".rstrip("."): pair for name, pair in inner.items()})
        else:
            made[key] = (before, after)
    return made


def _both(before: Any, after: Any) -> bool:
    return all(value is None or isinstance(value, dict) for value in (before, after))


def _short(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
