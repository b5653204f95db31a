"""What clients and models do wrong: each a clear answer, and a server that goes on."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

import runfolio
from tests.serving.conftest import DEADLINE_S, Models, Serve, Server, until

ODD = {
    "raises": "ValueError: no such wine",
    "raises others": None,
    "leaves": None,
    "panics": None,
}


def odd_model() -> Any:
    """Return a model that does what its input says."""

    class Odd(runfolio.pyfunc.PythonModel):
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            import os
            import sys
            import time

            match str(model_input):
                case "raises":
                    raise ValueError("no such wine\nsecond line")
                case "raises others":
                    raise KeyError("/srv/secret")
                case "leaves":
                    sys.exit(3)
                case "panics":
                    raise type("PanicException", (BaseException,), {})("a library in Rust")
                case "sleeps":
                    time.sleep(3600)
                case "no JSON":
                    return {1, 2}
                case "dies":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "grows":
                    self.held = bytearray(200 << 20)
                    self.held[::4096] = b"x" * len(self.held[::4096])
            return [os.getpid()]

    import signal

    return Odd()


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd") / "model"
    runfolio.pyfunc.save_model(folder, python_model=odd_model())
    return folder


def raw(server: Server, data: bytes) -> bytes:
    """Send bytes, and return all that comes until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_S) as connection:
        connection.sendall(data)
        got = b""
        while part := connection.recv(65536):
            got += part
    return got


def status(got: bytes) -> int:
    return int(got.split(b" ", 2)[1])


@pytest.mark.parametrize(("what", "text"), list(ODD.items()))
def test_a_model_that_raises_is_told_without_its_stack(odd: Path, serve: Serve, what: str, text: str | None) -> None:
    server = serve(odd)
    reply = server.post({"inputs": what})
    assert (reply.status, reply.json["error_code"]) == (400, "BAD_REQUEST")
    message = reply.json["message"]
    assert message.startswith("Encountered an unexpected error while evaluating the model.")
    assert text is None or text in message
    assert "secret" not in message and "second line" not in message and "Traceback" not in message
    [number] = __import__("re").findall(r"request (\S+)\.\)", message)
    server.wait_for(f"request {number}")
    server.wait_for("Traceback")
    assert server.post({"inputs": "fine"}).status == 200


def test_neither_client_nor_log_is_told_a_whole_request(wine: Server, speaking: Server) -> None:
    long = "x" * 1_000_000
    record = dict.fromkeys(long[:70] + str(at) for at in range(10_000))
    for server, body in (
        (wine, {"dataframe_records": [{long: 1}]}),
        (wine, {"dataframe_records": [record]}),
        (wine, {"dataframe_records": [{"ash": long}]}),
        (speaking, {"inputs": [1], "params": {"times": long}}),
        (speaking, {"inputs": [1], "params": {"many": long}}),
    ):
        reply = server.post(body)
        assert reply.status == 400
        assert len(reply.body) < 5_000
    assert speaking.post({"inputs": "one", "params": {long: 1}}).status == 200
    speaking.wait_for("The model has no parameter 'xxx")
    assert all(len(line) < 5_000 for line in speaking.log)


def test_an_output_without_a_form_in_json_is_a_fault_of_the_server(odd: Path, serve: Serve) -> None:
    reply = serve(odd).post({"inputs": "no JSON"})
    assert (reply.status, reply.json["error_code"]) == (500, "INTERNAL_ERROR")
    assert "set is not JSON serializable" in reply.json["message"]


def test_predictions_that_never_end_are_given_up_and_then_their_worker(odd: Path, serve: Serve) -> None:
    server = serve(odd, "--timeout", "0.5", "--threads", "2", "--shutdown-timeout", "1")
    before = server.post({"inputs": "who"}).json["predictions"]
    for _ in range(8):
        reply = server.post({"inputs": "sleeps"})
        assert (reply.status, reply.json["error_code"]) == (504, "DEADLINE_EXCEEDED")
        assert server.get("/ping").status == 200
    server.wait_for("asks to be replaced: 8 predictions never ended")
    until(lambda: server.post({"inputs": "who"}).json["predictions"] != before)
    assert server.get("/health?details").json["restarts"] == 1


def test_a_worker_that_died_holds_nothing_any_more_in_the_metrics(odd: Path, serve: Serve) -> None:
    def gauge(name: str) -> float:
        lines = server.get("/metrics").body.decode().splitlines()
        return float(next(line for line in lines if line.startswith(f"runfolio_serving_{name} ")).split()[1])

    server = serve(odd, "--timeout", "0.5", "--threads", "2")
    assert server.post({"inputs": "sleeps"}).status == 504
    until(lambda: gauge("stuck_predictions") == 1)
    [pid] = server.post({"inputs": "who"}).json["predictions"]
    until(lambda: gauge("resident_memory_bytes") > 0)
    before = gauge("resident_memory_bytes")
    os.kill(pid, signal.SIGKILL)
    server.wait_for(f"worker {pid} ended: SIGKILL")
    until(lambda: gauge("stuck_predictions") == 0)
    assert gauge("resident_memory_bytes") < 1.5 * before


