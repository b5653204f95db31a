"""What a change did to registered models: stages and aliases moved, versions registered, cards written. Part of the page of a change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from runfolio.diff.states import FieldChange, diff_fields
from runfolio.errors import DamagedError, NewerSchemaError
from runfolio.formats.deployments import decode_deployment
from runfolio.formats.models import decode_model, decode_version, model_fields, version_fields
from runfolio.formats.paths import card_of_path, deployment_of_path, model_of_path, version_of_path
from runfolio.gitstore.repo import Change
from runfolio.records.visible import visible
from runfolio.registry.history import deployment_events
from runfolio.site.catalogue import seen_model, seen_version
from runfolio.site.gather import Site
from runfolio.site.links import model_page, version_page

MOST = 60
_HIDDEN = frozenset({"updated"})
_TOLD = ("run", "digest", "size", "flavors", "runs_code", "metrics", "description", "lifecycle")
"""What the page of a change says of a new version; the rest is on the version's page."""


class ModelChange(NamedTuple):
    """What happened to one file of a model.

    Attributes
    ----------
    name : str
        Of the model, with the version's number where it is a version's file.
    href : str or None
        Its page.
    what : str
        In words.
    loud : bool
        Whether a fact of an existing version was rewritten, or something was taken away.
    fields : list of FieldChange
    """

    name: str
    href: str | None
    what: str
    loud: bool
    fields: list[FieldChange]


def model_changes(site: Site, changes: Sequence[Change]) -> tuple[list[ModelChange], list[str]]:
    """Return what a change did to models, and the files that could not be read."""
    made, faults = [], []
    for change in [item for item in changes if item.path.startswith("models/")][:MOST]:
        try:
            found = _model(site, change) or _version(site, change) or _card(site, change) or _deployment(site, change)
        except (DamagedError, NewerSchemaError) as error:
            faults.append(error.message)
        else:
            if found:
                made.append(found)
    return made, faults


def _model(site: Site, change: Change) -> ModelChange | None:
    slug = model_of_path(change.path)
    if slug is None:
        return None
    before, after = _sides(site, change, lambda data: model_fields(seen_model(site, decode_model(data, change.path))))
    fields = [] if after is None else [item for item in diff_fields(before or {}, after) if item.path[0] not in _HIDDEN]
    what = "registered" if before is None else "taken out" if after is None else "changed"
    # Of a new model only what is live is news: the rest is on its page.
    shown = [item for item in fields if before is not None or item.path[0] in ("stages", "aliases")]
    name = str((after or before or {}).get("name", slug))
    return ModelChange(visible(name), _page(site, slug), f"model {what}", after is None, shown)


def _version(site: Site, change: Change) -> ModelChange | None:
    named = version_of_path(change.path)
    if named is None:
        return None
    slug, number = named
    before, after = _sides(site, change, lambda data: version_fields(seen_version(site, decode_version(data, change.path))))
    name = f"{_name(site, slug)} {number}"
    if after is None:
        return ModelChange(name, None, "version taken out", True, [])
    if before is None:
        told = [item for item in diff_fields({}, after) if item.path[0] in _TOLD]
        return ModelChange(name, _page(site, slug, number), "version registered", False, told)
    fields = [item for item in diff_fields(before, after) if item.path[0] not in _HIDDEN]
    edited = any(item.path[0] not in ("description", "tags", "waivers") for item in fields)
    what = "facts of an existing version were edited" if edited else "version changed"
    return ModelChange(name, _page(site, slug, number), what, edited, fields)


def _card(site: Site, change: Change) -> ModelChange | None:
    named = card_of_path(change.path)
    if named is None:
        return None
    slug, number = named
    what = "card written" if change.old is None else "card taken out" if change.new is None else "card edited"
    return ModelChange(f"{_name(site, slug)} {number}", _page(site, slug, number), what, False, [])


def _deployment(site: Site, change: Change) -> ModelChange | None:
    named = deployment_of_path(change.path)
    if named is None:
        return None
    found = [site.folio.repo.read(oid) if oid else None for oid in (change.old, change.new)]
    before, after = (decode_deployment(data, change.path) if data is not None else None for data in found)
    told = next(deployment_events(before, after), None)
    number = (after or before).version if after or before else None  # type: ignore[union-attr] # one of them is there
    what = "deployment changed" if site.options.public else visible(str(told["text"])) if told else ""
    return ModelChange(_name(site, named[0]), _page(site, named[0], number), what, after is None, []) if told else None


def _sides(
    site: Site, change: Change, read: Callable[[bytes], Mapping[str, Any]]
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """Return the fields before and after; None where there is no file, or it is not at hand."""
    found = [site.folio.repo.read(oid) if oid else None for oid in (change.old, change.new)]
    before, after = (read(data) if data is not None else None for data in found)
    return before, after


def _name(site: Site, slug: str) -> str:
    return visible(next((item.model.name for item in site.models if item.slug == slug), slug))


def _page(site: Site, slug: str, number: int | None = None) -> str | None:
    item = next((item for item in site.models if item.slug == slug), None)
    if item is None:
        return None
    if number is None:
        return model_page(slug)
    return version_page(slug, number) if any(found.number == number for found in item.versions) else None
