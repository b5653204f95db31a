"""The models of runs, read and changed: the document :mod:`runfolio.gateway.model_facts` describes, in the folio."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from runfolio.errors import NotFoundError
from runfolio.folio.folio import Folio
from runfolio.gateway.model_facts import FILE, ID_TAG, TAG, MetricUse, ModelFacts, RunModels, decode_models, encode_models
from runfolio.query import parse_filter
from runfolio.records import Run, ViewType
from runfolio.records.names import new_run_id
from runfolio.tracking.client import RunfolioClient

_MOST_RUNS = 50_000


class ModelBook:
    """The models that runs of a folio made and used.

    Parameters
    ----------
    client : RunfolioClient
    """

    def __init__(self, client: RunfolioClient) -> None:
        self._client = client
        self._guard = threading.RLock()
        self._runs: dict[str, str] = {}

    @property
    def _folio(self) -> Folio:
        return self._client._registry()

    def of_run(self, run: Run) -> RunModels:
        """Return what is known of a run's models."""
        entry = self._folio.runs.artifacts(run).get(FILE) if run.artifact_count or run.artifacts else None
        return self._read(entry.digest) if entry else RunModels()

    @functools.lru_cache(maxsize=256)  # noqa: B019  # a book lives as long as its process's store
    def _read(self, digest: str) -> RunModels:
        return decode_models(self._folio.store.read(digest))  # type: ignore[arg-type]  # a digest is text

    def edit(self, run_id: str, change: Callable[[RunModels], RunModels]) -> RunModels:
        """Change what is known of a run's models."""
        with self._guard:
            before = self.of_run(self._folio.runs.get(run_id))
            after = change(before)
            if after != before:
                self._client.log_bytes(run_id, encode_models(after), FILE)
            return after

    def make(self, run_id: str, facts: ModelFacts) -> ModelFacts:
        """Add a model to the run that makes it; its files lie below its name, unless another model of the run has that."""

        def added(models: RunModels) -> RunModels:
            taken = {item.path for item in models.made.values()}
            path = facts.name if facts.name not in taken else f"{facts.name}-{facts.model_id[-8:]}"
            return replace(models, made={**models.made, facts.model_id: replace(facts, path=path)})

        made = self.edit(run_id, added)
        self._client.set_tag(run_id, TAG, len(made.made))
        self._client.set_tag(run_id, ID_TAG + facts.model_id, facts.name)
        self._runs[facts.model_id] = run_id
        return made.made[facts.model_id]

    def find(self, model_id: str, *, deleted: bool = False) -> tuple[Run, ModelFacts]:
        """Return a model and the run that made it.

        Raises
        ------
        NotFoundError
            If there is none, or it is deleted.
        """
        run_id = self._runs.get(model_id) or self._maker(model_id)
        run = self._folio.runs.get(run_id) if run_id else None
        facts = self.of_run(run).made.get(model_id) if run else None
        if run is None or facts is None or (facts.deleted and not deleted):
            raise NotFoundError(f"Logged model with ID '{model_id}' not found.")
        self._runs[model_id] = run.run_id
        return run, facts

    def change(self, model_id: str, edit: Callable[[ModelFacts], ModelFacts]) -> tuple[Run, ModelFacts]:
        """Change a model's facts."""
        run, _ = self.find(model_id)
        now = time.time_ns() // 1_000_000

        def changed(models: RunModels) -> RunModels:
            return replace(models, made={**models.made, model_id: replace(edit(models.made[model_id]), updated=now)})

        return run, self.edit(run.run_id, changed).made[model_id]

    def all(self, slugs: Iterable[str]) -> list[tuple[Run, ModelFacts]]:
        """List the models of some experiments, without those that are deleted."""
        found = self._folio.runs.search(parse_filter(f"tags.`{TAG}` != ''"), slugs=list(slugs), limit=_MOST_RUNS)
        return [(run, facts) for run in found for facts in self.of_run(run).made.values() if not facts.deleted]

    def measured(self, model_id: str) -> list[tuple[Run, MetricUse]]:
        """List where metrics of a model were logged."""
        named = parse_filter(f"tags.`{ID_TAG}{model_id}` != ''")
        found = self._folio.runs.search(named, limit=_MOST_RUNS)
        return [(run, use) for run in found for use in self.of_run(run).metrics if use.model_id == model_id]

    def use(self, run_id: str, uses: Iterable[MetricUse]) -> None:
        """Note of which models metrics of a run were measured."""
        fresh = list(dict.fromkeys(uses))
        before = self.of_run(self._folio.runs.get(run_id))
        if all(use in before.metrics for use in fresh):
            return
        self.edit(run_id, lambda models: replace(models, metrics=tuple(dict.fromkeys((*models.metrics, *fresh)))))
        for model_id in {use.model_id for use in fresh} - set(before.made):
            self._client.set_tag(run_id, ID_TAG + model_id, "measured")

    def _maker(self, model_id: str) -> str | None:
        named = parse_filter(f"tags.`{ID_TAG}{model_id}` != ''")
        found = self._folio.runs.search(named, view=ViewType.ALL, limit=_MOST_RUNS)
        return next((run.run_id for run in found if model_id in self.of_run(run).made), None)


def new_model_id() -> str:
    """Return an id of MLflow's form for a logged model."""
    return f"m-{new_run_id()}"
