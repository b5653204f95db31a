"""The audit trail of registered models, read from git: who, when, which commit, which pull request, what it changed.

Nothing is kept beside git: each event is a commit that changed the model's files, told by comparing what ``model.yaml`` and the
versions' files said before and after it, whoever made the commit and with whatever tool. A commit that a merge brought names that
merge, and the pull request whose number the merge's message bears; where a merge joined two changes of one file, what a commit that it
brought did already is told of that commit alone, whose author did it. The trail costs three git processes, however long it is, and one
for each merge of that kind that is not on the main line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, NewerSchemaError
from runfolio.folio.folio import Folio
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.deployments import decode_deployment
from runfolio.formats.models import changed_facts, decode_model, decode_version
from runfolio.gitstore.history import Commit, commits_that_changed, merges_that_brought
from runfolio.gitstore.repo import Change, Repo
from runfolio.records.deployments import Deployment
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.records.runs import Lifecycle
from runfolio.records.trailers import GATE_TRAILER, GATES_TRAILER

R = TypeVar("R")
_PULL = re.compile(
    r"(?:Merge pull request #|Merge branch .* \(#|See merge request \S*!|Merged in .*pull request #|\(#|!)(\d+)\)?"
)
_FIRST = {"created": 0, "renamed": 1, "registered": 2, "waived": 3}
"""What one commit did, in the order in which it can have been done: a version is registered, and a gate waived, before a stage names it."""
_GATES = re.compile(rf"^{GATES_TRAILER}: (.+)$", re.MULTILINE)
_GATE = re.compile(rf"^{GATE_TRAILER}: (passed|failed|waived|pending) ([^\s:]+): ?(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a registered model.

    Parameters
    ----------
    kind : str
        ``created``, ``registered``, ``stage``, ``alias``, ``described``, ``tagged``, ``waived``, ``renamed``, ``deployed``, ``deleted`` or
        ``damaged``.
    text : str
        What happened, in words.
    version : int or None
    stage_from, stage_to : str
        Of a change of stage; ``"None"`` for no stage.
    commit : str
        Id of the commit.
    at : int
        When it was committed, milliseconds since the epoch, UTC.
    author, mail : str
    subject : str
        The first line of the commit's message.
    pull_request : str
        Number of the pull (merge) request that brought it, from the message of the merge; empty where it names none.
    merge, merged_by : str
        The merge that brought the commit to the main line, and who made it; empty where it was made there.
    gates : str
        What the policy said when it was promoted by ``runfolio models promote``, from the commit's trailer.
    gate_results : tuple of (str, str, str)
        State, name and reason of each gate, from the commit's other trailers; commits of earlier versions have none.
    """

    kind: str
    text: str
    commit: str
    at: int
    author: str
    mail: str
    subject: str
    version: int | None = None
    stage_from: str = ""
    stage_to: str = ""
    pull_request: str = ""
    merge: str = ""
    merged_by: str = ""
    gates: str = ""
    gate_results: tuple[tuple[str, str, str], ...] = ()


def history(folio: Folio, slug: str | None = None, *, limit: int = 10_000, tip: str | None = None) -> list[Event]:
    """Tell what happened to a registered model, newest first.

    Parameters
    ----------
    folio : Folio
    slug : str, optional
        The model's folder; all models by default.
    limit : int, optional
        Commits to look at, at most.
    tip : str, optional
        Commit to begin with; the folio's tip by default.

    Returns
    -------
    list of Event
    """
    place = folio.place
    start = tip or place.tip()
    if start is None:
        return []
    folder = place.full(f"{paths.MODELS}/{slug}" if slug else paths.MODELS)
    commits = commits_that_changed(place.repo, start, (folder,), limit)
    contents = _contents(folio, (change for commit in commits for change in commit.changes))
    brought = merges_that_brought(place.repo, start)
    told = {commit.oid: _told(place, commit, contents) for commit in commits}
    for commit in commits:
        if len(commit.parents) > 1:
            side = _brought_by(place.repo, commit, brought)
            done = {(item["kind"], item["text"]) for oid, items in told.items() if oid in side for item in items}
            told[commit.oid] = [item for item in told[commit.oid] if (item["kind"], item["text"]) not in done]
    events: list[Event] = []
    for commit in commits:
        merge = brought.get(commit.oid)
        pull = _PULL.search(merge.message if merge else commit.subject)
        gates = _GATES.search(commit.message)
        common: dict[str, Any] = {
            "commit": commit.oid,
            "at": commit.at,
            "author": commit.author,
            "mail": commit.mail,
            "subject": commit.subject,
            "pull_request": pull[1] if pull else "",
            "merge": merge.oid if merge else "",
            "merged_by": merge.author if merge else "",
            "gates": gates[1].strip() if gates else "",
            "gate_results": tuple(_GATE.findall(commit.message)) if gates else (),
        }
        events += [Event(**item, **common) for item in reversed(told[commit.oid])]
    return events


