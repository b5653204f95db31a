"""What an export asks of another store, as plain values; the leaves beside it answer for MLflow's databases, folders and servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Protocol

from runfolio._dataclass import dataclass
from runfolio.transfer.source import Point, SourceExperiment, SourceLogged, SourceModel, SourceRun, SourceVersion


@dataclass(frozen=True, slots=True)
class Home:
    """An experiment in the other store.

    Parameters
    ----------
    experiment_id : str
        There; empty where it would be made and has none yet.
    location : str
        Where files of its runs go.
    made : bool
        It was not there before.
    """

    experiment_id: str
    location: str
    made: bool


@dataclass(frozen=True, slots=True)
class LoggedWork:
    """A logged model to write, with the folder that holds its files; None where files stay behind."""

    model: SourceLogged
    folder: Path | None


@dataclass(frozen=True, slots=True)
class RunWork:
    """A run to write.

    Parameters
    ----------
    run : SourceRun
    home : Home
    histories : Mapping of str to sequence of Point
    folder : Path or None
        What holds its files; None where they stay behind.
    made : sequence of LoggedWork
        The logged models that it made.
    measured : sequence of SourceLogged
        Those that metrics of it were measured of.
    """

    run: SourceRun
    home: Home
    histories: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    folder: Path | None = None
    made: Sequence[LoggedWork] = ()
    measured: Sequence[SourceLogged] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What a store should say of a run.

    Parameters
    ----------
    run : SourceRun
    points : Mapping of str to sequence of Point
        By metric.
    files : Mapping of str to str
        Digest of each of its files, by path.
    logged : Mapping of str to Mapping
        The same of each logged model that it made, by the model's id there.
    """

    run: SourceRun
    points: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    logged: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VersionWork:
    """A version to write: what the other store says of its source, and where its files are there."""

    version: SourceVersion
    source: str
    location: str


class Reader(Protocol):
    """A store that was written, as it is read back."""

    def run(self, run_id: str) -> SourceRun:
        """Return one run."""
        ...

    def history(self, run_id: str, key: str) -> Sequence[Point]:
        """Return the points of a metric."""
        ...

    def fetch(self, run_id: str, path: str, folder: Path) -> Path:
        """Copy a file of a run into a folder, and return where it is."""
        ...

    def fetch_logged(self, model_id: str, path: str, folder: Path) -> Path:
        """Copy a file of a logged model into a folder, and return where it is."""
        ...

    def model(self, name: str) -> SourceModel:
        """Return a registered model."""
        ...

    def fetch_version(self, name: str, version: int, folder: Path) -> Path:
        """Copy the files of a version into a folder, and return where they are."""
        ...


UNFINISHED_TAG = "runfolio.unfinished"
"""On what is there in part: a run of a server, an experiment that is deleted once its runs are there."""


class Target(Protocol):
    """Another store that is written."""

    logged: bool
    """Whether it knows logged models."""
    keeps_ids: bool
    """Whether runs and experiments keep their ids, and versions their times."""

    @property
    def uri(self) -> str:
        """Where it is, without secrets."""
        ...

    def reader(self) -> Reader:
        """Return the same store as one that is read."""
        ...

    def experiment(self, item: SourceExperiment, *, dry_run: bool) -> Home:
        """Return the experiment of that name, made with its id, tags and times if it is missing."""
        ...

    def finish_runs(self) -> list[tuple[str, str]]:
        """Let runs name parents that were written after them; return what could not be, and why."""
        ...

    def finish_experiment(self, item: SourceExperiment, home: Home) -> None:
        """Delete an experiment that is deleted in the folio, once its runs are there."""
        ...

    def run_there(self, run_id: str) -> str | None:
        """Return the id there of a run that is there whole, or None."""
        ...

    def held(self, points: Sequence[Point]) -> tuple[list[Point], str]:
        """Return the points of a metric as the store can hold them, and in words what is lost by that."""
        ...

    def write_run(self, work: RunWork) -> str:
        """Write a run whole, or nothing of it that anybody sees; return its id there."""
        ...

    def run_location(self, run_id: str) -> str | None:
        """Return where the files of a run are there, or None if it is not there."""
        ...

    def expected(self, written: Written) -> Written:
        """Return what the store will say of a run that is written there: ids of its own, where it keeps none."""
        ...

    def write_logged(self, work: LoggedWork, home: Home) -> str:
        """Write a logged model that no run made; return its id there."""
        ...

    def logged_location(self, model_id: str) -> str | None:
        """Return where the files of a logged model are there, or None if it is not there."""
        ...

    def measure(self, model: SourceLogged, histories: Mapping[tuple[str, str], Sequence[Point]]) -> None:
        """Write of which logged model metrics of runs were measured, where that is not said yet."""
        ...

    def accepts_name(self, name: str) -> str:
        """Return in words why a registered model cannot have a name there; empty where it can."""
        ...

    def versions_there(self, name: str) -> set[int] | None:
        """Return the numbers of a registered model's versions; None if it is not there."""
        ...

    def expected_version(self, version: SourceVersion) -> SourceVersion:
        """Return what the store will say of a version that is written there."""
        ...

    def place_files(self, name: str, version: int, folder: Path) -> str:
        """Put the files of a version that lie in no run somewhere there, and return where."""
        ...

    def write_model(self, model: SourceModel, versions: Sequence[VersionWork]) -> None:
        """Write a registered model, or what is new of one: those versions, and aliases and tags that are not there."""
        ...
