"""Runs: one execution of some code, what went in and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from runfolio._dataclass import dataclass, field
from runfolio._typing import Any, NewType

RunId = NewType("RunId", str)
Digest = NewType("Digest", str)


class RunStatus(str, Enum):
    """MLflow's five states of a run."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"

    def __str__(self) -> str:
        return self.value


class Lifecycle(str, Enum):
    """Whether a record is shown by default. Deleting hides; ``gc`` removes."""

    ACTIVE = "active"
    DELETED = "deleted"

    def __str__(self) -> str:
        return self.value


class ViewType:
    """Which lifecycles a search looks at; the numbers are MLflow's."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One logged value of a metric.

    Parameters
    ----------
    key : str
    value : float
        May be NaN or infinite.
    timestamp : int
        Milliseconds since the epoch, UTC.
    step : int
    """

    key: str
    value: float
    timestamp: int
    step: int = 0


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """What a run record says of one metric.

    Parameters
    ----------
    last : float
        The value with the largest (step, timestamp, value), MLflow's rule.
    step, timestamp : int
        Of `last`.
    count : int
        Points logged.
    min, max : float or None
        Extremes over the numbers among the points; None where every point is NaN.
    min_step, max_step : int
        Where the extremes were first reached.
    """

    last: float
    step: int
    timestamp: int
    count: int = 1
    min: float | None = None
    max: float | None = None
    min_step: int = 0
    max_step: int = 0


@dataclass(frozen=True, slots=True)
class ArtifactEntry:
    """One file of a run, named by its content.

    Parameters
    ----------
    digest : Digest
    size : int
        Bytes.
    media_type : str
        Empty where the path's ending says it.
    """

    digest: Digest
    size: int
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class SeriesRef:
    """Where the full metric histories are.

    Parameters
    ----------
    points : int
        Points in all.
    whole : bool
        True where the file beside the record holds every point; False where it is a preview.
    digest : Digest or None
        The object with every point, where the file beside the record is a preview.
    size : int
        Bytes of that object.
    """

    points: int
    whole: bool
    digest: Digest | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class DatasetInput:
    """A dataset that a run read.

    Parameters
    ----------
    name, digest : str
        MLflow's identity of a dataset.
    source_type, source : str
        Where it came from, as MLflow spells it (JSON text in `source`).
    schema, profile : str
        JSON text, or empty.
    tags : Mapping of str to str
        ``mlflow.data.context`` and the like.
    """

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def context(self) -> str | None:
        """The role of the dataset in the run (``"training"``), or None."""
        return self.tags.get("mlflow.data.context")


@dataclass(frozen=True, slots=True)
class Run:
    """One run, as its committed record says it.

    Parameters
    ----------
    run_id : str
    experiment : str
        Slug of the experiment.
    name : str
    status : RunStatus
    start, end : int or None
        Milliseconds since the epoch, UTC; `end` is None while the run goes on.
    lifecycle : Lifecycle
    deleted_at : int or None
        When it was deleted, milliseconds since the epoch, UTC.
    user : str
        Git user name as configured; empty where it is not captured.
    parent : str or None
        Run id of the parent.
    params, tags : Mapping of str to str
    metrics : Mapping of str to MetricSummary
    inputs : tuple of DatasetInput
    artifacts : Mapping of str to ArtifactEntry
        By path. Where there are more than `formats.runs.MAX_INLINE_ARTIFACTS`, empty, and `manifest` names the list.
    manifest : ArtifactEntry or None
        Object that lists the artifacts.
    artifact_count : int
        Files in all.
    series : SeriesRef or None
    code : Mapping
        ``commit``, ``branch``, ``remote``, ``dirty``, ``tree``, ``left_out``: see docs/format.md.
    entry : Mapping
        ``script``, ``type``, ``args``.
    environment : Mapping
        ``python``, ``platform``, ``lock``.
    notices : tuple of str
        What was redacted, truncated or left out, in words.
    resumed : tuple of int
        When the run was opened again after it was sealed, milliseconds since the epoch, UTC.
    extra : Mapping
        Fields that this version does not know; written back unchanged.
    """

    run_id: str
    experiment: str
    name: str = ""
    status: RunStatus = RunStatus.RUNNING
    start: int = 0
    end: int | None = None
    lifecycle: Lifecycle = Lifecycle.ACTIVE
    deleted_at: int | None = None
    user: str = ""
    parent: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, MetricSummary] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[DatasetInput, ...] = ()
    artifacts: Mapping[str, ArtifactEntry] = field(default_factory=dict)
    manifest: ArtifactEntry | None = None
    artifact_count: int = 0
    series: SeriesRef | None = None
    code: Mapping[str, Any] = field(default_factory=dict)
    entry: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    resumed: tuple[int, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def duration_ms(self) -> int | None:
        """Milliseconds from start to end; None while the run goes on."""
        return None if self.end is None else self.end - self.start

    @property
    def all_tags(self) -> dict[str, str]:
        """The tags as MLflow shows them: the user's own and those that follow from fields of the record."""
        made: dict[str, str] = {}
        if self.name:
            made["mlflow.runName"] = self.name
        if self.user:
            made["mlflow.user"] = self.user
        if self.parent:
            made["mlflow.parentRunId"] = self.parent
        if self.entry.get("script"):
            made["mlflow.source.name"] = str(self.entry["script"])
            made["mlflow.source.type"] = str(self.entry.get("type", "LOCAL"))
        if self.code.get("commit"):
            made["mlflow.source.git.commit"] = str(self.code["commit"])
        if self.code.get("branch"):
            made["mlflow.source.git.branch"] = str(self.code["branch"])
        if self.code.get("remote"):
            made["mlflow.source.git.repoURL"] = str(self.code["remote"])
        made.update(self.tags)
        return made
