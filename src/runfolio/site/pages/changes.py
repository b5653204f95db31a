"""What each commit brought, and a page for each: edits and deletions first, then whether it got better, then the new runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from runfolio._typing import TYPE_CHECKING, Any, NamedTuple
from runfolio.diff.states import ABSENT, FieldChange, StateDiff
from runfolio.diff.verdict import PREDICTION, WELCH, Trial, Verdict, is_number, judge
from runfolio.folio.changes import RecordCommit, changes_between, read_difference
from runfolio.folio.past import commit_at
from runfolio.formats import paths
from runfolio.gitstore.repo import Change
from runfolio.records import Lifecycle, Run
from runfolio.records.visible import visible
from runfolio.site.earlier import earlier_trials
from runfolio.site.gather import ExperimentData, Site
from runfolio.site.history import COMMITS, MOST_READ, Brought, added_ids, brought_by
from runfolio.site.links import change_page, experiment_page, run_page
from runfolio.site.output import canonical
from runfolio.site.plan import Page

if TYPE_CHECKING:
    from runfolio.site.pages.model_changes import ModelChange

PATH = "changes/index.html"
MOST_RUNS, MOST_FIELDS = 100, 60
JUDGED = 20_000
"""Experiments with more runs than this are not judged commit by commit: it would cost a reading of all of them."""

Newer = Callable[[], frozenset[str]]
"""Returns the ids of the runs that a change or a later one added: the others were there before it."""


def pages(site: Site) -> Iterator[Page]:
    """Yield the list, and the pages of the newest commits."""
    history = site.history
    rows = [_row(site, commit) for commit in history.commits]
    context = {"commits": rows, "most": COMMITS, "public": site.options.public}
    yield Page(PATH, canonical(context), partial(site.html, "changes.html", PATH, **context))
    made = set()
    later: dict[str, list[str]] = defaultdict(list)
    for commit in history.commits:
        brought = history.brought(commit.oid)
        if commit.parents:
            files, newer = partial(history.files, commit.oid), partial(history.newer, commit.oid)
            since = [oid for slug in brought["slugs"] for oid in later[slug]]
            page = _page(site, Ends(commit.parents[0], commit.oid), brought, files, newer, commit, since)
            made.add(page.path)
            yield page
        if brought["edited"] or brought["counts"].get("runs_deleted"):
            for slug in brought["slugs"]:
                later[slug].append(commit.oid)
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

    def newer() -> frozenset[str]:
        return added_ids(changes) | added_ids(changes_between(place, after, site.commit))

    return _page(site, Ends(before, after), brought_by(changes), lambda: changes, newer, None, [site.commit])


def _models(site: Site, changes: Sequence[Change]) -> tuple[Sequence[ModelChange], Sequence[str]]:
    """Return what a change did to models, and the files that could not be read."""
    if not any(change.path.startswith(f"{paths.MODELS}/") for change in changes):
        return (), ()
    from runfolio.site.pages.model_changes import model_changes

    return model_changes(site, changes)


def _row(site: Site, commit: RecordCommit) -> dict[str, Any]:
    brought = site.history.brought(commit.oid)
    return {
        "oid": commit.oid,
        "subject": visible(site.redaction.text(commit.subject)),
        "author": "" if site.options.public else visible(commit.author),
        "at": commit.at,
        "merge": len(commit.parents) > 1,
        "href": change_page(commit.parents[0], commit.oid) if commit.parents else None,
        "counts": brought["counts"],
        "experiments": [
            {"name": _name(site, slug), "href": experiment_page(slug) if slug in site.names else None, "runs": count}
            for slug, count in sorted(brought["runs"].items())
        ],
    }


def _name(site: Site, slug: str) -> str:
    return visible(site.names.get(slug, slug))


class Ends(NamedTuple):
    """The two commits of a difference."""

    old: str
    new: str


def _page(
    site: Site,
    ends: Ends,
    brought: Brought,
    files: Callable[[], Sequence[Change]],
    newer: Newer,
    commit: RecordCommit | None,
    since: Sequence[str],
) -> Page:
    """Return a page; `since` are the commits that edited or deleted what its verdict looks at."""
    path = change_page(*ends)
    # A commit never changes; what its runs are called and link to may, and the earlier runs are read as they are now.
    shown = [(item.slug, item.name, str(item.objective)) for item in site.experiments if item.slug in brought["slugs"]]
    added = frozenset(brought["added"])
    models = [(item.model.name, len(item.versions)) for item in site.models] if brought["models"] else []
    edited = [[run_id, site.by_id[run_id].name, run_id in site.prepared] for run_id in brought["edited"] if run_id in site.by_id]
    inputs = canonical([*ends, shown, sorted(added & site.prepared), len(added & site.by_id.keys()), models, edited, since])
    return Page(path, inputs, partial(_render, site, path, ends, files, brought["total"], newer, commit))


def _render(
    site: Site,
    path: str,
    ends: Ends,
    files: Callable[[], Sequence[Change]],
    total: int,
    newer: Newer,
    commit: RecordCommit | None,
) -> bytes:
    changes = files()
    read = _most_telling(changes)
    difference, faults = read_difference(site.folio.place, read, site.seen)
    by_slug = {item.slug: item for item in site.experiments}
    added: dict[str, list[Run]] = defaultdict(list)
    for run in difference.runs_added.values():
        if run.lifecycle is Lifecycle.ACTIVE:
            added[run.experiment].append(run)
    models, unread = _models(site, read)
    row = _row(site, commit) if commit else None
    return site.html(
        "change.html", path, page="change",
        old=ends.old, new=ends.new, commit=row, faults=[*faults, *unread], left_out=len(changes) - len(read),
        edited=[_edited(site, run_id, fields) for run_id, fields in difference.runs_edited.items()],
        deleted=[_deleted(site, run) for run in difference.runs_deleted.values()],
        settings=[change.path for change in changes if "/" not in change.path],
        experiments=_experiments(site, difference),
        models=[{**found._asdict(), "fields": [_field(field) for field in found.fields[:MOST_FIELDS]]} for found in models],
        sections=[_section(site, by_slug.get(slug), slug, runs, newer) for slug, runs in sorted(added.items())],
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


def _section(site: Site, item: ExperimentData | None, slug: str, runs: list[Run], newer: Newer) -> dict[str, Any]:
    objective = item.objective if item else None
    verdict = _verdict(site, item, runs, newer) if item else None
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
        "failed": sum(run.status.value == "FAILED" for run in runs),
        "killed": sum(run.status.value == "KILLED" for run in runs),
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


def _verdict(site: Site, item: ExperimentData, runs: list[Run], newer: Newer) -> Verdict | None:
    if item.objective is None or len(item.rows) > JUDGED:
        return None
    metric = item.objective.metric
    new = [
        Trial(run.run_id, run.name, run.params, run.metrics[metric].last, frozenset(found.digest for found in run.inputs))
        for run in runs
        if metric in run.metrics and is_number(run.metrics[metric].last)
    ]
    return judge(earlier_trials(site, item, item.objective, newer()), new, item.objective)


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
            "count": len(group.values),
        }

    return {
        "word": verdict.word, "before": side(verdict.before), "after": side(verdict.after), "difference": verdict.difference,
        "low": verdict.low, "high": verdict.high, "tried": verdict.tried,
        "method": {WELCH: "Welch", PREDICTION: "where one more replicate would fall"}.get(verdict.method, ""),
    }  # fmt: skip
