"""The stage moves: the new version is served, no request is dropped, and a version that cannot be served changes nothing."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.client import MlflowClient
from tests.serving.conftest import Serve, Server, until

NAME = "constant"


def constant(value: Any) -> runfolio.pyfunc.PythonModel:
    """Return a model whose class is inside a function, so that its pickle holds it."""

    class Constant(runfolio.pyfunc.PythonModel):
        def load_context(self, context: Any) -> None:
            if value == "dies":
                import os

                os.kill(os.getpid(), 9)
            if value == "broken":
                raise ValueError("the table is empty")
            if value == "slow":
                import time

                time.sleep(600)

        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return [value] * len(model_input)

    return Constant()


@pytest.fixture
def folio(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folio whose model has two versions, each answering its own number; the first is in Production."""
    monkeypatch.chdir(folio_dir)
    runfolio.set_tracking_uri(str(folio_dir))
    register(1)
    register(2)
    MlflowClient().transition_model_version_stage(NAME, "1", "Production")
    return folio_dir


def register(value: Any) -> None:
    with runfolio.start_run():
        runfolio.pyfunc.log_model("model", python_model=constant(value), registered_model_name=NAME)


def promote(version: int) -> None:
    MlflowClient().transition_model_version_stage(NAME, str(version), "Production", archive_existing_versions=True)


def taken_over(server: Server, version: int) -> None:
    """Return when the version has taken over: the old workers may have answered what they took before they were told to end."""
    server.wait_for(f"serving constant {version} .* now")
    until(lambda: answer(server) == version)


def answer(server: Server) -> Any:
    return server.post({"inputs": [0]}).json["predictions"][0]


def test_a_promotion_is_live_without_a_dropped_request(folio: Path, serve: Serve) -> None:
    server = serve(f"models:/{NAME}/Production", "--reload-interval", "0.1", "--workers", "2", folder=folio)
    assert answer(server) == 1
    seen: list[Any] = []
    faults: list[BaseException] = []
    ended = threading.Event()

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            while not ended.is_set():
                connection.request("POST", "/invocations", b'{"inputs": [0]}', {"content-type": "application/json"})
                reply = connection.getresponse()
                said = json.loads(reply.read())
                seen.append(said["predictions"][0] if reply.status == 200 else reply.status)
        except BaseException as error:  # noqa: BLE001 # told by the test
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    promote(2)
    taken_over(server, 2)
    ended.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert set(seen) <= {1, 2}
    details = server.get("/health?details").json
    assert (details["model"]["version"], details["reloads"], details["refused"]) == ("2", 1, None)


@pytest.mark.parametrize(("value", "reason"), [("broken", "the table is empty"), ("dies", "SIGKILL")])
def test_a_version_that_cannot_be_served_leaves_the_one_that_is(folio: Path, serve: Serve, value: str, reason: str) -> None:
    server = serve(f"models:/{NAME}/Production", "--reload-interval", "0.1", folder=folio)
    register(value)
    promote(3)
    server.wait_for("constant 3 .* is not served")
    assert answer(server) == 1
    details = server.get("/health?details").json
    assert (details["model"]["version"], details["failed_reloads"], details["refused"]["version"]) == ("1", 1, "3")
    assert reason in details["refused"]["error"]
    assert server.get("/health").status == 200
    assert "runfolio_serving_reload_failing 1" in server.get("/metrics").body.decode()
    promote(2)
    taken_over(server, 2)
    assert server.get("/health?details").json["refused"] is None


def test_an_alias_is_followed_and_a_number_is_not(folio: Path, serve: Serve) -> None:
    client = MlflowClient()
    client.set_registered_model_alias(NAME, "best", "1")
    server = serve(f"models:/{NAME}@best", "--reload-interval", "0.1", folder=folio)
    fixed = serve(f"models:/{NAME}/1", "--reload-interval", "0.1", folder=folio)
    client.set_registered_model_alias(NAME, "best", "2")
    taken_over(server, 2)
    assert answer(fixed) == 1


def test_a_stage_that_is_empty_for_a_while_changes_nothing(folio: Path, serve: Serve) -> None:
    server = serve(f"models:/{NAME}/Production", "--reload-interval", "0.1", folder=folio)
    MlflowClient().transition_model_version_stage(NAME, "1", "Archived")
    server.wait_for("the model that is served stays")
    assert answer(server) == 1
    promote(2)
    taken_over(server, 2)


def test_a_stage_that_moves_back_while_the_next_version_is_loaded_leaves_a_server_that_goes_on(folio: Path, serve: Serve) -> None:
    server = serve(f"models:/{NAME}/Production", "--reload-interval", "0.1", "--workers", "2", folder=folio)
    register("slow")
    for _ in range(2):
        promote(3)
        server.wait_for("moved to constant 3 .* loading it beside")
        promote(1)
        server.wait_for("moved back to constant 1")
    # Another one is started in its place, whose pipes have the numbers of those that are closed.
    os.kill(server.get("/health?details").json["worker"], signal.SIGKILL)
    server.wait_for("worker .* ended: SIGKILL")
    until(lambda: server.get("/health?details").json["workers"] == 2)
    assert answer(server) == 1
    promote(2)
    taken_over(server, 2)
    assert server.end() == 0


def test_a_model_may_read_its_files_until_its_last_answer(folio: Path, serve: Serve, tmp_path: Path) -> None:
    class Reader(runfolio.pyfunc.PythonModel):
        def load_context(self, context: Any) -> None:
            self.path = context.artifacts["table"]

        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            import time
            from pathlib import Path

            asked, replaced = (Path(each) for each in model_input)
            asked.touch()
            while not replaced.exists():
                time.sleep(0.05)
            return [Path(self.path).read_text()]

    table = tmp_path / "table.txt"
    table.write_text("read")
    with runfolio.start_run():
        runfolio.pyfunc.log_model("model", python_model=Reader(), artifacts={"table": str(table)}, registered_model_name=NAME)
    promote(3)
    server = serve(f"models:/{NAME}/Production", "--reload-interval", "0.1", folder=folio)
    asked, replaced = tmp_path / "asked", tmp_path / "replaced"
    replies: list[Any] = []
    thread = threading.Thread(target=lambda: replies.append(server.post({"inputs": [str(asked), str(replaced)]})))
    thread.start()
    until(asked.exists)
    promote(1)
    server.wait_for("serving constant 1 .* now")
    # The old worker may take one more request before it is told to end, and its model answers that with an error.
    until(lambda: server.post({"inputs": [0]}).json.get("predictions") == [1])
    replaced.touch()
    thread.join()
    assert (replies[0].status, replies[0].json) == (200, {"predictions": ["read"]})
