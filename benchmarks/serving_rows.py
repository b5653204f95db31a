"""A served model beside ``mlflow models serve``: the same folder that MLflow wrote, in the same environment, under the same load (wrk).

Ours runs by the peer's own Python, with ours on its path and httptools in a folder beside it: MLflow's server would take httptools, too,
if it lay in the environment, and does not bring it. Both sides run in turn, with one worker each, and log nothing of single requests but
what they do by default.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import peers
from benchmarks.places import clean_environment

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting

SRC = Path(__file__).parents[1] / "src"
CONNECTIONS = 8
_BESIDE = ["httptools", "onnxruntime<1.24", "onnx<1.20", "skl2onnx", "ml_dtypes", "flatbuffers"]
_MODELS = """
import sys, mlflow.sklearn
from mlflow.models import infer_signature
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
frame, wanted = load_wine(return_X_y=True, as_frame=True)
for name, model in (("linear", LinearRegression()), ("forest", RandomForestClassifier(100, random_state=0))):
    model.fit(frame, wanted)
    mlflow.sklearn.save_model(model, f"{sys.argv[1]}/{name}", signature=infer_signature(frame, model.predict(frame)), input_example=frame[:3])
split = {"columns": list(frame.columns), "data": frame.values.tolist()}
import json
for name, count in (("one", 1), ("thousand", 1000)):
    rows = (split["data"] * 6)[:count]
    open(f"{sys.argv[1]}/{name}.json", "w").write(json.dumps({"dataframe_split": {**split, "data": rows}}))
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What a load generator counted."""

    per_second: float
    p99_ms: float


def beside() -> Path:
    """Return the folder of packages that only our side sees, made at its first use."""
    place = peers.CACHE / "beside-mlflow"
    if not (place / "httptools").is_dir():
        python = str(peers.python_of("mlflow"))
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(place), *_BESIDE], check=True)
    return place


def _free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/ping")
        status = connection.getresponse().status
        connection.close()
    except OSError:
        return False
    return status == 200


def _memory(group: int) -> float:
    """Return the proportional memory of a process group and of the sessions that it started, in MB."""
    found, todo = set(), [group]
    while todo:
        pid = todo.pop()
        found.add(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            todo += [int(each) for each in task.read_text().split()]
    total = 0
    for pid in found:
        with suppress(OSError):
            total += int(re.findall(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)[0])
    return total / 1024


@contextmanager
def served(command: list[str], folder: Path, **env: str) -> Iterator[tuple[int, float, int]]:
    """Yield port, seconds until it answered, and process id of a server; end it afterwards."""
    port = _free_port()
    began = time.perf_counter()
    log = (folder / "server.log").open("ab")
    process = subprocess.Popen(
        [*command, "-p", str(port)], cwd=folder, env=clean_environment(**env), stdout=log, stderr=log, start_new_session=True
    )
    try:
        while not _answers(port):
            if process.poll() is not None:
                raise RuntimeError((folder / "server.log").read_text()[-2000:])
            time.sleep(0.02)
        yield port, time.perf_counter() - began, process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
        log.close()


def load(port: int, body: Path, seconds: int) -> Load:
    """Ask as fast as eight connections can."""
    script = body.with_suffix(".lua")
    script.write_text(
        f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nlocal file = io.open("{body}", "r")\n'
        'wrk.body = file:read("*a")\nfile:close()\n'
    )
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", str(script), f"http://127.0.0.1:{port}/invocations"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    if "Non-2xx" in done or "Socket errors" in done:
        raise RuntimeError(done)
    value, unit = re.findall(r"99%\s+([\d.]+)(us|ms|s)", done)[0]
    p99 = float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]
    return Load(float(re.findall(r"Requests/sec:\s+([\d.]+)", done)[0]), p99)


def _same(port: int, other: int, body: Path) -> bool:
    def answer(at: int) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", at, timeout=60)
        connection.request("POST", "/invocations", body.read_bytes(), {"content-type": "application/json"})
        return json.loads(connection.getresponse().read())

    return bool(answer(port) == answer(other))


def serving(setting: Setting) -> Iterator[Row]:
    """Requests a second, the 99th percentile, start and memory."""
    from benchmarks.rows import Row

    if setting.alone or shutil.which("wrk") is None:
        yield Row(
            "serving", "itself", 1.0, "", "not measured: it needs MLflow's environment and wrk (Debian: apt-get install wrk)"
        )
        return
    python, folder = str(peers.python_of("mlflow")), setting.folder
    subprocess.run([python, "-c", _MODELS, str(folder)], cwd=folder, env=clean_environment(), check=True, capture_output=True)
    path = f"{Path(python).parent}:{os.environ['PATH']}"
    own = {"PYTHONPATH": f"{SRC}:{beside()}", "XDG_CACHE_HOME": str(folder / "cache"), "RUNFOLIO_TRUST": "1"}

    def theirs(model: str) -> Any:
        return served(
            [f"{Path(python).parent}/mlflow", "models", "serve", "--env-manager", "local", "-m", f"{folder}/{model}"],
            folder,
            PATH=path,
        )

    def ours(model: str, *more: str) -> Any:
        return served([python, "-m", "runfolio", "models", "serve", "-m", f"{folder}/{model}", *more], folder, **own)

    yield from _start(Row, setting, theirs, ours)
    for model, body, what, more, aims in (
        ("linear", "one", "a linear model, one row", (), ("≥ 3 ×", "≤ 0.5 ×")),
        ("linear", "thousand", "a linear model, 1,000 rows", (), ("≥ 2 ×", "")),
        ("forest", "one", "a forest of 100 trees, one row", (), ("≥ 2 ×", "")),
        ("forest", "one", "the same, `--engine onnx`", ("--engine", "onnx"), ("≥ 10 ×", "")),
        ("forest", "thousand", "a forest of 100 trees, 1,000 rows", (), ("≥ 2 ×", "")),
    ):
        with theirs(model) as (port, _, _), ours(model, *more) as (own_port, _, _):
            assert _same(port, own_port, folder / f"{body}.json")
            pairs = [
                (
                    load(port, folder / f"{body}.json", setting.size(5, 1)),
                    load(own_port, folder / f"{body}.json", setting.size(5, 1)),
                )
                for _ in range(setting.size(3, 1))
            ]
        ratio = statistics.median(own.per_second / their.per_second for their, own in pairs)
        note = f"{statistics.median(own.per_second for _, own in pairs):,.0f} beside {statistics.median(their.per_second for their, _ in pairs):,.0f}"
        yield Row(f"requests a second, {what}", "`mlflow models serve` 2.22", ratio, aims[0], note)
        ratio = statistics.median(own.p99_ms / their.p99_ms for their, own in pairs)
        note = f"{statistics.median(own.p99_ms for _, own in pairs):.1f} beside {statistics.median(their.p99_ms for their, _ in pairs):.1f} ms"
        yield Row(f"99th percentile, {what}", "`mlflow models serve` 2.22", ratio, aims[1], note)


def _start(row: Any, setting: Setting, theirs: Callable[..., Any], ours: Callable[..., Any]) -> Iterator[Row]:
    pairs = []
    with ours("forest", "--engine", "onnx"):
        pass  # the twin is made once
    for _ in range(setting.size(3, 1)):
        with theirs("forest") as (_, seconds, pid):
            their = (seconds, _memory(pid))
        with ours("forest") as (_, seconds, pid):
            own = (seconds, _memory(pid))
        with ours("forest", "--engine", "onnx") as (_, seconds, pid):
            pairs.append((their, own, (seconds, _memory(pid))))
    for at, name in ((1, ""), (2, ", `--engine onnx`")):
        for what, aim, unit, index in (
            ("start until it answers", "≤ 0.33 ×", "s", 0),
            ("memory, all processes", "≤ 0.5 ×", "MB", 1),
        ):
            ratio = statistics.median(pair[at][index] / pair[0][index] for pair in pairs)
            note = f"{statistics.median(pair[at][index] for pair in pairs):.3g} beside {statistics.median(pair[0][index] for pair in pairs):.3g} {unit}"
            yield row(f"{what}, a forest{name}", "`mlflow models serve` 2.22", ratio, aim, note)
