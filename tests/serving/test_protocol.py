"""The scoring protocol, as MLflow's clients speak it: what goes in, what comes out, how refusals look."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

import runfolio
from tests.serving.conftest import Models, Server


def forms(frame: Any) -> dict[str, Any]:
    split = frame.to_dict(orient="split")
    columns = {name: frame[name].tolist() for name in frame}
    return {
        "split": {"dataframe_split": split},
        "split, no index": {"dataframe_split": {"columns": split["columns"], "data": split["data"]}},
        "split, other order": {"dataframe_split": frame[frame.columns[::-1]].to_dict(orient="split")},
        "split, an extra column": {"dataframe_split": frame.assign(more="x").to_dict(orient="split")},
        "records": {"dataframe_records": frame.to_dict(orient="records")},
        "inputs, columns": {"inputs": columns},
        "inputs, rows": {"inputs": frame.to_dict(orient="records")},
        "instances, rows": {"instances": frame.to_dict(orient="records")},
        "instances, columns": {"instances": columns},
        "params, none": {"dataframe_split": split, "params": None},
        "params, empty": {"dataframe_split": split, "params": {}},
    }


@pytest.mark.parametrize("form", list(forms(__import__("pandas").DataFrame({"a": [1.0]}))))
def test_each_form_of_json_gives_what_the_model_predicts(wine: Server, models: Models, form: str) -> None:
    frame = models.frame[50:140:7]
    wanted = runfolio.pyfunc.load_model(models["forest"], trust=True).predict(frame).tolist()
    reply = wine.post(forms(frame)[form])
    assert reply.status == 200
    assert reply.body == json.dumps({"predictions": wanted}).encode()
    assert reply.headers["content-type"] == "application/json"


def test_tables_of_other_kinds_give_the_same(wine: Server, models: Models) -> None:
    pytest.importorskip("pyarrow")
    frame = models.frame[:5]
    held = io.BytesIO()
    frame.to_parquet(held)
    wanted = wine.post({"dataframe_split": frame.to_dict(orient="split")}).json
    assert wine.post(frame.to_csv(index=False), "text/csv").json == wanted
    assert wine.post(frame.to_csv(index=False), "text/csv; charset=UTF-8").json == wanted
    assert wine.post(held.getvalue(), "application/vnd.apache.parquet").json == wanted


def test_probes_answer_as_mlflow_does(wine: Server) -> None:
    for path in ("/ping", "/health"):
        reply = wine.get(path)
        assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"\n", "application/json")
    assert (wine.get("/version").status, wine.get("/version").body) == (200, b"2.22.0")
    assert wine.request("HEAD", "/ping").body == b""


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (b"", "BAD_REQUEST", "valid JSON"),
        (b"{", "BAD_REQUEST", "valid JSON"),
        (b"\xff\xfe\xfa", "BAD_REQUEST", "Invalid input"),
        (b"[1]", "BAD_REQUEST", "Received a list"),
        (b"3", "BAD_REQUEST", "unexpected input type"),
        (b"{}", "BAD_REQUEST", "exactly one of the input fields"),
        (b'{"columns": ["a"], "data": [[1]]}', "BAD_REQUEST", "exactly one of the input fields"),
        (b'{"inputs": [1], "instances": [1]}', "BAD_REQUEST", "exactly one of the input fields"),
        (b'{"dataframe_split": [1]}', "BAD_REQUEST", "must be a dictionary"),
        (b'{"dataframe_split": {"columns": ["a"]}}', "BAD_REQUEST", "must have 'data'"),
        (b'{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}', "BAD_REQUEST", "not a valid dataframe"),
        (b'{"dataframe_records": {"a": 1}}', "BAD_REQUEST", "list of records"),
        (b'{"dataframe_records": [{"alcohol": 1.0}]}', "INVALID_PARAMETER_VALUE", "needs columns that the data lacks"),
        (b'{"dataframe_records": [{"alcohol": "red"}]}', "BAD_REQUEST", "convert column alcohol"),
        (b'{"dataframe_split": {"columns": [], "data": []}}', "INVALID_PARAMETER_VALUE", "needs columns"),
        (b'{"instances": [{"a": 1}, 2]}', "BAD_REQUEST", "must be dictionaries"),
        (b'{"instances": {"alcohol": [1, 2], "ash": [1]}}', "BAD_REQUEST", "length of values"),
        (b'{"inputs": [[13.2, 1.8]]}', "INVALID_PARAMETER_VALUE", "needs columns"),
        (b'{"dataframe_records": [], "params": 3}', "BAD_REQUEST", "'params' must be a dictionary"),
        (b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "BAD_REQUEST", "nested too deeply"),
        (b'{"inputs": ' + b"9" * 5000 + b"}", "BAD_REQUEST", "Invalid input"),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, bytes) else None,
)  # fmt: skip
def test_what_fits_no_form_is_refused_in_the_protocols_form(wine: Server, body: bytes, code: str, text: str) -> None:
    reply = wine.post(body)
    assert reply.status == 400
    assert sorted(reply.json) == ["error_code", "message"]
    assert reply.json["error_code"] == code
    assert text in reply.json["message"]
    assert "Traceback" not in reply.json["message"]


@pytest.mark.parametrize(
    ("media", "text"),
    [
        ("text/xml", "only supports the following content types"),
        ("application/json; charset=latin-1", "only supports UTF-8"),
        ("application/json; profile=x", "Unrecognized content type parameters: profile"),
        ("", "Content-Type header is needed"),
    ],
)
def test_other_content_types_are_told_as_text(wine: Server, media: str, text: str) -> None:
    reply = wine.post(b"{}", media)
    assert reply.status == 415
    assert text in reply.body.decode()
    assert reply.headers["content-type"].startswith("text/plain")


def test_gaps_reach_the_model_as_gaps(wine: Server, models: Models) -> None:
    row = [None, *models.frame.iloc[0].tolist()[1:]]
    said = {"dataframe_split": {"columns": list(models.frame.columns), "data": [row]}}
    wanted = runfolio.pyfunc.load_model(models["forest"], trust=True).predict(models.frame[:1].assign(alcohol=float("nan")))
    assert wine.post(said).json == {"predictions": wanted.tolist()}
    assert wine.post(json.dumps(said).replace("null", "NaN")).json == {"predictions": wanted.tolist()}


def test_other_methods_and_addresses_are_refused(wine: Server) -> None:
    assert (wine.get("/invocations").status, wine.get("/invocations").headers["allow"]) == (405, "POST")
    assert wine.request("POST", "/ping").status == 405
    assert wine.get("/nowhere").json["error_code"] == "ENDPOINT_NOT_FOUND"
    assert wine.get("/").headers["location"] == "/docs"
