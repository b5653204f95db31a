"""The registered models of the commit that a site shows, with what their pages need, without what a public site leaves out.

Files and gates are facts of the commit: files come from each version's manifest, gates from the policy as the commit has it, at the time
when the commit was made, so that two builds of one commit say the same. What would read every byte of a model (verified artifacts) is
not judged here: the audit trail tells what was judged when it was promoted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runfolio._dataclass import dataclass, field, replace
from runfolio.errors import DamagedError, NotFoundError, StorageError
from runfolio.formats.deployments import encode_deployment
from runfolio.formats.models import model_fields, version_fields
from runfolio.records.deployments import Deployment
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.registry.cards import read_card
from runfolio.registry.history import Event, history
from runfolio.registry.versions import files_of

if TYPE_CHECKING:
    from runfolio.site.gather import Site


@dataclass(frozen=True, slots=True)
class VersionData:
    """One version as its page shows it.

    Parameters
    ----------
    version : ModelVersion
    stage : str
        Empty where it is in none.
    aliases : tuple of str
    files : Mapping of str to (int, str) or None
        Size in bytes and digest, by path; None where the list of files is not at hand.
    events : tuple of Event
        What happened to it, newest first.
    card : str or None
        Markdown, without its front matter.
    """

    version: ModelVersion
    stage: str
    aliases: tuple[str, ...]
    files: Mapping[str, tuple[int, str]] | None
    events: tuple[Event, ...]
    card: str | None

    @property
    def number(self) -> int:
        """Its number."""
        return self.version.version


@dataclass(frozen=True, slots=True)
class ModelData:
    """One registered model as its page shows it; versions newest first."""

    model: RegisteredModel
    versions: tuple[VersionData, ...]
    events: tuple[Event, ...]
    order: tuple[str, ...] = ()
    """The stages in the order in which a model goes through them."""
    deployments: tuple[Deployment, ...] = ()
    """Where its versions were put; those that serve first."""
    inputs: str = field(repr=False, default="")
    """Everything that pages of it look at, as text."""

    @property
    def slug(self) -> str:
        """Name of its folder."""
        return self.model.slug

    @property
    def live(self) -> list[tuple[str, VersionData]]:
        """Stages with their versions, the last stage of the way first, ``Archived`` left out."""
        by_number = {item.number: item for item in self.versions}
        order = [*reversed(self.order), *(stage for stage in self.model.stages if stage not in self.order)]
        return [
            (stage, by_number[number])
            for stage in order
            for number in reversed(self.model.stages.get(stage, ()))
            if stage != "Archived" and number in by_number
        ]

    def before(self, number: int) -> VersionData | None:
        """Return the version before one, or None."""
        return next((item for item in self.versions if item.number < number), None)


def read_catalogue(site: Site) -> list[ModelData]:
    """Read the registered models of a site's commit, by name."""
    made = []
    for model in site.folio.models.all(site.commit):
        try:
            versions = site.folio.models.versions(model, site.commit)
        except DamagedError as error:
            site.warnings.append(f"{error.message} The model {model.name!r} is shown without its versions.")
            versions = []
        events = tuple(_seen_event(site, event) for event in history(site.folio, model.slug, tip=site.commit))
        shown = [_version(site, model, version, events) for version in reversed(versions)]
        seen = seen_model(site, model)
        order = site.folio.settings.registry.stages
        placed = tuple(_seen_deployment(site, item) for item in site.folio.deployments.of_model(model.slug, site.commit))
        made.append(ModelData(seen, tuple(shown), events, order, placed, _inputs(seen, shown, events, placed)))
    return made


def _version(site: Site, model: RegisteredModel, version: ModelVersion, events: tuple[Event, ...]) -> VersionData:
    stage = model.stage_of(version.version)
    card = read_card(site.folio, model.slug, version.version, site.commit)
    return VersionData(
        seen_version(site, version),
        "" if stage == "None" else stage,
        tuple(model.aliases_of(version.version)),
        _files(site, version),
        tuple(event for event in events if event.version == version.version),
        None if card is None else site.redaction.text(_body(card)),
    )


def _files(site: Site, version: ModelVersion) -> dict[str, tuple[int, str]] | None:
    try:
        return {path: (entry.size, str(entry.digest)) for path, entry in sorted(files_of(site.folio, version).items())}
    except (NotFoundError, DamagedError, StorageError):
        return None


def _body(card: str) -> str:
    """Return a card without its front matter and its comments, which are for those who write it."""
    body = re.sub(r"<!--.*?-->", "", card, flags=re.DOTALL)
    if not body.startswith("---\n"):
        return body
    _, mark, rest = body[4:].partition("\n---\n")
    return rest if mark else body


def seen_model(site: Site, model: RegisteredModel) -> RegisteredModel:
    """Return a model without what a public site leaves out."""
    text = site.redaction.text
    return replace(model, description=text(model.description), tags=site.redaction.shown(model.tags))


def seen_version(site: Site, version: ModelVersion) -> ModelVersion:
    """Return a version without what the site leaves out."""
    if not site.options.public:
        return replace(version, waivers=tuple(replace(item, by=item.by.partition(" <")[0]) for item in version.waivers))
    text = site.redaction.text
    waivers = tuple(replace(item, by="", reason=text(item.reason)) for item in version.waivers)
    tags = site.redaction.shown(version.tags)
    return replace(version, user="", run_link="", description=text(version.description), tags=tags, waivers=waivers)


def _seen_deployment(site: Site, deployment: Deployment) -> Deployment:
    """Leave out of a public site what tells of a team's machines and accounts."""
    if not site.options.public:
        return deployment
    return replace(deployment, endpoint="", image="", facts={}, user="", place="", extra={})


def _seen_event(site: Site, event: Event) -> Event:
    if not site.options.public:
        return replace(event, mail="")
    text = f"version {event.version}: deployment changed" if event.kind == "deployed" else site.redaction.text(event.text)
    results = tuple((state, gate, "") for state, gate, _ in event.gate_results)
    return replace(event, mail="", author="", merged_by="", text=text, subject="", gate_results=results)


def _inputs(
    model: RegisteredModel, versions: list[VersionData], events: tuple[Event, ...], placed: tuple[Deployment, ...]
) -> str:
    said: list[Any] = [model_fields(model), [event.commit + event.text for event in events]]
    for item in versions:
        said.append([item.number, version_fields(item.version), item.stage, list(item.aliases), item.card])
        said.append(sorted(item.files.items()) if item.files is not None else None)
    said += [encode_deployment(item).decode() for item in placed]
    return json.dumps(said, sort_keys=True, ensure_ascii=False)
