"""Arrays, joined requests and the ONNX twin: quicker ways that give the same predictions, or are not taken."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

import runfolio
import runfolio.sklearn
from runfolio.models import infer_signature
from tests.serving.conftest import Models, Serve, Server


def at_once(server: Server, bodies: list[Any]) -> list[Any]:
    replies: list[Any] = [None] * len(bodies)

    def ask(at: int) -> None:
        replies[at] = server.post(bodies[at])

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def rows(models: Models) -> list[Any]:
    return [{"dataframe_records": [row]} for row in models.frame.to_dict(orient="records")]


@pytest.mark.parametrize("name", ["linear", "forest"])
def test_requests_at_once_get_the_bits_that_each_gets_alone(models: Models, serve: Serve, name: str) -> None:
    server = serve(models[name])
    model = runfolio.pyfunc.load_model(models[name], trust=True)
    replies = at_once(server, rows(models))
    wanted = [
        json.dumps({"predictions": model.predict(models.frame[at : at + 1]).tolist()}).encode() for at in range(len(replies))
    ]
    assert [reply.body for reply in replies] == wanted


def test_a_bad_row_among_many_at_once_spoils_no_other(models: Models, serve: Serve) -> None:
    bodies = rows(models)[:40]
    bodies[7] = {"dataframe_records": [{**bodies[7]["dataframe_records"][0], "ash": float("inf")}]}
    replies = at_once(serve(models["forest"]), bodies)
    assert [reply.status for reply in replies] == [400 if at == 7 else 200 for at in range(40)]
    assert "infinity" in replies[7].json["message"]


@pytest.fixture
def twins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    pytest.importorskip("skl2onnx")
    pytest.importorskip("onnxruntime")
    return tmp_path / "cache"


def test_the_onnx_twin_gives_the_same_labels_and_is_kept(models: Models, serve: Serve, twins: Path) -> None:
    env = {"XDG_CACHE_HOME": str(twins)}
    server = serve(models["forest"], "--engine", "onnx", env=env)
    wanted = runfolio.pyfunc.load_model(models["forest"], trust=True).predict(models.frame).tolist()
    split = models.frame.to_dict(orient="split")
    assert server.post({"dataframe_split": split}).json == {"predictions": wanted}
    assert server.post(models.frame.to_csv(index=False), "text/csv").json == {"predictions": wanted}
    assert server.get("/health?details").json["model"]["engine"] == "onnx"
    server.end()
    [kept] = twins.rglob("*.onnx")
    made = kept.stat().st_mtime_ns
    assert serve(models["forest"], "--engine", "onnx", env=env).post({"dataframe_split": split}).json == {"predictions": wanted}
    assert kept.stat().st_mtime_ns == made


def test_a_model_without_a_twin_is_refused(serve: Serve, twins: Path, tmp_path: Path, models: Models) -> None:
    import numpy
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    line = make_pipeline(FunctionTransformer(numpy.cbrt), LinearRegression()).fit(models.frame, models.frame["ash"])
    runfolio.sklearn.save_model(line, tmp_path / "m", signature=infer_signature(models.frame, line.predict(models.frame)))
    with pytest.raises(AssertionError, match="skl2onnx has no twin"):
        serve(tmp_path / "m", "--engine", "onnx", env={"XDG_CACHE_HOME": str(twins)})
