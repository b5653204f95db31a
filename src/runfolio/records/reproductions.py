"""Reproductions: what came of making a run again, one attempt a record.

A run does not change when somebody makes it again: the verdict is a record of its own, and the newest attempt is what gates and pages
read. The grades are ordered: the verdict is the worst grade of any metric.

>>> Reproduction("ab12", "cd34", Outcome.WITHIN_TOLERANCE, tolerance=1e-9).words
'reproduced within tolerance (rel 1e-09)'
>>> Reproduction("ab12", "cd34", Outcome.COULD_NOT_RUN, reason="the code is not kept").words
'could not be run: the code is not kept'
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from runfolio._dataclass import dataclass, field
from runfolio.records.runs import ArtifactEntry


class Outcome(Enum):
    """How a run that was made again compares with the original; of a metric, and of the whole."""

    EXACT = "exact"
    """The same number, bit for bit."""
    WITHIN_TOLERANCE = "within_tolerance"
    """Within the relative tolerance that was stated."""
    WITHIN_SPREAD = "within_spread"
    """Outside the tolerance, and between the least and the greatest of the run's replicates."""
    DIFFERS = "differs"
    """None of these, or a metric that one of the two does not have."""
    COULD_NOT_RUN = "could_not_run"
    """There is nothing to compare; the reason says why."""

    @property
    def reproduced(self) -> bool:
        """Whether this counts as the same result."""
        return self in (Outcome.EXACT, Outcome.WITHIN_TOLERANCE)


ORDER = tuple(Outcome)
"""From the best to the worst."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One metric that is not the same, bit for bit.

    Parameters
    ----------
    outcome : Outcome
    was, now : float or None
        The original's value and the new one, where they are furthest apart; None where one of the two has no such metric.
    relative : float
        ``|was - now| / max(|was|, |now|)``; infinite where it is no number.
    step : int or None
        Where in the history that is; None for the last value.
    """

    outcome: Outcome
    was: float | None
    now: float | None
    relative: float = 0.0
    step: int | None = None

    @property
    def by(self) -> str:
        """How far it is off, in words."""
        if self.now is None:
            return "is missing"
        if self.was is None:
            return "is new"
        if not self.relative < float("inf"):
            return f"is {self.now:g}, was {self.was:g}"
        return f"by {self.relative:.2g} (rel)"


@dataclass(frozen=True, slots=True)
class ArtifactCounts:
    """How the files of the new run compare with those of the original.

    Parameters
    ----------
    same, other, missing, added : int
        Files of the same bytes, of other bytes, that only the original has, that only the new run has.
    names : tuple of str
        Of those that are other or missing, some.
    """

    same: int = 0
    other: int = 0
    missing: int = 0
    added: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reproduction:
    """One attempt to make a run again, and its verdict.

    Parameters
    ----------
    run_id : str
        The run that was to be made again.
    attempt_id : str
        32 hex digits, ordered by time.
    verdict : Outcome
    at : int
        When the attempt began, milliseconds since the epoch, UTC.
    duration_ms : int
        From the command's start to its end.
    user : str
        Who did it, as git names them.
    asked : str
        What was asked for: ``models:/wine/Production``; empty where it is the run's id.
    reason : str
        Why it could not be run.
    manager : str
        ``local``, ``virtualenv``, ``uv`` or ``conda``.
    code : Mapping of str to str
        ``from`` (``recorded``, ``here`` or a revision) and ``tree``, the code that ran; ``data``, ``here`` where it ran on the data that
        lay in the work tree.
    changed_code : Mapping of str to str
        Files that differ from the recorded code, with what changed in words: ``+1 -1``.
    command : tuple of str
        What was started, redacted as in the record.
    environment : Mapping of str to str
        ``python``, ``implementation``, ``platform`` and ``lock`` of the new run.
    packages : Mapping of str to tuple of two str
        Packages that differ: the version then and now, empty where it is not there.
    facts : Mapping of str to tuple of two str
        ``python``, ``platform``, ``implementation`` where they differ.
    data : Mapping of str to str
        Digests of the datasets that were brought to their paths.
    inputs : Mapping of str to tuple of two str
        Datasets that the run logged, where their digest differs.
    params : Mapping of str to tuple of two str
        Params that differ.
    tolerance : float
        Relative; what was stated before the comparison.
    ignored : tuple of str
        Patterns of metrics that were not compared.
    replicates : int
        Runs whose spread stood beside it, the original included.
    compared, exact : int
        Metrics that were compared, and how many of them are the same bit for bit.
    metrics : Mapping of str to Deviation
        The others; where they are very many, the worst.
    artifacts : ArtifactCounts
    exit_code : int or None
        Of the command; None where it was not started or did not end by itself.
    log, record : ArtifactEntry or None
        Objects: what the command said, and the record of the new run.
    notes : tuple of str
        What else must be said of the comparison.
    extra : Mapping
        Fields that this version does not know; written back unchanged.
    """

    run_id: str
    attempt_id: str
    verdict: Outcome
    at: int = 0
    duration_ms: int = 0
    user: str = ""
    asked: str = ""
    reason: str = ""
    manager: str = ""
    code: Mapping[str, str] = field(default_factory=dict)
    changed_code: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    facts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    params: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    tolerance: float = 0.0
    ignored: tuple[str, ...] = ()
    replicates: int = 0
    compared: int = 0
    exact: int = 0
    metrics: Mapping[str, Deviation] = field(default_factory=dict)
    artifacts: ArtifactCounts = ArtifactCounts()
    exit_code: int | None = None
    log: ArtifactEntry | None = None
    record: ArtifactEntry | None = None
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The verdict as people read it, one line."""
        if self.verdict is Outcome.EXACT:
            return "reproduced, bit for bit"
        if self.verdict is Outcome.WITHIN_TOLERANCE:
            return f"reproduced within tolerance (rel {self.tolerance:g})"
        if self.verdict is Outcome.WITHIN_SPREAD:
            return f"within the spread of {self.replicates} replicates"
        if self.verdict is Outcome.COULD_NOT_RUN:
            first = self.reason.strip().splitlines()[0] if self.reason.strip() else "nobody wrote why"
            return f"could not be run: {first}"
        return f"differs{self._worst}"

    @property
    def _worst(self) -> str:
        bad = sorted(
            ((key, item) for key, item in self.metrics.items() if item.outcome is Outcome.DIFFERS),
            key=lambda pair: (pair[1].now is not None and pair[1].was is not None, -_size(pair[1].relative), pair[0]),
        )
        told = [f"{key} {item.by}" for key, item in bad[:3]]
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        return f": {', '.join(told)}{more}" if told else ""

    @property
    def same_code(self) -> bool:
        """Whether the recorded code ran on the recorded data, and no other."""
        return all(self.code.get(key, "recorded") == "recorded" for key in ("from", "data")) and not self.changed_code


def _size(relative: float) -> float:
    return relative if relative == relative else float("inf")
