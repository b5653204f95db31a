"""What a server bears while it serves: slow heads, workers that are replaced, one that holds the interpreter's lock, SIGHUP."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.client import MlflowClient
from tests.serving.conftest import DEADLINE_S, Serve, Server, until
from tests.serving.test_faults import refused

ASK = b'{"inputs": "who"}'
HEAD = b"POST /invocations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


def holding_model() -> Any:
    """Return a model that tells its process, or holds the interpreter's lock for ever."""

    class Holding(runfolio.pyfunc.PythonModel):
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            import ctypes
            import os

            if str(model_input) == "hold":
                ctypes.PyDLL(None).sleep(3600)  # unlike CDLL's, this call keeps the lock
            return [os.getpid()]

    return Holding()


@pytest.fixture(scope="module")
def holding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("holding") / "model"
    runfolio.pyfunc.save_model(folder, python_model=holding_model())
    return folder


def test_heads_that_come_slowly_are_cut_while_others_are_served(holding: Path, serve: Serve) -> None:
    server = serve(holding, "--head-timeout", "0.5")
    slow = [socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_S) for _ in range(50)]
    ended = threading.Event()

    def drip() -> None:
        # A letter now and then: what is counted is the whole head's time, not the silence.
        while not ended.wait(0.05):
            for connection in slow:
                with suppress(OSError):
                    connection.sendall(b"a")

    for connection in slow:
        connection.sendall(b"GET /ping HTTP/1.1\r\nhost: localhost\r\nx-slow: ")
    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert server.post(ASK).status == 200
        until(lambda: server.get("/metrics").body.decode().count('connections_ended_total{reason="timeout"} 50') == 1)
        assert server.post(ASK).status == 200
        assert all(connection.recv(65536).startswith(b"HTTP/1.1 408") for connection in slow)
    finally:
        ended.set()
        dripping.join()
        for connection in slow:
            connection.close()


def test_a_worker_is_replaced_after_so_many_requests_and_none_is_dropped(holding: Path, serve: Serve) -> None:
    server = serve(holding, "--max-requests", "20")
    seen: set[int] = set()
    faults: list[Any] = []
    ended = threading.Event()

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
        try:
            while not ended.is_set():
                connection.request("POST", "/invocations", ASK, {"content-type": "application/json"})
                reply = connection.getresponse()
                said = json.loads(reply.read())
                seen.update(said["predictions"] if reply.status == 200 else [reply.status])
        except BaseException as error:  # noqa: BLE001 # told by the test
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        server.wait_for(r"\(--max-requests\)")
        until(lambda: len(seen) >= 3)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert faults == []
    assert not seen & set(range(400, 600))
    assert server.get("/health?details").json["restarts"] >= 2


def test_a_model_that_holds_the_lock_is_killed_and_replaced(holding: Path, serve: Serve) -> None:
    server = serve(holding, "--timeout", "0.1")
    [pid] = server.post(ASK).json["predictions"]
    body = b'{"inputs": "hold"}'
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_S) as connection:
        connection.sendall(HEAD % len(body) + body)
        server.wait_for(f"worker {pid} does not answer any more: it is killed")
        with suppress(ConnectionResetError):
            assert connection.recv(65536) == b""
    [after] = server.post(ASK).json["predictions"]
    assert after != pid
    assert server.get("/health?details").json["restarts"] == 1


def register(value: int) -> None:
    class Number(runfolio.pyfunc.PythonModel):
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return [value]

    with runfolio.start_run():
        runfolio.pyfunc.log_model("model", python_model=Number(), registered_model_name="number")


def number(server: Server) -> Any:
    return server.post({"inputs": [0]}).json["predictions"]


def test_sighup_looks_at_once(folio_dir: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    monkeypatch.chdir(folio_dir)
    runfolio.set_tracking_uri(str(folio_dir))
    register(1)
    register(2)
    MlflowClient().transition_model_version_stage("number", "1", "Production")
    server = serve("models:/number/Production", "--reload-interval", "3600", folder=folio_dir)
    assert number(server) == [1]
    MlflowClient().transition_model_version_stage("number", "2", "Production", archive_existing_versions=True)
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("serving number 2 .* now")
    until(lambda: number(server) == [2])


def test_a_model_of_a_run_is_served_and_one_with_another_byte_is_not(
    folio_dir: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    monkeypatch.chdir(folio_dir)
    runfolio.set_tracking_uri(str(folio_dir))
    register(7)
    [run] = runfolio.search_runs(output_format="list")
    uri = f"runs:/{run.info.run_id}/model"
    server = serve(uri, folder=folio_dir)
    assert number(server) == [7]
    server.end()
    # One byte of the pickle, in the store: what is served must be what the commit names.
    wanted = (Path(runfolio.artifacts.download_artifacts(uri)) / "python_model.pkl").read_bytes()
    [kept] = [path for path in (folio_dir / ".git" / "runfolio").rglob("*") if path.is_file() and path.read_bytes() == wanted]
    kept.chmod(0o644)
    kept.write_bytes(wanted[:100] + bytes([wanted[100] ^ 1]) + wanted[101:])
    for each in (uri, "models:/number/1"):
        code, said = refused("-m", each, folder=folio_dir)
        assert code == 14
        assert "is damaged" in said and kept.name in said and "Traceback" not in said
