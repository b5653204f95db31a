"""Many runs over a space: one objective, called at points that a sampler chooses, each call a run, all of them children of one run.

The one verb is :func:`runfolio.sweep`; ``runfolio sweep FILE.yaml`` is the same for commands and projects. Who chooses the
points, and stops what is not promising, is Optuna (:mod:`~runfolio.sweeps.studies`, :mod:`~runfolio.sweeps.samplers`); who runs them
is an engine (:mod:`~runfolio.sweeps.engines`): this process, processes of this machine, or a cluster.

Invariants:

- A sweep's state is its children: what is in the folio, its journals and its inbox. There is no database beside them. A sweep
  that was killed at any moment goes on from there: what finished counts once and is not run again, what was cut off is run again
  under a run of its own.
- The run id of a trial is given by the sweep, not by who runs it: a task that an engine executes twice writes one run.
- Point and seed of a trial follow from the sweep's seed and the trial's number, so that a sweep that was interrupted draws what it would
  have drawn.

This room does *not* decide how machines are shared (that is the engine's), and keeps no study of Optuna's on disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runfolio._lazy import lazy_names

if TYPE_CHECKING:
    from runfolio.sweeps.drawing import SweepTrial, TrialPruned
    from runfolio.sweeps.result import SweepResult, TrialSummary
    from runfolio.sweeps.showing import load
    from runfolio.sweeps.space import Choices, Fixed, FloatRange, IntRange
    from runfolio.sweeps.sweeping import sweep

__all__ = [
    "Choices",
    "Fixed",
    "FloatRange",
    "IntRange",
    "SweepResult",
    "SweepTrial",
    "TrialPruned",
    "TrialSummary",
    "load",
    "sweep",
]

__getattr__ = lazy_names(
    __name__,
    {
        "drawing": ["SweepTrial", "TrialPruned"],
        "result": ["SweepResult", "TrialSummary"],
        "showing": ["load"],
        "space": ["Choices", "Fixed", "FloatRange", "IntRange"],
        "sweeping": ["sweep"],
    },
)
