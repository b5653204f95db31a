"""``models:/`` URIs: what they may say, and which version each means now.

The forms are MLflow's (``store/artifact/utils/models.py``): ``models:/<name>/<number>``, ``/<stage>``, ``/latest`` and
``models:/<name>@<alias>``; a path after them names a file of the model.

>>> parse_model_uri("models:/wine/3")
ModelUri(name='wine', version=3, stage=None, alias=None, path='')
>>> parse_model_uri("models:/wine@champion/MLmodel").path
'MLmodel'
"""

from __future__ import annotations

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError, UsageError
from runfolio.folio.folio import Folio
from runfolio.records.models import NO_STAGE, ModelVersion, RegisteredModel, canonical_stage, check_version
from runfolio.records.names import check_artifact_path

PREFIX = "models:/"
LATEST = "latest"


@dataclass(frozen=True, slots=True)
class ModelUri:
    """What a ``models:/`` URI says: of `version`, `stage` and `alias`, one is given; none means the latest version.

    Parameters
    ----------
    name : str
    version : int or None
    stage : str or None
        As it was written.
    alias : str or None
    path : str
        A file or folder of the model; empty for all of it.
    """

    name: str
    version: int | None = None
    stage: str | None = None
    alias: str | None = None
    path: str = ""


def parse_model_uri(uri: str) -> ModelUri:
    """Read a ``models:/`` URI.

    Raises
    ------
    UsageError
        If it is of another form.
    """
    rest = uri[len(PREFIX) :].lstrip("/") if uri.startswith(PREFIX) else ""
    name, slash, after = rest.partition("/")
    if "@" in name:
        name, _, alias = name.partition("@")
        if name and alias:
            return ModelUri(name, alias=alias, path=_path(after))
    elif name and slash:
        which, _, path = after.partition("/")
        if which.isdigit():
            return ModelUri(name, version=check_version(which), path=_path(path))
        if which:
            return ModelUri(name, stage=None if which.lower() == LATEST else which, path=_path(path))
    raise UsageError(
        f"Not a valid model URI: {uri!r}. Write models:/NAME/3, models:/NAME/Production, models:/NAME/latest or models:/NAME@ALIAS."
    )


def _path(text: str) -> str:
    return check_artifact_path(text, allow_empty=True)


def resolve(folio: Folio, uri: str | ModelUri, at: str | None = None) -> tuple[RegisteredModel, ModelVersion]:
    """Find the version that a URI means.

    Parameters
    ----------
    folio : Folio
    uri : str or ModelUri
    at : str, optional
        Commit id; the folio's tip by default.

    Raises
    ------
    NotFoundError
        If there is no such model, version or alias, or the stage is empty.
    """
    asked = parse_model_uri(uri) if isinstance(uri, str) else uri
    tip = at or folio.place.tip()
    model = folio.models.find(asked.name, tip)
    if asked.version is not None:
        return model, folio.models.version(model, asked.version, tip)
    if asked.alias is not None:
        number = model.aliases.get(asked.alias)
        if number is None:
            known = ", ".join(sorted(model.aliases)) or "none"
            raise NotFoundError(f"Registered model alias {asked.alias} not found: {asked.name!r} has {known}.")
        return model, folio.models.version(model, number, tip)
    if asked.stage is not None:
        stage = canonical_stage(asked.stage, folio.settings.registry.stages)
        numbers = model.stages.get(stage, ())
        if stage == NO_STAGE:
            free = [number for number in folio.models.numbers(model, tip) if model.stage_of(number) == NO_STAGE]
            if found := _newest(folio, model, free, tip):
                return model, found
        if not numbers:
            live = ", ".join(f"{name}: {versions[-1]}" for name, versions in model.stages.items()) or "nothing in any stage"
            raise NotFoundError(f"No versions of model with name {asked.name!r} and stage {stage!r} found. It has {live}.")
        return model, folio.models.version(model, numbers[-1], tip)
    return model, latest(folio, model, tip)


def latest(folio: Folio, model: RegisteredModel, tip: str | None = None) -> ModelVersion:
    """Return the version of the largest number that is not deleted.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    if found := _newest(folio, model, folio.models.numbers(model, tip), tip):
        return found
    raise NotFoundError(
        f"The registered model {model.name!r} has no version. Register one: runfolio models register URI {model.name}"
    )


def _newest(folio: Folio, model: RegisteredModel, numbers: list[int], tip: str | None) -> ModelVersion | None:
    for number in reversed(numbers):
        try:
            return folio.models.version(model, number, tip)
        except NotFoundError:  # deleted
            continue
    return None