def test_a_worker_that_dies_is_replaced(odd: Path, serve: Serve) -> None:
    server = serve(odd, "--workers", "2")
    [pid] = server.post({"inputs": "who"}).json["predictions"]
    os.kill(pid, signal.SIGKILL)
    server.wait_for(f"worker {pid} ended: SIGKILL")
    assert server.post({"inputs": "who"}).status == 200
    until(lambda: server.get("/health?details").json["workers"] == 2)


def test_a_worker_that_grows_is_replaced(odd: Path, serve: Serve) -> None:
    server = serve(odd, "--max-memory", "220")
    [pid] = server.post({"inputs": "grows"}).json["predictions"]
    server.wait_for("asks to be replaced: it holds")
    until(lambda: server.post({"inputs": "who"}).json["predictions"] != [pid])


def test_requests_under_way_are_answered_when_the_server_ends(odd: Path, serve: Serve) -> None:
    server = serve(odd)
    body = json.dumps({"inputs": "fine"}).encode()
    head = b"POST /invocations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(
        body
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_S) as connection:
        connection.sendall(head + body[:5])
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("ending")
        connection.sendall(body[5:])
        got = connection.recv(65536)
    assert status(got) == 200
    assert b"connection: close" in got
    assert server.process.wait(DEADLINE_S) == 0


def test_workers_end_with_a_supervisor_that_is_killed(odd: Path, serve: Serve) -> None:
    server = serve(odd)
    [pid] = server.post({"inputs": "who"}).json["predictions"]
    server.process.kill()
    server.process.wait(DEADLINE_S)
    until(
        lambda: (
            not (os.path.exists(f"/proc/{pid}") and "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0])
        )
    )


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\nbad header\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\nhost: localhost\r\ncontent-length: -5\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef", 400),
        (b"POST /invocations HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET /ping HTTP/1.1\r\nhost: localhost\r\nhost: example.org\r\n\r\n", 400),
        (b"GET /ping HTTP/1.1\r\nhost: example.org\r\n\r\n", 403),
        (b"GET /ping HTTP/1.1\r\n\r\n", 403),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000, 431),
        (b"POST /invocations HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999\r\n\r\n", 413),
        (b"POST /invocations HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n" + b"8000\r\n" + b"a" * 0x8000 + b"\r\n8000\r\n" + b"a" * 0x8000 + b"\r\n", 413),
        (b"GET /ping HTTP/1.0\r\nhost: localhost\r\n\r\n", 200),
        (b"GET /ping HTTP/1.1\r\nhost: [::1]:80\r\nconnection: close\r\n\r\n", 200),
    ],
)  # fmt: skip
def test_what_is_no_request_ends_with_its_answer(odd_server: Server, data: bytes, wanted: int) -> None:
    assert status(raw(odd_server, data)) == wanted
    assert odd_server.get("/ping").status == 200


@pytest.fixture(scope="module")
def odd_server(odd: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("served")
    server = Server(["models", "serve", "-m", str(odd), "--trust", "--max-body", "0.05", "--body-timeout", "0.5"], folder)
    yield server
    assert server.end() == 0


def test_a_client_that_sends_its_body_slowly_is_told_so(odd_server: Server) -> None:
    got = raw(odd_server, b"POST /invocations HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n{")
    assert status(got) == 408
    assert odd_server.get("/metrics").body.decode().count('connections_ended_total{reason="timeout"} 0') == 0


def test_requests_sent_ahead_are_answered_in_order(odd_server: Server) -> None:
    one = b"GET /version HTTP/1.1\r\nhost: localhost\r\n\r\n"
    two = b'POST /invocations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{"inputs": "a"}'
    last = b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    got = raw(odd_server, (one + two) * 200 + last)
    assert [int(part[:3]) for part in got.split(b"HTTP/1.1 ")[1:]] == [200] * 400 + [404]


def test_a_body_may_wait_for_the_word_to_go_on(odd_server: Server) -> None:
    head = (
        b"POST /invocations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n"
        b"connection: close\r\ncontent-length: 15\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", odd_server.port), timeout=DEADLINE_S) as connection:
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(b'{"inputs": "a"}')
        assert status(connection.recv(65536)) == 200


