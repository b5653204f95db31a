"""What users read back: runs, experiments, metrics and files in MLflow's shapes.

Attribute names, the text of statuses, ``to_dictionary()`` and ``dict(run.info)`` are those of ``mlflow.entities``, so that
code which reads MLflow's objects reads these. They are values: changing one changes no record, and none of them knows
where it came from.

>>> from runfolio.records import Run as RunRecord
>>> run = run_entity(RunRecord("0192f0c4d7a27c3e8f0a1b2c3d4e5f60", "wine", params={"depth": "3"}), "7", "runs:/x")
>>> run.info.status, run.info.experiment_id, run.data.params
('RUNNING', '7', {'depth': '3'})
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runfolio import records
from runfolio._dataclass import dataclass, field
from runfolio._typing import Any, Generic, TypeVar
from runfolio.errors import UsageError
from runfolio.tracking.states import RunStatus, ViewType

__all__ = [
    "Dataset",
    "DatasetInput",
    "Experiment",
    "ExperimentTag",
    "FileInfo",
    "InputTag",
    "Metric",
    "PagedList",
    "Param",
    "Run",
    "RunData",
    "RunInfo",
    "RunInputs",
    "RunStatus",
    "RunTag",
    "ViewType",
    "experiment_entity",
    "run_entity",
]

T = TypeVar("T")

NOTE_TAG = "mlflow.note.content"


class Entity:
    """What all entities share: iteration over (name, value) pairs, and a repr that shows them."""

    __slots__ = ()

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for name in sorted(self._names()):
            yield name, getattr(self, name)

    def to_proto(self) -> Any:
        """Return the entity itself, which has the fields of MLflow's message: ``run.info.to_proto().status != RunStatus.FINISHED``."""
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(f'{name}={value!r}' for name, value in self)}>"

    @classmethod
    def _names(cls) -> list[str]:
        from dataclasses import fields

        return [entry.name for entry in fields(cls)]  # type: ignore[arg-type]  # every subclass is a dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Metric(Entity):
    """One logged value of a metric; `timestamp` in milliseconds since the epoch, UTC."""

    key: str
    value: float
    timestamp: int
    step: int = 0

    def to_dictionary(self) -> dict[str, Any]:
        """Return the four fields by name."""
        return {"key": self.key, "value": self.value, "timestamp": self.timestamp, "step": self.step}

    @classmethod
    def from_dictionary(cls, metric_dict: dict[str, Any]) -> Metric:
        """Make a metric of what :meth:`to_dictionary` gave.

        Raises
        ------
        UsageError
            If a field is missing.
        """
        missing = [name for name in ("key", "value", "timestamp", "step") if name not in metric_dict]
        if missing:
            raise UsageError(f"Missing required keys {missing} in metric dictionary: give key, value, timestamp and step.")
        return cls(**metric_dict)


@dataclass(frozen=True, slots=True, repr=False)
class Param(Entity):
    """One param of a run."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, repr=False)
class RunTag(Entity):
    """One tag of a run."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, repr=False)
class ExperimentTag(Entity):
    """One tag of an experiment."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, repr=False)
class InputTag(Entity):
    """One tag of a dataset that a run read, such as ``mlflow.data.context``."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, repr=False)
class FileInfo(Entity):
    """A file or folder among a run's artifacts; `file_size` in bytes, None for a folder."""

    path: str
    is_dir: bool
    file_size: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Dataset(Entity):
    """A dataset as a run record keeps it; `source`, `schema` and `profile` are JSON text."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None

    def to_dictionary(self) -> dict[str, str | None]:
        """Return the six fields by name."""
        return {name: getattr(self, name) for name in self._names()}


@dataclass(frozen=True, slots=True, repr=False)
class DatasetInput(Entity):
    """A dataset together with the tags that say how the run used it."""

    dataset: Dataset
    tags: list[InputTag] = field(default_factory=list)

    def to_dictionary(self) -> dict[str, Any]:
        """Return the dataset, and the tags as one dictionary."""
        return {"dataset": self.dataset.to_dictionary(), "tags": {tag.key: tag.value for tag in self.tags}}


@dataclass(frozen=True, slots=True, repr=False)
class RunInputs(Entity):
    """Everything that a run read."""

    dataset_inputs: list[DatasetInput] = field(default_factory=list)

    def to_dictionary(self) -> dict[str, Any]:
        """Return the inputs as plain dictionaries."""
        return {"dataset_inputs": [entry.to_dictionary() for entry in self.dataset_inputs]}


@dataclass(frozen=True, slots=True, repr=False)
class RunData(Entity):
    """What a run logged.

    Parameters
    ----------
    metrics : dict of str to float
        The value with the largest (step, timestamp, value) of each metric.
    params, tags : dict of str to str
    """

    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def to_dictionary(self) -> dict[str, Any]:
        """Return metrics, params and tags by name."""
        return {"metrics": self.metrics, "params": self.params, "tags": self.tags}


@dataclass(frozen=True, slots=True, repr=False)
class RunInfo(Entity):
    """What a run is: its identity, times (milliseconds since the epoch, UTC), state and place.

    `status` is text (``"FINISHED"``), as in MLflow.
    """

    run_id: str
    experiment_id: str
    user_id: str = ""
    status: str = "RUNNING"
    start_time: int = 0
    end_time: int | None = None
    lifecycle_stage: str = "active"
    artifact_uri: str = ""
    run_name: str = ""

    @property
    def run_uuid(self) -> str:
        """MLflow's old name for `run_id`."""
        return self.run_id

    @classmethod
    def _names(cls) -> list[str]:
        from dataclasses import fields

        return [entry.name for entry in fields(cls)] + ["run_uuid"]


