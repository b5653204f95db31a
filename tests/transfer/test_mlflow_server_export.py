"""A folio written into a running ``mlflow server`` through its REST API: the same runs under other ids, each once, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.versions import VERSIONS, Version, each_version
from tests.transfer.servers import mlflow_server
from tests.transfer.test_mlflow_export import write
from tests.transfer.test_mlflow_import import HERE, JOURNEY, fill, take
from tests.transfer.test_mlflow_servers import both_told

pytestmark = [pytest.mark.frameworks]
NEWEST = [parameter for parameter in each_version() if parameter.values == (VERSIONS[1],)]  # type: ignore[attr-defined]
PARENT = "mlflow.parentRunId"


def ids_there(uri: str, version: Version, folder: Path) -> list[dict[str, list[str]]]:
    """Return the ids at a server of each run, and each logged model, of the folio, as MLflow's client tells them by the tag."""
    done = version.warm(str(HERE / "ids_there.py"), uri, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def by_here(said: dict[str, Any], runs: dict[str, str], models: dict[str, str]) -> dict[str, Any]:
    """Return what MLflow says of a server under the ids of the folio, without what REST cannot write."""
    homes = {there: name for there, (name, *_) in said["experiments"].items()}
    out: dict[str, Any] = {"experiments": {}, "runs": {}, "models": {}, "logged": {}}
    for name, stage, tags, _ in said["experiments"].values():
        out["experiments"][name] = [stage, {key: text for key, text in tags.items() if not key.startswith("runfolio.")}]
    for there, run in said["runs"].items():
        run["experiment"] = homes.get(run["experiment"], run["experiment"])
        if PARENT in run["tags"]:
            run["tags"][PARENT] = runs.get(run["tags"][PARENT], run["tags"][PARENT])
        out["runs"][runs.get(there, there)] = run
    for name, model in said["models"].items():
        del model["created"]
        for item in model["versions"].values():
            del item["created"]
            item["run"] = runs.get(item["run"], item["run"])
        out["models"][name] = model
    for there, (name, status, run_id, tags, params, files, metrics) in said["logged"].items():
        tags = {key: text for key, text in tags.items() if not key.startswith("runfolio.")}
        metrics = sorted([key, value, runs.get(run, run)] for key, value, run in metrics)
        out["logged"][models.get(there, there)] = [name, status, runs.get(run_id, run_id), tags, params, files, metrics]
    return out


@pytest.mark.parametrize("version", each_version())
def test_a_journey_is_behind_a_server_as_it_was_and_a_second_time_writes_nothing(
    version: Version, folio_dir: Path, tmp_path: Path
) -> None:
    there, served = tmp_path / "mlflow", tmp_path / "served"
    there.mkdir()
    served.mkdir()
    database = f"sqlite:///{there}/mlflow.db"
    made = version.warm(str(JOURNEY), database, str(there / "told.json"), cwd=there)
    assert made.returncode == 0, made.stderr[-3000:]
    took = json.loads(take(version, folio_dir, database, "--json").stdout)
    with mlflow_server(version, served) as server:
        wrote = write(version, folio_dir, server.uri, "--json")
        did = json.loads(wrote.stdout)
        assert did["counts"]["runs"] == took["counts"]["runs"] == did["verified"], wrote.stdout + wrote.stderr
        assert [item["where"] for item in did["findings"]] == ["experiments", "registered models"], did["findings"]
        assert len(did["notes"]) == 1 and "ids of its own" in did["notes"][0]
        there_once = ids_there(server.uri, version, served)
        runs, models = ({ids[0]: here for here, ids in found.items()} for found in there_once)
        expected, found = both_told(version, {there: database, served: server.uri})
        assert not set(expected["runs"]) & set(found["runs"]) and set(runs.values()) == set(expected["runs"])
        assert by_here(found, runs, models) == by_here(expected, {}, {})
        again = write(version, folio_dir, server.uri, "--json")
        assert json.loads(again.stdout)["counts"] == {} and again.returncode == 0, again.stdout + again.stderr
        assert ids_there(server.uri, version, served) == there_once


@pytest.mark.parametrize("version", NEWEST)
def test_an_export_to_a_server_that_is_killed_goes_on_and_writes_each_run_once(
    version: Version, folio_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, served = tmp_path / "mlflow", tmp_path / "served"
    there.mkdir()
    served.mkdir()
    database = f"sqlite:///{there}/mlflow.db"
    fill(version, there, database, 8)
    assert take(version, folio_dir, database).returncode == 0
    with mlflow_server(version, served) as server:
        command = [sys.executable, "-W", "ignore", "-m", "runfolio", "export", "mlflow", server.uri]
        process = subprocess.Popen(
            command, cwd=folio_dir, env=version.env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and len(list((served / "files").glob("*/*/artifacts"))) < 3:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
        done = write(version, folio_dir, server.uri, "--json")
        said = json.loads(done.stdout)
        assert said["findings"] == [] and done.returncode == 0, done.stdout + done.stderr
        assert said["there"]["runs"] >= 1 and said["counts"]["runs"] + said["there"]["runs"] == 8
        found, _ = ids_there(server.uri, version, served)
        assert {len(ids) for ids in found.values()} == {1}
        expected, got = both_told(version, {there: database, served: server.uri})
        assert by_here(got, {ids[0]: here for here, ids in found.items()}, {}) == by_here(expected, {}, {})
        server.kill()
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        gone = write(version, folio_dir, server.uri.replace("http://", "http://someone:secret@"), "--json")
    assert gone.returncode == 19 and "Traceback" not in gone.stderr and "secret" not in gone.stdout + gone.stderr, gone.stderr
