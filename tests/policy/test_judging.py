"""policy/judging.py: each gate passes, fails, and fails where it cannot be evaluated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import DamagedError
from runfolio.policy import Facts, Verdict, decode_policy, judge, run_examples, waive
from runfolio.records import DatasetInput, MetricSummary, Run
from runfolio.records.models import ModelVersion, Waiver
from runfolio.records.reproductions import Deviation, Outcome, Reproduction

NOW = 1_795_428_000_000
DAY = 86_400_000


def evaluation(at: int, dataset: str, **metrics: float) -> Run:
    """Return a run that evaluated on a dataset."""
    used = DatasetInput(dataset, f"{dataset}-digest", tags={"mlflow.data.context": "eval"})
    return Run(
        f"e{at}", "wine", start=at, inputs=(used,), metrics={key: MetricSummary(value, 0, 0) for key, value in metrics.items()}
    )


def facts(**changes: Any) -> Facts:
    """Facts under which every gate passes, with some changed."""
    version = ModelVersion(
        4,
        run_id="r",
        file_count=3,
        signature={"inputs": "[]"},
        input_example=True,
        metrics={"accuracy": 0.97, "loss": 0.1},
        tags={"owner": "ada"},
    )
    run = Run("r", "wine", metrics={"accuracy": MetricSummary(0.97, 0, 0)}, code={"commit": "a" * 40}, params={"depth": "3"})
    made = Facts(
        "wine",
        "Production",
        version,
        run,
        live=ModelVersion(3, metrics={"accuracy": 0.96, "loss": 0.1}),
        directions={"accuracy": "max"},
        recoverable_code=True,
        artifact_faults=(),
        reproduced=True,
        card={"limits": True},
        approvals=("Bob <bob@example.org>",),
        evaluations=(
            evaluation(1, "holdout", worst=0.8),
            evaluation(2, "holdout", worst=0.92),
            evaluation(3, "other", worst=0.5),
        ),
        now=NOW,
    )
    return replace(made, **changes)


def verdict(gate: str, given_facts: Facts | None = None) -> Verdict:
    policy = decode_policy(f"schema: 1\npromotions:\n  - to: Production\n    require:\n      - {gate}\n".encode())
    return judge(policy, given_facts or facts())


GATES = [
    "where: metrics.accuracy >= 0.95",
    "not_worse: {metric: accuracy, by: 0.01}",
    "tags: [owner]",
    "card: [limits]",
    "approvals: {minimum: 1, from: [bob@example.org]}",
    "evaluated",
    "evaluated: holdout",
    "evaluated: {dataset: holdout-digest, where: metrics.worst >= 0.9}",
    "clean_source",
    "recoverable_code",
    "verified_artifacts",
    "no_code",
    "signature",
    "input_example",
    "reproduced",
]


@pytest.mark.parametrize("gate", GATES)
def test_each_gate_passes_where_all_is_well(gate: str) -> None:
    made = verdict(gate)
    assert (made.accepted, made.gates[0].state) == (True, "passed"), made.gates[0].text


@pytest.mark.parametrize(
    ("gate", "changes", "said"),
    [
        ("where: metrics.accuracy >= 0.98", {}, "accuracy is 0.97, not as asked: >= 0.98"),
        ("where: params.depth = '4'", {}, "params.depth is '3', not as asked"),
        (
            "not_worse: {metric: accuracy, by: 0.01}",
            {"live": ModelVersion(3, metrics={"accuracy": 0.99})},
            "worse by 0.02, more than 0.01",
        ),
        ("not_worse: {metric: loss, direction: min}", {"live": ModelVersion(3, metrics={"loss": 0.05})}, "worse by 0.05"),
        ("tags: [owner, risk]", {}, "Tags missing: risk"),
        ("card: [limits, data]", {}, "The card lacks: data"),
        ("approvals: 2", {}, "1 of 2 approvals by Bob"),
        ("approvals: {from: [carol]}", {}, "0 of 1 approvals of carol"),
        ("clean_source", {"run": Run("r", "w", code={"commit": "a" * 40, "dirty": True})}, "not committed"),
        ("recoverable_code", {"recoverable_code": False}, "not in this clone"),
        ("verified_artifacts", {"artifact_faults": ("model.pkl: damaged.",)}, "model.pkl: damaged."),
        ("no_code", {"version": ModelVersion(4, file_count=2, runs_code=("model.pkl",))}, "Loading it runs code: model.pkl"),
        ("signature", {"version": ModelVersion(4)}, "infer_signature"),
        ("input_example", {"version": ModelVersion(4)}, "input_example=X[:3]"),
        ("reproduced", {"reproduced": False}, "another result"),
    ],
)
def test_each_gate_fails_and_says_why(gate: str, changes: dict[str, Any], said: str) -> None:
    made = verdict(gate, facts(**changes))
    assert (made.accepted, made.gates[0].state) == (False, "failed")
    assert said in made.gates[0].text


@pytest.mark.parametrize(
    ("gate", "changes", "said"),
    [
        ("where: metrics.accurcy >= 0.95", {}, "did you mean 'accuracy'?"),
        ("not_worse: {metric: accurcy}", {}, "did you mean 'accuracy'?"),
        ("not_worse: {metric: accuracy}", {"live": ModelVersion(3)}, "has no accuracy to compare with"),
        ("not_worse: {metric: loss}", {}, "which way loss is better"),
        ("not_worse: {metric: accuracy, by: noise}", {}, "noise needs two replicates"),
        ("not_worse: {metric: accuracy}", {"version": ModelVersion(4, metrics={"accuracy": float("nan")})}, "that is a number"),
        ("card: [limits]", {"card": None}, "There is no model card"),
        ("approvals: 1", {"approvals": None}, "nobody could be asked"),
        ("clean_source", {"run": None}, "not in this folio"),
        ("clean_source", {"run": Run("r", "w")}, "names no commit"),
        ("recoverable_code", {"recoverable_code": None}, "not looked at"),
        ("verified_artifacts", {"artifact_faults": None}, "not verified"),
        ("no_code", {"version": ModelVersion(4)}, "Nobody knows which files"),
        ("reproduced", {"reproduced": None}, "Nobody has made the run again. Do: runfolio reproduce models:/wine/4"),
    ],
)
def test_a_gate_that_cannot_be_evaluated_fails(gate: str, changes: dict[str, Any], said: str) -> None:
    made = verdict(gate, facts(**changes))
    assert (made.accepted, made.gates[0].evaluated) == (False, False)
    assert said in made.gates[0].text
    assert made.gates[0].text.endswith("A gate that cannot be evaluated fails.")


@pytest.mark.parametrize(
    ("gate", "changes", "said"),
    [
        ("where: tags.reviewed IS NULL", {"run": None}, "not in this folio"),
        (
            "not_worse: {metric: accuracy, by: 0.01}",
            {"version": ModelVersion(4, metrics={"accuracy": float("inf")})},
            "no accuracy",
        ),
        ("verified_artifacts", {"version": ModelVersion(4, run_id="r")}, "names no files"),
        ("recoverable_code", {"run": None}, "not in this folio"),
        ("approvals: {minimum: 2}", {"approvals": ("bob", "Bob <bob@example.org>", "BOB")}, "1 of 2"),
    ],
)
def test_what_nobody_knows_or_nobody_did_is_never_a_pass(gate: str, changes: dict[str, Any], said: str) -> None:
    made = verdict(gate, facts(**changes))
    assert not made.accepted
    assert said in made.gates[0].text


def test_two_people_of_one_name_are_two_approvers() -> None:
    made = verdict("approvals: {minimum: 2}", facts(approvals=("Ann <ann@a.example>", "Ann <ann@b.example>")))
    assert made.accepted


def test_the_first_promotion_into_a_stage_has_nothing_to_be_worse_than() -> None:
    made = verdict("not_worse: {metric: accuracy}", facts(live=None))
    assert (made.accepted, "nothing is in Production" in made.gates[0].text) == (True, True)


@pytest.mark.parametrize(("by", "accepted"), [("0.01", True), ("0.0099", False), ("2%", True), ("1%", False)])
def test_a_margin_is_absolute_or_a_share_and_holds_to_its_last_digit(by: str, accepted: bool) -> None:
    at = facts(version=ModelVersion(4, metrics={"accuracy": 0.96}), live=ModelVersion(3, metrics={"accuracy": 0.97}))
    assert verdict(f"not_worse: {{metric: accuracy, by: {by}}}", at).accepted is accepted


def test_noise_is_judged_by_the_interval_of_replicates() -> None:
    before = {"accuracy": (0.97, 0.98, 0.99)}
    close = verdict(
        "not_worse: {metric: accuracy, by: noise}", facts(replicates={"accuracy": (0.96, 0.98, 0.97)}, live_replicates=before)
    )
    assert (close.accepted, "within noise" in close.gates[0].text) == (True, True)
    far = verdict(
        "not_worse: {metric: accuracy, by: noise}", facts(replicates={"accuracy": (0.80, 0.81, 0.79)}, live_replicates=before)
    )
    assert (far.accepted, "worse beyond noise" in far.gates[0].text) == (False, True)


def test_approvals_may_be_pending_on_a_proposal() -> None:
    made = verdict("approvals: 1", facts(approvals=None, pending_approvals=True))
    assert (made.accepted, made.gates[0].state, made.summary) == (True, "pending", "1 pending (approvals)")
    version = waive(ModelVersion(4), Waiver("approvals", "Production", "a fire", "Ada", NOW + DAY))
    waived = verdict("approvals: 1", facts(version=version, approvals=None, pending_approvals=True))
    assert (waived.gates[0].state, waived.summary) == ("waived", "1 waived (approvals)")
    late = verdict("approvals: 1", facts(version=version, approvals=None, pending_approvals=True, now=NOW + 2 * DAY))
    assert late.gates[0].state == "pending" and "expired" in late.gates[0].text


def test_a_waiver_lets_a_failed_gate_through_and_is_always_shown() -> None:
    waiver = Waiver("no-code", "Production", "our own pickle", "Ada", NOW + DAY)
    version = waive(ModelVersion(4, file_count=1, runs_code=("model.pkl",)), waiver)
    made = verdict("no_code", facts(version=version))
    assert (made.accepted, made.gates[0].state, made.summary) == (True, "waived", "1 waived (no-code)")
    assert "Waived by Ada until 2026-11-24: our own pickle" in made.gates[0].text
    assert not verdict("no_code", facts(version=version, now=NOW + 2 * DAY)).accepted
    assert "expired" in verdict("no_code", facts(version=version, now=NOW + 2 * DAY)).gates[0].text
    assert not verdict("{no_code: true, waivable: false}", facts(version=version)).accepted
    assert not verdict("no_code", facts(version=replace(version, waivers=(replace(waiver, stage="Staging"),)))).accepted


def test_a_freeze_refuses_in_its_days_and_may_be_waived() -> None:
    policy = decode_policy(b"schema: 1\nfreeze:\n  - {from: 2026-11-20, to: 2026-11-30, reason: audit, stages: [Production]}\n")
    assert judge(policy, facts(now=NOW + 30 * DAY)).accepted
    assert judge(policy, facts(stage="Staging")).accepted
    [frozen] = judge(policy, facts()).gates  # NOW is 2026-11-23; the last day is named as it is written
    assert frozen.text == "Nothing goes to Production up to 2026-11-30 (UTC), that day included: audit."
    assert (
        not judge(policy, facts(now=NOW + 8 * DAY - 36_000_001)).accepted
        and judge(policy, facts(now=NOW + 8 * DAY - 36_000_000)).accepted
    )
    version = waive(ModelVersion(4), Waiver("freeze", "Production", "security fix", "Ada", NOW + DAY))
    assert judge(policy, facts(version=version)).gates[0].state == "waived"


def test_no_policy_is_no_gate() -> None:
    made = judge(decode_policy(b"schema: 1\n"), facts())
    assert (made.accepted, made.summary) == (True, "no gate")


MISSING = st.fixed_dictionaries(
    {},
    optional={
        "run": st.none(),
        "live": st.sampled_from([None, ModelVersion(3)]),
        "recoverable_code": st.none(),
        "artifact_faults": st.none(),
        "reproduced": st.none(),
        "card": st.none(),
        "approvals": st.none(),
        "version": st.sampled_from([ModelVersion(4), ModelVersion(4, metrics={"accuracy": float("nan")})]),
    },
)


@given(MISSING, st.lists(st.sampled_from(GATES), min_size=1, unique=True))
def test_no_missing_fact_makes_a_gate_pass_that_asks_for_it(changes: dict[str, Any], gates: list[str]) -> None:
    asks = {
        "clean_source": "run",
        "recoverable_code": "recoverable_code",
        "verified_artifacts": "artifact_faults",
        "reproduced": "reproduced",
        "card: [limits]": "card",
        GATES[4]: "approvals",
        "signature": "version",
        "input_example": "version",
        "no_code": "version",
        "not_worse: {metric: accuracy, by: 0.01}": "version",
    }
    at = facts(**changes)
    for gate in gates:
        if asks.get(gate) in changes:
            assert not verdict(gate, at).accepted


@given(st.lists(st.sampled_from(GATES), unique=True), st.sampled_from(GATES), MISSING)
def test_one_more_gate_never_turns_a_refusal_into_a_pass(gates: list[str], more: str, changes: dict[str, Any]) -> None:
    def accepted(wanted: list[str]) -> bool:
        lines = "".join(f"      - {gate}\n" for gate in dict.fromkeys(wanted))
        if not lines:
            return True
        return judge(
            decode_policy(f"schema: 1\npromotions:\n  - to: Production\n    require:\n{lines}".encode()), facts(**changes)
        ).accepted

    assert accepted(gates) or not accepted([*gates, more])


def test_a_team_tests_its_policy_on_examples() -> None:
    text = b"""\
