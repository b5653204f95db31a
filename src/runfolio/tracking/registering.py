"""The fluent verbs of the registry: on the folio in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runfolio.errors import UsageError
from runfolio.tracking import model_entities
from runfolio.tracking.client import RunfolioClient
from runfolio.tracking.registry import checked_model_tags
from runfolio.tracking.session import get_tracking_uri, session

DEFAULT_AWAIT_S = 300


def register_model(
    model_uri: str,
    name: str,
    await_registration_for: int | None = DEFAULT_AWAIT_S,
    *,
    tags: Mapping[str, Any] | None = None,
) -> model_entities.ModelVersion:
    """Register a model as the next version of a registered model, which is made if it is missing; one commit.

    Parameters
    ----------
    model_uri : str
        ``runs:/<run id>/<path>``, ``models:/<name>/<version>`` or a local folder.
    name : str
        Of the registered model.
    await_registration_for : int, optional
        Taken for MLflow's sake: the version is ready when this returns.
    tags : Mapping of str to str, optional
        Of the version.

    Raises
    ------
    NotFoundError
        If the source is not there, or holds no file.
    UsageError
        If the name has ``/`` or ``:``.
    """
    from runfolio.registry import register
    from runfolio.tracking.model_code import code_files

    folio = RunfolioClient()._registry()
    made = register(folio, model_uri, name, tags=checked_model_tags(tags or {}), code_of=code_files)
    return model_entities.version_entity(folio.models.find(name), made)


def search_registered_models(
    max_results: int | None = None, filter_string: str | None = None, order_by: Sequence[str] | None = None
) -> list[model_entities.RegisteredModel]:
    """Search registered models; all that match, unless `max_results` is given."""
    return _all(RunfolioClient().search_registered_models, max_results, 1000, filter_string, order_by)


def search_model_versions(
    max_results: int | None = None, filter_string: str | None = None, order_by: Sequence[str] | None = None
) -> list[model_entities.ModelVersion]:
    """Search versions of registered models; all that match, unless `max_results` is given."""
    return _all(RunfolioClient().search_model_versions, max_results, 10_000, filter_string, order_by)


def set_model_version_tag(
    name: str, version: str | int | None = None, key: str | None = None, value: Any = None, stage: str | None = None
) -> None:
    """Set a tag of a version."""
    RunfolioClient().set_model_version_tag(name, version, key, value, stage)


def get_registry_uri() -> str:
    """Return where models are registered: in the folio that runs are logged to."""
    return get_tracking_uri()


def set_registry_uri(uri: str) -> None:
    """Taken for MLflow's sake: registry and runs are one folio.

    Raises
    ------
    UsageError
        If `uri` names another folio than the one in force.
    """
    if uri and session(uri).location != session().location:
        raise UsageError(f"set_registry_uri({uri!r}): registry and runs are one folio. Choose both with set_tracking_uri.")


def _all(search: Any, limit: int | None, page: int, filter_string: str | None, order_by: Sequence[str] | None) -> list[Any]:
    if limit is not None and limit <= page:
        return list(search(filter_string, limit, order_by))
    found: list[Any] = []
    token = None
    while True:
        made = search(filter_string, page, order_by, token)
        found += made
        token = made.token
        if token is None or (limit is not None and len(found) >= limit):
            return found[:limit]
