"""Judge a promotion: a policy and facts in, a verdict out. Pure: no clock, no file, no network.

The rule above all: **a gate that cannot be evaluated fails.** A metric that nobody logged, a card that is not there, an artifact
that was not looked at: each is a refusal that says what is missing, and never a pass.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from runfolio.diff.describe import number_text
from runfolio.diff.statistics import welch_interval
from runfolio.policy.clauses import Answer, clauses_hold
from runfolio.policy.evaluated import is_evaluated
from runfolio.policy.reproduced import is_reproduced
from runfolio.policy.rules import FLAGS, Approvals, Freeze, Gate, Margin, Policy
from runfolio.policy.verdict import FAILED, PASSED, PENDING, WAIVED, Facts, GateResult, Verdict
from runfolio.query import Clause, parse_filter
from runfolio.records.models import ModelVersion, Waiver
from runfolio.records.runs import MetricSummary, Run
from runfolio.records.times import utc_text

UNKNOWN = "A gate that cannot be evaluated fails."


def judge(policy: Policy, facts: Facts) -> Verdict:
    """Judge a promotion.

    Parameters
    ----------
    policy : Policy
        Of the base: what was agreed on before the promotion was proposed.
    facts : Facts

    Returns
    -------
    Verdict
    """
    results = [_waived(gate, _result(gate, facts), facts) for gate in policy.gates(facts.model, facts.stage)]
    results += [_frozen(freeze, facts) for freeze in policy.freezes if _covers(freeze, facts)]
    return Verdict(facts.model, facts.version.version, facts.stage, tuple(results))


def _result(gate: Gate, facts: Facts) -> GateResult:
    passed, text = _JUDGES[gate.kind](gate.argument, facts)
    state = PASSED if passed else FAILED
    if gate.kind == "approvals" and not passed and facts.pending_approvals:
        state = PENDING
    evaluated = passed is not None
    said = text if evaluated or state == PENDING else f"{text} {UNKNOWN}"
    return GateResult(gate.id, gate.kind, state, said, gate.because, evaluated=evaluated, waivable=gate.waivable)


def _waived(gate: Gate, result: GateResult, facts: Facts) -> GateResult:
    """Let a gate through that failed, or waits for approvals, if it is waived; say so where a waiver has expired, or may not be."""
    if result.state not in (FAILED, PENDING):
        return result
    found = [item for item in facts.version.waivers if item.gate == gate.id and item.stage.lower() == facts.stage.lower()]
    if not found:
        return result
    waiver = max(found, key=lambda item: item.expires)
    if not gate.waivable:
        return replace(result, text=f"{result.text} The policy lets nobody waive it.", waiver=waiver)
    if waiver.expires <= facts.now:
        return replace(
            result,
            text=f"{result.text} The waiver of {waiver.by or 'nobody named'} expired after {waiver.last_day}.",
            waiver=waiver,
        )
    text = f"{result.text} Waived by {waiver.by or 'nobody named'} until {waiver.last_day}: {waiver.reason}"
    return replace(result, state=WAIVED, text=text, waiver=waiver)


def _covers(freeze: Freeze, facts: Facts) -> bool:
    from fnmatch import fnmatchcase

    there = any(fnmatchcase(facts.stage.lower(), pattern.lower()) for pattern in freeze.stages)
    return there and freeze.start <= facts.now < freeze.end


def _frozen(freeze: Freeze, facts: Facts) -> GateResult:
    gate = Gate("freeze", "freeze")
    text = f"Nothing goes to {facts.stage} up to {utc_text(freeze.end - 1)[:10]} (UTC), that day included: {freeze.reason}."
    return _waived(gate, GateResult("freeze", "freeze", FAILED, text), facts)


def _where(argument: str, facts: Facts) -> Answer:
    if facts.run is None:
        unknown = next((clause for clause in parse_filter(argument).clauses if not _version_says(clause, facts.version)), None)
        if unknown is not None:
            return None, f"{_no_run(facts)}, and the version does not say {unknown.entity}.{unknown.key}."
    return clauses_hold(argument, _seen(facts))


def _version_says(clause: Clause, version: ModelVersion) -> bool:
    """Tell whether a clause can be judged without the run: of what the version lacks, nobody knows whether the run lacks it too."""
    there = {"metrics": version.metrics, "tags": version.tags}.get(clause.entity, {})
    return clause.key in there


def _no_run(facts: Facts) -> str:
    return f"The run {facts.version.run_id or 'that made it'} is not in this folio"


def _seen(facts: Facts) -> Run:
    """Return the run as gates see it: with the version's tags over its own; made of the version alone where it is not known."""
    version = facts.version
    if facts.run is not None:
        return replace(facts.run, tags={**facts.run.tags, **version.tags})
    metrics = {key: MetricSummary(value, 0, 0) for key, value in version.metrics.items()}
    return Run(version.run_id or "0", "", metrics=metrics, tags=version.tags)


