"""MLflow's stores, made by MLflow itself, taken into a folio; what it says of them then is what MLflow says of its own."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from runfolio.tracking.client import RunfolioClient
from tests.conftest import git
from tests.gateway.versions import VERSIONS, Version, each_version

HERE = Path(__file__).parent
JOURNEY = HERE.parent / "gateway" / "journey.py"
pytestmark = [pytest.mark.frameworks]
NEWEST = [parameter for parameter in each_version() if parameter.values == (VERSIONS[1],)]  # type: ignore[attr-defined]


def take(version: Version, folio: Path, uri: str, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the import as a user does."""
    return version.warm("-m", "runfolio", "import", "mlflow", uri, *options, cwd=folio, **env)


def told(version: Version, uri: str, folder: Path) -> dict[str, Any]:
    """Return what MLflow says of a store."""
    output = folder / "told_by.json"
    done = version.warm(str(HERE / "told_by.py"), uri, str(output), cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(output.read_text())  # type: ignore[no-any-return]


@pytest.fixture
def small(tmp_path: Path, pinned_git: Path) -> Path:
    """Return a folder for an MLflow store."""
    made = tmp_path / "mlflow"
    made.mkdir()
    return made


def fill(version: Version, folder: Path, uri: str, number: int) -> None:
    """Make a small store."""
    done = version.warm(str(HERE / "small_store.py"), uri, str(number), cwd=folder, MLFLOW_ALLOW_FILE_STORE="true")
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("version", each_version())
def test_a_store_is_taken_whole_and_a_second_time_adds_nothing(version: Version, folio_dir: Path, tmp_path: Path) -> None:
    there = tmp_path / "mlflow"
    there.mkdir()
    database = f"sqlite:///{there}/mlflow.db"
    done = version.warm(str(JOURNEY), database, str(there / "told.json"), cwd=there)
    assert done.returncode == 0, done.stderr[-3000:]
    dry = json.loads(take(version, folio_dir, database, "--dry-run", "--json").stdout)
    assert RunfolioClient(str(folio_dir)).search_experiments()[0].name == "Default"
    taken = take(version, folio_dir, database, "--json")
    did = json.loads(taken.stdout)
    assert dry["counts"]["runs"] == did["counts"]["runs"] == did["verified"], taken.stderr
    # MLflow 2.22 takes a name with a slash, which a folio spells otherwise and says so.
    assert [item["where"] for item in did["findings"]] == (["model a/b"] if version.name == "2.22" else [])
    expected, found = told(version, database, there), told(version, f"runfolio://{folio_dir}", tmp_path)
    for run in expected["runs"].values():
        # Name and user are fields of ours, and shown as tags, too, where MLflow kept them as fields alone.
        run["tags"] = {"mlflow.runName": run["name"], "mlflow.user": run["user"], **run["tags"]}
    assert found == expected
    again = json.loads(take(version, folio_dir, database, "--json").stdout)
    assert again["counts"] == {} and again["there"]["runs"] == did["counts"]["runs"] and again["findings"] == []
    checked = subprocess.run(
        [sys.executable, "-m", "runfolio", "check"], cwd=folio_dir, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
    assert git(folio_dir, "status", "--porcelain") == ""


@pytest.mark.parametrize("version", NEWEST)
def test_an_import_that_is_killed_again_and_again_takes_each_run_once(version: Version, folio_dir: Path, small: Path) -> None:
    database = f"sqlite:///{small}/mlflow.db"
    fill(version, small, database, 30)
    command = [sys.executable, "-W", "ignore", "-m", "runfolio", "import", "mlflow", database]
    killed = 0
    for _ in range(4):
        process = subprocess.Popen(
            command, cwd=folio_dir, env=version.env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        journals = folio_dir / ".git" / "runfolio" / "journal"
        before = len(list(journals.glob("*"))) if journals.exists() else 0
        while process.poll() is None and (len(list(journals.glob("*"))) if journals.exists() else 0) < before + 5:
            time.sleep(0.01)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.wait(60)
    assert killed >= 1
    done = take(version, folio_dir, database, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    client = RunfolioClient(str(folio_dir))
    found = client.search_runs([item.experiment_id for item in client.search_experiments()], max_results=1000)
    assert sorted(run.info.run_name for run in found) == sorted(f"r{at}" for at in range(30))
    for run in found:
        assert run.info.status == "FINISHED" and len(client.get_metric_history(run.info.run_id, "loss")) == 4
        assert [item.path for item in client.list_artifacts(run.info.run_id, "notes")] == ["notes/about.txt"]


@pytest.mark.parametrize("version", each_version())
def test_a_half_broken_folder_is_taken_as_far_as_it_goes_and_the_rest_is_named(
    version: Version, folio_dir: Path, small: Path
) -> None:
    place = small / "mlruns"
    fill(version, small, f"file://{place}", 4)
    runs = sorted(path.parent for path in place.glob("*/*/meta.yaml") if path.parent.name != "models")
    broken, headless, emptied, _whole = runs[:4]
    (broken / "meta.yaml").write_text("{ not: yaml: at all")
    (headless / "meta.yaml").unlink()
    [about] = (emptied / "artifacts").rglob("about.txt")
    about.unlink()
    about.symlink_to(small / "gone.txt")
    done = take(version, folio_dir, f"file://{place}", "--json")
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    said = json.loads(done.stdout)
    named = {item["where"]: item["what"] for item in said["findings"]}
    assert said["counts"]["runs"] == 2
    assert any(broken.name in where and "meta.yaml" in what for where, what in named.items())
    assert any(headless.name in where and "missing" in what for where, what in named.items())
    assert "about.txt" in named[f"run {emptied.name}"]


LONELY = """
import sys
from mlflow import MlflowClient

client = MlflowClient(sys.argv[1])
model = client.create_logged_model(client.create_experiment("models"), "forest", tags={"a": "1"})
client.finalize_logged_model(model.model_id, "READY")
"""


@pytest.mark.parametrize("version", NEWEST)
def test_a_logged_model_that_no_run_made_is_taken_from_a_folder(version: Version, folio_dir: Path, small: Path) -> None:
    uri = f"file://{small}/mlruns"
    made = version.run("-c", LONELY, uri, cwd=small, MLFLOW_ALLOW_FILE_STORE="true")
    assert made.returncode == 0, made.stderr[-3000:]
    done = take(version, folio_dir, uri, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    [model] = told(version, f"runfolio://{folio_dir}", small)["logged"].values()
    assert model[0] == "forest" and model[1] == "READY" and model[3]["a"] == "1"


@pytest.mark.parametrize("version", NEWEST)
def test_only_what_is_asked_for_is_taken(version: Version, folio_dir: Path, small: Path) -> None:
    database = f"sqlite:///{small}/mlflow.db"
    fill(version, small, database, 3)
    client = RunfolioClient(str(folio_dir))
    none = json.loads(take(version, folio_dir, database, "--since", "2199-01-01", "--json").stdout)
    assert none["counts"].get("runs", 0) == 0
    absent = take(version, folio_dir, database, "--experiment", "no such")
    assert (
        absent.returncode == 11 and "has no experiment named 'no such'. It has: " in absent.stderr and "'small'" in absent.stderr
    )
    assert client.search_registered_models() == []
    part = take(version, folio_dir, database, "--experiment", "no such", "--experiment", "small", "--dry-run")
    assert part.returncode == 1 and "no such" in part.stdout
    some = take(version, folio_dir, database, "--experiment", "small", "--since", "2020-01-01", "--no-artifacts")
    assert some.returncode == 0 and "took 3 runs" in some.stdout
    found = client.search_runs([client.get_experiment_by_name("small").experiment_id])  # type: ignore[union-attr]
    assert len(found) == 3 and client.list_artifacts(found[0].info.run_id) == []


@pytest.mark.parametrize("version", NEWEST)
@pytest.mark.parametrize("fault", ["another schema", "no database", "no folder", "a folio", "no date"])
def test_a_store_that_cannot_be_opened_is_said_in_words(version: Version, folio_dir: Path, small: Path, fault: str) -> None:
    database = small / "mlflow.db"
    uri, options, code, said = f"sqlite:///{database}", (), 19, "cannot open it"
    if fault == "another schema":
        with sqlite3.connect(database) as made:
            made.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
            made.execute("INSERT INTO alembic_version VALUES ('0123456789ab')")
            made.execute("CREATE TABLE experiments (experiment_id INTEGER)")
            made.execute("CREATE TABLE runs (run_uuid TEXT)")
        made.close()
    elif fault == "no database":
        code, said = 11, "no such database"
    elif fault == "no folder":
        uri, code, said = str(small / "mlruns"), 11, "no such folder"
    elif fault == "a folio":
        uri, code, said = f"runfolio://{folio_dir}", 2, "is a folio"
    else:
        options, code, said = ("--since", "yesterday"), 2, "is no date"
    done = take(version, folio_dir, uri, *options)
    assert done.returncode == code and said in done.stderr and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize("options", [("--dry-run",), ()])
@pytest.mark.parametrize("version", NEWEST)
def test_a_database_of_an_older_mlflow_is_taken_and_stays_as_it_is(
    version: Version, folio_dir: Path, small: Path, options: tuple[str, ...]
) -> None:
    older, uri = VERSIONS[0], f"sqlite:///{small}/mlflow.db"
    if not Path(older.folder, "mlflow", "server").is_dir():
        pytest.skip("no whole MLflow 2.22")
    fill(older, small, uri, 3)
    before = (small / "mlflow.db").read_bytes()
    done = take(version, folio_dir, uri, "--json", *options, TMPDIR=str(small))
    did = json.loads(done.stdout)
    assert done.returncode == 0 and did["counts"]["runs"] == 3 and did["findings"] == [], done.stdout
    assert (small / "mlflow.db").read_bytes() == before and [item.name for item in small.glob("runfolio-*")] == []
    there, here = told(older, uri, small)["runs"], told(version, f"runfolio://{folio_dir}", folio_dir)["runs"]
    assert len(there) == 3 and here.keys() == (set() if options else there.keys())


def test_a_database_of_a_newer_mlflow_is_refused_by_an_older_one(folio_dir: Path, small: Path) -> None:
    for version in VERSIONS:
        if not Path(version.folder, "mlflow", "server").is_dir():
            pytest.skip("both MLflows are needed")
    uri = f"sqlite:///{small}/mlflow.db"
    fill(VERSIONS[1], small, uri, 1)
    before = (small / "mlflow.db").read_bytes()
    done = take(VERSIONS[0], folio_dir, uri)
    assert done.returncode == 19 and "of a newer MLflow" in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert (small / "mlflow.db").read_bytes() == before


@pytest.mark.parametrize("version", each_version())
def test_a_database_that_is_not_mlflows_gets_no_tables_and_the_folder_no_mlruns(
    version: Version, folio_dir: Path, small: Path
) -> None:
    other = small / "other.db"
    with sqlite3.connect(other) as made:
        made.execute("CREATE TABLE customers (name TEXT)")
    made.close()
    empty = small / "empty.db"
    empty.touch()
    for place in (other, empty):
        before = place.read_bytes()
        done = take(version, folio_dir, f"sqlite:///{place}")
        assert done.returncode == 11 and "holds no MLflow store" in done.stderr, done.stderr
        assert place.read_bytes() == before
    fill(version, small, f"sqlite:///{small}/mlflow.db", 1)
    assert take(version, folio_dir, f"sqlite:///{small}/mlflow.db").returncode == 0
    assert not (folio_dir / "mlruns").exists()


@pytest.mark.parametrize("version", NEWEST)
def test_a_database_server_that_is_not_there_is_told_at_once(version: Version, folio_dir: Path) -> None:
    done = version.warm(
        "-m", "runfolio", "import", "mlflow", "postgresql://ada:secret@127.0.0.1:1/runs", cwd=folio_dir, timeout_s=60
    )
    assert done.returncode == 19 and "Connection refused" in done.stderr and "secret" not in done.stderr, done.stderr
