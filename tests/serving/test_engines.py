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
from tests.serving.conftest import Models, Serve, Server, until


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


# A model of plain Python whose author says that rows do not depend on each other. It waits at a row of -1 until a file is there.


def marked(folder: Path, *, alone: bool = True, listed: bool = False) -> Path:
    import numpy
    import pandas

    class Marked(runfolio.pyfunc.PythonModel):
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            import os
            import time

            while (model_input["x"] == -1.0).any() and not os.path.exists("go"):
                time.sleep(0.01)
            if (model_input["n"] == 13).any():
                raise ValueError("no thirteen")
            made = model_input["x"].to_numpy() * 2 + model_input["n"].to_numpy()
            made = made if alone else made - made.mean()
            return [{"sum": float(each)} for each in made] if listed else made

    frame = pandas.DataFrame({"x": [0.25, 4.5], "n": [1, 2]})
    signature = infer_signature(frame, numpy.array([1.5]))
    runfolio.pyfunc.save_model(
        folder / "marked", python_model=Marked(), signature=signature, input_example=frame, metadata={"row_wise": True}
    )
    return folder / "marked"


def behind_one(server: Server, folder: Path, bodies: list[Any]) -> tuple[list[Any], float]:
    """Return the answers to requests that came while the model was busy, and in how many turns they were predicted."""
    held = threading.Thread(target=server.post, args=({"dataframe_records": [{"x": -1.0, "n": 0}]},))
    held.start()
    until(lambda: server.get("/health?details").json["waiting"] == 1)
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.extend(at_once(server, bodies)))
    asking.start()
    until(lambda: server.get("/health?details").json["waiting"] == 1 + len(bodies))
    (folder / "go").touch()
    asking.join()
    held.join()
    [turns] = [
        line.split()[1]
        for line in server.get("/metrics").body.decode().splitlines()
        if "_batches_total " in line and line[0] != "#"
    ]
    return answers, float(turns) - 1


def numbered(count: int) -> list[Any]:
    return [{"dataframe_records": [{"x": at / 7, "n": at}]} for at in range(count)]


@pytest.mark.parametrize("listed", [False, True])
def test_requests_of_a_model_that_is_marked_row_wise_are_predicted_together(serve: Serve, tmp_path: Path, listed: bool) -> None:
    server = serve(marked(tmp_path, listed=listed))
    replies, turns = behind_one(server, tmp_path, numbered(12))
    wanted: list[Any] = [at / 7 * 2 + at for at in range(12)]
    assert [reply.json["predictions"] for reply in replies] == [[{"sum": each} if listed else each] for each in wanted]
    assert turns == 1


def test_a_row_that_a_marked_model_refuses_spoils_no_other(serve: Serve, tmp_path: Path) -> None:
    replies, _ = behind_one(serve(marked(tmp_path)), tmp_path, numbered(20))
    assert [reply.status for reply in replies] == [400 if at == 13 else 200 for at in range(20)]
    assert "no thirteen" in replies[13].json["message"]


def test_a_mark_that_is_not_true_is_told_and_not_followed(serve: Serve, tmp_path: Path) -> None:
    server = serve(marked(tmp_path, alone=False), "--threads", "1")
    assert any("rows together give other predictions" in line for line in server.log)
    replies, turns = behind_one(server, tmp_path, numbered(5))
    assert [reply.json["predictions"] for reply in replies] == [[0.0]] * 5
    assert turns == 5


@pytest.mark.parametrize("batching", ["on", "off"])
def test_batching_on_and_off_give_the_same_answers(serve: Serve, tmp_path: Path, batching: str) -> None:
    server = serve(marked(tmp_path), "--batching", batching, "--threads", "1")
    replies, turns = behind_one(server, tmp_path, numbered(12))
    assert [reply.json["predictions"] for reply in replies] == [[at / 7 * 2 + at] for at in range(12)]
    assert turns == (1 if batching == "on" else 12)
