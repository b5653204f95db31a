"""What a policy says of one promotion: every gate with its state, and why, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from runfolio._dataclass import dataclass
from runfolio.records.models import ModelVersion, Waiver
from runfolio.records.reproductions import Reproduction
from runfolio.records.runs import Run
from runfolio.records.trailers import GATE_TRAILER, GATES_TRAILER

PASSED, FAILED, WAIVED, PENDING = "passed", "failed", "waived", "pending"
_MOST_SAID = 300
"""Characters of a gate's sentence that a commit's message takes."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that gates look at; who calls gathers it, so that judging is a pure function.

    What is not known is None, and a gate that asks for it fails.

    Parameters
    ----------
    model, stage : str
        Of the promotion.
    version : ModelVersion
    run : Run or None
        The run that made it.
    live : ModelVersion or None
        The version in the stage now; None where there is none.
    replicates, live_replicates : Mapping of str to tuple of float
        Values of each metric over the replicates (seeds) of the run of each.
    directions : Mapping of str to str
        ``"max"`` or ``"min"`` of metrics, as the experiment's objective says.
    recoverable_code : bool or None
    artifact_faults : tuple of str or None
        What is wrong with the version's files; empty where all were read and match.
    reproduced : bool or None
        Whether the run that the tag ``reproduced_by`` names has the same metrics.
    reproduction : Reproduction or None
        The newest verdict on the run, of its recorded code.
    card : Mapping of str to bool or None
        Whether each section of the model card is complete; None where there is no card.
    approvals : tuple of str or None
        Who approved; None where nobody could be asked yet.
    evaluations : tuple of Run or None
        Runs that evaluated the version; None where nobody looked.
    pending_approvals : bool
        Whether a missing approval may still come: on a proposal that is not open yet.
    now : int
        Milliseconds since the epoch, UTC. It has no default: with a wrong one no freeze holds and no waiver expires.
    """

    model: str
    stage: str
    version: ModelVersion
    run: Run | None = None
    live: ModelVersion | None = None
    replicates: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    live_replicates: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    directions: Mapping[str, str] = field(default_factory=dict)
    recoverable_code: bool | None = None
    artifact_faults: tuple[str, ...] | None = None
    reproduced: bool | None = None
    reproduction: Reproduction | None = None
    card: Mapping[str, bool] | None = None
    approvals: tuple[str, ...] | None = None
    evaluations: tuple[Run, ...] | None = None
    pending_approvals: bool = False
    now: int = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class GateResult:
    """What one gate says.

    Parameters
    ----------
    id, kind : str
    state : str
        ``passed``, ``failed``, ``waived`` or ``pending``.
    text : str
        Why, in a sentence.
    because : str
        Why the gate is there, in the team's words.
    waiver : Waiver or None
        The one that lets a failed gate through, or that has expired.
    evaluated : bool
        False where something that it asks for is not known; it has failed then.
    waivable : bool
        False where the policy lets nobody waive it.
    """

    id: str
    kind: str
    state: str
    text: str
    because: str = ""
    waiver: Waiver | None = None
    evaluated: bool = True
    waivable: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says of a promotion."""

    model: str
    version: int
    stage: str
    gates: tuple[GateResult, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether no gate stands in the way; what is pending does not, yet."""
        return all(gate.state != FAILED for gate in self.gates)

    @property
    def summary(self) -> str:
        """One line: ``5 passed, 1 waived (no-code)``."""
        if not self.gates:
            return "no gate"
        parts = []
        for state in (PASSED, FAILED, WAIVED, PENDING):
            names = [gate.id for gate in self.gates if gate.state == state]
            if names:
                parts.append(f"{len(names)} {state}" + (f" ({', '.join(names)})" if state != PASSED else ""))
        return ", ".join(parts)

    @property
    def trailers(self) -> str:
        """What the commit of the promotion says of the gates: one trailer for all, and one for each; empty where there is none."""
        if not self.gates:
            return ""
        said = (
            f"{GATE_TRAILER}: {gate.state} {gate.id}: {' '.join(gate.text.partition(' Waived by ')[0].split())[:_MOST_SAID]}"
            for gate in self.gates
        )
        return "\n".join([f"{GATES_TRAILER}: {self.summary}", *said])
