"""MLflow's own client against a folio and against its SQLite: the same MLflow, the same Python, the same script; and its server over both."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import peers
from benchmarks.places import HERE, clean_environment, fill, folio, result
from benchmarks.recorded_requests import record

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting

CLIENTS = 8
SIDE = str(HERE / "mlflow_side.py")
LOOPBACK = "http://127.0.0.1"


def _site() -> str:
    """Return the folder with the whole MLflow 2.22 that our own Python can see."""
    [found] = peers.python_of("mlflow").parents[1].glob("lib/python*/site-packages")
    return str(found)


def _told(task: str, uri: str, n: int, folder: Path) -> Any:
    return result([sys.executable, SIDE, task, uri, str(n)], folder, PYTHONPATH=_site())


def _ratio(rounds: int, theirs: Callable[[], float], ours: Callable[[], float]) -> tuple[float, float]:
    """Return the median of theirs / ours, measured in turn, and ours."""
    pairs = [(theirs(), ours()) for _ in range(rounds)]
    return statistics.median(one / two for one, two in pairs), statistics.median(two for _, two in pairs)


def door(setting: Setting) -> Iterator[Row]:
    """Runs and searches through the plug-in, and runs of eight clients through a gateway."""
    from benchmarks.rows import Row

    if setting.alone:
        return  # every row is MLflow beside MLflow
    rounds, here, there = setting.size(3, 1), folio(setting.new("folio")), setting.new("mlflow")
    place, database = f"runfolio://{here}", f"sqlite:///{there / 'runs.db'}"
    n = setting.size(60, 10)
    ratio, ours = _ratio(
        rounds, lambda: _told("log_runs", database, n, there), lambda: _told("log_runs", place, setting.size(300, 30), here)
    )
    yield Row(
        "runs per second of MLflow's client (13 calls a run), `runfolio://`",
        "the same client on its SQLite",
        ratio,
        "≥ 3 ×",
        f"{ours * 1000:.1f} ms a run; power: a run is synced once at its end, SQLite syncs each call",
    )
    for size in (10_000, 100_000)[: setting.size(2, 1)]:
        yield from _searches(setting, size)
    yield from _servers(setting, here, there, rounds)


def _servers(setting: Setting, here: Path, there: Path, rounds: int) -> Iterator[Row]:
    from benchmarks.rows import Row

    def theirs() -> Any:
        return _server(there, f"sqlite:///{there / 'served.db'}")

    def ours() -> Any:
        return _gateway(here)

    for send, who in ((_served, "Python processes"), (_served_thin, "connections, a client's recorded requests")):
        ratio, took = _ratio(rounds, lambda: send(setting, theirs), lambda: send(setting, ours))  # noqa: B023
        yield Row(
            f"runs per second of {CLIENTS} clients at once ({who}), `runfolio gateway`",
            "`mlflow server` on SQLite (4 workers)",
            ratio,
            "≥ 1.5 ×",
            f"{1 / took:.0f} runs a second",
        )


def _searches(setting: Setting, size: int) -> Iterator[Row]:
    from benchmarks.rows import Row

    here, there = folio(setting.new(f"folio-{size}")), setting.new(f"mlflow-{size}")
    fill(here, size)
    database, place, rounds = f"sqlite:///{there / 'runs.db'}", f"runfolio://{here}", setting.size(3, 1)
    for task in ("fill", "analyze"):
        _told(task, database, size, there)
    _told("search", place, 1, here)  # the index is made at the first search
    searches = (("search", "best 100 by a metric"), ("search_plain", "100 newest that match"))
    for task, what in searches:
        ratio, ours = _ratio(rounds, lambda: _told(task, database, 5, there), lambda: _told(task, place, 5, here))  # noqa: B023
        yield Row(f"`search_runs` at {size:,} runs, {what}, `runfolio://`", "SQLite", ratio, "≥ 2 ×", f"{ours * 1000:.0f} ms")
    for task, what in searches:
        ratio, ours = _ratio(
            rounds,
            lambda: _through(_server(there, database), task, there),  # noqa: B023
            lambda: _through(_gateway(here), task, here),  # noqa: B023
        )
        yield Row(
            f"`search_runs` at {size:,} runs, {what}, `runfolio gateway`",
            "`mlflow server` on SQLite",
            ratio,
            "≥ 2 ×",
            f"{ours * 1000:.0f} ms",
        )


def _through(server: AbstractContextManager[tuple[str, dict[str, str]]], task: str, folder: Path) -> Any:
    with server as (uri, env):
        return result([sys.executable, SIDE, task, uri, "5"], folder, PYTHONPATH=_site(), **env)


def _served(setting: Setting, serve: Any) -> float:
    """Return seconds a run, of all clients together."""
    n = setting.size(25, 5)
    with serve() as (uri, env):
        seen = {**clean_environment(**env), "PYTHONPATH": _site()}
        warm = [sys.executable, SIDE, "log_runs", uri, "1"]
        subprocess.run(warm, env=seen, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        command = [sys.executable, SIDE, "log_runs", uri, str(n)]
        clients = [subprocess.Popen(command, env=seen, stdout=subprocess.PIPE, text=True) for _ in range(CLIENTS)]
        took = []
        for client in clients:
            said, _ = client.communicate(timeout=900)
            took.append(float(said.rsplit("RESULT ", 1)[1]))
    # Each client tells its own seconds a run, its start apart; all ran at once.
    return statistics.mean(took) / CLIENTS


def _served_thin(setting: Setting, serve: Any) -> float:
    """Return seconds a run of clients that only send what MLflow's client was seen to send."""
    with serve() as (uri, env):
        seen = {**clean_environment(**env), "PYTHONPATH": _site()}
        requests = record(uri, lambda to: _log_two(to, seen))
        runs, send = setting.size(50, 5), [sys.executable, str(HERE / "recorded_requests.py"), uri, str(CLIENTS)]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "requests.json")
            file.write_text(json.dumps([request.hex() for request in requests]))
            result([*send, "2", str(file)], Path(folder))  # warm
            return float(result([*send, str(runs), str(file)], Path(folder)))


def _log_two(uri: str, env: dict[str, str]) -> None:
    subprocess.run([sys.executable, SIDE, "log_runs", uri, "2"], env=env, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _server(folder: Path, database: str) -> Iterator[tuple[str, dict[str, str]]]:
    port = _free()
    python = peers.python_of("mlflow")
    command = [str(python), "-m", "mlflow", "server", "--backend-store-uri", database, "--port", str(port)]
    env = clean_environment(PATH=f"{python.parent}{os.pathsep}{os.environ['PATH']}")
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _wait(f"{LOOPBACK}:{port}/health")
        yield f"{LOOPBACK}:{port}", {}
    finally:
        os.killpg(process.pid, 15)
        process.wait(60)


@contextmanager
def _gateway(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    port = _free()
    env = clean_environment(PYTHONPATH=_site())
    process = subprocess.Popen(
        [sys.executable, "-m", "runfolio", "gateway", "--port", str(port), "--no-token"],
        cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(f"{LOOPBACK}:{port}/health")
        yield f"{LOOPBACK}:{port}", {}
    finally:
        process.terminate()
        process.wait(60)


def _free() -> int:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _wait(url: str) -> None:
    import urllib.error
    import urllib.request

    until = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # loopback
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return
