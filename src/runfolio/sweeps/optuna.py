"""A callback for Optuna's own loop: each trial of ``study.optimize`` becomes a run, as with Optuna's ``MLflowCallback``.

>>> import optuna                                                              # doctest: +SKIP
>>> from runfolio.sweeps.optuna import RunfolioCallback                        # doctest: +SKIP
>>> callback = RunfolioCallback(metric_name="accuracy")                        # doctest: +SKIP
>>> study.optimize(callback.track(objective), n_trials=50, callbacks=[callback])  # doctest: +SKIP

The runs are children of one run of the study's name, which reads as a sweep: on the site, in ``runfolio sweep --show``. Where the
study is kept and how it is resumed stays Optuna's affair; :func:`runfolio.sweep` needs no database for that.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runfolio.errors import UsageError
from runfolio.records import Experiment
from runfolio.records import sweeps as tags
from runfolio.sweeps.drawing import TrialPruned
from runfolio.sweeps.outside import end_child, end_parent, start_child, start_parent, sweep_tags
from runfolio.sweeps.studies import spelled_point
from runfolio.sweeps.trials import TrialState
from runfolio.tracking import fluent
from runfolio.tracking.live import LiveRun
from runfolio.tracking.session import Session, before_exit, session


class RunfolioCallback:
    """Records the trials of a study.

    Parameters
    ----------
    tracking_uri : str, optional
        The folio; the one in force by default.
    metric_name : str or sequence of str
        Name of what the objective returns; one for each value.
    create_experiment : bool
        Log to the experiment of the study's name, made if it is missing; else to the one in force.
    mlflow_kwargs : Mapping, optional
        ``experiment_id``, ``run_name`` and ``tags`` of the runs, as Optuna's callback takes them.
    tag_study_user_attrs, tag_trial_user_attrs : bool
        Write user attributes as tags.
    """

    def __init__(
        self,
        tracking_uri: str | None = None,
        metric_name: str | Sequence[str] = "value",
        create_experiment: bool = True,
        mlflow_kwargs: Mapping[str, Any] | None = None,
        tag_study_user_attrs: bool = False,
        tag_trial_user_attrs: bool = True,
    ) -> None:
        if not isinstance(metric_name, str) and not all(isinstance(each, str) for each in metric_name):
            raise UsageError(f"metric_name: a name, or a name for each value, is expected; found {metric_name!r}.")
        self._uri, self._names, self._create = tracking_uri, metric_name, create_experiment
        self._run_arguments = dict(mlflow_kwargs or {})
        self._of_study, self._of_trial = tag_study_user_attrs, tag_trial_user_attrs
        self._lock = threading.RLock()
        self._parent: tuple[Session, Experiment, LiveRun] | None = None
        self._open: dict[int, fluent.ActiveRun] = {}

    @property
    def run_id(self) -> str | None:
        """Of the study's run; None before the first trial."""
        return self._parent[2].run_id if self._parent else None

    def __call__(self, study: Any, trial: Any) -> None:
        """Record a trial that is over; Optuna calls it."""
        held, _, _ = self._begin(study)
        with self._lock:
            active = self._open.pop(trial.number, None)
        if active is None:
            active = self._start(study, trial.number)
        elif active.live.closed:
            return  # its objective raised: recorded there
        live = active.live
        live.batch((), trial.params, self._attributes(study, trial))
        names = self._metric_names(len(study.directions))
        for step, value in sorted(trial.intermediate_values.items()):
            live.metric(names[0] + tags.REPORTED, value, None, step)
        point, distributions = spelled_point(trial)
        state = _state(trial)
        values = dict(zip(names, trial.values or (), strict=False)) if state is TrialState.COMPLETE else {}
        end_child(
            held, active, state, values, "" if state is not TrialState.FAILED else "the objective failed",
            **{tags.POINT_TAG: point, tags.DISTRIBUTIONS_TAG: distributions},
        )  # fmt: skip

    def track(self, objective: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Let an objective log to its trial's run: ``runfolio.log_metric`` and autologging within it go there."""

        @functools.wraps(objective)
        def tracked(trial: Any) -> Any:
            held, _, _ = self._begin(trial.study)
            active = self._start(trial.study, trial.number)
            with self._lock:
                self._open[trial.number] = active
            try:
                return objective(trial)
            except BaseException as error:
                if not (isinstance(error, TrialPruned) or type(error).__name__ == "TrialPruned"):
                    end_child(held, active, TrialState.FAILED, {}, f"{type(error).__name__}: {error}")
                raise
            finally:
                fluent.leave(active, "FINISHED")

        return tracked

    def track_in_mlflow(self) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
        """Return :meth:`track`, as a decorator that is called first: the form of Optuna's callback."""
        return self.track

    def finish(self, status: str = "FINISHED") -> None:
        """End the study's run, and leave in it what was found; called at the process's end if nobody did."""
        with self._lock:
            parent, self._parent = self._parent, None
        if parent is not None:
            end_parent(parent[0], parent[2], status, is_sweep=True)

    def __enter__(self) -> RunfolioCallback:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.finish("FINISHED" if kind is None else "FAILED")

    def _begin(self, study: Any) -> tuple[Session, Experiment, LiveRun]:
        with self._lock:
            if self._parent is not None:
                return self._parent
            held = session(self._uri)
            chosen = self._run_arguments.get("experiment_id")
            if chosen is not None:
                experiment = held.folio.experiments.by_id(str(chosen)) or fluent.experiment_in_force(held)
            elif self._create:
                experiment = held.folio.experiments.get_or_create(study.study_name)
            else:
                experiment = fluent.experiment_in_force(held)
            ways = [each.name.lower() for each in study.directions]
            metrics = list(zip(self._metric_names(len(ways)), ways, strict=True))
            more = {key: str(value) for key, value in study.user_attrs.items()} if self._of_study else {}
            made = sweep_tags(metrics, type(study.sampler).__name__, study.study_name)
            live = start_parent(held, experiment, study.study_name, {**more, **made})
            self._parent = (held, experiment, live)
            before_exit(self.finish)
            return self._parent

    def _start(self, study: Any, number: int) -> fluent.ActiveRun:
        held, experiment, parent = self._begin(study)
        name = self._run_arguments.get("run_name") or f"trial-{number:04d}"
        return start_child(held, experiment, parent.run_id, number, name, self._run_arguments.get("tags") or {})

    def _metric_names(self, count: int) -> list[str]:
        if isinstance(self._names, str):
            return [self._names] if count == 1 else [f"{self._names}_{at}" for at in range(count)]
        if len(self._names) != count:
            raise UsageError(f"metric_name: the study has {count} values, and {len(self._names)} names are given.")
        return list(self._names)

    def _attributes(self, study: Any, trial: Any) -> dict[str, str]:
        """Return the tags that Optuna's ``MLflowCallback`` sets."""
        ways = [each.name for each in study.directions]
        made: dict[str, Any] = {
            "number": trial.number,
            "datetime_start": trial.datetime_start,
            "datetime_complete": trial.datetime_complete,
            "state": trial.state.name,
            "direction": ways[0] if len(ways) == 1 else ways,
        }
        made.update({f"{name}_distribution": drawn for name, drawn in trial.distributions.items()})
        if self._of_trial:
            made.update(trial.user_attrs)
        if self._of_study:
            made.update(study.user_attrs)
        return {str(key): str(value) for key, value in made.items()}


MLflowCallback = RunfolioCallback
"""The name of Optuna's own: a script needs its import changed only."""


def _state(trial: Any) -> TrialState:
    return {"COMPLETE": TrialState.COMPLETE, "PRUNED": TrialState.PRUNED}.get(trial.state.name, TrialState.FAILED)