schema: 1
promotions:
  - to: Production
    require:
      - where: metrics.accuracy >= 0.95
      - not_worse: {metric: accuracy, by: 0.01, direction: max}
      - no_code
examples:
  - name: good
    to: Production
    version: {metrics: {accuracy: 0.97}}
    live: {metrics: {accuracy: 0.975}}
    expect: passed
  - name: weak and a pickle
    to: Production
    version: {metrics: {accuracy: 0.9}, runs_code: [model.pkl], waivers: [no-code]}
    expect: {where-accuracy: failed, not-worse-accuracy: passed, no-code: waived}
  - name: wrongly expected
    to: Production
    version: {metrics: {accuracy: 0.9}}
    expect: passed
"""
    results = run_examples(decode_policy(text))
    assert [bool(result.faults) for result in results] == [False, False, True]
    assert "expected passed, came out refused (where-accuracy" in results[2].faults[0]


@pytest.mark.parametrize(
    ("gate", "evaluations", "state", "says"),
    [
        ("evaluated", None, "failed", "was not looked at"),
        ("evaluated", (), "failed", "No run evaluated the version. Evaluate it: runfolio.evaluate('models:/wine/4'"),
        ("evaluated: holdout", (evaluation(1, "other"),), "failed", "on holdout. It was evaluated on other (other-digest)."),
        (
            "evaluated: {where: metrics.worst >= 0.9}",
            (evaluation(1, "a", worst=0.95), evaluation(2, "a", worst=0.8)),
            "failed",
            "is 0.8",
        ),
        (
            "evaluated: {where: metrics.worst >= 0.9}",
            (evaluation(2, "a", worst=0.95), evaluation(1, "a", worst=0.8)),
            "passed",
            "is 0.95",
        ),
        ("evaluated: {where: metrics.wurst >= 0.9}", (evaluation(1, "a", worst=1),), "failed", "did you mean 'worst'"),
        (
            "evaluated: {where: metrics.worst >= 0.9}",
            (Run("x", "wine", metrics={"worst": MetricSummary(1, 0, 0)}),),
            "failed",
            "No run",
        ),
    ],
)
def test_the_newest_evaluation_on_the_dataset_counts(gate: str, evaluations: Any, state: str, says: str) -> None:
    (result,) = verdict(gate, facts(evaluations=evaluations)).gates
    assert (result.state, says in result.text) == (state, True), result.text


def test_examples_make_evaluations_up() -> None:
    policy = decode_policy(
        b"""schema: 1
