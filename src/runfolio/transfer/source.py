"""What an import asks of another store, as plain values; one module for each tool answers it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from runfolio._dataclass import dataclass
from runfolio.errors import RemoteError


class StoreGoneError(RemoteError):
    """The other store does not answer any more: the import ends, and the next one goes on where it was."""


@dataclass(frozen=True, slots=True)
class SourceExperiment:
    """An experiment of another store; times in milliseconds since the epoch, UTC."""

    experiment_id: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    created: int = 0
    updated: int = 0
    deleted: bool = False


class Point(NamedTuple):
    """One point of a metric; `timestamp` in milliseconds since the epoch, UTC."""

    value: float
    timestamp: int
    step: int


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a run.

    Parameters
    ----------
    path : str
    size : int
        Bytes.
    refused : str
        Why it is not fetched, in words: a link that leads out of the store.
    """

    path: str
    size: int
    refused: str = ""


@dataclass(frozen=True, slots=True)
class SourceLogged:
    """A logged model of MLflow 3, without its files.

    Parameters
    ----------
    model_id, experiment_id, name, status, message, model_type : str
    run_id : str or None
        Of the run that made it.
    created, updated : int
        Milliseconds since the epoch, UTC.
    tags, params : Mapping of str to str
    metrics : sequence of (str, str, str, str)
        Run, metric, name and digest of the dataset, of each metric that was measured of it.
    """

    model_id: str
    experiment_id: str
    name: str
    run_id: str | None
    status: str
    message: str
    model_type: str
    created: int
    updated: int
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Sequence[tuple[str, str, str, str]]


@dataclass(frozen=True, slots=True)
class SourceRun:
    """A run of another store, without the histories of its metrics.

    Parameters
    ----------
    run_id, experiment_id, name, status, user : str
    start : int
        Milliseconds since the epoch, UTC.
    end : int or None
    deleted : bool
    params, tags : Mapping of str to str
    metrics : Mapping of str to float
        The last value of each.
    inputs : sequence
        Datasets: each a :class:`~runfolio.records.DatasetInput`, or with ``dataset`` and ``tags`` as MLflow's entities have them.
    read, made : sequence
        Ids of the logged models that the run read; those that it made, with the step.
    """

    run_id: str
    experiment_id: str
    name: str
    status: str
    user: str
    start: int
    end: int | None
    deleted: bool
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    inputs: Sequence[Any] = ()
    read: Sequence[str] = ()
    made: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class SourceVersion:
    """A version of a registered model in another store."""

    version: int
    run_id: str | None
    source: str
    stage: str
    created: int
    description: str
    user: str
    run_link: str
    tags: Mapping[str, str]
    updated: int = 0
    status: str = "READY"
    message: str = ""


@dataclass(frozen=True, slots=True)
class SourceModel:
    """A registered model of another store, with its versions."""

    name: str
    created: int
    description: str
    tags: Mapping[str, str]
    aliases: Mapping[str, int]
    versions: Sequence[SourceVersion]
    updated: int = 0


class Source(Protocol):
    """Another store."""

    @property
    def uri(self) -> str:
        """Where it is, without secrets."""
        ...

    def experiments(self) -> Iterator[SourceExperiment]:
        """Yield the experiments, deleted ones too."""
        ...

    def runs(self, experiment_ids: Sequence[str], since_ms: int | None) -> Iterator[SourceRun]:
        """Yield the runs, deleted ones too, oldest first."""
        ...

    def points(self, run: SourceRun) -> Iterator[tuple[str, Point]]:
        """Yield the points of all metrics of a run, each with its metric's name: as they are read, never all at once.

        Those of one metric come in the order in which they were logged; metrics may alternate.
        """
        ...

    def logged(self, experiment_ids: Sequence[str]) -> Iterator[SourceLogged]:
        """Yield the logged models of experiments."""
        ...

    def logged_files(self, model_id: str) -> list[SourceFile]:
        """List the files of a logged model."""
        ...

    def fetch_logged(self, model_id: str, path: str, folder: Path) -> Path:
        """Copy a file of a logged model into a folder, and return where it is."""
        ...

    def files(self, run_id: str) -> list[SourceFile]:
        """List the files of a run."""
        ...

    def fetch(self, run_id: str, path: str, folder: Path) -> Path:
        """Copy a file of a run into a folder, and return where it is; a file that lies on this machine needs no copy."""
        ...

    def models(self) -> Iterator[SourceModel]:
        """Yield the registered models."""
        ...

    def fetch_version(self, name: str, version: int, folder: Path) -> Path:
        """Copy the files of a version into a folder, and return where they are."""
        ...

    def unread(self, seen: set[str], *, whole: bool) -> Iterator[tuple[str, str]]:
        """Yield what lies in the store and could not be read: where, and why. `whole` says that all runs were asked for."""
        ...
