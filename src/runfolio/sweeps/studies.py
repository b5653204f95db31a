"""Optuna's part: which point comes next, and which trial is not worth going on with.

The study lives in memory, and is made of what the children say when a sweep is resumed. Each trial's point is drawn by a sampler
that was seeded with the sweep's seed and the trial's number, and from what was known when it was drawn: the same history gives
the same point, however often the process died in between.

What a worker in another process needs (an objective that draws its params itself, a pruner) travels as a snapshot of the study,
taken when the trial was given out.
"""

from __future__ import annotations

import functools
import json
import pickle
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runfolio.errors import missing_package
from runfolio.records.names import MAX_TAG_LENGTH
from runfolio.sweeps.reading import point_of
from runfolio.sweeps.samplers import Chosen, make_pruner, make_sampler, optuna, quiet, reseed, seed_of
from runfolio.sweeps.space import Choices, IntRange, Space, searched
from runfolio.sweeps.trials import TrialState


def distributions_of(space: Space) -> dict[str, Any]:
    """Return a space as Optuna has it."""
    found = optuna().distributions
    made: dict[str, Any] = {}
    for name, each in searched(space).items():
        if isinstance(each, Choices):
            made[name] = found.CategoricalDistribution(each.values)
        elif isinstance(each, IntRange):
            with quiet():
                made[name] = found.IntDistribution(each.low, _reached(each), log=each.log, step=each.step)
        else:
            with quiet():
                made[name] = found.FloatDistribution(each.low, each.high, log=each.log, step=each.step)  # type: ignore[union-attr]
    return made


def _reached(each: IntRange) -> int:
    return each.low + (each.high - each.low) // each.step * each.step


def spelled_point(trial: Any) -> tuple[str, str]:
    """Return the point and the distributions of a trial of Optuna's, as JSON."""
    found, params = trial.distributions, trial.params
    point = {name: each.to_internal_repr(params[name]) for name, each in found.items()}
    write = optuna().distributions.distribution_to_json
    spelled = ", ".join(f"{json.dumps(name)}: {write(each)}" for name, each in found.items())
    return json.dumps(point), f"{{{spelled}}}"


