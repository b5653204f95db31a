"""A team's own tests of its policy: made-up promotions, judged by the same function as real ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.policy.judging import judge
from runfolio.policy.rules import Example, Policy
from runfolio.policy.verdict import Facts, Verdict
from runfolio.records.evaluations import CONTEXT
from runfolio.records.models import ModelVersion, Waiver
from runfolio.records.runs import DatasetInput, MetricSummary, Run

LATER = 4_102_444_800_000
"""The first moment of 2100: until when a waiver in an example lasts."""


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """How one example came out.

    Parameters
    ----------
    example : Example
    verdict : Verdict
    faults : tuple of str
        What is not as expected; empty where all is.
    """

    example: Example
    verdict: Verdict
    faults: tuple[str, ...]


def run_examples(policy: Policy) -> list[ExampleResult]:
    """Judge all examples of a policy and compare the verdicts with what they expect."""
    made = []
    for example in policy.examples:
        verdict = judge(policy, facts_of(example))
        made.append(ExampleResult(example, verdict, tuple(_faults(example, verdict))))
    return made


def _faults(example: Example, verdict: Verdict) -> list[str]:
    if isinstance(example.expect, str):
        came = "passed" if verdict.accepted else "refused"
        if came == example.expect:
            return []
        failed = "; ".join(f"{gate.id}: {gate.text}" for gate in verdict.gates if gate.state == "failed") or "no gate failed"
        return [f"expected {example.expect}, came out {came} ({failed})"]
    states = {gate.id: gate.state for gate in verdict.gates}
    texts = {gate.id: gate.text for gate in verdict.gates}
    return [
        f"{name}: expected {state}, came out {states.get(name, 'not asked')}" + (f" ({texts[name]})" if name in texts else "")
        for name, state in example.expect.items()
        if states.get(name) != state
    ]


def facts_of(example: Example) -> Facts:
    """Return the facts that an example makes up: what it does not say is not known."""
    said, live = example.version, example.live
    waivers = tuple(Waiver(str(name), example.stage, "in an example", "example", LATER) for name in said.get("waivers") or ())
    version = replace(_version(2, said), waivers=waivers)
    clean = said.get("clean_source")
    code = {} if clean is None else {"commit": "0" * 40, "dirty": not clean}
    metrics = {key: MetricSummary(value, 0, 0) for key, value in version.metrics.items()}
    run = Run("example", "example", params=_texts(said.get("params")), metrics=metrics, code=code)
    verified = said.get("verified_artifacts")
    return Facts(
        model=example.model,
        stage=example.stage,
        version=version,
        run=run,
        live=_version(1, live) if live is not None else None,
        replicates=_replicates(said),
        live_replicates=_replicates(live or {}),
        recoverable_code=said.get("recoverable_code"),
        artifact_faults=None if verified is None else () if verified else ("An artifact does not match its digest.",),
        reproduced=said.get("reproduced"),
        card=None if said.get("card") is None else dict.fromkeys(map(str, said["card"]), True),
        approvals=None if said.get("approvals") is None else tuple(map(str, said["approvals"])),
        evaluations=_evaluations(said),
        now=example.now or 0,
    )


def _version(number: int, said: Mapping[str, Any]) -> ModelVersion:
    return ModelVersion(
        version=number,
        run_id="example",
        file_count=1,
        metrics={str(key): float(value) for key, value in (said.get("metrics") or {}).items()},
        tags=_texts(said.get("tags")),
        signature={"inputs": "[]"} if said.get("signature") else {},
        input_example=bool(said.get("input_example")),
        runs_code=tuple(map(str, said.get("runs_code") or ())),
    )


def _evaluations(said: Mapping[str, Any]) -> tuple[Run, ...] | None:
    """Return the made-up evaluations, the last of them the newest."""
    if said.get("evaluations") is None:
        return None
    made = []
    for at, entry in enumerate(said["evaluations"]):
        metrics = {str(key): MetricSummary(float(value), 0, 0) for key, value in (entry.get("metrics") or {}).items()}
        dataset = DatasetInput(str(entry["dataset"]), str(entry["dataset"]), tags={"mlflow.data.context": CONTEXT})
        made.append(Run(f"example-{at}", "example", start=at, metrics=metrics, inputs=(dataset,)))
    return tuple(made)


def _texts(said: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in (said or {}).items()}


def _replicates(said: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    return {str(key): tuple(map(float, values)) for key, values in (said.get("replicates") or {}).items()}