def _not_worse(margin: Margin, facts: Facts) -> Answer:
    new = facts.version.metrics.get(margin.metric)
    if new is None or not math.isfinite(new):
        near = difflib.get_close_matches(margin.metric, list(facts.version.metrics), 1, 0.6)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        return None, f"The version has no {margin.metric}{' that is a number' if new is not None else ''}{hint}"
    if facts.live is None:
        return True, f"{margin.metric} is {number_text(new)}; nothing is in {facts.stage} to compare with."
    if facts.live.version == facts.version.version:
        return True, f"{margin.metric} is {number_text(new)}; the version is in {facts.stage} already."
    old = facts.live.metrics.get(margin.metric)
    if old is None or not math.isfinite(old):
        return None, f"Version {facts.live.version}, which is in {facts.stage}, has no {margin.metric} to compare with."
    direction = margin.direction or facts.directions.get(margin.metric)
    if direction is None:
        return None, f"Nobody says which way {margin.metric} is better: add direction: max (or min) to the gate, or an objective."
    sign = 1.0 if direction == "max" else -1.0
    pair = f"{margin.metric} {number_text(new)} against {number_text(old)} of version {facts.live.version}"
    if margin.noise:
        return _within_noise(margin, facts, sign, pair)
    allowed = margin.by * abs(old) if margin.relative else margin.by
    worse = sign * (old - new)
    # A difference that is the margin to the last digit people wrote is within it: 0.97 - 0.96 is not 0.01 in binary.
    passed = worse <= allowed or math.isclose(worse, allowed, rel_tol=1e-9, abs_tol=1e-12)
    by = f"{margin.by:.4g}".rstrip() if not margin.relative else f"{margin.by:.4%}".rstrip("0%").rstrip(".") + " %"
    if worse <= 0:
        return True, f"{pair}: not worse."
    return passed, f"{pair}: worse by {number_text(worse)}, {'within' if passed else 'more than'} {by}."


def _within_noise(margin: Margin, facts: Facts, sign: float, pair: str) -> Answer:
    new, old = facts.replicates.get(margin.metric, ()), facts.live_replicates.get(margin.metric, ())
    if len(new) < 2 or len(old) < 2:
        return None, (
            f"{pair}: noise needs two replicates of each at least, and there are {len(new)} and {len(old)}. Run with other seeds, or "
            "give a margin."
        )
    if not all(map(math.isfinite, (*new, *old))):
        return None, f"{pair}: a replicate is not a finite number, so there is no interval."
    low, high = welch_interval([sign * value for value in old], [sign * value for value in new])
    if high < 0:
        return (
            False,
            f"{pair}: worse beyond noise, by {number_text(-high)} to {number_text(-low)} (95 %, {len(new)} and {len(old)} replicates).",
        )
    return True, f"{pair}: {'better' if low > 0 else 'within noise'} (95 %: {_signed(low)} to {_signed(high)})."


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{number_text(abs(value))}"


def _tags(names: tuple[str, ...], facts: Facts) -> Answer:
    there = _seen(facts).all_tags if facts.run else facts.version.tags
    lacking = [name for name in names if not there.get(name)]
    return not lacking, f"Tags missing: {', '.join(lacking)}." if lacking else f"The tags are set: {', '.join(names)}."


def _card(sections: tuple[str, ...], facts: Facts) -> Answer:
    if facts.card is None:
        return None, f"There is no model card. Write one: runfolio models card {facts.model} {facts.version.version}."
    lacking = [name for name in sections if not facts.card.get(name)]
    return not lacking, f"The card lacks: {', '.join(lacking)}." if lacking else "The card is complete in what is asked."


