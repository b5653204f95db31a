"""The client's verbs for registered models and their versions.

Names, arguments, defaults and error codes are MLflow's (``mlflow/tracking/client.py``, 2.22). Each verb that changes something is
one commit. Stages and aliases change here as MLflow changes them, unasked: the reviewed way, past the policy's gates, is
``runfolio models promote``; a pull request shows and judges both alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runfolio._dataclass import replace
from runfolio.errors import NotFoundError, StateError, UsageError
from runfolio.query import Kind, Listed, decode_token, encode_token, matches, parse_filter, parse_order_by, sort_listed
from runfolio.records.models import (
    ARCHIVED,
    MAX_MODEL_TAG_LENGTH,
    NO_STAGE,
    ModelVersion,
    RegisteredModel,
    canonical_stage,
    check_alias,
    check_version,
)
from runfolio.records.names import check_key
from runfolio.records.visible import visible
from runfolio.tracking import entities, model_entities
from runfolio.tracking.session import Bound

if TYPE_CHECKING:
    from runfolio.folio.folio import Folio

MAX_MODELS = 1000
MAX_VERSIONS = 200_000


class RegistryVerbs(Bound):
    """Registered models by name, versions by name and number."""

    def create_registered_model(
        self, name: str, tags: Mapping[str, Any] | None = None, description: str | None = None
    ) -> model_entities.RegisteredModel:
        """Make a registered model.

        Raises
        ------
        AlreadyExistsError
            If one of that name is there.
        """
        made = self._registry().models.create(name, checked_model_tags(tags or {}), _checked_description(description))
        return model_entities.model_entity(made, ())

    def get_registered_model(self, name: str) -> model_entities.RegisteredModel:
        """Return a registered model with the newest version of each stage.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        folio = self._registry()
        return _model_shown(folio, folio.models.find(name))

    def rename_registered_model(self, name: str, new_name: str) -> model_entities.RegisteredModel:
        """Give a registered model another name; its folder, and so its history, stays."""
        folio = self._registry()
        return _model_shown(folio, folio.models.rename(name, new_name))

    def update_registered_model(self, name: str, description: str | None = None) -> model_entities.RegisteredModel:
        """Describe a registered model."""
        if description is None:
            raise UsageError("Attempting to update registered model with no new field values: give a description.")
        made = _checked_description(description)
        return self._edited(name, "describe", lambda model: replace(model, description=made))

    def delete_registered_model(self, name: str) -> None:
        """Remove a registered model with all its versions; git's history keeps them."""
        self._registry().models.delete(name, live=True)

    def set_registered_model_tag(self, name: str, key: str, value: Any) -> None:
        """Set a tag of a registered model."""
        made = checked_model_tags({key: value})
        self._edited(name, "tag", lambda model: replace(model, tags={**model.tags, **made}))

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Take a tag of a registered model away; one that is not there is no fault, as in MLflow."""
        check_key(key, "tag")
        self._edited(name, "untag", lambda model: replace(model, tags=_without(model.tags, key)))

    def set_registered_model_alias(self, name: str, alias: str, version: str | int) -> None:
        """Let an alias name a version, and no other any more."""
        check_alias(alias)
        number, folio = check_version(version), self._registry()

        def edit(model: RegisteredModel) -> RegisteredModel:
            return replace(model, aliases={**model.aliases, alias: number})

        folio.models.edit(name, f"alias {visible(name)} {number} {alias}", edit, needs=number)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Take an alias away; one that is not there is no fault, as in MLflow."""
        check_alias(alias)
        self._edited(name, f"unalias {alias} of", lambda model: replace(model, aliases=_without(model.aliases, alias)))

    def get_model_version_by_alias(self, name: str, alias: str) -> model_entities.ModelVersion:
        """Return the version that an alias names.

        Raises
        ------
        UsageError
            If there is no such alias (MLflow's error code).
        """
        from runfolio.registry import ModelUri, resolve

        check_alias(alias)
        folio = self._registry()
        tip = folio.place.tip()
        folio.models.find(name, tip)
        try:
            return model_entities.version_entity(*resolve(folio, ModelUri(name, alias=alias), tip))
        except NotFoundError as error:
            raise UsageError(error.message) from None

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Mapping[str, Any] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        await_creation_for: int | None = None,
        local_model_path: str | None = None,
        model_id: str | None = None,
    ) -> model_entities.ModelVersion:
        """Register a model as the next version of a registered model that is there.

        Parameters
        ----------
        name : str
        source : str
            ``runs:/<run id>/<path>``, ``models:/<name>/<version>`` or a local folder.
        run_id : str, optional
            The run that made it, where `source` does not say so.
        tags, description
            Of the version.
        run_link : str, optional
            Where the run can be looked at.
        await_creation_for, local_model_path, model_id
            Taken for MLflow's sake: a version is ready when this returns.
        """
        from runfolio.registry import register
        from runfolio.tracking.model_code import code_files

        folio = self._registry()
        made = register(
            folio,
            source,
            name,
            tags=checked_model_tags(tags or {}),
            description=_checked_description(description),
            run_id=run_id,
            run_link=run_link or "",
            create=False,
            code_of=code_files,
        )
        return model_entities.version_entity(folio.models.find(name), made)

    def copy_model_version(self, src_model_uri: str, dst_name: str) -> model_entities.ModelVersion:
        """Register a version again under another name, which is made if it is missing; the bytes are shared."""
        from runfolio.registry import parse_model_uri, register, resolve

        folio = self._registry()
        model, found = resolve(folio, parse_model_uri(src_model_uri))
        uri = f"models:/{model.name}/{found.version}"
        made = register(folio, uri, dst_name, tags=found.tags, description=found.description, run_link=found.run_link)
        return model_entities.version_entity(folio.models.find(dst_name), made)

    def get_model_version(self, name: str, version: str | int) -> model_entities.ModelVersion:
        """Return one version.

        Raises
        ------
        NotFoundError
            If there is none, or it is deleted.
        """
        folio = self._registry()
        model = folio.models.find(name)
        return model_entities.version_entity(model, folio.models.version(model, check_version(version)))

    def get_model_version_download_uri(self, name: str, version: str | int) -> str:
        """Return the URI by which a version's files are fetched, verified."""
        found = self.get_model_version(name, version)
        return f"models:/{found.name}/{found.version}"

    def get_model_version_stages(self, name: str, version: str | int) -> list[str]:
        """List the stages that a version may be in."""
        return [NO_STAGE, *self._registry().settings.registry.stages]

    def update_model_version(self, name: str, version: str | int, description: str | None = None) -> model_entities.ModelVersion:
        """Describe a version."""
        if description is None:
            raise UsageError("Attempting to update model version with no new field values: give a description.")
        made = _checked_description(description)
        return self._edited_version(name, version, "describe", lambda found: replace(found, description=made))

    def transition_model_version_stage(
        self, name: str, version: str | int, stage: str, archive_existing_versions: bool = False
    ) -> model_entities.ModelVersion:
        """Put a version into a stage.

        Parameters
        ----------
        name : str
        version : str or int
        stage : str
            In any case.
        archive_existing_versions : bool, optional
            Put what is in the stage now into ``Archived``; otherwise it stays there too.

        Raises
        ------
        UsageError
            If there is no such stage, or versions are to be archived from ``None`` or ``Archived``.
        StateError
            If the stage holds one version at most (``registry.exclusive`` in runfolio.yaml), and that is another one.
        """
        folio, number = self._registry(), check_version(version)
        known = folio.settings.registry
        wanted = canonical_stage(stage, known.stages)
        if archive_existing_versions and (wanted in (NO_STAGE, ARCHIVED) or ARCHIVED not in known.stages):
            raise UsageError(
                f"archive_existing_versions makes sense for a stage that is live, not for {wanted!r}."
                if ARCHIVED in known.stages
                else "There is no stage 'Archived' here (registry.stages in runfolio.yaml) to put the versions in."
            )

        def edit(model: RegisteredModel) -> RegisteredModel:
            folio.models.version(model, number)
            after = model.with_stage(number, wanted, archive=ARCHIVED if archive_existing_versions else None)
            if wanted in known.exclusive and len(after.stages.get(wanted, ())) > 1:
                raise StateError(
                    f"{wanted} holds one version at most, and version {model.stages[wanted][0]} is there. Say "
                    "archive_existing_versions=True."
                )
            return after

        model = folio.models.edit(name, f"promote {visible(name)} {number} to {wanted}", edit)
        return model_entities.version_entity(model, folio.models.version(model, number))

    def set_model_version_tag(
        self, name: str, version: str | int | None = None, key: str | None = None, value: Any = None, stage: str | None = None
    ) -> None:
        """Set a tag of a version, given by number or by its stage."""
        made = checked_model_tags({key: value})
        number = self._number(name, version, stage)
        self._edited_version(name, number, "tag", lambda found: replace(found, tags={**found.tags, **made}))

    def delete_model_version_tag(
        self, name: str, version: str | int | None = None, key: str | None = None, stage: str | None = None
    ) -> None:
        """Take a tag of a version away; one that is not there is no fault, as in MLflow."""
        wanted = check_key(key, "tag")
        number = self._number(name, version, stage)
        self._edited_version(name, number, "untag", lambda found: replace(found, tags=_without(found.tags, wanted)))

    def delete_model_version(self, name: str, version: str | int) -> None:
        """Hide a version; its number is not given again, and its file stays, marked as deleted."""
        self._registry().models.delete_version(name, check_version(version))

    def get_latest_versions(self, name: str, stages: Sequence[str] | None = None) -> list[model_entities.ModelVersion]:
        """Return the newest version of each stage, of versions in no stage, too; or of the stages that are given, if any are."""
        if isinstance(stages, str):
            raise UsageError(f"stages: a list of stages is expected, found {stages!r}: write [{stages!r}].")
        folio = self._registry()
        model = folio.models.find(name)
        wanted = None if not stages else {canonical_stage(stage, folio.settings.registry.stages) for stage in stages}
        return [
            model_entities.version_entity(model, version)
            for version in _newest(folio, model)
            if wanted is None or model.stage_of(version.version) in wanted
        ]

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = 100,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> entities.PagedList[model_entities.RegisteredModel]:
        """Search registered models: ``name ILIKE '%wine%' AND tags.team = 'core'``; by name unless `order_by` says otherwise."""
        folio = self._registry()
        shown = (_model_shown(folio, model) for model in folio.models.all())
        listed = [Listed(_model_facts(model), model.tags, model) for model in shown]
        return _page(listed, "models", filter_string, max_results, MAX_MODELS, order_by, page_token)

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int = 10_000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> entities.PagedList[model_entities.ModelVersion]:
        """Search versions: ``name = 'wine' AND run_id = '…'``; newest first unless `order_by` says otherwise."""
        folio = self._registry()
        only = _only_name(filter_string)
        models = [found for found in [folio.models.get(only)] if found] if only is not None else folio.models.all()
        shown = [model_entities.version_entity(model, item) for model in models for item in folio.models.versions(model)]
        shown.sort(key=lambda version: (-version.creation_timestamp, version.name, -int(version.version)))
        listed = [Listed(_version_facts(version), version.tags, version) for version in shown]
        return _page(listed, "versions", filter_string, max_results, MAX_VERSIONS, order_by, page_token)

    def _registry(self) -> Folio:
        from runfolio.folio.offline import OfflineFolio

        folio = self._session().folio
        if isinstance(folio, OfflineFolio):
            raise StateError("A spool folder has no registry. Register models in the folio, after runfolio collect.")
        return folio

    def _edited(self, name: str, verb: str, edit: Any) -> model_entities.RegisteredModel:
        folio = self._registry()
        return _model_shown(folio, folio.models.edit(name, f"{verb} {visible(name)}", edit))

    def _edited_version(self, name: str, version: str | int, verb: str, edit: Any) -> model_entities.ModelVersion:
        folio = self._registry()
        made = folio.models.edit_version(name, check_version(version), verb, edit)
        return model_entities.version_entity(folio.models.find(name), made)

    def _number(self, name: str, version: str | int | None, stage: str | None) -> int:
        if (version is None) == (stage is None):
            raise UsageError("Give version or stage, one of the two.")
        if version is not None:
            return check_version(version)
        found = self.get_latest_versions(name, [str(stage)])
        if not found:
            raise NotFoundError(f"No version of {name!r} is in the stage {stage!r}.")
        return int(found[0].version)


