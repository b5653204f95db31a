"""What a sweep was asked to do, and how its run says so: everything that a resumed sweep needs, in tags."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, UsageError
from runfolio.records import Run
from runfolio.records import sweeps as tags
from runfolio.records.names import MAX_TAG_LENGTH, check_key
from runfolio.records.redaction import Redactor
from runfolio.sweeps.samplers import GRID, Chosen, choose_pruner, choose_sampler
from runfolio.sweeps.space import Space, decode_space, encode_space, grid_size, shown_space

WAYS = {"minimize": "minimize", "min": "minimize", "maximize": "maximize", "max": "maximize"}
DEFAULT_METRIC = "value"


@dataclass(frozen=True, slots=True)
class Replicates:
    """Each trial is run once for each of some values of one param, a seed mostly.

    Parameters
    ----------
    param : str
    values : tuple
    """

    param: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """What a sweep was asked to do.

    Parameters
    ----------
    metrics : tuple of (str, str)
        Name and ``minimize`` or ``maximize``.
    space : Space or None
        None where the objective draws its params itself.
    sampler, pruner : Chosen
    seed : int
    trials : int or None
        How many in all; None goes on until the time is over.
    replicates : Replicates or None
    objective : str
        As it is shown.
    """

    metrics: tuple[tuple[str, str], ...]
    space: Space | None
    sampler: Chosen
    pruner: Chosen
    seed: int
    trials: int | None
    replicates: Replicates | None = None
    objective: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the metrics."""
        return tuple(name for name, _ in self.metrics)

    @property
    def directions(self) -> tuple[str, ...]:
        """``minimize`` or ``maximize`` for each metric."""
        return tuple(way for _, way in self.metrics)

    @property
    def repeats(self) -> int:
        """How many runs a trial has."""
        return len(self.replicates.values) if self.replicates else 1

    def shown(self, redactor: Redactor) -> SweepSettings:
        """Return them as they are recorded: fixed values that are secrets as ``***``.

        Raises
        ------
        UsageError
            If a param with several values has a secret among them.
        """
        return self if self.space is None else replace(self, space=shown_space(self.space, redactor.value))

    def tags(self) -> dict[str, str]:
        """Return them as tags of the sweep's run."""
        made = {
            tags.METRICS_TAG: json.dumps(self.metrics),
            tags.SAMPLER_TAG: self.sampler.words(),
            tags.PRUNER_TAG: self.pruner.words(),
            tags.SEED_TAG: str(self.seed),
            tags.OBJECTIVE_TAG: self.objective,
        }
        if self.space is not None:
            made[tags.SPACE_TAG] = encode_space(self.space)
        if self.trials is not None:
            made[tags.TRIALS_TAG] = str(self.trials)
        if self.replicates is not None:
            made[tags.REPLICATES_TAG] = json.dumps({self.replicates.param: list(self.replicates.values)})
        long = [key for key, text in made.items() if len(text) > MAX_TAG_LENGTH]
        if long:
            raise UsageError(
                f"{long[0].removeprefix(tags.PREFIX)}: its description has more than {MAX_TAG_LENGTH:,} characters, and could not be "
                "read again when the sweep is resumed. Give fewer or shorter choices."
            )
        return {key: text for key, text in made.items() if text}


