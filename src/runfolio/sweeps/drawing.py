"""What the objective of a sweep is given: a trial that draws params, reports, and is told when to stop.

The names are those of Optuna's trial, so that an objective written for it runs here unchanged:

>>> def objective(trial):
...     rate = trial.suggest_float("rate", 1e-4, 0.1, log=True)
...     return (rate - 0.01) ** 2

What is drawn and reported is logged to the trial's run as it comes. Where the sweep declares its space, ``suggest_…`` returns
what the sweep has chosen; Optuna itself is loaded only where something is drawn here, or a pruner is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runfolio.errors import UsageError
from runfolio.records.sweeps import REPORTED
from runfolio.sweeps.trials import TrialPlan
from runfolio.tracking.live import LiveRun, number_of, whole


class TrialPruned(Exception):  # noqa: N818 - a signal, as Optuna's of this name is, not an error
    """Raised by an objective to say that it stopped on the way; ``optuna.TrialPruned`` does as well."""


class SweepTrial:
    """One trial, as its objective sees it.

    Parameters
    ----------
    plan : TrialPlan
    live : LiveRun
        The trial's run.
    draw : callable
        Returns Optuna's trial; called when it is needed first.
    """

    def __init__(self, plan: TrialPlan, live: LiveRun, draw: Callable[[], Any]) -> None:
        self._plan, self._live, self._draw = plan, live, draw
        self._inner: Any = None
        self._params: dict[str, Any] = dict(plan.params)
        self.reported: dict[int, float] = {}
        self.user_attrs: dict[str, Any] = {}

    @property
    def number(self) -> int:
        """Of the trial, from 0."""
        return self._plan.number

    @property
    def run_id(self) -> str:
        """Of the trial's run."""
        return self._plan.run_id

    @property
    def replicate(self) -> int | None:
        """Place of this run among the replicates of the trial; None where there are none."""
        return self._plan.replicate

    @property
    def params(self) -> dict[str, Any]:
        """All params so far: chosen, fixed, drawn."""
        return dict(self._params)

    @property
    def inner(self) -> Any:
        """Optuna's trial."""
        if self._inner is None:
            self._inner = self._draw()
        return self._inner

    @property
    def drawn(self) -> Any:
        """Optuna's trial, if something was asked of it; else None."""
        return self._inner

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False) -> float:
        """Draw a number; see ``optuna.trial.Trial.suggest_float``."""
        return float(self._drawn(name, lambda: self.inner.suggest_float(name, low, high, step=step, log=log)))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Draw a whole number; see ``optuna.trial.Trial.suggest_int``."""
        return int(self._drawn(name, lambda: self.inner.suggest_int(name, low, high, step=step, log=log)))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Draw one of some values; see ``optuna.trial.Trial.suggest_categorical``."""
        return self._drawn(name, lambda: self.inner.suggest_categorical(name, choices))

    def _drawn(self, name: str, draw: Callable[[], Any]) -> Any:
        if name in self._params:
            return self._params[name]
        if not self._plan.draws:
            raise UsageError(
                f"The objective asks for {name!r}, which is not in the sweep's space ({', '.join(self._params) or 'empty'}). "
                "Add it to the space, or give no space and draw all params in the objective."
            )
        value = draw()
        self._live.param(name, value)
        self._params[name] = value
        return value

    def report(self, value: float, step: int) -> None:
        """Say how it stands at a step; logged as the metric that ends in ``.reported``.

        Parameters
        ----------
        value : float
        step : int
            From 0.
        """
        key = self._plan.metrics[0] + REPORTED
        if len(self._plan.metrics) > 1:
            raise UsageError("A sweep with several metrics prunes nothing: log what happens on the way with log_metric.")
        at, number = whole(key, "step", step), number_of(key, value)
        if at < 0:
            raise UsageError(f"report: a step from 0 is expected, found {step!r}.")
        if at in self.reported:
            return  # as Optuna has it: the first report of a step stays
        self._live.metric(key, number, None, at)
        self.reported[at] = number
        if self._judged:
            self.inner.report(number, at)

    @property
    def _judged(self) -> bool:
        return self._plan.judged and self._plan.study is not None

    def should_prune(self) -> bool:
        """Tell whether the trial is not worth going on with; always false without a pruner."""
        return bool(self._judged and self.reported and self.inner.should_prune())

    def set_user_attr(self, key: str, value: Any) -> None:
        """Note something of the trial; a tag of its run."""
        self._live.tag(key, value)
        self.user_attrs[key] = value

    def __getattr__(self, name: str) -> Any:
        # What Optuna's trial has beyond: distributions, datetime_start, suggest_uniform …
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.inner, name)

    def __repr__(self) -> str:
        return f"<SweepTrial {self.number}: {self._params!r}>"


def binder(function: Callable[..., Any], names: Sequence[str], *, draws: bool) -> Callable[[SweepTrial], Any]:
    """Find out how an objective is called: with the params by name, or with the trial.

    Parameters
    ----------
    function : callable
    names : sequence of str
        Of the params.
    draws : bool
        Whether the objective draws its params itself.

    Raises
    ------
    UsageError
        If it takes neither.
    """
    import inspect

    try:
        taken: Mapping[str, inspect.Parameter] = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return lambda trial: function(trial) if draws else function(**trial.params)
    kinds = inspect.Parameter
    positional = [name for name, each in taken.items() if each.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    needed = [name for name in positional if taken[name].default is kinds.empty]
    whatever = any(each.kind is kinds.VAR_KEYWORD for each in taken.values())
    named = {name for name, each in taken.items() if each.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)}
    if not draws and (whatever or set(names) <= named) and set(needed) <= {*names, "trial"}:
        if "trial" in named and "trial" not in names:
            return lambda trial: function(trial=trial, **trial.params)
        return lambda trial: function(**trial.params)
    if len(needed) == 1 and needed[0] not in names:
        return function
    if draws and len(positional) == 1:
        return function
    missing = [name for name in names if name not in named]
    extra = [name for name in needed if name not in names]
    said = "; ".join(
        filter(None, (f"no argument for {', '.join(missing)}" * bool(missing), f"no param for {', '.join(extra)}" * bool(extra)))
    )
    raise UsageError(
        f"The objective takes ({', '.join(taken)}): {said or 'neither a trial nor the params'}. "
        "Give it an argument for each param, or one argument: the trial."
    )