def _checked_description(description: object) -> str:
    if description is not None and not isinstance(description, str):
        raise UsageError(f"Invalid description: text is expected, found {description!r:.100}.")
    return description or ""


def checked_model_tags(tags: Mapping[Any, Any]) -> dict[str, str]:
    """Return tags of a registered model or a version as text.

    Raises
    ------
    UsageError
        If a key cannot name a tag, or a value is too long.
    """
    if not isinstance(tags, Mapping):
        raise UsageError(f"tags: a dictionary is expected, found {tags!r}.")
    made = {}
    for key, value in tags.items():
        text = str(value)
        if len(text) > MAX_MODEL_TAG_LENGTH:
            raise UsageError(f"The tag {key!r} has {len(text)} characters; {MAX_MODEL_TAG_LENGTH} are the most.")
        made[check_key(key, "tag")] = text
    return made


def _newest(folio: Folio, model: RegisteredModel) -> list[ModelVersion]:
    """Return the newest version of each stage, and of those in none; few files are read, however many versions there are."""
    tip = folio.place.tip()
    staged = {number for numbers in model.stages.values() for number in numbers}
    wanted = {numbers[-1] for numbers in model.stages.values()}
    found = []
    for number in reversed(folio.models.numbers(model, tip)):
        if number in staged and number not in wanted:
            continue
        try:
            version = folio.models.version(model, number, tip)
        except NotFoundError:  # deleted
            continue
        found.append(version)
        wanted.discard(number)
        if number not in staged:
            break
    rest = [folio.models.version(model, number, tip) for number in wanted]
    return sorted([*found, *rest], key=lambda version: version.version)


