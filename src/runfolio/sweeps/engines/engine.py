"""What a sweep asks of whoever runs its trials.

An engine is given plans and gives back results, in any order, one for each plan. It keeps nothing: what counts is in the runs. So
an engine may execute a plan twice (:func:`runfolio.sweeps.work.run_trial` writes one run all the same), may forget everything
when it is killed, and answers with :func:`runfolio.sweeps.trials.lost` for a plan whose worker died; the sweep decides whether it
is run again, under a new run id.

Another package's engine needs no base class: any object with these names is one.
"""

from __future__ import annotations

from typing import Protocol

from runfolio.sweeps.trials import Place, TrialPlan, TrialResult


class Engine(Protocol):
    """Runs plans, several at a time."""

    @property
    def in_process(self) -> bool:
        """Whether plans run in the process of the sweep: then they are not pickled."""

    @property
    def capacity(self) -> int:
        """How many plans it takes at once; the sweep keeps no more submitted, since the sampler learns from what is finished."""

    def place(self, here: Place) -> Place:
        """Return where the plans log to: `here` where its workers see the folder of the folio, else a spool folder of theirs.

        A place in ``spool:`` is folded in by the engine, before or when it answers with the result (:meth:`next_result`).
        """

    def start(self) -> None:
        """Get ready; raises an error of ours where that cannot be."""

    def submit(self, plan: TrialPlan) -> None:
        """Take a plan; there is room for it."""

    def next_result(self, timeout_s: float | None = None) -> TrialResult | None:
        """Return the next result, waiting for it; None where none came in time."""

    def stop(self, *, now: bool = False) -> None:
        """Let go of everything; `now` gives up what is running. Called once, also after an error, and never raises for what is gone."""
