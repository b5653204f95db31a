"""Our entities in the classes of whichever MLflow is installed: 2.22 and 3.x take different arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlflow import entities as theirs
from mlflow.entities import model_registry

from runfolio.gateway.addresses import Addresses
from runfolio.gateway.model_facts import DIFFERS_TAG, MODEL_ID_TAG, RunModels
from runfolio.tracking import entities as ours
from runfolio.tracking import model_entities


@functools.lru_cache(maxsize=32)
def _takes(made: type) -> frozenset[str]:
    return frozenset(inspect.signature(made).parameters)


def make(cls: Any, **fields: Any) -> Any:
    """Make one of MLflow's entities of those fields that its class knows."""
    known = _takes(cls)
    return cls(**{name: value for name, value in fields.items() if name in known})


def experiment(item: ours.Experiment, addresses: Addresses) -> Any:
    """Return an experiment as MLflow's."""
    return make(
        theirs.Experiment,
        experiment_id=item.experiment_id,
        name=item.name,
        artifact_location=addresses.experiment(item.experiment_id),
        lifecycle_stage=item.lifecycle_stage,
        tags=[theirs.ExperimentTag(key, value) for key, value in item.tags.items()],
        creation_time=item.creation_time,
        last_update_time=item.last_update_time,
    )


def run_info(item: ours.RunInfo, addresses: Addresses) -> Any:
    """Return what a run is, as MLflow's."""
    return make(
        theirs.RunInfo,
        run_uuid=item.run_id,
        run_id=item.run_id,
        experiment_id=item.experiment_id,
        user_id=item.user_id,
        status=item.status,
        start_time=item.start_time,
        end_time=item.end_time,
        lifecycle_stage=item.lifecycle_stage,
        artifact_uri=addresses.run(item.run_id),
        run_name=item.run_name,
    )


def run(item: ours.Run, points: Sequence[Any], addresses: Addresses, models: RunModels | None = None) -> Any:
    """Return a run as MLflow's.

    Parameters
    ----------
    item : entities.Run
    points : sequence of mlflow.entities.Metric
        The last point of each metric.
    addresses : Addresses
    models : RunModels, optional
        What MLflow 3 says of the run's models.
    """
    data = theirs.RunData(
        metrics=list(points),
        params=[theirs.Param(key, value) for key, value in item.data.params.items()],
        tags=[theirs.RunTag(key, value) for key, value in item.data.tags.items()],
    )
    used = models or RunModels()
    inputs: dict[str, Any] = {"dataset_inputs": [_dataset_input(entry) for entry in item.inputs.dataset_inputs]}
    made: dict[str, Any] = {}
    if hasattr(theirs, "LoggedModelInput"):
        inputs["model_inputs"] = [theirs.LoggedModelInput(model_id=model_id) for model_id in used.inputs]
        outputs = [theirs.LoggedModelOutput(model_id=model_id, step=step) for model_id, step in used.outputs]
        made["run_outputs"] = theirs.RunOutputs(outputs)
    return make(
        theirs.Run, run_info=run_info(item.info, addresses), run_data=data, run_inputs=make(theirs.RunInputs, **inputs), **made
    )


def metric(key: str, value: float, timestamp: int, step: int, run_id: str | None = None, **of: Any) -> Any:
    """Return one point of a metric as MLflow's."""
    return make(theirs.Metric, key=key, value=value, timestamp=timestamp, step=step, run_id=run_id, **of)


def _dataset_input(item: ours.DatasetInput) -> Any:
    fields = item.dataset.to_dictionary()
    return theirs.DatasetInput(theirs.Dataset(**fields), [theirs.InputTag(tag.key, tag.value) for tag in item.tags])


def registered_model(item: model_entities.RegisteredModel, addresses: Addresses) -> Any:
    """Return a registered model as MLflow's."""
    aliases = [model_registry.RegisteredModelAlias(alias, str(version)) for alias, version in item.aliases.items()]
    return make(
        model_registry.RegisteredModel,
        name=item.name,
        creation_timestamp=item.creation_timestamp,
        last_updated_timestamp=item.last_updated_timestamp,
        description=item.description,
        latest_versions=[model_version(version) for version in item.latest_versions],
        tags=_tags(model_registry.RegisteredModelTag, item.tags),
        aliases=aliases,
    )


def model_version(item: model_entities.ModelVersion) -> Any:
    """Return a version as MLflow's."""
    return make(
        model_registry.ModelVersion,
        name=item.name,
        version=item.version,
        creation_timestamp=item.creation_timestamp,
        last_updated_timestamp=item.last_updated_timestamp,
        description=item.description,
        user_id=item.user_id,
        current_stage=item.current_stage,
        source=item.source,
        run_id=item.run_id,
        status="READY",
        tags=_tags(model_registry.ModelVersionTag, item.tags),
        run_link=item.run_link,
        aliases=list(item.aliases),
        model_id=item.tags.get(MODEL_ID_TAG),
    )


def _tags(cls: Any, tags: Mapping[str, str]) -> list[Any]:
    return [cls(key, value) for key, value in tags.items() if key not in (MODEL_ID_TAG, DIFFERS_TAG)]


def texts_of(items: Iterable[Any] | None) -> dict[str, str]:
    """Return tags or params of MLflow's as plain text by their keys."""
    return {item.key: str(item.value) for item in items or ()}
