"""The engine of one trial at a time, in the process of the sweep: nothing is started, pickled or sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runfolio.sweeps.trials import Place, TrialPlan, TrialResult
from runfolio.sweeps.work import run_trial
from runfolio.tracking.session import Session


class InlineEngine:
    """Runs a plan when its result is asked for.

    Parameters
    ----------
    held : Session
    trial_of : callable
        Returns Optuna's trial of a number.
    """

    in_process = True
    capacity = 1

    def __init__(self, held: Session, trial_of: Callable[[int], Any]) -> None:
        self._held, self._trial_of = held, trial_of
        self._plan: TrialPlan | None = None

    def place(self, here: Place) -> Place:
        """Log to the folio itself."""
        return here

    def start(self) -> None:
        """Do nothing."""

    def submit(self, plan: TrialPlan) -> None:
        """Take the next plan."""
        self._plan = plan

    def next_result(self, timeout_s: float | None = None) -> TrialResult | None:
        """Run the plan."""
        plan, self._plan = self._plan, None
        if plan is None:
            return None
        return run_trial(plan, draw=lambda: self._trial_of(plan.number), held=self._held)

    def stop(self, *, now: bool = False) -> None:
        """Do nothing."""
