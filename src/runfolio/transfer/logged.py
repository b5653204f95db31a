"""Logged models of MLflow 3, by the runs that made and used them; :mod:`runfolio.gateway.model_facts` says how a folio keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from runfolio._dataclass import dataclass
from runfolio.gateway.model_facts import CARRIES_TAG, ID_TAG, TAG, MetricUse, ModelFacts, RunModels
from runfolio.transfer.source import SourceLogged, SourceRun


@dataclass(slots=True)
class LoggedOf:
    """What is known of the logged models of a run.

    Parameters
    ----------
    made : list of SourceLogged
    uses : list of MetricUse
    """

    made: list[SourceLogged] = field(default_factory=list)
    uses: list[MetricUse] = field(default_factory=list)


def by_run(models: Iterable[SourceLogged]) -> dict[str, LoggedOf]:
    """Sort logged models by the runs that made them, and where they were measured; one that no run made is a run of its own id."""
    found: dict[str, LoggedOf] = {}
    for model in models:
        found.setdefault(model.run_id or model.model_id, LoggedOf()).made.append(model)
        for run_id, key, dataset, digest in model.metrics:
            use = MetricUse(model.model_id, key, dataset, digest)
            uses = found.setdefault(run_id, LoggedOf()).uses
            if use not in uses:
                uses.append(use)
    return found


def document_of(run: SourceRun, logged: LoggedOf) -> RunModels:
    """Return the document of a run's models."""
    made: dict[str, ModelFacts] = {}
    taken: set[str] = set()
    for model in logged.made:
        path = model.name if model.name not in taken else f"{model.name}-{model.model_id[-8:]}"
        taken.add(path)
        made[model.model_id] = ModelFacts(
            model.model_id, model.name, path, model.status, model.message, model.model_type, model.created, model.updated,
            dict(model.tags), dict(model.params),
        )  # fmt: skip
    return RunModels(made, tuple(run.read), tuple(run.made), tuple(logged.uses))


def tags_of(models: RunModels) -> dict[str, str]:
    """Return the tags by which a run's models are found."""
    made = {ID_TAG + use.model_id: "measured" for use in models.metrics}
    made.update({ID_TAG + model_id: facts.name for model_id, facts in models.made.items()})
    return {**made, TAG: str(len(models.made))} if models.made else made


def carrier_of(model: SourceLogged) -> SourceRun:
    """Return the run that holds a model which no run made."""
    tags: Mapping[str, str] = {CARRIES_TAG: "model"}
    return SourceRun(
        model.model_id, model.experiment_id, model.name, "FINISHED", "", model.created, model.updated, False, {}, tags, {}
    )
