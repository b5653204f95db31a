"""MLflow's server over a folio: clients of MLflow, of R and Java, browsers, many at once, and ``kill -9``."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from runfolio.tracking.client import RunfolioClient
from tests.conftest import git
from tests.gateway.served import Served, gateway
from tests.gateway.soak import missing, soak
from tests.gateway.test_plugin import DIFFERENT, told
from tests.gateway.versions import Version, each_version

HERE = Path(__file__).parent
pytestmark = [pytest.mark.frameworks, pytest.mark.parametrize("version", each_version()), pytest.mark.xdist_group("gateway")]


def call(served: Served, path: str, body: Any = None, version: str = "2.0/mlflow", method: str | None = None) -> Any:
    """Send a request as curl does, and return what came, or the status of a refusal."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {served.token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{served.uri}/api/{version}/{path}", data, headers, method=method)  # loopback
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_journey_through_a_gateway_is_told_as_one_through_a_database(version: Version, folio_dir: Path, tmp_path: Path) -> None:
    other = tmp_path / "database"
    other.mkdir()
    expected = told(version, f"sqlite:///{other}/mlflow.db", other)
    output = tmp_path / "told.json"
    with gateway(version, folio_dir) as served:
        done = version.warm(str(HERE / "journey.py"), served.uri, str(output), cwd=tmp_path, **served.env)
        assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(output.read_text())
    assert {key for key in expected if expected[key] != found[key]} == set(DIFFERENT[version.name])
    said = (tmp_path / "gateway.err").read_text()
    assert (
        "Traceback" not in said and "Downloading artifacts" not in said
    )  # MLflow's bars are for who fetches, not for who serves
    # It ended in order: everything is committed.
    assert git(folio_dir, "status", "--porcelain") == ""
    checked = subprocess.run(
        [sys.executable, "-m", "runfolio", "check"], cwd=folio_dir, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_the_calls_of_the_clients_for_r_and_java(version: Version, folio_dir: Path) -> None:
    """As MLflow's R package (``mlflow_rest``) and its Java client (protobuf's JSON) send them, old field names included."""
    with gateway(version, folio_dir) as served:
        experiment = call(served, "experiments/create", {"name": "from R", "tags": [{"key": "k", "value": "v"}]})["experiment_id"]
        named = call(served, "experiments/get-by-name?experiment_name=from%20R")["experiment"]
        assert named["experiment_id"] == experiment and named["tags"] == [{"key": "k", "value": "v"}]
        start = {
            "experiment_id": experiment,
            "user_id": "ada",
            "start_time": 1700000000000,
            "tags": [{"key": "mlflow.source.name", "value": "train.R"}],
        }
        run = call(served, "runs/create", start)["run"]["info"]["run_id"]
        both = {"run_uuid": run, "run_id": run}
        assert call(served, "runs/log-parameter", {**both, "key": "depth", "value": "3"}) == {}
        for _ in range(2):  # a call whose answer got lost is sent again, and is the same point
            point = {"key": "rmse", "value": 0.5, "timestamp": 1700000000001, "step": 0}
            assert call(served, "runs/log-metric", {**both, **point}) == {}
        assert (
            call(served, "runs/log-metric", {**both, "key": "rmse", "value": "NaN", "timestamp": "1700000000002", "step": "1"})
            == {}
        )
        assert call(served, "runs/set-tag", {**both, "key": "team", "value": "red"}) == {}
        batch = {
            "metrics": [{"key": "a", "value": 1.0, "timestamp": 1, "step": 0}],
            "params": [{"key": "p", "value": "q"}],
            "tags": [],
        }
        assert call(served, "runs/log-batch", {"run_id": run, **batch}) == {}
        assert call(served, "runs/delete-tag", {"run_id": run, "key": "team"}) == {}
        assert (
            call(served, "runs/update", {**both, "status": "FINISHED", "end_time": 1700000001000})["run_info"]["status"]
            == "FINISHED"
        )
        found = call(served, f"runs/get?run_uuid={run}&run_id={run}")["run"]
        assert {item["key"]: item["value"] for item in found["data"]["params"]} == {"depth": "3", "p": "q"}
        assert {item["key"]: item["value"] for item in found["data"]["tags"]}["mlflow.source.name"] == "train.R"
        history = call(served, f"metrics/get-history?run_uuid={run}&run_id={run}&metric_key=rmse")["metrics"]
        assert [item["value"] for item in history] == [0.5, "NaN"]
        search = {
            "experiment_ids": [experiment],
            "filter": "params.depth = '3'",
            "run_view_type": "ACTIVE_ONLY",
            "max_results": 10,
        }
        assert [item["info"]["run_id"] for item in call(served, "runs/search", search)["runs"]] == [run]
        put = f"mlflow-artifacts/artifacts/{found['info']['artifact_uri'].removeprefix('mlflow-artifacts:/')}/notes/a.txt"
        assert call(served, put, "hello", version="2.0", method="PUT") == {}
        listed = call(served, f"artifacts/list?run_uuid={run}&run_id={run}&path=notes")
        assert [item["path"] for item in listed["files"]] == ["notes/a.txt"]
        assert call(served, "registered-models/create", {"name": "wine"})["registered_model"]["name"] == "wine"
        made = call(
            served, "model-versions/create", {"name": "wine", "source": f"{found['info']['artifact_uri']}/notes", "run_id": run}
        )
        assert made["model_version"]["version"] == "1"
        stage = {"name": "wine", "version": "1", "stage": "Staging", "archive_existing_versions": False}
        assert call(served, "model-versions/transition-stage", stage)["model_version"]["current_stage"] == "Staging"
        assert call(served, "registered-models/get-latest-versions", {"name": "wine", "stages": ["Staging"]})["model_versions"]
        assert call(served, "runs/delete", {"run_id": run}) == {} and call(served, "runs/restore", {"run_id": run}) == {}
        # What is wrong is refused with MLflow's status, and nothing on the server's disk is opened.
        assert call(served, "runs/get?run_id=" + "0" * 32) == 404
        assert call(served, "registered-models/create", {"name": "wine"}) == 400
        assert call(served, "model-versions/create", {"name": "wine", "source": "/etc", "run_id": run}) == 400
        assert call(served, f"mlflow-artifacts/artifacts/runs/{run}/../../../etc/passwd", version="2.0") in (400, 404)
        assert call(served, f"mlflow-artifacts/artifacts/runs/{run}/notes/a.txt", version="2.0", method="DELETE") == 400
    record = RunfolioClient(str(folio_dir))._session().folio.runs.get(run)
    assert record.entry["script"] == "train.R" and record.user == "ada" and not record.environment


CLIENT = """
import sys, mlflow
mlflow.set_experiment("many")
for number in range(1000):
    with mlflow.start_run(run_name=f"{sys.argv[1]}-{number}") as run:
        mlflow.log_param("number", number)
        mlflow.log_metrics({"a": number, "b": -number})
    print(run.info.run_id, flush=True)
"""


def test_a_killed_gateway_has_lost_no_acknowledged_call(version: Version, folio_dir: Path, tmp_path: Path) -> None:
    acknowledged: list[str] = []
    enough = threading.Event()

    def follow(process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if len(line) == 33:  # MLflow prints where a run can be seen, too
                acknowledged.append(line.strip())
            if len(acknowledged) >= 12:
                enough.set()

    with gateway(version, folio_dir) as served:
        call(served, "experiments/create", {"name": "many"})
        env = version.env(**served.env, MLFLOW_HTTP_REQUEST_MAX_RETRIES="0")
        clients = [
            subprocess.Popen([sys.executable, "-W", "ignore", "-c", CLIENT, str(at)], cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            for at in range(3)
        ]  # fmt: skip
        readers = [threading.Thread(target=follow, args=(process,)) for process in clients]
        for reader in readers:
            reader.start()
        assert enough.wait(240)
        served.kill()
        for process, reader in zip(clients, readers, strict=True):
            process.kill()
            process.wait(30)
            reader.join(30)
            assert process.stdout is not None
            process.stdout.close()
    subprocess.run([sys.executable, "-m", "runfolio", "recover"], cwd=folio_dir, check=False, capture_output=True)
    client = RunfolioClient(str(folio_dir))
    for run_id in acknowledged:
        run = client.get_run(run_id)
        assert run.info.status == "FINISHED" and run.data.metrics == {
            "a": float(run.data.params["number"]),
            "b": -float(run.data.params["number"]),
        }
    with gateway(version, folio_dir, "--no-token") as again:
        found = call(
            again, "runs/search", {"experiment_ids": [client.get_experiment_by_name("many").experiment_id], "max_results": 1000}
        )  # type: ignore[union-attr]
        assert set(acknowledged) <= {item["info"]["run_id"] for item in found["runs"]}


def test_eight_clients_on_a_gateway_that_is_killed_lose_nothing_that_was_answered(version: Version, folio_dir: Path) -> None:
    told = soak(version, folio_dir, clients=8, runs=4, kills=1)
    assert len(told.runs) == 33 and told.sent_again
    assert missing(folio_dir, told) == []


def test_mlflows_pages_show_a_folios_run(version: Version, folio_dir: Path, browser: Any) -> None:
    with gateway(version, folio_dir) as served:
        experiment = call(served, "experiments/create", {"name": "seen in a browser"})["experiment_id"]
        run = call(served, "runs/create", {"experiment_id": experiment, "run_name": "the-run", "start_time": 1700000000000})
        run_id = run["run"]["info"]["run_id"]
        call(served, "runs/log-metric", {"run_id": run_id, "key": "accuracy", "value": 0.5, "timestamp": 1, "step": 0})
        context = browser.new_context()
        page = context.new_page()
        broken: list[str] = []
        page.on("response", lambda answer: broken.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None)
        page.goto(f"{served.uri}/?token={served.token}")
        page.goto(f"{served.uri}/#/experiments/{experiment}/runs")
        page.get_by_text("the-run").first.wait_for(timeout=60_000)
        page.goto(f"{served.uri}/#/experiments/{experiment}/runs/{run_id}")
        page.get_by_text("accuracy").first.wait_for(timeout=60_000)
        context.close()
    assert broken == []


COUNTS = """
import subprocess, sys
from runfolio.cli.main import main
sys.addaudithook(lambda event, args: event in ("subprocess.Popen", "os.posix_spawn", "os.fork") and open("../started", "a").write(event + chr(10)))
subprocess.run(["true"], check=True)
sys.argv[0] = "runfolio"
sys.exit(main())
"""


def test_reading_and_logging_through_a_gateway_starts_no_process(version: Version, folio_dir: Path) -> None:
    started = folio_dir.parent / "started"
    with gateway(version, folio_dir, program=("-c", COUNTS)) as served:
        run = call(served, "runs/create", {"experiment_id": "0", "start_time": 1700000000000})["run"]["info"]["run_id"]
        call(served, "runs/log-metric", {"run_id": run, "key": "a", "value": 1.0, "timestamp": 1, "step": 0})
        before = started.read_text().splitlines()
        assert "subprocess.Popen" in before  # what is started is seen
        for step in range(20):
            call(served, "runs/log-metric", {"run_id": run, "key": "a", "value": 0.5, "timestamp": 2, "step": step})
            assert call(served, f"runs/get?run_id={run}")["run"]["data"]["metrics"][0]["step"] == step
        assert started.read_text().splitlines() == before


def test_what_flask_does_not_know_is_answered_by_mlflow_3s_other_application(version: Version, folio_dir: Path) -> None:
    with gateway(version, folio_dir) as served:
        info = call(served, "server-info", version="3.0/mlflow")
        assert info == 404 if version.name == "2.22" else "features_enabled" in info
        assert call(served, "nowhere", version="3.0/mlflow") == 404
        anybody = Served(served.process, served.uri, "")
        assert call(anybody, "server-info", version="3.0/mlflow") == 401


def test_a_port_that_is_taken_is_said_in_words(version: Version, folio_dir: Path) -> None:
    with gateway(version, folio_dir) as served:
        port = served.uri.rsplit(":", 1)[1]
        done = version.run("-m", "runfolio", "gateway", "--port", port, cwd=folio_dir)
    assert done.returncode == 13 and "--port 0" in done.stderr and "Traceback" not in done.stderr
