"""Scripts of MLflow, unmodified, against a folio: what they see is what MLflow shows them of a database."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import runfolio
from runfolio.tracking.client import RunfolioClient
from tests.conftest import git
from tests.gateway.versions import Version, each_version

HERE = Path(__file__).parent
pytestmark = [pytest.mark.frameworks, pytest.mark.parametrize("version", each_version())]

DIFFERENT = {
    "2.22": {
        "bad model": "a name with a slash, which MLflow 2.22 takes and 3 refuses",
        "names": "the same",
        "pages": "MLflow 2.22 gives a token for an empty page after the last full one",
    },
    "3": {},
}
"""Where a folio answers otherwise than a database, and why."""


def told(version: Version, uri: str, folder: Path) -> dict[str, object]:
    """Return what the journey tells of a store."""
    output = folder / "told.json"
    done = version.warm(str(HERE / "journey.py"), uri, str(output), cwd=folder)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(output.read_text())  # type: ignore[no-any-return]


def test_a_journey_through_a_folio_is_told_as_one_through_a_database(version: Version, folio_dir: Path, tmp_path: Path) -> None:
    other = tmp_path / "database"
    other.mkdir()
    expected = told(version, f"sqlite:///{other}/mlflow.db", other)
    found = told(version, f"runfolio://{folio_dir}", tmp_path)
    assert {key for key in expected if expected[key] != found[key]} == set(DIFFERENT[version.name])
    # Everything is an ordinary record, committed, and nothing is left behind.
    checked = subprocess.run(["runfolio", "check"], cwd=folio_dir, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert git(folio_dir, "status", "--porcelain") == ""
    client = RunfolioClient(str(folio_dir))
    assert client.get_registered_model("wine").aliases == {"champion": "2"}
    names = {run.info.run_name for run in client.search_runs([client.get_experiment_by_name("fluent").experiment_id])}  # type: ignore[union-attr]
    assert names == {"first", "child", "fails", "renamed"}


SCRIPT = """
import mlflow
with mlflow.start_run(run_name="here") as run:
    mlflow.log_param("depth", 3)
    mlflow.log_metric("accuracy", 0.5)
print(run.info.run_id)
"""


def test_a_run_of_a_script_knows_its_code_and_environment(version: Version, folio_dir: Path) -> None:
    (folio_dir / "train.py").write_text(SCRIPT)
    done = version.run("train.py", cwd=folio_dir, MLFLOW_TRACKING_URI=f"runfolio://{folio_dir}", GITHUB_REF="refs/pull/7/merge")
    assert done.returncode == 0, done.stderr
    record = RunfolioClient(str(folio_dir))._session().folio.runs.get(done.stdout.split()[-1])
    assert record.entry["script"] == "train.py"
    assert record.code["dirty"] is True and record.code["commit"] and record.code["tree"]
    assert record.environment["lock"]
    assert record.user == "Ada"
    assert record.tags == {"runfolio.pull_request": "7"}
    assert git(folio_dir, "status", "--porcelain", "runs") == ""


def test_the_folio_of_the_current_folder_is_the_shortest_address(version: Version, folio_dir: Path) -> None:
    done = version.run("-c", SCRIPT, cwd=folio_dir, MLFLOW_TRACKING_URI="runfolio:")
    assert done.returncode == 0, done.stderr
    runfolio.set_tracking_uri(folio_dir)
    assert runfolio.get_run(done.stdout.split()[-1]).data.params == {"depth": "3"}


READS = """
import sys, mlflow
with mlflow.start_run() as run:
    mlflow.log_metric("accuracy", 0.5)
    client = mlflow.MlflowClient()
    started = []
    sys.addaudithook(lambda event, args: started.append(args) if event == "subprocess.Popen" else None)
    for _ in range(20):
        assert client.get_run(run.info.run_id).data.metrics["accuracy"] == 0.5
        mlflow.log_metric("loss", 1.0)
    print(len(started))
"""


def test_reading_a_run_starts_no_process(version: Version, folio_dir: Path) -> None:
    done = version.run("-c", READS, cwd=folio_dir, MLFLOW_TRACKING_URI=f"runfolio://{folio_dir}")
    assert done.stdout.split() == ["0"], done.stderr


BAD = """
import mlflow
from mlflow.exceptions import MlflowException
try:
    mlflow.set_tracking_uri({uri!r})
    mlflow.search_experiments()
except MlflowException as error:
    print(error.error_code, error.message)
"""


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("runfolio://server/folio", "names the host 'server'"),
        ("runfolio:///nowhere/at/all", "nowhere/at/all"),
        ("runfolio:///tmp/-/runs/x", "names a place in a folio"),
    ],
)
def test_an_address_that_is_no_folio_is_said_in_words(version: Version, tmp_path: Path, uri: str, said: str) -> None:
    done = version.run("-c", BAD.format(uri=uri), cwd=tmp_path)
    assert said in done.stdout and "Traceback" not in done.stderr, done.stdout + done.stderr


TRACES = """
import mlflow
@mlflow.trace
def double(x):
    return 2 * x
with mlflow.start_run():
    print(double(21))
"""


def test_a_traced_function_runs_and_its_trace_is_refused_in_words(version: Version, folio_dir: Path) -> None:
    done = version.run("-c", TRACES, cwd=folio_dir, MLFLOW_TRACKING_URI=f"runfolio://{folio_dir}")
    assert done.stdout.split() == ["42"] and "Traceback" not in done.stderr, done.stderr


LOG = """
import os, signal, mlflow
with mlflow.start_run(run_name="killed") as run:
    for step in range(50):
        mlflow.log_metric("loss", float(step), step=step)
    print(run.info.run_id, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_script_logged_is_kept(version: Version, folio_dir: Path) -> None:
    done = version.run("-c", LOG, cwd=folio_dir, MLFLOW_TRACKING_URI=f"runfolio://{folio_dir}")
    assert done.returncode == -9
    client = RunfolioClient(str(folio_dir))
    assert [point.value for point in client.get_metric_history(done.stdout.split()[-1], "loss")] == [
        float(step) for step in range(50)
    ]
