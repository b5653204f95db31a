"""The catalogue of registered models, a page a model, and a page a version.

The home page asks this module for cards, also in folios without models: what only a model's pages need is loaded where they are made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from runfolio.formats import paths
from runfolio.records.models import NO_STAGE
from runfolio.site.gather import Site
from runfolio.site.links import experiment_page, model_page, run_page, version_page
from runfolio.site.markdown import markdown_tree
from runfolio.site.output import canonical
from runfolio.site.plan import Page
from runfolio.site.reproductions import badge, shown_reproduction

if TYPE_CHECKING:
    from runfolio.site.catalogue import ModelData, VersionData

PATH = "models/index.html"
HEADLINES, TIMELINE = 3, 40
_APART = frozenset(
    ("schema", "created", "metrics", "digest", "run", "source", "path", "size", "user", "description", "waivers", "signature")
)


def pages(site: Site) -> Iterator[Page]:
    """Yield the catalogue, then each model with its versions."""
    cards = [model_card(site, item) for item in site.models]
    yield Page(PATH, canonical({"cards": cards}), lambda: site.html("models.html", PATH, cards=cards))
    for item in site.models:
        path = model_page(item.slug)
        badges = [badge(site, version.version.run_id) for version in item.versions]
        yield Page(path, item.inputs + canonical([_runs(site, item), badges]), partial(_model, site, item, path))
        for version in item.versions:
            own = version_page(item.slug, version.number)
            yield Page(
                own,
                item.inputs
                + canonical([_runs(site, item), _evaluated(site, version), shown_reproduction(site, version.version.run_id)]),
                partial(_version, site, item, version, own),
            )


def _runs(site: Site, item: ModelData) -> dict[str, Any]:
    """Return what links to runs depend on."""
    made: dict[str, Any] = {}
    for version in item.versions:
        row = site.by_id.get(version.version.run_id or "")
        if row is not None:
            made[row.run_id] = [row.name, row.slug, run_page(site, row.run_id), _direction(site, row.slug)]
    return made


def _evaluated(site: Site, version: VersionData) -> list[Any]:
    """Return what the evaluation on a version's page depends on: which run, and what of it is published."""
    from runfolio.site.evaluated import evaluation_of

    run_id = evaluation_of(site, version.version)
    return [run_id, site.previews.get(run_id, {}) if run_id else {}, site.digest([site.by_id[run_id]]) if run_id else ""]


def _direction(site: Site, slug: str) -> dict[str, str]:
    objective = next((item.objective for item in site.experiments if item.slug == slug), None)
    return {objective.metric: objective.direction} if objective else {}


def _directions(site: Site, version: VersionData) -> dict[str, str]:
    row = site.by_id.get(version.version.run_id or "")
    return _direction(site, row.slug) if row is not None else {}


def model_card(site: Site, item: ModelData) -> dict[str, Any]:
    """Return what a list of models says of one."""
    from runfolio.records.deployments import DeploymentState

    newest = item.versions[0] if item.versions else None
    shown = item.live[0][1] if item.live else newest
    return {
        "name": item.model.name,
        "href": model_page(item.slug),
        "description": item.model.description,
        "live": [[stage, version.number, version_page(item.slug, version.number)] for stage, version in item.live],
        "aliases": [(alias, number, version_page(item.slug, number)) for alias, number in sorted(item.model.aliases.items())],
        "versions": len(item.versions),
        "deployed": sum(found.state is DeploymentState.LIVE for found in item.deployments),
        "newest": newest and {"number": newest.number, "created": newest.version.created},
        "metrics": _headlines(site, shown) if shown else [],
        "of": shown and shown.number,
        "badge": badge(site, shown.version.run_id) if shown else None,
    }


def _headlines(site: Site, version: VersionData) -> list[tuple[str, float]]:
    first = _directions(site, version)
    metrics = version.version.metrics
    keys = [*(key for key in first if key in metrics), *(key for key in sorted(metrics) if key not in first)]
    return [(key, metrics[key]) for key in keys[:HEADLINES]]


def _link(site: Site, run_id: str | None) -> dict[str, Any] | None:
    row = site.by_id.get(run_id or "")
    if row is None:
        return None
    return {
        "name": row.name or row.run_id[:12],
        "href": run_page(site, row.run_id),
        "experiment": site.names.get(row.slug, row.slug),
        "experiment_href": experiment_page(row.slug),
    }


