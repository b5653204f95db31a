"""formats/reproductions.py: the record of a verdict."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import DamagedError, NewerSchemaError
from runfolio.formats.reproductions import decode_reproduction, encode_reproduction
from runfolio.records.reproductions import ArtifactCounts, Deviation, Outcome, Reproduction
from runfolio.records.runs import ArtifactEntry, Digest
from tests.strategies import NASTY

RUN, ATTEMPT = "01a20af6586b7000ad3376d9e9ffcfe6", "01a20af6586b7000ad3376d9e9ffcfe7"
WHERE = f"reproductions/{RUN}/{ATTEMPT}.json"
TEXT = st.sampled_from([*NASTY, ""])
TEXTS = st.dictionaries(st.sampled_from(["train.py", "é"]), TEXT, max_size=2)
PAIRS = st.dictionaries(st.sampled_from(["numpy", "é"]), st.tuples(TEXT, TEXT), max_size=2)
NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False))
OBJECTS = st.sampled_from([None, ArtifactEntry(Digest("sha256:" + "0" * 64), 25)])
SCHEMA: dict[str, Any] = json.loads(resources.files("runfolio.formats").joinpath("reproduction.schema.json").read_text("utf-8"))


@given(
    st.builds(
        Reproduction,
        run_id=st.just(RUN),
        attempt_id=st.just(ATTEMPT),
        verdict=st.sampled_from(Outcome),
        at=st.integers(0, 2**45),
        duration_ms=st.integers(0, 2**31),
        user=TEXT,
        reason=TEXT,
        code=TEXTS,
        changed_code=TEXTS,
        packages=PAIRS,
        inputs=PAIRS,
        command=st.lists(TEXT, max_size=3).map(tuple),
        tolerance=st.floats(0, 1),
        replicates=st.integers(0, 99),
        metrics=st.dictionaries(
            st.sampled_from(["loss", "é"]),
            st.builds(
                Deviation,
                st.sampled_from(Outcome),
                NUMBERS,
                NUMBERS,
                st.one_of(st.floats(min_value=0, allow_nan=False)),
                st.one_of(st.none(), st.integers(-9, 9)),
            ),
            max_size=2,
        ),
        artifacts=st.sampled_from([ArtifactCounts(), ArtifactCounts(3, 1, 0, 2, ("model/MLmodel",))]),
        exit_code=st.sampled_from([None, 0, -9]),
        log=OBJECTS,
        record=OBJECTS,
        notes=st.lists(TEXT, max_size=2).map(tuple),
        extra=st.sampled_from([{}, {"later": [1, {"a": None}]}]),
    )
)
def test_a_record_reads_back_and_keeps_the_schema(made: Reproduction) -> None:
    data = encode_reproduction(made)
    assert decode_reproduction(data, WHERE) == made
    assert encode_reproduction(decode_reproduction(data, WHERE)) == data
    jsonschema.validate(json.loads(data), SCHEMA)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"verdict": "differs"', '"verdict": "fine"', "verdict: one of exact, .* is expected, found 'fine'"),
        ('"verdict": "differs"', '"later": 1', "verdict: the field is missing"),
        ('"at": 7', '"at": -1', "at: a whole number from 0 is expected, found -1"),
        ('"numpy": ["1", "2"]', '"numpy": ["1"]', "packages: numpy: two texts are expected"),
        ('"outcome": "differs", ', "", "metrics: outcome is missing"),
        ('"was": 1.0', '"was": "one"', "metrics: 'one' is not a number"),
        (f'"run_id": "{RUN}"', '"run_id": "other"', "run_id: 'other' stands in the place of"),
        ('"tolerance": 0.5', '"tolerance": "NaN"', "tolerance: a number from 0 is expected"),
        ("{", "{ ", "canonical"),
    ],
)
def test_a_wrong_field_is_named(old: str, new: str, said: str) -> None:
    metrics = {"loss": Deviation(Outcome.DIFFERS, 1.0, 2.0, 0.5)}
    made = Reproduction(RUN, ATTEMPT, Outcome.DIFFERS, 7, packages={"numpy": ("1", "2")}, tolerance=0.5, metrics=metrics)
    data = encode_reproduction(made).decode()
    assert old in data
    with pytest.raises(DamagedError, match=said):
        decode_reproduction(data.replace(old, new, 1).encode(), WHERE, trusted=new != "{ ")


def test_a_verdict_elsewhere_and_one_of_a_newer_runfolio_are_refused() -> None:
    data = encode_reproduction(Reproduction(RUN, ATTEMPT, Outcome.EXACT))
    with pytest.raises(DamagedError, match="not the place of a verdict"):
        decode_reproduction(data, f"reproductions/{ATTEMPT}.json")
    with pytest.raises(NewerSchemaError):
        decode_reproduction(data.replace(b'"schema": 1', b'"schema": 2'), WHERE, trusted=True)