def settings_of(run: Run) -> SweepSettings:
    """Read what a sweep was asked to do from its run.

    Raises
    ------
    UsageError
        If the run is no sweep's.
    DamagedError
        If its tags cannot be read.
    """
    said = run.tags
    if not tags.is_sweep(run):
        raise UsageError(f"The run {run.run_id} ({run.name}) is not a sweep's own. List the sweeps: runfolio sweep --list")
    try:
        metrics = tuple((str(name), WAYS[way]) for name, way in json.loads(said[tags.METRICS_TAG]))
        replicates = json.loads(said[tags.REPLICATES_TAG]) if tags.REPLICATES_TAG in said else {}
        return SweepSettings(
            metrics,
            decode_space(said[tags.SPACE_TAG]) if tags.SPACE_TAG in said else None,
            _recorded(said.get(tags.SAMPLER_TAG, "{}"), choose_sampler),
            _recorded(said.get(tags.PRUNER_TAG, "{}"), choose_pruner),
            int(said.get(tags.SEED_TAG, "0")),
            int(said[tags.TRIALS_TAG]) if tags.TRIALS_TAG in said else None,
            next((Replicates(name, tuple(values)) for name, values in replicates.items()), None),
            said.get(tags.OBJECTIVE_TAG, ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(f"Run {run.run_id}: its tags {tags.PREFIX}* do not describe a sweep: {error}") from None


def _recorded(text: str, choose: Any) -> Chosen:
    said = json.loads(text)
    try:
        return choose(said or None)  # type: ignore[no-any-return]  # one of the two choosers
    except UsageError:
        return Chosen(str(said.get("type")), {})  # an object of the user's: it has to be given again


def read_metrics(metrics: Any, direction: Any) -> tuple[tuple[str, str], ...]:
    """Read which metrics are looked at, and which way each is better.

    Parameters
    ----------
    metrics : str, sequence of str, Mapping of str to str, or None
    direction : str, sequence of str, or None
        For metrics without one; ``minimize`` by default, as with Optuna.

    Raises
    ------
    UsageError
    """
    if isinstance(metrics, Mapping):
        if direction is not None:
            raise UsageError("metrics says which way each is better: leave direction out.")
        return tuple((check_key(name, "metric"), _way(way, f"metrics.{name}")) for name, way in metrics.items()) or _none()
    ways = [direction] if isinstance(direction, str) or direction is None else list(direction)
    if metrics is None:
        names = [DEFAULT_METRIC] if len(ways) == 1 else [f"{DEFAULT_METRIC}_{at}" for at in range(len(ways))]
    else:
        names = [metrics] if isinstance(metrics, str) else list(metrics)
    if len(ways) == 1:
        ways = ways * len(names)
    if len(ways) != len(names):
        raise UsageError(f"There are {len(names)} metrics ({', '.join(names)}) and {len(ways)} directions.")
    if len(set(names)) < len(names):
        raise UsageError(f"metrics: a name is there twice: {', '.join(names)}.")
    return tuple((check_key(name, "metric"), _way(way, "direction")) for name, way in zip(names, ways, strict=True)) or _none()


def _none() -> Any:
    raise UsageError("metrics: at least one is needed.")


def _way(said: Any, where: str) -> str:
    if said is None:
        return "minimize"
    if said not in WAYS:
        raise UsageError(f"{where}: minimize or maximize is expected, found {said!r}.")
    return WAYS[said]


def read_replicates(said: Any) -> Replicates | None:
    """Read replicates: a count (of seeds 0, 1, …), or a param with its values or their count.

    >>> read_replicates(3)
    Replicates(param='seed', values=(0, 1, 2))
    >>> read_replicates({"seed": [7, 8]})
    Replicates(param='seed', values=(7, 8))
    """
    if said is None or isinstance(said, Replicates):
        return said
    if not isinstance(said, Mapping):
        said = {"seed": said}
    if set(said) <= {"param", "values", "count"} and "param" in said:
        said = {said["param"]: said.get("values", said.get("count"))}
    if len(said) != 1:
        raise UsageError("replicates: one param with its values is expected, such as seed: [0, 1, 2], or a count.")
    name, values = next(iter(said.items()))
    if isinstance(values, int) and not isinstance(values, bool):
        values = list(range(values))
    if isinstance(values, (str, bytes)) or not isinstance(values, (Sequence, range)) or not len(values):
        raise UsageError(f"replicates.{name}: a list of values or a count from 1 is expected, found {values!r}.")
    if len({repr(value) for value in values}) < len(values):
        raise UsageError(f"replicates.{name}: a value is there twice.")
    return Replicates(str(name), tuple(values))


def check(settings: SweepSettings, timeout_s: float | None) -> SweepSettings:
    """Return the settings with what follows from them; all contradictions are told at once.

    Raises
    ------
    UsageError
    """
    faults: list[str] = []
    trials = settings.trials
    if settings.sampler.name == GRID:
        if settings.space is None:
            faults.append("sampler: a grid needs a space.")
        else:
            try:
                size = grid_size(settings.space)
                trials = size if trials is None else min(trials, size)
            except UsageError as error:
                faults.append(error.message)
    if trials is None and timeout_s is None and not faults:
        faults.append("trials: say how many, or for how long (timeout).")
    if trials is not None and trials < 1:
        faults.append(f"trials: a number from 1 is expected, found {trials}.")
    if settings.pruner.name not in ("none", "NopPruner") and len(settings.metrics) > 1:
        faults.append("pruner: a sweep with several metrics prunes nothing.")
    if settings.replicates and settings.space and settings.replicates.param in settings.space:
        faults.append(f"replicates.{settings.replicates.param}: this param is in the space, too.")
    if faults:
        raise UsageError("\n".join(faults))
    made = SweepSettings(
        settings.metrics, settings.space, settings.sampler, settings.pruner, settings.seed, trials, settings.replicates,
        settings.objective,
    )  # fmt: skip
    made.tags()
    return made