def _model(site: Site, item: ModelData, path: str) -> bytes:
    import shlex

    from runfolio.registry.prompts import is_prompt
    from runfolio.site.calling import request_body, uses_of

    address, which, best = _best_address(item)
    body = request_body(site, best) if best else ""
    keys = _common(item)
    rows = [
        {
            "number": version.number,
            "href": version_page(item.slug, version.number),
            "stage": version.stage,
            "aliases": version.aliases,
            "metrics": [version.version.metrics.get(key) for key in keys],
            "created": version.version.created,
            "description": version.version.description,
            "run": _link(site, version.version.run_id),
            "badge": badge(site, version.version.run_id),
        }
        for version in item.versions
    ]
    prompt = is_prompt(item.model.tags)
    served: list[tuple[str | None, VersionData]] = [*item.live]
    if prompt:  # clients load them by alias
        staged = {version.number for _, version in served}
        served += [(None, version) for version in item.versions if version.aliases and version.number not in staged]
    live = [
        {"stage": stage, "number": version.number, "href": version_page(item.slug, version.number), "metrics": _headlines(site, version),
         "aliases": version.aliases, "description": version.version.description, "badge": badge(site, version.version.run_id)}
        for stage, version in served
    ]  # fmt: skip
    name = shlex.quote(item.model.name)
    go_live = (
        f"runfolio models alias {name} VERSION production"
        if prompt
        else f"runfolio models promote {name} VERSION Production --pull-request"
    )
    return site.html(
        "model.html", path, page="model",
        model=item.model, tags=sorted(item.model.tags.items()), live=live, go_live=go_live, keys=keys, rows=rows,
        uses=uses_of(item.model.name, item.slug, address, which, body, tags=_newest_tags(item)),
        events=[_event(item, event) for event in item.events[:TIMELINE]],
        more_events=max(0, len(item.events) - TIMELINE),
        record=site.folio.place.full(paths.model_path(item.slug)), deployments=_deployments(item),
    )  # fmt: skip


def _common(item: ModelData) -> list[str]:
    counts: dict[str, int] = {}
    for version in item.versions:
        for key in version.version.metrics:
            counts[key] = counts.get(key, 0) + 1
    return sorted(counts, key=lambda key: (-counts[key], key))[:4]


def _best_address(item: ModelData) -> tuple[str, str, VersionData | None]:
    """Return how to name what is live: a stage, an alias, or the latest version; as a URI and as a command say it; and that version."""
    if item.live:
        return f"/{item.live[0][0]}", item.live[0][0], item.live[0][1]
    if item.model.aliases:
        alias = min(item.model.aliases)
        named = (version for version in item.versions if version.number == item.model.aliases[alias])
        return f"@{alias}", f"@{alias}", next(named, None)
    return "/latest", "latest", max(item.versions, key=lambda version: version.number, default=None)


def _newest_tags(item: ModelData) -> Mapping[str, str]:
    return max(item.versions, key=lambda version: version.number).version.tags if item.versions else {}


def _event(item: ModelData, event: Any) -> dict[str, Any]:
    numbers = {version.number for version in item.versions}
    return {
        "text": event.text.partition(" from ")[0] if event.kind == "registered" else event.text,
        "kind": event.kind,
        "at": event.at,
        "author": event.author,
        "merged_by": event.merged_by if event.merged_by != event.author else "",
        "commit": event.commit,
        "pull_request": event.pull_request,
        "gates": event.gates,
        "href": version_page(item.slug, event.version) if event.version in numbers else None,
    }


def _version(site: Site, item: ModelData, shown: VersionData, path: str) -> bytes:
    import shlex

    from runfolio.registry.cards import PROMPTS, section_id, sections
    from runfolio.registry.prompts import is_prompt
    from runfolio.site.calling import request_body, uses_of
    from runfolio.site.documents import shown_evaluation
    from runfolio.site.evaluated import evaluation_of

    version = shown.version
    before = item.before(shown.number)
    live = item.live[0][1] if item.live and item.live[0][1].number != shown.number else None
    directions = _directions(site, shown)
    keys = [
        *(key for key in directions if key in version.metrics),
        *sorted(key for key in version.metrics if key not in directions),
    ]
    metrics = [_metric(key, shown, before, live, directions.get(key)) for key in keys]
    run = _link(site, version.run_id)
    datasets = list(site.run(version.run_id).inputs) if run and version.run_id else []
    evaluated = evaluation_of(site, version)
    card = shown.card
    done = sections(card) if card else {}
    return site.html(
        "version.html", path, page="version",
        model=item.model, model_href=model_page(item.slug), shown=shown, version=version, tags=sorted(version.tags.items()),
        prompt=is_prompt(version.tags),
        before=before and {"number": before.number, "href": version_page(item.slug, before.number)},
        live=live and {"number": live.number, "stage": live.stage, "href": version_page(item.slug, live.number)},
        metrics=metrics, headlines=metrics[:HEADLINES], changes=_changes(site, before, shown),
        signature=_signature(version.signature), files=shown.files,
        uses=uses_of(item.model.name, item.slug, f"/{shown.number}", str(shown.number), request_body(site, shown), version.tags),
        run=run, datasets=datasets,
        events=[_event(item, event) for event in shown.events], gates=_gates(shown),
        evaluation=shown_evaluation(site, evaluated), evaluated_by=_link(site, evaluated),
        proof=shown_reproduction(site, version.run_id), badge=badge(site, version.run_id),
        again=[f"runfolio reproduce {shlex.quote(f'models:/{item.model.name}/{shown.number}')}"] if version.run_id else [],
        card=markdown_tree(card) if card else None,
        card_lacks=[title for title in PROMPTS if not done.get(section_id(title))] if card else [],
        record=site.folio.place.full(paths.version_path(item.slug, shown.number)), deployments=_deployments(item, shown.number),
    )  # fmt: skip


