"""What is read from ``sweep.json``: what has the right shape, within bounds, and nothing else."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.formats.sweeps import MAX_TRIALS, decode_sweep

GOOD: dict[str, Any] = {
    "format": "runfolio-sweep",
    "schema": 1,
    "name": "s",
    "metrics": [{"name": "loss", "direction": "minimize"}],
    "trials": [
        {"number": 0, "state": "complete", "values": [0.5], "params": {"x": 1, "kind": "a", "flag": True}, "runs": ["0192"]},
        {"number": 1, "state": "failed", "error": "no"},
    ],
    "best": [0],
    "counts": {"complete": 1, "failed": 1},
}


def decoded(**changes: Any) -> dict[str, Any] | None:
    return decode_sweep(json.dumps({**GOOD, **changes}).encode())


def test_a_good_document_is_read_whole() -> None:
    found = decoded()
    assert found is not None
    assert found["trials"][0]["params"] == {"x": 1, "kind": "a", "flag": True}
    assert found["best"] == [0]
    assert found["counts"] == {"complete": 1, "pruned": 0, "failed": 1, "open": 0}


@pytest.mark.parametrize(
    "changes",
    [{"format": "other"}, {"schema": 2}, {"metrics": []}, {"metrics": [{"name": "a", "direction": "up"}]}, {"metrics": {"a": 1}}],
)
def test_what_is_no_document_of_ours_is_none(changes: dict[str, Any]) -> None:
    assert decoded(**changes) is None


@pytest.mark.parametrize("data", [b"", b"[]", b"runfolio-sweep", b'{"format": "runfolio-sweep"}', b"[" * 100_000])
def test_bytes_that_are_no_document_are_none(data: bytes) -> None:
    assert decode_sweep(data) is None


def test_what_does_not_fit_is_left_out() -> None:
    found = decoded(
        trials=[
            {"number": 0, "state": "complete", "values": [1, 2]},
            {"number": -1, "state": "complete", "values": [1]},
            {"number": 2, "state": "gone", "values": [1]},
            {
                "number": 3,
                "state": "complete",
                "values": ["Infinity"],
                "runs": ["../../x", "ok", 5],
                "samples": [[1], ["x"], [2, 3]],
            },
            "trial",
        ],
        best=[3, 0, "3", True, 99],
        space={"x": {"type": "float", "low": 2, "high": 1}, "y": {"type": "categorical", "choices": [1, None]}, "z": 5},
        importance={"metrics": {"loss": {"x": 0.4, "y": -1, "z": "NaN"}, "other": {"x": 1}}},
    )
    assert found is not None
    assert [(trial["number"], trial["runs"], trial["samples"]) for trial in found["trials"]] == [(3, ["ok"], [[1.0]])]
    assert found["best"] == [3]
    assert found["space"] == {"y": {"type": "categorical", "choices": ["1", "None"]}}
    assert found["importance"]["metrics"] == {"loss": {"x": 0.4}}


def test_a_document_is_bounded() -> None:
    many = [{"number": at, "state": "pruned"} for at in range(MAX_TRIALS + 50)]
    found = decoded(trials=many)
    assert found is not None
    assert len(found["trials"]) == MAX_TRIALS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*GOOD, "values", "number", "state", "params"]), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(
    st.dictionaries(
        st.sampled_from(["trials", "best", "counts", "space", "importance", "replicates", "name", "seed"]), JSON, max_size=6
    )
)
def test_whatever_a_document_holds_it_is_read_without_an_error(changes: dict[str, Any]) -> None:
    found = decode_sweep(json.dumps({**GOOD, **changes}, default=str).encode())
    assert found is not None
    json.dumps(found, allow_nan=False)
    assert all(math.isfinite(value) for trial in found["trials"] for value in trial["values"] if isinstance(value, float))
