"""The same requests to MLflow 2.22's own scoring server and to ours: status, type and body, or the code of the error, are equal.

MLflow's application runs in one process of its own, without a network; where it lies: see :mod:`tests.flavors.test_beside_mlflow`.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import runfolio
from tests.serving.conftest import DEADLINE_S, Models, Server
from tests.serving.test_outputs import OUTPUTS

MLFLOW = os.environ.get("RUNFOLIO_MLFLOW", "")
pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.skipif(not Path(MLFLOW or "-", "mlflow").is_dir(), reason="RUNFOLIO_MLFLOW names no folder with MLflow in it"),
]
# Requests on standard input, one answer each on standard output; the application is called as a server calls it (ASGI).
ANSWER = """
import asyncio, base64, json, sys, warnings
warnings.simplefilter("ignore")
import mlflow
from mlflow.pyfunc import scoring_server
assert mlflow.__version__.startswith("2.22")

async def ask(app, method, path, body, media):
    headers = [(b"host", b"localhost"), (b"content-length", str(len(body)).encode())]
    headers += [(b"content-type", media.encode())] if media else []
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": path,
             "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers,
             "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2)}
    said, sent = [], [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        return sent.pop() if sent else await asyncio.Event().wait()

    async def send(message):
        said.append(message)

    await app(scope, receive, send)
    head = {name.lower(): value for name, value in said[0]["headers"]}
    whole = b"".join(part.get("body", b"") for part in said[1:])
    return [said[0]["status"], head.get(b"content-type", b"").decode(), base64.b64encode(whole).decode()]

given = json.load(sys.stdin)
apps = {name: scoring_server.init(mlflow.pyfunc.load_model(path)) for name, path in given["models"].items()}
made = [asyncio.run(ask(apps[model], method, path, base64.b64decode(body), media))
        for model, method, path, body, media in given["requests"]]
print(json.dumps(made))
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    model: str
    name: str
    body: bytes = b""
    media: str = "application/json"
    method: str = "POST"
    path: str = "/invocations"


def of_a_table(frame: Any) -> list[Asked]:
    """Return requests to a model with named columns of numbers, good and bad."""
    frame = frame[:3]
    names, row = list(frame.columns), frame.iloc[0].tolist()

    def split(*rows: Any, **more: Any) -> dict[str, Any]:
        return {"dataframe_split": {"columns": names, "data": list(rows), **more}}

    columns, records = frame.to_dict(orient="list"), frame.to_dict(orient="records")
    said: dict[str, Any] = {
        "split": {"dataframe_split": frame.to_dict(orient="split")},
        "records": {"dataframe_records": records},
        "inputs, columns": {"inputs": columns},
        "inputs, rows": {"inputs": records},
        "instances, rows": {"instances": records},
        "instances, columns": {"instances": columns},
        "inputs, lists": {"inputs": [row]},
        "instances, lists": {"instances": [row]},
        "whole numbers": split([1] * 13),
        "numbers as text": split(["1.5"] * 13),
        "text": split(["x"] * 13),
        "yes and no": split([True] * 13),
        "nothing": split([None] * 13),
        "not a number": split([float("nan")] * 13),
        "ragged": split(row, row[:5]),
        "no rows": split(),
        "missing columns": {"dataframe_records": [{"ash": 1.0}]},
        "an extra column": {"dataframe_records": [{**records[0], "more": 1}]},
        "two forms": {"inputs": 1, "instances": 1},
        "no form": {},
        "a list": [1],
        "a string": "x",
        "one number": {"inputs": 3},
        "numbers by column": {"inputs": records[0]},
        "params, not declared": {**split(row), "params": {"a": 1}},
        "params, a list": {**split(row), "params": [1]},
        "params, null": {**split(row), "params": None},
        "messages": {"messages": [{"role": "user"}]},
        "split, a list": {"dataframe_split": [1]},
        "split, no data": {"dataframe_split": {"columns": names}},
        "split, another key": {"dataframe_split": {"columns": names, "data": [row], "more": 1}},
        "records, an object": {"dataframe_records": {"a": 1}},
        "records, none": {"dataframe_records": []},
        "lengths that differ": {"instances": {**columns, "ash": [1.0]}},
        "an index that does not fit": split(row, index=[1, 2]),
        "a signature's name": {"inputs": columns, "signature_name": "x"},
    }
    csv = frame.to_csv(index=False).encode()
    return [
        *(Asked("table", name, json.dumps(body).encode()) for name, body in said.items()),
        Asked("table", "CSV", csv, "text/csv"),
        Asked("table", "CSV, charset", csv, "text/csv; charset=utf-8"),
        Asked("table", "CSV, other columns", b"a,b\n1", "text/csv"),
        Asked("table", "CSV, empty", b"", "text/csv"),
        Asked("table", "no JSON", b"{"),
        Asked("table", "an empty body"),
        Asked("table", "XML", b"x", "text/xml"),
        Asked("table", "Latin 1", b"{}", "application/json; charset=latin-1"),
        Asked("table", "a parameter of the type", b"{}", "application/json; a=b"),
        *(Asked("table", path, method="GET", path=path, media="") for path in ("/ping", "/health", "/version")),
        Asked("table", "no such address", method="GET", path="/nowhere", media=""),
        Asked("table", "another method", method="GET", media=""),
    ]


def of_words() -> list[Asked]:
    """Return requests to a model that answers with what JSON has no type for, and takes params."""
    said: dict[str, Any] = {f"output: {what}": {"inputs": what} for what in OUTPUTS}
    for number, params in enumerate(
        ({}, {"times": 5}, {"rate": 1}, {"many": [3]}, {"unknown": 1}, {"times": "many"}, {"many": 3}, {"word": ["a"]})
    ):
        said[f"params {number}"] = {"inputs": "params", "params": params}
    said["messages"] = {"messages": [{"role": "user", "content": "x"}], "temperature": 0.1}
    said["prompt with a param"] = {"prompt": "x", "times": 3}
    said["input"] = {"input": ["a", "b"]}
    return [Asked("words", name, json.dumps(body).encode()) for name, body in said.items()]


DIFFERENT = {
    "no such address": ((404, None), (404, "ENDPOINT_NOT_FOUND")),
    "another method": ((405, None), (405, "BAD_REQUEST")),
    "ragged": ((200, "application/json", b'{"predictions": [0, 0]}'), (400, "BAD_REQUEST")),
    "params, a list": ((200, "application/json", b'{"predictions": [0]}'), (400, "BAD_REQUEST")),
}
"""What differs on purpose, MLflow's and ours: refusals outside of predictions are told in the protocol's form too; a row
that is shorter than the columns is refused, where MLflow predicts for what pandas fills in; params that are no object are refused also where
the model declares none, since what was meant cannot be known."""


def essence(status: int, media: str, body: bytes) -> Any:
    """Return what clients go by: all of an answer, and of a refusal its status and its code."""
    if status == 200:
        return status, media, body
    try:
        return status, json.loads(body)["error_code"]
    except (ValueError, KeyError, TypeError):
        return status, None


def theirs(requests: list[Asked], folders: dict[str, Path], at: Path) -> list[Any]:
    path = os.pathsep.join((MLFLOW, str(Path(runfolio.__file__).parents[1])))
    said = {
        "models": {name: str(folder) for name, folder in folders.items()},
        "requests": [[each.model, each.method, each.path, base64.b64encode(each.body).decode(), each.media] for each in requests],
    }
    done = subprocess.run(
        [sys.executable, "-c", ANSWER], input=json.dumps(said), cwd=at, env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, timeout=DEADLINE_S * 2, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [(status, media, base64.b64decode(body)) for status, media, body in json.loads(done.stdout.splitlines()[-1])]


def test_the_same_requests_get_the_same_answers(
    models: Models, wine: Server, speaking: Server, speaking_folder: Path, tmp_path: Path
) -> None:
    requests = [*of_a_table(models.frame), *of_words()]
    servers = {"table": wine, "words": speaking}
    folders = {"table": models["forest"], "words": speaking_folder}
    found: dict[str, Any] = {}
    for each, answer in zip(requests, theirs(requests, folders, tmp_path), strict=True):
        headers = {"content-type": each.media} if each.media else {}
        reply = servers[each.model].request(each.method, each.path, each.body or None, headers)
        ours = essence(reply.status, reply.headers["content-type"], reply.body)
        if ours != essence(*answer):
            found[each.name] = (essence(*answer), ours)
    assert len(requests) == 69
    assert found == DIFFERENT