def _model_shown(folio: Folio, model: RegisteredModel) -> model_entities.RegisteredModel:
    return model_entities.model_entity(model, _newest(folio, model))


def _model_facts(model: model_entities.RegisteredModel) -> dict[str, str | int | None]:
    return {
        "name": model.name,
        "creation_timestamp": model.creation_timestamp,
        "last_updated_timestamp": model.last_updated_timestamp,
    }


def _version_facts(version: model_entities.ModelVersion) -> dict[str, str | int | None]:
    return {
        "name": version.name,
        "run_id": version.run_id,
        "source_path": version.source,
        "version_number": int(version.version),
        "current_stage": version.current_stage,
        "creation_timestamp": version.creation_timestamp,
        "last_updated_timestamp": version.last_updated_timestamp,
    }


def _only_name(filter_string: str | None) -> str | None:
    """Return the name that a filter asks for, where it asks for one: no other model is read then."""
    clauses = parse_filter(filter_string, "versions").clauses
    names = [str(item.value) for item in clauses if (item.entity, item.key, item.operator) == ("attributes", "name", "=")]
    return names[0] if names else None


def _page(
    listed: Iterable[Listed],
    kind: Kind,
    filter_string: str | None,
    max_results: int,
    most: int,
    order_by: Sequence[str] | None,
    page_token: str | None,
) -> entities.PagedList[Any]:
    if isinstance(max_results, bool) or not isinstance(max_results, int) or not 1 <= max_results <= most:
        raise UsageError(f"Invalid value {max_results!r} for max_results: a whole number from 1 to {most} is expected.")
    wanted, order = parse_filter(filter_string, kind), parse_order_by(list(order_by or ()), kind)
    offset = decode_token(page_token) if page_token else 0
    found = sort_listed([item for item in listed if matches(wanted, item)], order)
    page = [item.item for item in found[offset : offset + max_results]]
    return entities.PagedList(page, encode_token(offset + max_results) if len(found) > offset + max_results else None)


def _without(tags: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in tags.items() if name != key}