def _approvals(wanted: Approvals, facts: Facts) -> Answer:
    if facts.approvals is None:
        return None, f"{wanted.minimum} approval{'s' * (wanted.minimum != 1)} asked for, and nobody could be asked yet."
    names = {name.lower() for name in wanted.names}
    counted = [name for name in _people(facts.approvals) if not names or _is_one_of(name.lower(), names)]
    by = f" by {', '.join(counted)}" if counted else ""
    whose = f" of {', '.join(wanted.names)}" if wanted.names else ""
    return len(counted) >= wanted.minimum, f"{len(counted)} of {wanted.minimum} approvals{whose}{by}."


def _people(approvers: Iterable[str]) -> list[str]:
    """Return each approver once: ``Name <mail>`` is known by the mail, and a bare name is whoever bears it."""
    people: list[str] = []
    names: set[str] = set()
    bare: set[str] = set()
    mails: set[str] = set()
    for approver in approvers:
        name, _, mail = (part.strip("<> ") for part in approver.lower().partition("<"))
        if not (mail in mails or name in bare if mail else name in names):
            people.append(approver)
        names.add(name)
        (mails.add if mail else bare.add)(mail or name)
    return people


def _is_one_of(approver: str, names: set[str]) -> bool:
    """Tell whether an approver, ``name`` or ``Name <mail>``, is one of those named by either."""
    return approver in names or any(f"<{name}>" in approver or approver.startswith(f"{name} <") for name in names)


def _clean_source(_: Any, facts: Facts) -> Answer:
    if facts.run is None:
        return None, f"{_no_run(facts)}."
    code = facts.run.code
    if not code.get("commit"):
        return None, "The run names no commit: it ran outside a git repository, or capture.code was off."
    if code.get("dirty"):
        return False, f"The run's code had changes that were not committed, on {str(code['commit'])[:10]}."
    return True, f"The run's code is commit {str(code['commit'])[:10]}."


def _recoverable_code(_: Any, facts: Facts) -> Answer:
    if facts.recoverable_code is None:
        return None, "Whether the run's code can be had back was not looked at."
    if facts.run is None:
        return None, f"{_no_run(facts)}."
    left_out = facts.run.code.get("left_out")
    if facts.recoverable_code and left_out:
        return False, f"The snapshot of the run's code left {len(left_out)} file{'s' * (len(left_out) != 1)} out."
    if facts.recoverable_code:
        return True, "The exact code is there."
    return False, "The exact code of the run is not in this clone; runfolio sync, where it ran, pushes it."


def _verified_artifacts(_: Any, facts: Facts) -> Answer:
    if facts.artifact_faults is None:
        return None, "The version's files were not verified."
    if facts.artifact_faults:
        return False, " ".join(facts.artifact_faults[:3])
    if not facts.version.file_count:
        return None, "The version names no files."
    return (
        True,
        "Its file matches its digest."
        if facts.version.file_count == 1
        else f"All {facts.version.file_count} files match their digests.",
    )


def _no_code(_: Any, facts: Facts) -> Answer:
    files = facts.version.runs_code
    if not facts.version.file_count:
        return None, "Nobody knows which files it has."
    return not files, f"Loading it runs code: {', '.join(files)}." if files else "No file of it runs code when it is loaded."


def _signature(_: Any, facts: Facts) -> Answer:
    there = bool(facts.version.signature.get("inputs"))
    return there, "It has a signature." if there else "It has no signature: log it with signature=infer_signature(X, y)."


def _input_example(_: Any, facts: Facts) -> Answer:
    there = facts.version.input_example
    return there, "It brings an input example." if there else "It brings no input example: log it with input_example=X[:3]."


_JUDGES: dict[str, Callable[[Any, Facts], Answer]] = {
    "where": _where,
    "not_worse": _not_worse,
    "tags": _tags,
    "card": _card,
    "approvals": _approvals,
    "clean_source": _clean_source,
    "recoverable_code": _recoverable_code,
    "verified_artifacts": _verified_artifacts,
    "no_code": _no_code,
    "signature": _signature,
    "input_example": _input_example,
    "reproduced": is_reproduced,
    "evaluated": is_evaluated,
}
assert _JUDGES.keys() >= FLAGS.keys()


def waive(version: ModelVersion, waiver: Waiver) -> ModelVersion:
    """Return the version with a waiver, in the place of one for the same gate and stage."""
    kept = tuple(item for item in version.waivers if (item.gate, item.stage) != (waiver.gate, waiver.stage))
    return replace(version, waivers=(*kept, waiver))
