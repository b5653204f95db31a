"""policy/decoding.py: a typo never makes a gate that silently passes."""

from __future__ import annotations

import pytest

from runfolio.errors import DamagedError, NewerSchemaError
from runfolio.policy import decode_policy

WHOLE = b"""\
schema: 1
promotions:
  - to: Production
    models: [wine, "price-*"]
    require:
      - where: metrics.accuracy >= 0.95 AND tags.reviewed = 'yes'
        id: good-enough
        because: the old rules get 0.94
      - not_worse: {metric: accuracy, by: 1%}
      - not_worse: {metric: loss, by: noise, direction: min}
      - tags: [owner]
      - card: [intended_use, limits]
      - approvals: {minimum: 2, from: [ada@example.org, Bob]}
      - clean_source
      - no_code: true
        waivable: false
  - to: [Staging, Production]
    require: [signature, input_example]
freeze:
  - {from: 2026-12-20, to: 2027-01-05, reason: holidays, stages: [Production]}
examples:
  - name: a weak one is refused
    to: Production
    version: {metrics: {accuracy: 0.9}}
    expect: refused
"""


def test_a_whole_policy_is_read() -> None:
    policy = decode_policy(WHOLE)
    ids = [gate.id for gate in policy.gates("wine", "production")]
    assert ids == [
        "good-enough", "not-worse-accuracy", "not-worse-loss", "tags", "card", "approvals", "clean-source", "no-code", "signature",
        "input-example",
    ]  # fmt: skip
    assert [gate.id for gate in policy.gates("other", "Production")] == ["signature", "input-example"]
    assert policy.gates("wine", "Archived") == []
    assert policy.gates("wine", "Production")[0].because == "the old rules get 0.94"
    assert not policy.gates("wine", "Production")[7].waivable
    assert policy.freezes[0].end - policy.freezes[0].start == 17 * 86_400_000


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("promotions:", "promotion:", "line 2: promotion: no such setting; did you mean 'promotions'?"),
        ("- clean_source", "- clean_sorce", "no such gate: 'clean_sorce'; did you mean 'clean_source'?"),
        ("- tags: [owner]", "- tag: [owner]", "no such gate: 'tag'; did you mean 'tags'?"),
        ("because: the", "becuse: the", "no such gate: 'becuse'"),
        ("metrics.accuracy >= 0.95 AND", "metric.accuracy => 0.95 AND", "line 6"),
        ("metrics.accuracy >= 0.95 AND", "accuracy >= 0.95 AND", "not an attribute"),
        ("by: 1%", "by: one", "a number from 0, a share such as 1%, or noise is expected"),
        ("by: 1%", "by: -0.1", "a number from 0"),
        ("by: 1%", "buy: 1%", "no such setting; did you mean 'by'?"),
        ("direction: min", "direction: lower", "one of max, min is expected"),
        ("  - to: Production\n    models", "  - stage: Production\n    models", "to is missing"),
        ("require: [signature, input_example]", "require: []", "require is missing"),
        ("require: [signature, input_example]", "require: [signature, signature]", "has the id of the one in line"),
        ("minimum: 2", "minimum: 0", "a whole number from 1"),
        ("from: 2026-12-20", "from: 20.12.2026", "a date such as 2026-12-20 is expected"),
        ("to: 2027-01-05", "to: 2026-01-05", "it ends before it begins"),
        (", reason: holidays", "", "reason is missing"),
        ("expect: refused", "expect: bad", "one of passed, refused is expected"),
        ("expect: refused", "expect: {nope: failed}", "there is no gate 'nope'"),
        ("version: {metrics", "version: {metric", "did you mean 'metrics'?"),
        ("no_code: true", "no_code: false", "true is expected"),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, said: str) -> None:
    assert old.encode() in WHOLE
    with pytest.raises(DamagedError) as refused:
        decode_policy(WHOLE.replace(old.encode(), new.encode(), 1))
    assert said in refused.value.message
    assert "policy.yaml: line" in refused.value.message


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(DamagedError) as refused:
        decode_policy(WHOLE.replace(b"clean_source", b"clean_sorce").replace(b"1%", b"one"))
    assert len(refused.value.message.splitlines()) == 2


def test_a_policy_of_a_newer_runfolio_is_refused() -> None:
    with pytest.raises(NewerSchemaError):
        decode_policy(b"schema: 2\n")


def test_a_stage_that_is_not_there_is_found() -> None:
    policy = decode_policy(b"schema: 1\npromotions:\n  - to: Prodction\n    require: [signature]\n")
    assert policy.strange_stages(["Staging", "Production"]) == [(3, "Prodction")]
