"""What things are: frozen dataclasses for all that a folio holds. No input, no output, no git.

A record is a value. Rooms above make new ones with :func:`dataclasses.replace`; none is ever changed in place.
Fields that a newer runfolio wrote and this one does not know are kept in ``extra`` and written back unchanged
(the rule of python-tuf's ADR 0008), so that an old client never strips what a new one said.

Times are whole milliseconds since the epoch, UTC, as in MLflow's API. Digests are ``sha256:`` and 64 hex digits.

Examples
--------
>>> from runfolio.records import Run, RunStatus
>>> run = Run(run_id="0192f0c4d7a27c3e8f0a1b2c3d4e5f60", experiment="wine", name="calm-otter-7",
...           status=RunStatus.FINISHED, start=1732400000000, end=1732400001000, params={"depth": "3"})
>>> run.duration_ms
1000
"""

from runfolio.records.experiments import DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME, DEFAULT_SLUG, Experiment, Objective
from runfolio.records.names import (
    new_run_id,
    run_id_time,
    slug_of,
)
from runfolio.records.runs import (
    ArtifactEntry,
    DatasetInput,
    Digest,
    Lifecycle,
    MetricPoint,
    MetricSummary,
    Run,
    RunId,
    RunStatus,
    SeriesRef,
    ViewType,
)

__all__ = [
    "DEFAULT_EXPERIMENT_ID",
    "DEFAULT_EXPERIMENT_NAME",
    "DEFAULT_SLUG",
    "ArtifactEntry",
    "DatasetInput",
    "Digest",
    "Experiment",
    "Lifecycle",
    "MetricPoint",
    "MetricSummary",
    "Objective",
    "Run",
    "RunId",
    "RunStatus",
    "SeriesRef",
    "ViewType",
    "new_run_id",
    "run_id_time",
    "slug_of",
]