def deleted_slug(folio: Folio, name: str) -> str | None:
    """Return the folder of a registered model that was deleted, by the name that it had last; None where there never was one."""
    place = folio.place
    start = place.tip()
    commits = commits_that_changed(place.repo, start, (place.full(paths.MODELS),), 10_000) if start else []
    gone = [
        Change(place.strip(change.path), change.old, None)
        for commit in commits
        for change in commit.changes
        if change.new is None
    ]
    gone = [change for change in gone if paths.model_of_path(change.path)]
    contents = _contents(folio, gone)
    for change in gone:
        model = _read(decode_model, change.old, contents, change.path, [])
        if model is not None and model.name == name:
            return model.slug
    return None


def _told(place: Place, commit: Commit, contents: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Tell what one commit did, in the order in which it can have been done."""
    inner = [Change(place.strip(item.path), item.old, item.new) for item in commit.changes]
    return sorted(_tell(inner, contents), key=lambda item: _FIRST.get(item["kind"], len(_FIRST)))


def _brought_by(repo: Repo, merge: Commit, brought: Mapping[str, Commit]) -> Collection[str]:
    """Return the commits that a merge brought to its first parent's line."""
    if merge.oid in brought:
        first, *others = merge.parents
        return set(repo.run("rev-list", "--end-of-options", *others, f"^{first}", "--").decode().split())
    return {oid for oid, by in brought.items() if by.oid == merge.oid}


def _contents(folio: Folio, changes: Iterable[Change]) -> dict[str, bytes]:
    wanted = dict.fromkeys(oid for change in changes for oid in (change.old, change.new) if oid)
    return {oid: data for oid, data in folio.repo.read_many(wanted) if data is not None}


def _tell(changes: Iterable[Change], contents: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
    """Tell what one commit did."""
    listed = list(changes)
    faults: list[str] = []
    for change in sorted(listed, key=lambda item: (paths.model_of_path(item.path) is None, item.path)):
        slug, found = paths.model_of_path(change.path), paths.version_of_path(change.path)
        if slug is not None:
            before, after = (_read(decode_model, oid, contents, change.path, faults) for oid in (change.old, change.new))
            yield from model_events(before, after)
        elif found is not None:
            old, new = (_read(decode_version, oid, contents, change.path, faults) for oid in (change.old, change.new))
            yield from version_events(old, new, found[1])
        elif paths.deployment_of_path(change.path):
            was, now = (_read(decode_deployment, oid, contents, change.path, faults) for oid in (change.old, change.new))
            yield from deployment_events(was, now)
        elif card := paths.card_of_path(change.path):
            yield {"kind": "described", "text": f"card of version {card[1]} {_done(change)}", "version": card[1]}
    for fault in faults:
        yield {"kind": "damaged", "text": fault}


def _done(change: Change) -> str:
    return "written" if not change.old else "removed" if not change.new else "changed"


def _read(decode: Callable[..., R], oid: str | None, contents: Mapping[str, bytes], path: str, faults: list[str]) -> R | None:
    if not oid:
        return None
    try:
        return decode(contents.get(oid, b""), path)
    except (DamagedError, NewerSchemaError) as error:
        faults.append(error.message.splitlines()[0])
        return None


def model_events(before: RegisteredModel | None, after: RegisteredModel | None) -> Iterator[dict[str, Any]]:
    """Tell what changed between two readings of a model's file, as fields of :class:`Event`."""
    if after is None:
        if before is not None:
            yield {"kind": "deleted", "text": f"{before.name} deleted"}
        return
    if before is None:
        yield {"kind": "created", "text": f"{after.name} created"}
        before = RegisteredModel(after.name, after.slug)
    if before.name != after.name:
        yield {"kind": "renamed", "text": f"renamed from {before.name} to {after.name}"}
    numbers = {number for model in (before, after) for versions in model.stages.values() for number in versions}
    for number in sorted(numbers):
        old, new = before.stage_of(number), after.stage_of(number)
        if old != new:
            text = f"version {number}: {old} → {new}"
            yield {"kind": "stage", "text": text, "version": number, "stage_from": old, "stage_to": new}
    for alias in sorted({*before.aliases, *after.aliases}):
        was, now = before.aliases.get(alias), after.aliases.get(alias)
        if was != now:
            text = f"alias {alias}: {was or 'none'} → {now or 'none'}"
            yield {"kind": "alias", "text": text, "version": now or was}
    if before.description != after.description:
        yield {"kind": "described", "text": "described"}
    if before.tags != after.tags:
        yield {"kind": "tagged", "text": f"tags: {_tag_changes(before.tags, after.tags)}"}


def version_events(old: ModelVersion | None, new: ModelVersion | None, number: int) -> Iterator[dict[str, Any]]:
    """Tell what changed between two readings of a version's file, as fields of :class:`Event`."""
    if new is None:
        if old is not None:
            yield {"kind": "deleted", "text": f"version {number}: file removed", "version": number}
        return
    if old is None:
        yield {"kind": "registered", "text": f"version {number} registered from {new.source or 'no source'}", "version": number}
        return
    if old.lifecycle is not new.lifecycle:
        word = "deleted" if new.lifecycle is Lifecycle.DELETED else "restored"
        yield {"kind": "deleted", "text": f"version {number} {word}", "version": number}
    if old.description != new.description:
        yield {"kind": "described", "text": f"version {number} described", "version": number}
    if old.tags != new.tags:
        yield {"kind": "tagged", "text": f"version {number}: tags: {_tag_changes(old.tags, new.tags)}", "version": number}
    yield from _waivers(old, new, number)
    facts = changed_facts(old, new)
    if facts:  # they never change by our hand
        yield {"kind": "damaged", "text": f"version {number}: FACTS EDITED: {', '.join(facts)}", "version": number}


def _waivers(old: ModelVersion, new: ModelVersion, number: int) -> Iterator[dict[str, Any]]:
    """Tell of waivers that came, went or changed, by a promotion or by hand."""
    for item in new.waivers:
        if item not in old.waivers:
            changed = any((other.gate, other.stage) == (item.gate, item.stage) for other in old.waivers)
            word = "waiver changed" if changed else "waived"
            text = f"version {number}: {item.gate} {word} for {item.stage} until {item.last_day}: {item.reason}"
            yield {"kind": "waived", "text": text, "version": number}
    kept = {(item.gate, item.stage) for item in new.waivers}
    for item in old.waivers:
        if (item.gate, item.stage) not in kept:
            yield {
                "kind": "waived",
                "text": f"version {number}: waiver of {item.gate} for {item.stage} removed",
                "version": number,
            }


def deployment_events(old: Deployment | None, new: Deployment | None) -> Iterator[dict[str, Any]]:
    """Tell what changed between two readings of a deployment's record, as fields of :class:`Event`."""
    item = new or old
    if item is None:
        return
    name = f"{item.name} at {item.where}"
    if new is None:
        yield {"kind": "deployed", "text": f"record of the deployment {name} removed", "version": item.version}
        return
    words = {"live": "deployed as", "requested": "on its way to", "replaced": "replaced at", "deleted": "taken down from"}
    fields = ("state", "version", "digest", "image", "endpoint", "facts")
    changed = [field for field in fields if old is None or getattr(old, field) != getattr(new, field)]
    if old is not None and old.version != new.version and not new.gone:
        text = f"version {new.version} in place of {old.version} deployed as {name}"
        yield {"kind": "deployed", "text": text, "version": new.version}
    elif "state" in changed:
        yield {"kind": "deployed", "text": f"version {new.version} {words[new.state.value]} {name}", "version": new.version}
    elif changed:
        yield {"kind": "deployed", "text": f"deployment {name} changed: {', '.join(changed)}", "version": new.version}


def _tag_changes(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    made = [f"{key}={new[key]}" for key in sorted(new) if old.get(key) != new[key]]
    return ", ".join([*made, *(f"-{key}" for key in sorted(old) if key not in new)])
