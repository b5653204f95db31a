"""formats/deployments.py: the record of a deployment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import DamagedError, NewerSchemaError
from runfolio.formats.deployments import decode_deployment, encode_deployment
from runfolio.records.deployments import Deployment, DeploymentState
from runfolio.records.runs import Digest
from tests.strategies import NASTY

WHERE = "models/wine/deployments/kubernetes-default-wine.json"
TEXT = st.sampled_from([*NASTY, ""])


@given(
    st.builds(
        Deployment,
        target=st.just("kubernetes"),
        name=st.just("wine"),
        version=st.integers(1, 999),
        place=TEXT,
        state=st.sampled_from(DeploymentState),
        uri=TEXT,
        digest=st.sampled_from([None, Digest("sha256:" + "0" * 64)]),
        image=TEXT,
        endpoint=TEXT,
        facts=st.dictionaries(st.sampled_from(["replicas", "é"]), TEXT, max_size=2),
        created=st.integers(0, 2**45),
        user=TEXT,
        extra=st.sampled_from([{}, {"later": [1, {"a": None}]}]),
    )
)
def test_a_record_reads_back(made: Deployment) -> None:
    data = encode_deployment(made)
    assert decode_deployment(data, WHERE) == made
    assert encode_deployment(decode_deployment(data, WHERE)) == data


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"version": 3', '"version": 0', "version: a whole number from 1 is expected, found 0"),
        ('"version": 3', '"version": true', "version: a whole number from 1 is expected, found True"),
        ('"state": "live"', '"state": "up"', "state: one of live, requested, replaced, deleted is expected, found 'up'"),
        ('"state": "live",\n', "", "state: the field is missing"),
        ('"name": "wine"', '"name": " "', "name: text is expected, found nothing"),
        ('"target": "kubernetes"', '"target": 1', "target: text is expected, found 1"),
        ('"schema": 1', '"schema": 1, "digest": "md5:1"', "digest"),
        ("{", "{ ", "canonical"),
    ],
)
def test_a_wrong_field_is_named(old: str, new: str, said: str) -> None:
    data = encode_deployment(Deployment("kubernetes", "wine", 3)).decode()
    assert old in data
    with pytest.raises(DamagedError, match="models/wine/deployments") as caught:
        decode_deployment(data.replace(old, new, 1).encode(), WHERE, trusted=not new or "schema" in new)
    assert said in caught.value.message


def test_a_newer_record_is_refused_and_another_place_too() -> None:
    data = encode_deployment(Deployment("kubernetes", "wine", 3))
    with pytest.raises(NewerSchemaError):
        decode_deployment(data.replace(b'"schema": 1', b'"schema": 2'), WHERE)
    with pytest.raises(DamagedError, match="not the place"):
        decode_deployment(data, "models/wine/versions/3.json")
