"""What each commit brought, and a page for each: edits and deletions first, then whether it got better, then the new runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from runfolio.diff.states import ABSENT, FieldChange, StateDiff
from runfolio.diff.verdict import PREDICTION, WELCH, Trial, Verdict, is_number, judge
from runfolio.folio.changes import RecordCommit, changes_between, read_difference, record_commits
from runfolio.folio.past import commit_at
from runfolio.formats.paths import experiment_of_path, run_of_path
from runfolio.gitstore.repo import Change
from runfolio.records import Lifecycle, Run
from runfolio.records.visible import visible
from runfolio.site.gather import ExperimentData, Site
from runfolio.site.links import experiment_page, run_page
from runfolio.site.output import canonical
from runfolio.site.plan import Page

PATH = "changes/index.html"
COMMITS = 50
MOST_RUNS, MOST_FIELDS, MOST_READ = 100, 60, 400
JUDGED = 20_000
"""Experiments with more runs than this are not judged commit by commit: it would cost a reading of all of them."""


@dataclass(frozen=True, slots=True)
class Before:
    """Which runs there were before a change, told from those there are now.

    Parameters
    ----------
    newer : frozenset of str
        Ids of the runs that this change or a later one added.
    """

    newer: frozenset[str]


def pages(site: Site) -> Iterator[Page]:
    """Yield the list, and the pages of the newest commits."""
    commits = record_commits(site.folio.place, site.commit, COMMITS)
    rows = [_row(site, commit) for commit in commits]
    context = {"commits": rows, "most": COMMITS, "public": site.options.public}
    yield Page(PATH, canonical(context), partial(site.html, "changes.html", PATH, **context))
    newer: frozenset[str] = frozenset()
    made = set()
    for commit in commits:
        touched = _touched(commit.changes)
        newer |= touched.added
        if commit.parents:
            page = _page(site, commit.parents[0], commit.oid, commit.changes, touched, Before(newer), commit)
            made.add(page.path)
            yield page
    if site.options.diff:
        page = difference_page(site, *site.options.diff)
        if page.path not in made:
            yield page


def difference_page(site: Site, old: str, new: str) -> Page:
    """Return the page of the difference of two revisions.

    Parameters
    ----------
    site : Site
    old, new : str
        Revisions or dates; see :func:`runfolio.folio.past.commit_at`.

    Raises
    ------
    NotFoundError
        If there is no such revision.
    """
    place = site.folio.place
    before, after = commit_at(place, old), commit_at(place, new)
    changes = changes_between(place, before, after)
    touched = _touched(changes)
    newer = touched.added | _touched(changes_between(place, after, site.commit)).added
    return _page(site, before, after, changes, touched, Before(newer), None)


def change_page(old: str, new: str) -> str:
    """Return the path of the page of a difference."""
    return f"changes/{old[:12]}..{new[:12]}/index.html"


def _row(site: Site, commit: RecordCommit) -> dict[str, Any]:
    counts: dict[str, int] = defaultdict(int)
    by_experiment: dict[str, int] = defaultdict(int)
    for change in commit.changes:
        named = run_of_path(change.path)
        kind = "added" if change.old is None else "deleted" if change.new is None else "edited"
        if named:
            counts[f"runs_{kind}"] += 1
            if kind == "added":
                by_experiment[named[0]] += 1
        elif experiment_of_path(change.path):
            counts[f"experiments_{kind}"] += 1
        elif "/" not in change.path:
            counts["settings"] += 1
    return {
        "oid": commit.oid,
        "subject": visible(site.redaction.text(commit.subject)),
        "author": "" if site.options.public else visible(commit.author),
        "at": commit.at,
        "merge": len(commit.parents) > 1,
        "href": change_page(commit.parents[0], commit.oid) if commit.parents else None,
        "counts": dict(counts),
        "experiments": [
            {"name": _name(site, slug), "href": experiment_page(slug) if slug in site.names else None, "runs": count}
            for slug, count in sorted(by_experiment.items())
        ],
    }


def _name(site: Site, slug: str) -> str:
    return visible(site.names.get(slug, slug))


class Touched(NamedTuple):
    """What the paths of a change tell.

    Attributes
    ----------
    added : frozenset of str
        Ids of the runs that it added.
    slugs : frozenset of str
        Experiments of all the runs that it touched.
    """

    added: frozenset[str]
    slugs: frozenset[str]


def _touched(changes: Iterable[Change]) -> Touched:
    named = [(change.old is None, found) for change in changes if (found := run_of_path(change.path))]
    return Touched(frozenset(run_id for new, (_, run_id) in named if new), frozenset(slug for _, (slug, _) in named))


def _page(
    site: Site, old: str, new: str, changes: Sequence[Change], touched: Touched, before: Before, commit: RecordCommit | None
) -> Page:
    path = change_page(old, new)
    # A commit never changes, and neither does what was there before it; what its runs are called and link to may.
    shown = [(item.slug, item.name, str(item.objective)) for item in site.experiments if item.slug in touched.slugs]
    pages = sorted(touched.added & site.prepared)
    inputs = canonical([old, new, shown, pages, len(touched.added & site.by_id.keys()) if len(changes) < MOST_READ else 0])
    return Page(path, inputs, partial(_render, site, path, old, new, changes, len(touched.added), before, commit))


def _render(
    site: Site, path: str, old: str, new: str, changes: Sequence[Change], total: int, before: Before, commit: RecordCommit | None
) -> bytes:
    read = _most_telling(changes)
    difference, faults = read_difference(site.folio.place, read, site.seen)
    by_slug = {item.slug: item for item in site.experiments}
    added: dict[str, list[Run]] = defaultdict(list)
    for run in difference.runs_added.values():
        if run.lifecycle is Lifecycle.ACTIVE:
            added[run.experiment].append(run)
    row = _row(site, commit) if commit else None
    return site.html(
        "change.html", path, page="change",
        old=old, new=new, commit=row, faults=faults, left_out=len(changes) - len(read),
        edited=[_edited(site, run_id, fields) for run_id, fields in difference.runs_edited.items()],
        deleted=[_deleted(site, run) for run in difference.runs_deleted.values()],
        settings=[change.path for change in changes if "/" not in change.path],
        experiments=_experiments(site, difference),
        sections=[_section(site, by_slug.get(slug), slug, runs, before) for slug, runs in sorted(added.items())],
        total_added=total,
    )  # fmt: skip


def _most_telling(changes: Sequence[Change]) -> list[Change]:
    """Choose what is read where there is too much: edits and deletions of records first, then the newest runs."""
    if len(changes) <= MOST_READ:
        return list(changes)
    loud = [change for change in changes if change.old is not None]
    quiet = [change for change in changes if change.old is None]
    return [*loud[:MOST_READ], *quiet[-max(0, MOST_READ - len(loud)) :]] if len(loud) < MOST_READ else loud[:MOST_READ]


def _edited(site: Site, run_id: str, fields: Sequence[FieldChange]) -> dict[str, Any]:
    row = site.by_id.get(run_id)
    lifecycle = next((change for change in fields if change.path == ("lifecycle",)), None)
    return {
        "run_id": run_id,
        "name": visible(row.name or run_id[:12]) if row else run_id[:12],
        "href": run_page(site, run_id) if row else None,
        "deleted": lifecycle is not None and lifecycle.new == Lifecycle.DELETED.value,
        "restored": lifecycle is not None and lifecycle.new is ABSENT,
        # A sealed run's results do not change by themselves: somebody wrote them anew.
        "results": any(change.path[0] in ("metrics", "params", "inputs", "artifacts", "series") for change in fields),
        "fields": [_field(change) for change in fields[:MOST_FIELDS]],
        "more": max(0, len(fields) - MOST_FIELDS),
    }


def _deleted(site: Site, run: Run) -> dict[str, str]:
    name = visible(run.name or run.run_id[:12])
    return {"name": name, "run_id": run.run_id, "experiment": _name(site, run.experiment)}


def _field(change: FieldChange) -> dict[str, str]:
    return {"name": visible(".".join(change.path)), "old": _value(change.old), "new": _value(change.new)}


def _value(value: Any) -> str:
    if value is ABSENT:
        return ""
    text = value if isinstance(value, str) else canonical([value])[1:-1]
    return visible(text if len(text) <= 300 else f"{text[:300]}… ({len(text):,} characters)")


def _experiments(site: Site, difference: StateDiff) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for items, what in ((difference.experiments_added, "created"), (difference.experiments_removed, "file removed")):
        made += [{"name": visible(item.name), "what": what, "fields": []} for item in items.values()]
    for slug, fields in difference.experiments_changed.items():
        shown = [_field(change) for change in fields if change.path != ("updated",)]
        made.append({"name": _name(site, slug), "what": "changed", "fields": shown[:MOST_FIELDS]})
    return made


def _section(site: Site, item: ExperimentData | None, slug: str, runs: list[Run], before: Before) -> dict[str, Any]:
    objective = item.objective if item else None
    verdict = _verdict(site, item, runs, before) if item else None
    larger = objective is not None and objective.direction == "max"

    def rank(run: Run) -> tuple[bool, float, int]:
        value = run.metrics[objective.metric].last if objective and objective.metric in run.metrics else None
        return (
            not is_number(value),
            (-value if larger else value) if is_number(value) and value is not None else 0.0,
            -run.start,
        )

    shown = sorted(runs, key=rank)[:MOST_RUNS]
    having = Counter(key for run in runs for key in run.params)
    varied = [
        key for key in sorted(having, key=lambda key: (-having[key], key)) if len({run.params.get(key) for run in runs}) > 1
    ][:6]
    metrics = sorted({key for run in shown for key in run.metrics if not key.startswith("system/")})
    if objective and objective.metric in metrics:
        metrics = [objective.metric, *(key for key in metrics if key != objective.metric)]
    return {
        "name": _name(site, slug),
        "href": experiment_page(slug) if item else None,
        "runs": len(runs),
        "failed": sum(run.status.value in ("FAILED", "KILLED") for run in runs),
        "metric": objective.metric if objective else "",
        "direction": objective.direction if objective else "",
        "replicate": objective.replicate if objective else "",
        "verdict": _verdict_words(site, verdict) if verdict else None,
        "params": varied,
        "metrics": metrics[:4],
        "rows": [
            {
                "name": visible(run.name or run.run_id[:12]),
                "href": run_page(site, run.run_id) if run.run_id in site.by_id else None,
                "status": run.status.value,
                "params": [visible(run.params.get(key, "")) for key in varied],
                "metrics": [run.metrics[key].last if key in run.metrics else None for key in metrics[:4]],
            }
            for run in shown
        ],
        "more": len(runs) - len(shown),
    }


def _verdict(site: Site, item: ExperimentData, runs: list[Run], before: Before) -> Verdict | None:
    if item.objective is None or len(item.rows) > JUDGED:
        return None
    metric = item.objective.metric
    new = [
        Trial(run.run_id, run.name, run.params, run.metrics[metric].last, frozenset(found.digest for found in run.inputs))
        for run in runs
        if metric in run.metrics and is_number(run.metrics[metric].last)
    ]
    rows = [row for row in item.rows if row.run_id not in before.newer]
    old = [_trial(record, metric) for record in site.records(rows)]
    return judge([trial for trial in old if trial], new, item.objective)


def _trial(record: Mapping[str, Any], metric: str) -> Trial | None:
    value = record.get("metrics", {}).get(metric, {}).get("last")
    if not is_number(value):
        return None
    data = frozenset(item["digest"] for item in record.get("inputs", ()))
    return Trial(record["run_id"], record.get("name", ""), record.get("params", {}), value, data)


def _verdict_words(site: Site, verdict: Verdict) -> dict[str, Any]:
    def side(group: Any) -> dict[str, Any] | None:
        if group is None:
            return None
        best = group.trials[0]
        return {
            "name": visible(best.name or best.run_id[:12]),
            "href": run_page(site, best.run_id) if best.run_id in site.by_id else None,
            "mean": group.mean,
            "half": group.half if group.half == group.half else None,
            "count": len(group.trials),
        }

    return {
        "word": verdict.word, "before": side(verdict.before), "after": side(verdict.after), "difference": verdict.difference,
        "low": verdict.low, "high": verdict.high, "tried": verdict.tried,
        "method": {WELCH: "Welch", PREDICTION: "where one more replicate would fall"}.get(verdict.method, ""),
    }  # fmt: skip