class Study:
    """The trials as Optuna knows them, by their numbers.

    Parameters
    ----------
    name : str
        Run id of the sweep.
    directions : sequence of str
    sampler, pruner : Chosen
    seed : int
    space : Space or None
        None where the objective draws its params itself.
    parallel : bool
        Whether trials are drawn while others go on.
    """

    def __init__(
        self,
        name: str,
        directions: Sequence[str],
        sampler: Chosen,
        pruner: Chosen,
        seed: int,
        space: Space | None,
        parallel: bool,
    ) -> None:
        self._draw: Callable[[int], Any] = functools.partial(self._sampler_for, sampler, seed, space, parallel)
        self._kept: Any = None
        self.directions = tuple(directions)
        self._facts = (name, tuple(directions), sampler, pruner, seed, space, parallel)
        self._distributions = distributions_of(space) if space is not None else {}
        self.draws = space is None
        self.prunes = pruner.name not in ("none", "NopPruner")
        self.optuna = _new_study(name, directions, make_pruner(pruner))
        self._trials: dict[int, Any] = {}
        self._reseeded = sampler.object is None

    def _sampler_for(self, wanted: Chosen, seed: int, space: Space | None, parallel: bool, number: int) -> Any:
        """Return the sampler for one trial: the one before with another seed where that is the same, since it knows the history."""
        if self._kept is not None and reseed(self._kept, seed_of(seed, number)):
            return self._kept
        made = make_sampler(wanted, seed, number, space, parallel)
        if wanted.name in ("tpe", "bayesian", "random") and "seed" not in wanted.options:
            self._kept = made
        return made

    def ask(self, number: int) -> Any:
        """Draw the point of the next trial, whose number must be the one that is given; return Optuna's trial."""
        if self._reseeded or number == 0:
            self.optuna.sampler = self._draw(number)
        trial = self.optuna.ask(fixed_distributions=self._distributions)
        assert trial.number == number, "trials are drawn in the order of their numbers"
        self._trials[number] = trial
        return trial

    def point(self, trial: Any) -> str:
        """Return the point of a trial that was drawn from the declared space, as JSON."""
        params = trial.params
        return json.dumps({name: each.to_internal_repr(params[name]) for name, each in self._distributions.items()})

    def sampled(self, trial: Any) -> str:
        """Return what the sampler noted of a trial for itself, as JSON; empty where it is nothing, or too long for a tag."""
        noted = trial.storage.get_trial_system_attrs(trial._trial_id) if hasattr(trial, "storage") else trial.system_attrs
        text = json.dumps(noted, default=str) if noted else ""
        return text if len(text) <= MAX_TAG_LENGTH else ""

    def trial(self, number: int) -> Any:
        """Return Optuna's trial of a number."""
        return self._trials[number]

    def again(self, number: int, point: str, distributions: str, sampled: str) -> dict[str, Any] | None:
        """Take up a trial that was cut off: its point is that which the record says; None where that is no point of the space."""
        known = _distributions(distributions) if self.draws else self._distributions
        found = self._params(point, known) if known or not self.draws else None
        if found is None:
            return None
        kinds = optuna().trial
        made = kinds.create_trial(state=kinds.TrialState.RUNNING, params=found, distributions=known, system_attrs=_attrs(sampled))
        self.optuna.add_trial(made)
        self.optuna.sampler = self._draw(number)
        last = self.optuna._storage.get_trial_id_from_study_id_trial_number(self.optuna._study_id, number)
        self._trials[number] = kinds.Trial(self.optuna, last)
        return found

    def add(
        self, number: int, state: TrialState, point: str, distributions: str, values: Sequence[float],
        reported: Mapping[int, float], sampled: str,
    ) -> dict[str, Any]:  # fmt: skip
        """Add a trial that is over, as its runs tell it; return its params."""
        kinds = optuna().trial
        known = self._distributions if not self.draws else _distributions(distributions)
        params = self._params(point, known)
        fits = params is not None
        made = kinds.create_trial(
            state=_state(state) if fits else kinds.TrialState.FAIL,
            params=params or {},
            distributions=known if fits else {},
            values=list(values) if fits and values and state is TrialState.COMPLETE else None,
            value=None,
            intermediate_values=dict(reported),
            system_attrs=_attrs(sampled),
        )
        if state is TrialState.PRUNED and reported:
            made.values = [reported[max(reported)]]
        self.optuna.add_trial(made)
        return dict(params or {})

    def _params(self, point: str, known: Mapping[str, Any]) -> dict[str, Any] | None:
        said = point_of(point)
        if said is None or set(said) != set(known):
            return None
        for name, each in known.items():
            if hasattr(each, "choices") and not 0 <= said[name] < len(each.choices):
                return None
            if not each._contains(said[name]):
                return None
        return {name: each.to_external_repr(said[name]) for name, each in known.items()}

    def adopt(self, number: int, point: str, distributions: str) -> dict[str, Any]:
        """Give a trial the params that its objective drew, here or in another process; return them."""
        known, said = _distributions(distributions), point_of(point) or {}
        there = self._trials[number].distributions
        for name, each in known.items():
            if name not in there and name in said:
                self.optuna._storage.set_trial_param(self._trials[number]._trial_id, name, said[name], each)
        return self._params(point, known) or {}

    def finish(self, number: int, state: TrialState, values: Sequence[float], reported: Mapping[int, float]) -> None:
        """Say how a trial went."""
        trial = self._trials.pop(number)
        storage, trial_id = self.optuna._storage, trial._trial_id
        known = storage.get_trial(trial_id).intermediate_values if reported else {}
        for step, value in reported.items():
            if step not in known:
                storage.set_trial_intermediate_value(trial_id, step, value)
        with quiet():
            self.optuna.tell(trial, list(values) if state is TrialState.COMPLETE else None, state=_state(state))

    def snapshot(self, number: int) -> bytes:
        """Return what a worker needs to draw a trial's params, or to judge it."""
        name, directions, sampler, pruner, seed, space, parallel = self._facts
        trials = self.optuna._storage.get_all_trials(self.optuna._study_id, deepcopy=False)[: number + 1]
        facts = (name, directions, _carried(sampler), _carried(pruner), seed, space, parallel)
        return pickle.dumps((facts, trials))


