"""A folio written into MLflow's own stores: what MLflow says of them is what it said of the store that the folio was taken from."""

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

import runfolio
from runfolio.tracking.client import RunfolioClient
from tests.gateway.versions import VERSIONS, Version, each_version
from tests.transfer.test_mlflow_import import HERE, JOURNEY, fill, take

pytestmark = [pytest.mark.frameworks]
NEWEST = [parameter for parameter in each_version() if parameter.values == (VERSIONS[1],)]  # type: ignore[attr-defined]


def write(version: Version, folio: Path, uri: str, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the export as a user does."""
    return version.warm("-m", "runfolio", "export", "mlflow", uri, *options, cwd=folio, **env)


def told(version: Version, uri: str, folder: Path) -> dict[str, Any]:
    """Return what MLflow says of a store."""
    output = folder / "told.json"
    done = version.warm(str(HERE / "told_by.py"), uri, str(output), cwd=folder, MLFLOW_ALLOW_FILE_STORE="true")
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(output.read_text())  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", ["database", "folder"])
@pytest.mark.parametrize("version", each_version())
def test_a_journey_comes_back_as_it_was_and_a_second_time_writes_nothing(
    version: Version, kind: str, folio_dir: Path, tmp_path: Path
) -> None:
    there = tmp_path / "mlflow"
    there.mkdir()
    database = f"sqlite:///{there}/mlflow.db"
    made = version.warm(str(JOURNEY), database, str(there / "told.json"), cwd=there)
    assert made.returncode == 0, made.stderr[-3000:]
    took = json.loads(take(version, folio_dir, database, "--json").stdout)
    back = f"sqlite:///{tmp_path}/back.db" if kind == "database" else str(tmp_path / "back" / "mlruns")
    dry = json.loads(write(version, folio_dir, back, "--dry-run", "--json").stdout)
    wrote = write(version, folio_dir, back, "--json")
    did = json.loads(wrote.stdout)
    assert did["counts"]["runs"] == dry["counts"]["runs"] == took["counts"]["runs"] == did["verified"]
    expected, found = told(version, database, there), told(version, back, tmp_path)
    named = [item["where"] for item in did["findings"]]
    if version.name == "2.22" and kind == "folder":  # a folder refuses a name that a database takes
        assert named == ["model a/b"]
        assert found["models"].pop("a_2Fb")["tags"] == {"runfolio.imported_name": "a/b"}
    else:
        assert named == [] and wrote.returncode == 0, did["findings"]
    assert found == expected
    again = json.loads(write(version, folio_dir, back, "--json").stdout)
    assert again["counts"] == {} and again["there"]["runs"] == did["counts"]["runs"]
    assert [item["where"] for item in again["findings"]] == named


@pytest.mark.parametrize("version", NEWEST)
@pytest.mark.parametrize("kind", ["database", "folder"])
def test_an_export_that_is_killed_again_and_again_writes_each_run_once(
    version: Version, kind: str, folio_dir: Path, tmp_path: Path
) -> None:
    there = tmp_path / "mlflow"
    there.mkdir()
    fill(version, there, f"sqlite:///{there}/mlflow.db", 25)
    assert take(version, folio_dir, f"sqlite:///{there}/mlflow.db").returncode == 0
    place = tmp_path / "back"
    back = f"sqlite:///{place}/mlflow.db" if kind == "database" else str(place / "mlruns")
    files = place / ("mlartifacts" if kind == "database" else "mlruns")
    command = [sys.executable, "-W", "ignore", "-m", "runfolio", "export", "mlflow", back]

    def number() -> int:
        return len(list(files.glob("*/*/artifacts/notes/about.txt")))

    killed = 0
    for _ in range(3):
        process = subprocess.Popen(
            command, cwd=folio_dir, env=version.env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        before = number()
        while process.poll() is None and number() < before + 4:
            time.sleep(0.005)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.wait(60)
    assert killed >= 1
    done = write(version, folio_dir, back, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["there"]["runs"] >= 1
    assert told(version, back, tmp_path) == told(version, f"sqlite:///{there}/mlflow.db", there)
    assert not list(place.glob(".*-export"))


@pytest.mark.parametrize("version", NEWEST)
def test_runs_of_the_folio_itself_are_there_and_what_changes_is_said(version: Version, folio_dir: Path, tmp_path: Path) -> None:
    client = RunfolioClient(str(folio_dir))
    runfolio.set_tracking_uri(str(folio_dir))
    runfolio.set_experiment("native")
    with runfolio.start_run(run_name="one") as run:
        runfolio.log_param("depth", 3)
        for value in (1.0, float("inf"), float("nan")):
            runfolio.log_metric("loss", value, step=2)
        runfolio.log_text("hello", "notes/a.txt")
    back = f"sqlite:///{tmp_path}/back.db"
    waiting = json.loads(write(version, folio_dir, back, "--dry-run", "--json").stdout)
    assert ["commit" in item["what"] for item in waiting["findings"]] == [True]
    subprocess.run([sys.executable, "-m", "runfolio", "commit"], cwd=folio_dir, check=True, capture_output=True)
    done = write(version, folio_dir, back, "--json")
    said = json.loads(done.stdout)
    assert done.returncode == 1, done.stdout + done.stderr
    [finding] = said["findings"]
    assert finding["where"] == f"run {run.info.run_id}" and "1 infinite" in finding["what"]
    assert said["notes"] == ["experiment native: its id there is 1, here native"]
    found = told(version, back, tmp_path)["runs"][run.info.run_id]
    assert found["name"] == "one" and found["params"] == {"depth": "3"} and found["files"] == {"notes/a.txt": 5}
    assert sorted(point[0] for point in found["histories"]["loss"]) == ["1.0", "1.7976931348623157e+308", "nan"]
    assert found["tags"]["mlflow.source.name"] == client.get_run(run.info.run_id).data.tags["mlflow.source.name"]


@pytest.mark.parametrize("version", NEWEST)
@pytest.mark.parametrize("fault", ["another schema", "a folio", "a server", "no place for files", "no such experiment"])
def test_a_store_that_cannot_be_written_is_said_in_words(
    version: Version, folio_dir: Path, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, options, code, said = f"sqlite:///{tmp_path}/mlflow.db", (), 19, "cannot open it"
    if fault == "another schema":
        (tmp_path / "mlflow.db").write_bytes(b"no database at all, but text" * 100)
    elif fault == "a folio":
        uri, code, said = f"runfolio://{folio_dir}", 2, "is a folio"
    elif fault == "a server":
        uri, code, said = "http://someone:secret@127.0.0.1:1", 19, "http://127.0.0.1:1: MLflow 3"
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    elif fault == "no place for files":
        uri, code, said = "postgresql://user:secret@localhost:1/db", 2, "--artifacts"
    else:
        options, code, said = ("--experiment", "no such"), 11, "The folio has no experiment named 'no such'"
    done = write(version, folio_dir, uri, *options)
    assert done.returncode == code and said in done.stdout + done.stderr, done.stdout + done.stderr
    assert "Traceback" not in done.stderr and "secret" not in done.stderr


@pytest.mark.parametrize("version", each_version())
def test_a_dry_run_makes_no_database_and_no_folder(
    version: Version, folio_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folio_dir)
    with runfolio.start_run():
        runfolio.log_metric("loss", 1.0)
    subprocess.run([sys.executable, "-m", "runfolio", "commit"], cwd=folio_dir, check=True, capture_output=True)
    place = tmp_path / "out"
    place.mkdir()
    before = sorted(folio_dir.iterdir())
    for uri in (f"sqlite:///{place}/new/mlflow.db", str(place / "mlruns")):
        done = write(version, folio_dir, uri, "--dry-run", "--json", TMPDIR=str(tmp_path))
        assert done.returncode == 0 and json.loads(done.stdout)["counts"]["runs"] == 1, done.stdout + done.stderr
    assert list(place.iterdir()) == [] and sorted(folio_dir.iterdir()) == before
    assert list(tmp_path.glob("runfolio-*")) == []
    mistaken = write(version, folio_dir, "runs.db")
    assert mistaken.returncode == 2 and "sqlite:///runs.db" in mistaken.stderr and not (folio_dir / "runs.db").exists()


@pytest.mark.parametrize("version", NEWEST)
def test_a_database_of_an_older_mlflow_is_not_written(version: Version, folio_dir: Path, tmp_path: Path) -> None:
    if not Path(VERSIONS[0].folder, "mlflow", "server").is_dir():
        pytest.skip("no whole MLflow 2.22")
    uri, database = f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "mlflow.db"
    fill(VERSIONS[0], tmp_path, uri, 1)
    before = database.read_bytes()
    for options in (("--dry-run",), ()):
        done = write(version, folio_dir, uri, *options)
        assert done.returncode == 19 and f"mlflow db upgrade {uri}" in done.stderr and "Traceback" not in done.stderr
        assert database.read_bytes() == before
