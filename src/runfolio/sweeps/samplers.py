"""Which of Optuna's samplers and pruners a sweep asks for, and their making.

A sampler is seeded with the sweep's seed and the trial's number, so that the same history gives the same point.
"""

from __future__ import annotations

import functools
import json
import random
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError, missing_package
from runfolio.formats.fields import suggestion
from runfolio.sweeps.space import Space, grid_point, searched

SAMPLERS = {
    "tpe": "TPESampler",
    "bayesian": "TPESampler",
    "random": "RandomSampler",
    "cmaes": "CmaEsSampler",
    "gp": "GPSampler",
    "qmc": "QMCSampler",
    "nsgaii": "NSGAIISampler",
    "nsgaiii": "NSGAIIISampler",
}
GRID = "grid"
PRUNERS = {
    "none": "NopPruner",
    "median": "MedianPruner",
    "percentile": "PercentilePruner",
    "hyperband": "HyperbandPruner",
    "halving": "SuccessiveHalvingPruner",
    "threshold": "ThresholdPruner",
    "patient": "PatientPruner",
    "wilcoxon": "WilcoxonPruner",
}
_MODULES = {"cmaes": ("cmaes", "cmaes"), "gp": ("torch", "pytorch")}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A sampler or pruner as it was asked for.

    Parameters
    ----------
    name : str
        Of `SAMPLERS`, `GRID` or `PRUNERS`; for an object of the user's, its class.
    options : Mapping
        Arguments of Optuna's class.
    object : optional
        The user's own.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    object: Any = None

    def words(self) -> str:
        """Return it as JSON for the sweep's run."""
        return json.dumps({"type": self.name, **self.options}, default=str)


def chosen(said: Any, what: str, known: Sequence[str], default: str) -> Chosen:
    """Read what was asked for: a name, a mapping with ``type`` and options, or an object of Optuna's.

    Raises
    ------
    UsageError
        For a name that is none.
    """
    if said is None:
        return Chosen(default)
    if isinstance(said, Chosen):
        return said
    if isinstance(said, str):
        said = {"type": said}
    if isinstance(said, Mapping):
        name = str(said.get("type", "")).lower()
        if name not in known:
            raise UsageError(f"{what}: {said.get('type')!r} is none{suggestion(name, known, '.')}")
        return Chosen(name, {str(key): value for key, value in said.items() if key != "type"})
    return Chosen(type(said).__name__, {}, said)


def choose_sampler(said: Any) -> Chosen:
    """Read a sampler; TPE by default."""
    return chosen(said, "sampler", [*SAMPLERS, GRID], "tpe")


def choose_pruner(said: Any) -> Chosen:
    """Read a pruner; none by default."""
    return chosen(said, "pruner", list(PRUNERS), "none")


def optuna() -> Any:
    """Import Optuna.

    Raises
    ------
    MissingPackageError
    """
    try:
        import optuna as found
    except ImportError:
        raise missing_package("optuna", "sweeps", "choose the points of a sweep") from None
    return found


def seed_of(seed: int, number: int) -> int:
    """Return the seed of one trial."""
    return random.Random(f"{seed}/{number}").getrandbits(31)


def make_sampler(wanted: Chosen, seed: int, number: int, space: Space | None, parallel: bool) -> Any:
    """Make the sampler that draws one trial's point."""
    if wanted.object is not None:
        return wanted.object
    if wanted.name == GRID:
        return _grid_sampler()(searched(space or {}), number)
    found = optuna()
    if wanted.name in _MODULES:
        _need(*_MODULES[wanted.name], wanted.name)
    kind = getattr(found.samplers, SAMPLERS[wanted.name])
    options = dict(wanted.options)
    # The points of a low-discrepancy sequence are numbered by the study: one seed scrambles them all.
    options.setdefault("seed", seed if wanted.name == "qmc" else seed_of(seed, number))
    if wanted.name in ("cmaes", "qmc"):
        options.setdefault("warn_independent_sampling", False)
    if kind.__name__ == "TPESampler" and parallel:
        options.setdefault("constant_liar", True)
    return _made(kind, options, "sampler", wanted)


def reseed(sampler: Any, seed: int) -> bool:
    """Give a sampler the random state that it would have been made with; False where it keeps it elsewhere."""
    states: list[Any] = [
        getattr(getattr(each, "_rng", None), "rng", None) for each in (sampler, getattr(sampler, "_random_sampler", sampler))
    ]
    if not all(hasattr(state, "seed") for state in states):
        return False
    for state in states:
        state.seed(seed)
    return True


def make_pruner(wanted: Chosen) -> Any:
    """Make the pruner."""
    if wanted.object is not None:
        return wanted.object
    found = optuna()
    options = dict(wanted.options)
    if wanted.name == "percentile":
        options.setdefault("percentile", 25.0)
    if wanted.name == "patient":
        options.setdefault("wrapped_pruner", None)
        options.setdefault("patience", 3)
    return _made(getattr(found.pruners, PRUNERS[wanted.name]), options, "pruner", wanted)


def _made(kind: Any, options: Mapping[str, Any], what: str, wanted: Chosen) -> Any:
    with quiet():
        try:
            return kind(**options)
        except (TypeError, ValueError) as error:
            raise UsageError(f"{what}: {wanted.name} does not take these options: {error}") from None


def _need(module: str, package: str, name: str) -> None:
    import importlib.util

    if importlib.util.find_spec(module) is None:
        raise missing_package(package, "", f"draw points by the sampler {name!r}")


@functools.cache
def _grid_sampler() -> Any:
    from optuna.samplers import BaseSampler

    class GridPoint(BaseSampler):
        """Draws the point of a grid that has the trial's number."""

        def __init__(self, space: Space, number: int) -> None:
            self._point = grid_point(space, number)

        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
            return {}

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
            return {}

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            return self._point[param_name]

    return GridPoint


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from saying what is of no news here: a study in memory, an experimental class."""
    found = optuna()
    before = found.logging.get_verbosity()
    found.logging.set_verbosity(max(before, found.logging.WARNING))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", found.exceptions.ExperimentalWarning)
            yield
    finally:
        found.logging.set_verbosity(before)
