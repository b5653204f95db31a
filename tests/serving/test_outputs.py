"""What else goes in and comes out: params of the signature, payloads of language models, and what JSON has no type for."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.serving.conftest import Server

OUTPUTS: dict[str, Any] = {
    "table": [{"n": 1, "x": 0.5, "word": "a"}, {"n": 2, "x": float("nan"), "word": "b"}],
    "series": [{"x": 1.5}, {"x": 2.5}],
    "array": [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]],
    "scalars": [0.1, -3, True, [1, 2]],
    "bytes": [base64.encodebytes(b"\x00\xff" * 40).decode(), ["YWI=\n", "Yw==\n"], "ZGU=\n"],
    "moments": ["2026-11-26T18:30:00.000250", "2026-11-26", "2026-11-26T18:30:00.000250", "2026-11-26T18:30:00"],
    "table of moments": [{"at": "2026-11-26T18:30:00.000250", "key": "AQ==\n"}],
    "one": 0.5,
}


@pytest.mark.parametrize("what", list(OUTPUTS))
def test_outputs_are_written_as_mlflow_writes_them(speaking: Server, what: str) -> None:
    reply = speaking.post({"inputs": what})
    assert (reply.status, reply.body) == (200, json.dumps({"predictions": OUTPUTS[what]}).encode())


DEFAULTS = {"times": 2, "rate": 0.5, "word": "x", "many": [1, 2]}


@pytest.mark.parametrize(
    ("given", "more"),
    [
        (None, {}),
        ({}, {}),
        ({"times": 5}, {"times": 5}),
        ({"rate": 1}, {"rate": 1.0}),
        ({"word": "y", "many": [3]}, {"word": "y", "many": [3]}),
        ({"unknown": 1}, {}),
    ],
)
def test_params_reach_the_model_with_the_signatures_defaults_and_types(speaking: Server, given: Any, more: Any) -> None:
    reply = speaking.post({"inputs": "params", "params": given})
    assert (reply.status, reply.json) == (200, {"predictions": [{**DEFAULTS, **more}]})
    assert isinstance(reply.json["predictions"][0]["rate"], float)


@pytest.mark.parametrize(
    ("given", "text"),
    [({"times": "many"}, "times"), ({"many": 3}, "many"), ({"word": ["a"]}, "word"), ([1], "must be a dictionary")],
)
def test_params_of_other_types_are_refused_by_name(speaking: Server, given: Any, text: str) -> None:
    reply = speaking.post({"inputs": "params", "params": given})
    assert reply.status == 400
    assert text in reply.json["message"]


@pytest.mark.parametrize(
    ("said", "params"),
    [
        ({"messages": [{"role": "user", "content": "Is it good?"}], "temperature": 0.1}, {}),
        ({"prompt": "Is it", "n": 2}, {}),
        ({"input": ["a", "b"]}, {}),
        ({"prompt": "Is it"}, {"times": 3, "word": "z"}),
    ],
)
def test_payloads_of_language_models_pass_as_they_are(speaking: Server, said: dict[str, Any], params: dict[str, Any]) -> None:
    reply = speaking.post({**said, **params})
    assert (reply.status, reply.json) == (200, {"got": said, "params": {**DEFAULTS, **params}})
