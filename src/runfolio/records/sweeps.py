"""How a sweep is told in runs: the tags of the sweep's own run, and those of the runs of its trials.

A sweep is a run with children, and its state is those children. What follows is all that is written, and all that a resumed sweep knows:

- the sweep's run says what is searched, how, and by which measure (:data:`METRICS_TAG` marks a run as a sweep);
- a child says at its start which trial it is and at which point of the space (:data:`POINT_TAG`), and at its end how the trial went
  (:data:`STATE_TAG`, :data:`VALUES_TAG`). A child without a state was cut off: it never counts, and its trial is run again.
"""

from __future__ import annotations

from runfolio.records.runs import Run

PREFIX = "runfolio.sweep."
METRICS_TAG = PREFIX + "metrics"
"""JSON list of ``[name, "minimize" or "maximize"]``."""
SPACE_TAG, SAMPLER_TAG, PRUNER_TAG, SEED_TAG = PREFIX + "space", PREFIX + "sampler", PREFIX + "pruner", PREFIX + "seed"
TRIALS_TAG, REPLICATES_TAG, OBJECTIVE_TAG = PREFIX + "trials", PREFIX + "replicates", PREFIX + "objective"
TRIAL_TAG = PREFIX + "trial"
"""Number of the trial, from 0."""
REPLICATE_TAG = PREFIX + "replicate"
"""Place of the replicate among the sweep's, from 0; none where each trial runs once."""
POINT_TAG = PREFIX + "point"
"""JSON object: the point of the space, as the sampler counts it (the place of a choice, not the choice)."""
DISTRIBUTIONS_TAG = PREFIX + "distributions"
"""JSON object: what the point's params could have been, where no space was declared for the sweep."""
STATE_TAG, VALUES_TAG = PREFIX + "state", PREFIX + "values"
SAMPLED_TAG = PREFIX + "sampled"
"""JSON object: what the sampler noted of the trial for itself."""
RETRY_TAG = PREFIX + "retry_of"
"""Run id of the attempt that was cut off."""
FAULT_TAG = PREFIX + "error"
REPORTED = ".reported"
"""Ends the name of the metric that holds what a trial reported on its way."""
DOCUMENT = "sweep.json"
"""Artifact of the sweep's run: what the sweep found."""


def is_sweep(run: Run) -> bool:
    """Tell whether a run is a sweep's own."""
    return METRICS_TAG in run.tags


def trial_number(run: Run) -> int | None:
    """Return the number of the trial that a run is of, or None."""
    text = run.tags.get(TRIAL_TAG, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
