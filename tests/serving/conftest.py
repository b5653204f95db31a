"""Real servers on loopback, of real models that are saved once a session."""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("httptools")
DEADLINE_S = 120
SERVING = re.compile(r"serving (.*) on http://(\S+):(\d+)")


@dataclass
class Reply:
    """What a server answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """A server process; its log is read as it comes."""

    def __init__(self, args: list[str], folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runfolio", *args, "-p", "0"],
            cwd=folder,
            env={**os.environ, **(env or {})},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.port = int(self.wait_for(SERVING)[3])
        except BaseException:
            self.end()
            raise

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, pattern: str | re.Pattern[str]) -> re.Match[str]:
        """Return the first match in a line of the log that was not looked at yet."""
        while True:
            line = self._lines.get(timeout=DEADLINE_S)
            if line is None:
                self.process.wait(DEADLINE_S)
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{''.join(self.log)}")
            self.log.append(line)
            if found := re.search(pattern, line):
                return found

    def request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            connection.request(method, path, body, dict(headers or {}))
            got = connection.getresponse()
            return Reply(got.status, got.read(), {name.lower(): value for name, value in got.getheaders()})
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.request("GET", path, None, headers)

    def post(self, body: Any, media: str = "application/json", **headers: str) -> Reply:
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return self.request("POST", "/invocations", data, {"content-type": media, **headers})

    def end(self) -> int:
        """Tell it to end, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        assert self.process.stderr is not None
        self.process.stderr.close()
        while (line := self._lines.get_nowait() if not self._lines.empty() else None) is not None:
            self.log.append(line)
        return code


def until(happened: Callable[[], bool]) -> None:
    """Ask again and again, for two minutes at most."""
    end = time.monotonic() + DEADLINE_S
    while not happened():
        assert time.monotonic() < end, "it did not happen"


Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start servers that end with the test."""
    started: list[Server] = []

    def start(model: Path | str, *options: str, folder: Path = tmp_path, env: Mapping[str, str] | None = None) -> Server:
        trust = ["--trust"] if isinstance(model, Path) else []
        server = Server(["models", "serve", "-m", str(model), *trust, *options], folder, env)
        started.append(server)
        return server

    yield start
    for server in started:
        server.end()


@dataclass
class Models:
    """Folders of models, and the rows they were made of."""

    folder: Path
    frame: Any

    def __getitem__(self, name: str) -> Path:
        return self.folder / name


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Save the models that the tests serve."""
    from sklearn.datasets import load_wine
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LinearRegression

    import runfolio.sklearn
    from runfolio.models import infer_signature

    folder = tmp_path_factory.mktemp("models")
    frame, wanted = load_wine(return_X_y=True, as_frame=True)
    for name, estimator in (
        ("linear", LinearRegression()),
        ("forest", RandomForestClassifier(10, random_state=0)),
    ):
        estimator.fit(frame, wanted)
        signature = infer_signature(frame, estimator.predict(frame))
        runfolio.sklearn.save_model(estimator, folder / name, signature=signature, input_example=frame[:3])
    return Models(folder, frame)


@pytest.fixture(scope="session")
def wine(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the forest, for tests that leave it as it is."""
    server = Server(["models", "serve", "-m", str(models["forest"]), "--trust"], tmp_path_factory.mktemp("wine"))
    yield server
    assert server.end() == 0


def speaking_model() -> Any:
    """Return a model whose output is the one that its input names."""

    import runfolio

    class Speaking(runfolio.pyfunc.PythonModel):
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            import datetime

            import numpy
            import pandas

            if isinstance(model_input, dict) and {"messages", "prompt", "input"} & set(model_input):
                return {"got": model_input, "params": params}
            moment = datetime.datetime(2026, 11, 26, 18, 30, 0, 250)
            match str(model_input):
                case "params":
                    return [dict(sorted(params.items()))]  # MLflow's come in another order
                case "table":
                    return pandas.DataFrame({"n": [1, 2], "x": [0.5, float("nan")], "word": ["a", "b"]})
                case "series":
                    return pandas.Series([1.5, 2.5], name="x")
                case "array":
                    return numpy.arange(6, dtype="float32").reshape(2, 3)
                case "scalars":
                    return [numpy.float64(0.1), numpy.int8(-3), numpy.bool_(True), numpy.array([1, 2])]
                case "bytes":
                    return [b"\x00\xff" * 40, numpy.array([b"ab", b"c"]), bytearray(b"de")]
                case "moments":
                    return [moment, moment.date(), pandas.Timestamp(moment), numpy.datetime64(moment, "s")]
                case "table of moments":
                    return pandas.DataFrame({"at": [pandas.Timestamp(moment)], "key": [b"\x01"]})
                case "one":
                    return numpy.float32(0.5)
            return model_input

    return Speaking()


@pytest.fixture(scope="session")
def speaking_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a model of plain Python that takes params; it loads in little time."""
    import runfolio
    from runfolio.models import infer_signature

    folder = tmp_path_factory.mktemp("speaking") / "model"
    signature = infer_signature(params={"times": 2, "rate": 0.5, "word": "x", "many": [1, 2]})
    runfolio.pyfunc.save_model(folder, python_model=speaking_model(), signature=signature)
    return folder


@pytest.fixture(scope="session")
def speaking(speaking_folder: Path) -> Iterator[Server]:
    """Serve it, for tests that leave it as it is."""
    server = Server(["models", "serve", "-m", str(speaking_folder), "--trust"], speaking_folder.parent)
    yield server
    assert server.end() == 0
