"""The model registry that MLflow loads for ``runfolio:`` URIs: registered models and versions of a folio."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mlflow.store.entities.paged_list import PagedList
from mlflow.store.model_registry.abstract_store import AbstractStore

from runfolio.errors import NotFoundError, UsageError
from runfolio.gateway import shapes
from runfolio.gateway.addresses import LOGGED, PROXY, RUNS, SCHEME, Addresses, address_of, folio_of
from runfolio.gateway.faults import translates
from runfolio.gateway.model_facts import MODEL_ID_TAG, READY
from runfolio.gateway.prompts import prompt_folder, split_filter
from runfolio.gateway.refused import REGISTRY, refuses
from runfolio.gateway.run_models import ModelBook
from runfolio.gateway.serving_folio import is_served
from runfolio.query import decode_token, encode_token
from runfolio.registry.prompts import is_prompt
from runfolio.tracking import model_entities
from runfolio.tracking.client import RunfolioClient
from runfolio.tracking.registry import MAX_MODELS, MAX_VERSIONS


@refuses(REGISTRY)
@translates
class RunfolioRegistry(AbstractStore):  # type: ignore[misc]  # MLflow's classes are not typed
    """Registered models of a folio, as MLflow's model registry.

    Parameters
    ----------
    store_uri : str
        ``runfolio:///path/to/folio``.
    tracking_uri : str, optional
        MLflow passes it; registry and runs are one folio.
    """

    def __init__(self, store_uri: str | None = None, tracking_uri: str | None = None) -> None:
        try:
            super().__init__(store_uri, tracking_uri)
        except TypeError:
            super().__init__()
        self.client = RunfolioClient(folio_of(store_uri or f"{SCHEME}:") or None)
        self.book = ModelBook(self.client)

    def _addresses(self) -> Addresses:
        return Addresses(str(self.client._session().location), _serves(self.client))

    # Registered models

    def create_registered_model(
        self, name: str, tags: Sequence[Any] | None = None, description: str | None = None, deployment_job_id: str | None = None
    ) -> Any:
        """Make a registered model."""
        return self._model(self.client.create_registered_model(name, shapes.texts_of(tags), description))

    def update_registered_model(self, name: str, description: str | None, deployment_job_id: str | None = None) -> Any:
        """Describe a registered model."""
        return self._model(self.client.update_registered_model(name, description or ""))

    def rename_registered_model(self, name: str, new_name: str) -> Any:
        """Give a registered model another name."""
        return self._model(self.client.rename_registered_model(name, new_name))

    def delete_registered_model(self, name: str) -> None:
        """Remove a registered model with all its versions."""
        self.client.delete_registered_model(name)

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Any:
        """Search registered models, or prompts where those are asked for."""
        asked, prompts = split_filter(filter_string)

        def page(size: int, token: str | None) -> Any:
            return self.client.search_registered_models(asked, size, order_by, token)

        found, token = _kept(page, prompts, max_results or 100, MAX_MODELS, page_token)
        return PagedList([self._model(item) for item in found], token)

    def get_registered_model(self, name: str) -> Any:
        """Return a registered model."""
        return self._model(self.client.get_registered_model(name))

    def get_latest_versions(self, name: str, stages: Sequence[str] | None = None) -> list[Any]:
        """Return the newest version of each stage."""
        return [self._version(item) for item in self.client.get_latest_versions(name, stages)]

    def set_registered_model_tag(self, name: str, tag: Any) -> None:
        """Set a tag of a registered model."""
        self.client.set_registered_model_tag(name, tag.key, tag.value)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Take a tag of a registered model away."""
        self.client.delete_registered_model_tag(name, key)

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        """Let an alias name a version."""
        self.client.set_registered_model_alias(name, alias, version)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Take an alias away."""
        self.client.delete_registered_model_alias(name, alias)

    def get_model_version_by_alias(self, name: str, alias: str) -> Any:
        """Return the version that an alias names; ``latest`` is the newest, as MLflow 3 asks for it."""
        if alias.lower() == "latest":
            found = self.client.get_latest_versions(name)
            if not found:
                raise NotFoundError(f"Latest version not found for model {name}.")
            return self._version(max(found, key=lambda item: int(item.version)))
        return self._version(self.client.get_model_version_by_alias(name, alias))

    # Versions

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Sequence[Any] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        local_model_path: str | None = None,
        model_id: str | None = None,
    ) -> Any:
        """Register a model as the next version of a registered model that is there."""
        said = shapes.texts_of(tags)
        if is_prompt(said):
            with prompt_folder(said) as folder:
                return self._version(self.client.create_model_version(name, folder, run_id, said, run_link, description))
        found, found_id = self._source(source, model_id)
        if found_id:
            said[MODEL_ID_TAG] = found_id
        made = self.client.create_model_version(name, found, run_id, said, run_link, description)
        return self._version(made)

    def _source(self, source: str, model_id: str | None) -> tuple[str, str | None]:
        """Return a source in our words, and the logged model that it names."""
        if source.startswith("models:/m-") and "/" not in source[len("models:/") :].strip("/"):
            model_id = source[len("models:/") :].strip("/")
        if model_id:
            run, facts = self.book.find(model_id)
            if facts.status != READY:
                raise UsageError(f"The logged model {model_id} is {facts.status}, not READY: it cannot be registered.")
            return f"runs:/{run.run_id}/{facts.path}", model_id
        if source.startswith((f"{SCHEME}:", f"{PROXY}:")):
            at = address_of(source)
            if at.kind == LOGGED:
                return self._source("", at.owner)
            if at.kind != RUNS:
                return f"models:/{at.owner}", None
            return f"runs:/{at.owner}/{at.path}", None
        if _serves(self.client) and not source.startswith(("runs:/", "models:/")):
            raise UsageError(
                f"{source!r}: a server registers what runs of its folio logged, and opens no other place. Log the model to a run first."
            )
        return source, None

    def update_model_version(self, name: str, version: str, description: str | None) -> Any:
        """Describe a version."""
        return self._version(self.client.update_model_version(name, version, description or ""))

    def transition_model_version_stage(self, name: str, version: str, stage: str, archive_existing_versions: bool) -> Any:
        """Put a version into a stage."""
        return self._version(self.client.transition_model_version_stage(name, version, stage, archive_existing_versions))

    def delete_model_version(self, name: str, version: str) -> None:
        """Hide a version."""
        self.client.delete_model_version(name, version)

    def get_model_version(self, name: str, version: str) -> Any:
        """Return a version."""
        return self._version(self.client.get_model_version(name, version))

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        """Return the address of a version's files."""
        found = self.client.get_model_version(name, version)
        return self._addresses().version(found.name, found.version)

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Any:
        """Search versions of models, or of prompts where those are asked for."""
        asked, prompts = split_filter(filter_string)

        def page(size: int, token: str | None) -> Any:
            return self.client.search_model_versions(asked, size, order_by, token)

        found, token = _kept(page, prompts, max_results or 10_000, MAX_VERSIONS, page_token)
        return PagedList([self._version(item) for item in found], token)

    def set_model_version_tag(self, name: str, version: str, tag: Any) -> None:
        """Set a tag of a version."""
        self.client.set_model_version_tag(name, version, tag.key, tag.value)

    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        """Take a tag of a version away."""
        self.client.delete_model_version_tag(name, version, key)

    # What a folio does not keep

    def list_webhooks_by_event(self, *_: Any, **__: Any) -> Any:
        """Return none; MLflow 3 asks at every change. ``runfolio notify`` tells webhooks of merges."""
        return PagedList([], None)

    def list_webhooks(self, *_: Any, **__: Any) -> Any:
        """Return none."""
        return PagedList([], None)

    def _model(self, item: model_entities.RegisteredModel) -> Any:
        return shapes.registered_model(item, self._addresses())

    def _version(self, item: model_entities.ModelVersion) -> Any:
        return shapes.model_version(item)


def _kept(
    page: Callable[[int, str | None], Any], prompts: bool, size: int, most: int, page_token: str | None
) -> tuple[list[Any], str | None]:
    """Return a page of what are prompts, or of what are none."""
    if not 0 < size <= most:
        page(size, page_token)  # says what is wrong with it
    kept: list[Any] = []
    token = None
    while True:
        found = page(most, token)
        kept += [item for item in found if is_prompt(item.tags) == prompts]
        token = found.token
        if not token:
            break
    start = decode_token(page_token) if page_token else 0
    return kept[start : start + size], encode_token(start + size) if len(kept) > start + size else None


def _serves(client: RunfolioClient) -> bool:
    return is_served(client._session())