@dataclass(frozen=True, slots=True, repr=False)
class Run(Entity):
    """A run: `info` says what it is, `data` what it logged, `inputs` what it read."""

    info: RunInfo
    data: RunData = field(default_factory=RunData)
    inputs: RunInputs = field(default_factory=RunInputs)

    def to_dictionary(self) -> dict[str, Any]:
        """Return the run as plain dictionaries."""
        return {"info": dict(self.info), "data": self.data.to_dictionary(), "inputs": self.inputs.to_dictionary()}

    def _repr_html_(self) -> str:
        from runfolio.tracking.entity_html import run_html  # notebooks alone ask

        return run_html(self.info, self.data)


@dataclass(frozen=True, slots=True, repr=False)
class Experiment(Entity):
    """An experiment; times in milliseconds since the epoch, UTC, None where they are not known."""

    experiment_id: str
    name: str
    artifact_location: str = ""
    lifecycle_stage: str = "active"
    tags: dict[str, str] = field(default_factory=dict)
    creation_time: int | None = None
    last_update_time: int | None = None

    def to_dictionary(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {name: getattr(self, name) for name in self._names()}

    def _repr_html_(self) -> str:
        from runfolio.tracking.entity_html import experiment_html

        return experiment_html(self)


class PagedList(list[T], Generic[T]):
    """One page of results.

    Attributes
    ----------
    token : str or None
        What to pass as ``page_token`` for the next page; None on the last one.
    """

    def __init__(self, items: Iterable[T] = (), token: str | None = None) -> None:
        super().__init__(items)
        self.token = token

    def to_list(self) -> list[T]:
        """Return the items as a plain list."""
        return list(self)


def run_entity(record: records.Run, experiment_id: str, artifact_uri: str) -> Run:
    """Show a run record as MLflow shows a run.

    Parameters
    ----------
    record : records.Run
    experiment_id : str
        The id that the API shows for the record's experiment.
    artifact_uri : str
        Where the API says that the run's artifacts are.

    Returns
    -------
    Run
    """
    info = info_entity(record, experiment_id, artifact_uri)
    data = RunData({key: summary.last for key, summary in record.metrics.items()}, dict(record.params), record.all_tags)
    return Run(info, data, RunInputs([_input_entity(entry) for entry in record.inputs]))


def info_entity(record: records.Run, experiment_id: str, artifact_uri: str) -> RunInfo:
    """Show what a run record says beside its data; see :func:`run_entity`."""
    return RunInfo(
        record.run_id,
        experiment_id,
        record.user,
        record.status.value,
        record.start,
        record.end,
        record.lifecycle.value,
        artifact_uri,
        record.name,
    )


def _input_entity(record: records.DatasetInput) -> DatasetInput:
    dataset = Dataset(
        record.name, record.digest, record.source_type, record.source, record.schema or None, record.profile or None
    )
    return DatasetInput(dataset, [InputTag(key, value) for key, value in record.tags.items()])


def experiment_entity(record: records.Experiment, artifact_location: str) -> Experiment:
    """Show an experiment record as MLflow shows an experiment; its description is the tag ``mlflow.note.content``.

    Parameters
    ----------
    record : records.Experiment
    artifact_location : str
        Where the API says that the experiment's artifacts are.

    Returns
    -------
    Experiment
    """
    tags = {NOTE_TAG: record.description} if record.description else {}
    tags.update(record.tags)
    return Experiment(
        record.experiment_id,
        record.name,
        artifact_location,
        record.lifecycle.value,
        tags,
        record.created or None,
        record.updated or None,
    )
