"""MLflow 3's logged models: made, finished, tagged, found. See :mod:`runfolio.gateway.model_facts`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlflow import entities as theirs
from mlflow.store.entities.paged_list import PagedList

from runfolio.errors import NotFoundError, UsageError
from runfolio.gateway import shapes
from runfolio.gateway.addresses import Addresses
from runfolio.gateway.faults import translates
from runfolio.gateway.model_facts import CARRIES_TAG, ModelFacts
from runfolio.gateway.run_models import ModelBook, new_model_id
from runfolio.records import Run
from runfolio.records.names import check_artifact_path
from runfolio.tracking.client import RunfolioClient
from runfolio.tracking.names import run_name
from runfolio.tracking.starting import start_live

PAGE = 100


@translates
class LoggedModels:
    """The part of the tracking store that keeps logged models."""

    if TYPE_CHECKING:
        client: RunfolioClient
        book: ModelBook
        serves: bool

        @property
        def addresses(self) -> Addresses: ...  # noqa: D102  # told at the store

    def create_logged_model(
        self,
        experiment_id: str = "0",
        name: str | None = None,
        source_run_id: str | None = None,
        tags: Sequence[Any] | None = None,
        params: Sequence[Any] | None = None,
        model_type: str | None = None,
    ) -> Any:
        """Make a model, whose files are sent next. One that no run makes gets a run to hold it."""
        wanted = check_artifact_path(name or run_name())
        run_id = source_run_id or self._carrier(experiment_id, wanted)
        now = time.time_ns() // 1_000_000
        facts = ModelFacts(
            new_model_id(),
            wanted,
            model_type=model_type or "",
            created=now,
            updated=now,
            tags=shapes.texts_of(tags),
            params=shapes.texts_of(params),
        )
        made = self.book.make(run_id, facts)
        return self._model(self.client._session().folio.runs.get(run_id), made)

    def _carrier(self, experiment_id: str, name: str) -> str:
        experiment = self.client._experiment(experiment_id)
        live = start_live(self.client._session(), experiment, name=name, tags={CARRIES_TAG: "model"}, capture=not self.serves)
        self.client.set_terminated(live.run_id)
        return live.run_id

    def finalize_logged_model(self, model_id: str, status: Any) -> Any:
        """Say that a model's files are all there, or that it failed."""
        return self._model(*self.book.change(model_id, lambda facts: replace(facts, status=str(status))))

    def get_logged_model(self, model_id: str, allow_deleted: bool = False) -> Any:
        """Return a model."""
        return self._model(*self.book.find(model_id, deleted=allow_deleted))

    def delete_logged_model(self, model_id: str) -> None:
        """Hide a model; its files stay with the run."""
        self.book.change(model_id, lambda facts: replace(facts, deleted=True))

    def set_logged_model_tags(self, model_id: str, tags: Sequence[Any]) -> None:
        """Set tags of a model."""
        self.book.change(model_id, lambda facts: replace(facts, tags={**facts.tags, **shapes.texts_of(tags)}))

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Take a tag of a model away."""

        def without(facts: ModelFacts) -> ModelFacts:
            if key not in facts.tags:
                raise NotFoundError(f"No tag with key {key!r} found for model with ID {model_id!r}.")
            return replace(facts, tags={name: value for name, value in facts.tags.items() if name != key})

        self.book.change(model_id, without)

    def log_logged_model_params(self, model_id: str, params: Sequence[Any]) -> None:
        """Log params of a model."""
        self.book.change(model_id, lambda facts: replace(facts, params={**facts.params, **shapes.texts_of(params)}))

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: Sequence[Mapping[str, Any]] | None = None,
        max_results: int | None = None,
        order_by: Sequence[Mapping[str, Any]] | None = None,
        page_token: str | None = None,
    ) -> Any:
        """Search models, by MLflow's own evaluation of its filter."""
        from mlflow.utils.search_utils import SearchLoggedModelsUtils

        if any(not item.get("dataset_name") for item in datasets or ()):
            raise UsageError("`dataset_name` in the `datasets` clause must be specified.")
        found = [self.client._session().folio.experiments.by_id(str(name)) for name in experiment_ids]
        slugs = [item.slug for item in found if item is not None]
        models = [self._model(run, facts) for run, facts in self.book.all(slugs)] if slugs else []
        kept = SearchLoggedModelsUtils.filter_logged_models(models, filter_string, datasets)
        ordered = SearchLoggedModelsUtils.sort(kept, order_by)
        return PagedList(*SearchLoggedModelsUtils.paginate(ordered, page_token, max_results or PAGE))

    def log_outputs(self, run_id: str, models: Sequence[Any]) -> None:
        """Note which models a run made."""
        made = [(item.model_id, item.step) for item in models or ()]
        self.book.edit(run_id, lambda known: replace(known, outputs=_joined(known.outputs, made, lambda item: item[0])))

    def _log_model_inputs(self, run_id: str, models: Iterable[Any]) -> None:
        read = [item.model_id for item in models]
        if read:
            self.book.edit(run_id, lambda known: replace(known, inputs=_joined(known.inputs, read, lambda item: item)))

    def _model(self, run: Run, facts: ModelFacts) -> Any:
        found = self.client._session().folio.experiments.by_slug(run.experiment)
        return theirs.LoggedModel(
            experiment_id=found.experiment_id if found else run.experiment,
            model_id=facts.model_id,
            name=facts.name,
            artifact_location=self.addresses.logged_model(facts.model_id),
            creation_timestamp=facts.created,
            last_updated_timestamp=facts.updated,
            model_type=facts.model_type or None,
            source_run_id=None if run.tags.get(CARRIES_TAG) == "model" else run.run_id,
            status=theirs.LoggedModelStatus(facts.status),
            status_message=facts.message or None,
            tags=dict(facts.tags),
            params=dict(facts.params),
            metrics=self._model_metrics(facts.model_id),
        )

    def _model_metrics(self, model_id: str) -> list[Any]:
        made = []
        runs = self.client._session().folio.runs
        for run, use in self.book.measured(model_id):
            of = {"model_id": model_id, "dataset_name": use.dataset or None, "dataset_digest": use.digest or None}
            made += [
                shapes.metric(point.key, point.value, point.timestamp, point.step, run.run_id, **of)
                for point in runs.history(run, use.key)
            ]
        return made


def _joined(known: Iterable[Any], fresh: Iterable[Any], key: Callable[[Any], Any]) -> tuple[Any, ...]:
    made = {key(item): item for item in known}
    for item in fresh:
        made.setdefault(key(item), item)
    return tuple(made.values())
