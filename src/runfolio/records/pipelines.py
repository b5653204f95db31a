"""How a pipeline is told in its runs: the tags that say which step a run was of, and under which key.

A step's key is set last, when all its outputs are stored: a run that was killed before that has none, and is never taken for the step's.
"""

from __future__ import annotations

from runfolio.records.runs import Run

PIPELINE_TAG, STEP_TAG, KEY_TAG = "runfolio.pipeline", "runfolio.step", "runfolio.step.key"
DOCUMENT, STEP_DOCUMENT = "pipeline.json", "step.json"
OUTPUTS = "outputs"
"""The folder of a step's run that holds what the step made, under the paths that it has in the work tree."""

MADE, UP_TO_DATE, FAILED, KILLED, NOT_RUN, RUNNING = "made", "up to date", "failed", "killed", "not run", "running"
STATES = (MADE, UP_TO_DATE, FAILED, KILLED, NOT_RUN, RUNNING)
"""What became of a step in one run of its pipeline."""


def is_pipeline(run: Run) -> bool:
    """Tell whether a run is one of a pipeline, and not of one of its steps."""
    return PIPELINE_TAG in run.tags and STEP_TAG not in run.tags