def _deployments(item: ModelData, number: int | None = None) -> list[dict[str, Any]]:
    """Return where a model's versions, or one of them, were put."""
    return [
        {
            "name": found.name,
            "where": found.where,
            "state": found.state.value,
            "gone": found.gone,
            "version": found.version,
            "href": version_page(item.slug, found.version) if any(v.number == found.version for v in item.versions) else None,
            "endpoint": found.endpoint,
            "image": found.image,
            "updated": found.updated,
            "user": found.user,
        }
        for found in item.deployments
        if number in (None, found.version)
    ]


def _metric(
    key: str, shown: VersionData, before: VersionData | None, live: VersionData | None, direction: str | None
) -> dict[str, Any]:
    value = shown.version.metrics[key]
    old, now = (item.version.metrics.get(key) if item else None for item in (before, live))
    return {
        "key": key,
        "value": value,
        "direction": direction,
        "before": old,
        "live": now,
        "delta": None if old is None else value - old,
        "live_delta": None if now is None else value - now,
    }


def _changes(site: Site, before: VersionData | None, shown: VersionData) -> list[dict[str, Any]]:
    """Return what differs from the version before: params of the runs, facts of the versions, files."""
    if before is None:
        return []
    from runfolio.formats.models import version_fields

    made: list[dict[str, Any]] = []
    old_run, new_run = (
        site.run(item.version.run_id) if item.version.run_id in site.by_id and item.version.run_id else None
        for item in (before, shown)
    )
    if old_run and new_run:
        made += _differences("Parameter", old_run.params, new_run.params)
        old_data, new_data = ({item.name: item.digest for item in run.inputs} for run in (old_run, new_run))
        made += _differences("Dataset", old_data, new_data)
    facts = [
        {key: _plain(value) for key, value in version_fields(item.version).items() if key not in _APART}
        for item in (before, shown)
    ]
    made += _differences("Fact", facts[0], facts[1])
    if before.files is not None and shown.files is not None:
        files = [{path: digest[7:19] for path, (_, digest) in item.items()} for item in (before.files, shown.files)]
        made += _differences("File", files[0], files[1])
    return made


def _differences(what: str, old: Mapping[str, str], new: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"what": what, "key": key, "old": old.get(key), "new": new.get(key)}
        for key in sorted({**old, **new})
        if old.get(key) != new.get(key)
    ]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _signature(said: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the columns and tensors that a signature names."""
    made = []
    for part in ("inputs", "outputs", "params"):
        try:
            found = json.loads(said.get(part) or "[]")
        except ValueError:
            continue
        made += [
            {
                "part": part,
                "name": str(entry.get("name") or ""),
                "type": _type(entry),
                "required": bool(entry.get("required", True)),
            }
            for entry in (found if isinstance(found, list) else ())
            if isinstance(entry, dict)
        ]
    return made


def _type(entry: Mapping[str, Any]) -> str:
    inner = entry.get("tensor-spec")
    if isinstance(inner, dict):
        return f"{inner.get('dtype')} {inner.get('shape')}"
    return str(entry.get("type") or "")


def _gates(shown: VersionData) -> list[tuple[str, str, int, Sequence[tuple[str, str, str]]]]:
    """Return what the policy said at each promotion: stage, summary, when; and state, name and reason of each gate, if known."""
    stages = [event for event in shown.events if event.kind == "stage" and event.gates and event.stage_to != NO_STAGE]
    return [(event.stage_to, event.gates, event.at, event.gate_results) for event in stages]
