"""Registered models and versions in MLflow's shapes; see :mod:`runfolio.tracking.entities`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runfolio._dataclass import dataclass, field
from runfolio.records.models import ModelVersion as VersionRecord
from runfolio.records.models import RegisteredModel as ModelRecord
from runfolio.tracking.entities import Entity


@dataclass(frozen=True, slots=True, repr=False)
class RegisteredModelTag(Entity):
    """One tag of a registered model."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, repr=False)
class ModelVersionTag(Entity):
    """One tag of a version."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, repr=False)
class RegisteredModelAlias(Entity):
    """One alias of a registered model and the version that it names."""

    alias: str
    version: str


@dataclass(frozen=True, slots=True, repr=False)
class ModelVersion(Entity):
    """A version of a registered model; times in milliseconds since the epoch, UTC.

    `version` is text, and `current_stage` ``"None"`` where it is in no stage, as in MLflow. `digest` is ours: two versions with one
    digest are the same bytes.
    """

    name: str
    version: str
    creation_timestamp: int
    last_updated_timestamp: int | None = None
    description: str | None = None
    user_id: str | None = None
    current_stage: str = "None"
    source: str | None = None
    run_id: str | None = None
    status: str = "READY"
    status_message: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    run_link: str | None = None
    aliases: list[str] = field(default_factory=list)
    digest: str | None = None

    def to_dictionary(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {name: getattr(self, name) for name in self._names()}


@dataclass(frozen=True, slots=True, repr=False)
class RegisteredModel(Entity):
    """A registered model; `latest_versions` holds the newest version of each stage."""

    name: str
    creation_timestamp: int | None = None
    last_updated_timestamp: int | None = None
    description: str | None = None
    latest_versions: list[ModelVersion] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def to_dictionary(self) -> dict[str, Any]:
        """Return the fields by name, versions as dictionaries."""
        made = {name: getattr(self, name) for name in self._names()}
        return {**made, "latest_versions": [version.to_dictionary() for version in self.latest_versions]}


def version_entity(model: ModelRecord, version: VersionRecord) -> ModelVersion:
    """Show a version as MLflow does: its stage and aliases are those that the model's file says."""
    return ModelVersion(
        name=model.name,
        version=str(version.version),
        creation_timestamp=version.created,
        last_updated_timestamp=version.created,
        description=version.description or None,
        user_id=version.user or None,
        current_stage=model.stage_of(version.version),
        source=version.source,
        run_id=version.run_id,
        tags=dict(version.tags),
        run_link=version.run_link or None,
        aliases=model.aliases_of(version.version),
        digest=version.digest,
    )


def model_entity(model: ModelRecord, latest: Iterable[VersionRecord]) -> RegisteredModel:
    """Show a registered model as MLflow does.

    Parameters
    ----------
    model : records.models.RegisteredModel
    latest : iterable of records.models.ModelVersion
        The newest version of each stage.
    """
    versions = [version_entity(model, version) for version in latest]
    return RegisteredModel(
        name=model.name,
        creation_timestamp=model.created or None,
        last_updated_timestamp=max([model.created, *(version.creation_timestamp for version in versions)]) or None,
        description=model.description or None,
        latest_versions=versions,
        tags=dict(model.tags),
        aliases={alias: str(number) for alias, number in sorted(model.aliases.items())},
    )