def test_a_table_of_ten_megabytes_is_predicted(wine: Server, models: Models) -> None:
    rows = models.frame.to_numpy().tolist() * 1000
    body = json.dumps({"dataframe_split": {"columns": list(models.frame.columns), "data": rows}})
    assert len(body) > 10_000_000
    reply = wine.post(body)
    assert (reply.status, len(reply.json["predictions"])) == (200, len(rows))


def test_a_token_is_asked_for_everywhere_but_at_the_probes(odd: Path, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    server = serve(odd, "--host", "0.0.0.0", "--token-file", str(tmp_path / "token"))
    assert [server.get(path).status for path in ("/ping", "/health", "/version", "/metrics", "/docs", "/health?details")] == [
        200, 200, 401, 401, 401, 401,
    ]  # fmt: skip
    assert server.post({"inputs": "a"}).json["error_code"] == "UNAUTHENTICATED"
    assert server.post({"inputs": "a"}, authorization="Bearer wrong").status == 401
    assert server.post({"inputs": "a"}, authorization="Bearer s3cret").status == 200
    assert server.get("/health?details", authorization="bearer s3cret").status == 200
    # A browser's own way: for pages, and not for what predicts, since it sends these with what any other page asks, too.
    basic = {name: f"Basic {base64.b64encode(name.encode()).decode()}" for name in ("ada:s3cret", "s3cret", "s3cret:ada")}
    pages = ("/docs", "/metrics", "/openapi.json", "/health?details")
    assert {server.get(path, authorization=basic["ada:s3cret"]).status for path in pages} == {200}
    assert {
        server.get("/docs", authorization=said).status for said in (basic["s3cret"], basic["s3cret:ada"], "Basic ÿ", "Basic")
    } == {401}
    assert server.post({"inputs": "a"}, authorization=basic["ada:s3cret"]).status == 401


def test_the_list_of_processes_shows_what_is_served_and_no_token(odd: Path, serve: Serve) -> None:
    server = serve(odd, env={"RUNFOLIO_SERVE_TOKEN": "s3cret"})
    assert server.post({"inputs": "a"}).status == 401
    ps = ["ps", "-ww", "-o", "args=", "-p", str(server.process.pid)]
    shown = subprocess.run(ps, capture_output=True, text=True, check=True).stdout
    assert f"models serve -m {odd}" in shown and "s3cret" not in shown


def test_a_server_is_one_process_from_beginning_to_end(odd: Path, serve: Serve) -> None:
    server = serve(odd)
    said = server.get("/health?details").json
    assert said["supervisor"] == server.process.pid
    assert server.end() == 0


def refused(*args: str, folder: Path, **env: str) -> tuple[int, str]:
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "runfolio", "models", "serve", "-p", "0", *args],
        cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_what_cannot_be_served_is_told_at_start(odd: Path, tmp_path: Path, models: Models) -> None:
    code, said = refused("-m", str(odd), folder=tmp_path)
    assert (code, "--trust" in said) == (13, True)
    code, said = refused("-m", str(odd), "--trust", "--host", "0.0.0.0", folder=tmp_path)
    assert code == 2 and "--no-token" in said
    code, said = refused("-m", str(tmp_path / "nowhere"), folder=tmp_path)
    assert code == 11
    empty = tmp_path / "empty"
    empty.mkdir()
    code, said = refused("-m", str(empty), folder=tmp_path)
    assert code == 11 and "MLmodel" in said
    damaged = __import__("shutil").copytree(odd, tmp_path / "damaged")
    (damaged / "python_model.pkl").write_bytes(b"no pickle")
    code, said = refused("-m", str(damaged), "--trust", folder=tmp_path)
    assert code == 14 and "pickle" in said and "Traceback" not in said


def test_a_missing_httptools_is_told_with_the_command_that_brings_it(models: Models, tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    absent.mkdir()
    (absent / "httptools.py").write_text("raise ModuleNotFoundError(\"No module named 'httptools'\", name='httptools')\n")
    path = os.pathsep.join([str(absent), *filter(None, [os.environ.get("PYTHONPATH")])])
    code, said = refused("-m", str(models["forest"]), "--trust", folder=tmp_path, PYTHONPATH=path)
    assert code == 20 and "pip install 'runfolio[serve]'" in said and "Traceback" not in said


def test_a_framework_of_another_version_is_told_with_both(models: Models, serve: Serve, tmp_path: Path) -> None:
    import shutil

    import sklearn

    other = shutil.copytree(models["forest"], tmp_path / "other")
    text = (other / "MLmodel").read_text()
    (other / "MLmodel").write_text(text.replace(f"sklearn_version: {sklearn.__version__}", "sklearn_version: 0.24.2"))
    server = serve(other)
    assert any("scikit-learn 0.24.2" in line and sklearn.__version__ in line for line in server.log)