def _carried(wanted: Chosen) -> Any:
    if wanted.object is None:
        return wanted
    try:
        import cloudpickle  # type: ignore[import-untyped]
    except ImportError:
        raise missing_package("cloudpickle", "sweeps", f"send {wanted.name} to other processes") from None
    return cloudpickle.dumps(wanted)


def trial_of(snapshot: bytes, number: int) -> Any:
    """Return Optuna's trial in a study of its own, made of a snapshot.

    Parameters
    ----------
    snapshot : bytes
        Of :meth:`Study.snapshot`: what our own parent process packed.
    number : int
    """
    optuna()
    (name, directions, sampler, pruner, seed, space, parallel), trials = pickle.loads(snapshot)  # noqa: S301 - our parent's
    sampler, pruner = (pickle.loads(each) if isinstance(each, bytes) else each for each in (sampler, pruner))  # noqa: S301
    study = _new_study(name, directions, make_pruner(pruner))
    study.sampler = make_sampler(sampler, seed, number, space, parallel)
    for each in trials:
        study.add_trial(each)
    last = study._storage.get_trial_id_from_study_id_trial_number(study._study_id, number)
    return optuna().trial.Trial(study, last)


def _new_study(name: str, directions: Sequence[str], pruner: Any) -> Any:
    with quiet():
        return optuna().create_study(study_name=name, directions=list(directions), pruner=pruner)


def _state(state: TrialState) -> Any:
    kinds = optuna().trial.TrialState
    return {TrialState.COMPLETE: kinds.COMPLETE, TrialState.PRUNED: kinds.PRUNED}.get(state, kinds.FAIL)


def _attrs(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _distributions(text: str) -> dict[str, Any]:
    return dict(_read_distributions(text))


@functools.lru_cache(maxsize=256)
def _read_distributions(text: str) -> dict[str, Any]:
    read = optuna().distributions.json_to_distribution
    made: dict[str, Any] = {}
    for name, each in _attrs(text).items():
        try:
            made[name] = read(json.dumps(each))
        except (ValueError, TypeError, KeyError, AttributeError):
            return {}  # written by something else: the trial counts, its point does not
    return made


FEW, MANY = 4, 100
"""fANOVA takes seconds for some hundred trials."""


def importances(study: Study, names: Sequence[str]) -> tuple[str, dict[str, dict[str, float]]] | None:
    """Return how much each param explains of each metric, and by which method; None where that cannot be said.

    fANOVA where scikit-learn is at hand and the trials are few; PED-ANOVA, which takes a moment for any number, else.
    """
    import importlib.util

    found = optuna()
    done = [trial for trial in study.optuna.get_trials(deepcopy=False) if trial.state is found.trial.TrialState.COMPLETE]
    searched_names = {name for trial in done for name in trial.params}
    varied = [name for name in searched_names if len({repr(trial.params.get(name)) for trial in done}) > 1]
    if len(done) < FEW or not varied:
        return None
    few = len(done) <= MANY and importlib.util.find_spec("sklearn") is not None
    ways = found.importance
    made: dict[str, dict[str, float]] = {}
    for at, name in enumerate(names):
        # PED-ANOVA asks which params lead to low values.
        sign = 1.0 if few or study.directions[at] == "minimize" else -1.0

        def target(trial: Any, at: int = at, sign: float = sign) -> float:
            return sign * float(trial.values[at])

        with quiet(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="PedAnovaImportanceEvaluator computes")
            evaluator = ways.FanovaImportanceEvaluator(seed=0) if few else ways.PedAnovaImportanceEvaluator()
            try:
                said = ways.get_param_importances(study.optuna, evaluator=evaluator, target=target)
            except (ValueError, RuntimeError):
                continue  # the trials have no param in common, or all one value: nothing is explained
        made[name] = {str(key): float(each) for key, each in said.items() if each == each}
    return ("fANOVA" if few else "PED-ANOVA", made) if any(made.values()) else None
