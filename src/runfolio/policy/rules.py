"""What a policy says: for which promotions, which gates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Any

from runfolio._dataclass import dataclass

FLAGS = {
    "clean_source": "the code of the run was committed, without changes beside it",
    "recoverable_code": "the exact code of the run can be had back",
    "verified_artifacts": "every file of the version is in the store, and its bytes are those of its digest",
    "no_code": "no file of it runs code when the model is loaded",
    "signature": "it says what goes in and what comes out",
    "input_example": "it brings an example of its input",
}
"""The gates that take no argument, and what each asks for."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One requirement.

    Parameters
    ----------
    id : str
        Names it in verdicts and waivers; unique within the policy.
    kind : str
        ``where``, ``not_worse``, ``tags``, ``card``, ``approvals``, ``evaluated``, ``reproduced``, or one of :data:`FLAGS`.
    argument : object
        ``where``: the filter's text. ``not_worse``: :class:`Margin`. ``tags``, ``card``: tuple of str. ``approvals``:
        :class:`Approvals`. ``evaluated``: :class:`Evaluated`. ``reproduced``: :class:`Reproduced`. Otherwise None.
    because : str
        Why, in the team's words.
    waivable : bool
    line : int
        Where it stands in the file.
    """

    id: str
    kind: str
    argument: Any = None
    because: str = ""
    waivable: bool = True
    line: int = 0


@dataclass(frozen=True, slots=True)
class Margin:
    """How much worse than the live version is not worse yet.

    Parameters
    ----------
    metric : str
    by : float
        Absolute, or a share of the live version's value where `relative`.
    relative : bool
    noise : bool
        Judge by the interval of replicates instead: worse only where the 95 % interval of the difference lies wholly on the worse side.
    direction : str
        ``"max"``, ``"min"``, or empty: as the experiment's objective says.
    """

    metric: str
    by: float = 0.0
    relative: bool = False
    noise: bool = False
    direction: str = ""


@dataclass(frozen=True, slots=True)
class Approvals:
    """How many must have approved, and who counts; nobody named: everybody but the author."""

    minimum: int = 1
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluated:
    """On which dataset a version must have been evaluated, and how well.

    Parameters
    ----------
    dataset : str
        Its name or digest; empty for any.
    where : str
        A filter on the run of the evaluation; empty for none.
    """

    dataset: str = ""
    where: str = ""


EXACT, TOLERANCE, SPREAD = "exact", "tolerance", "spread"


@dataclass(frozen=True, slots=True)
class Reproduced:
    """How near a run that was made again must come, and how long ago that may be.

    Parameters
    ----------
    within : str
        ``exact`` (bit for bit), ``tolerance``, or ``spread`` (of the run's replicates, where the tolerance is not kept).
    tolerance : float
        Relative deviation of any metric, at most.
    not_older_than_ms : int
        0 where it does not matter.
    """

    within: str = TOLERANCE
    tolerance: float = 1e-9
    not_older_than_ms: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """Gates for the promotions that fit.

    Parameters
    ----------
    models, stages : tuple of str
        Shell patterns of models' names; stages, or ``*``.
    gates : tuple of Gate
    line : int
        Where its stages stand in the file.
    """

    models: tuple[str, ...]
    stages: tuple[str, ...]
    gates: tuple[Gate, ...]
    line: int = 0

    def fits(self, model: str, stage: str) -> bool:
        """Tell whether a promotion of that model to that stage must pass these gates."""
        return any(fnmatchcase(model, pattern) for pattern in self.models) and any(
            fnmatchcase(stage.lower(), pattern.lower()) for pattern in self.stages
        )


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time in which nothing is promoted to some stages.

    Parameters
    ----------
    start, end : int
        Milliseconds since the epoch, UTC; `end` is the first moment after it.
    reason : str
    stages : tuple of str
    line : int
    """

    start: int
    end: int
    reason: str
    stages: tuple[str, ...] = ("*",)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    """A made-up promotion by which a team tests its policy.

    Parameters
    ----------
    name : str
    model, stage : str
    version, live : Mapping or None
        What the version, and the one in the stage now, are like; see docs.
    now : int or None
        Milliseconds since the epoch, UTC.
    expect : str or Mapping of str to str
        ``passed`` or ``refused``; or the state of each gate named.
    line : int
    """

    name: str
    model: str
    stage: str
    version: Mapping[str, Any]
    live: Mapping[str, Any] | None
    now: int | None
    expect: str | Mapping[str, str]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """What ``policy.yaml`` says."""

    rules: tuple[Rule, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    examples: tuple[Example, ...] = field(default_factory=tuple)

    def strange_stages(self, known: Iterable[str]) -> list[tuple[int, str]]:
        """Return the stages that stand in the policy and fit none of those known, each with its line: a gate that never applies."""
        names = [name.lower() for name in known]
        said = [(rule.line, stage) for rule in self.rules for stage in rule.stages]
        said += [(freeze.line, stage) for freeze in self.freezes for stage in freeze.stages]
        return [(line, stage) for line, stage in said if not any(fnmatchcase(name, stage.lower()) for name in names)]

    def gates(self, model: str, stage: str) -> list[Gate]:
        """Return the gates that a promotion must pass, in the order of the file."""
        return [gate for rule in self.rules if rule.fits(model, stage) for gate in rule.gates]