promotions:
  - to: Production
    require: [evaluated: {dataset: d, where: metrics.worst >= 0.9}]
examples:
  - {name: none, to: Production, version: {}, expect: refused}
  - {name: good, to: Production, version: {evaluations: [{dataset: d, metrics: {worst: 0.95}}]}, expect: passed}
  - {name: older, to: Production, version: {evaluations: [{dataset: d, metrics: {worst: 1}}, {dataset: d, metrics: {worst: 0}}]}, expect: refused}
"""
    )
    assert [result.faults for result in run_examples(policy)] == [(), (), ()]
    assert [gate.id for gate in policy.gates("m", "Production")] == ["evaluated-d-worst"]


def made_again(verdict: Outcome, relative: float = 0.0, days: int = 1, **more: Any) -> Reproduction:
    metrics = {} if verdict is Outcome.EXACT else {"loss": Deviation(verdict, 0.1, 0.1 * (1 + relative), relative)}
    given = {
        "at": NOW - days * 86_400_000,
        "compared": 2,
        "exact": 2 - len(metrics),
        "metrics": metrics,
        "tolerance": 0.5,
        **more,
    }
    return Reproduction("r", "a" * 32, verdict, **given)


@pytest.mark.parametrize(
    ("gate", "found", "passed", "said"),
    [
        ("reproduced", made_again(Outcome.EXACT), True, "bit for bit"),
        ("reproduced: exact", made_again(Outcome.EXACT), True, "bit for bit"),
        ("reproduced", made_again(Outcome.WITHIN_TOLERANCE, 1e-12), True, "no metric is off by more than 1e-12"),
        ("reproduced: exact", made_again(Outcome.WITHIN_TOLERANCE, 1e-12), False, "bit for bit is asked for"),
        ("reproduced", made_again(Outcome.WITHIN_TOLERANCE, 0.1), False, "off by 0.1 (rel), more than 1e-09"),
        ("reproduced: {tolerance: 0.2}", made_again(Outcome.WITHIN_TOLERANCE, 0.1), True, "reproduced on"),
        ("reproduced", made_again(Outcome.WITHIN_SPREAD, 0.1, replicates=5), False, "off by 0.1 (rel)"),
        ("reproduced: spread", made_again(Outcome.WITHIN_SPREAD, 0.1, replicates=5), True, "the spread of 5 replicates"),
        ("reproduced: {within: spread}", made_again(Outcome.DIFFERS, 0.1), False, "the run differs: loss by 0.1 (rel)"),
        ("reproduced", made_again(Outcome.COULD_NOT_RUN, reason="no numpy"), False, "could not be made again on"),
        ("reproduced: {not_older_than: 30d}", made_again(Outcome.EXACT, days=29), True, "bit for bit"),
        ("reproduced: {not_older_than: 30d}", made_again(Outcome.EXACT, days=31), False, "more than 30 days ago"),
        ("reproduced", made_again(Outcome.EXACT, ignored=("acc*",)), False, "accuracy was not compared"),
        ("reproduced", made_again(Outcome.EXACT, ignored=("system/*",)), True, "bit for bit"),
    ],
)
def test_a_verdict_of_reproduction_is_judged_by_what_stands_in_it(
    gate: str, found: Reproduction, passed: bool, said: str
) -> None:
    made = verdict(gate, facts(reproduced=not passed, reproduction=found))
    assert (made.accepted, said in made.gates[0].text) == (passed, True), made.gates[0].text


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("reproduced: soon", "exact"),
        ("reproduced: {within: reach}", "exact"),
        ("reproduced: {tolerance: 2}", "a relative deviation from 0 to 1"),
        ("reproduced: {not_older_than: often}", "span of time"),
        ("reproduced: {since: 1d}", "since"),
    ],
)
def test_a_wrong_gate_on_reproduction_is_named_with_its_line(gate: str, said: str) -> None:
    with pytest.raises(DamagedError, match=said):
        verdict(gate)
