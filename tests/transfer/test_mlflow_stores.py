"""Stores on PostgreSQL, on MariaDB and behind MLflow's own server are taken as those on SQLite are; one that goes away ends the import."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runfolio.tracking.client import RunfolioClient
from tests.gateway.versions import Version, each_version
from tests.transfer import stores
from tests.transfer.test_mlflow_import import JOURNEY, NEWEST, fill, take, told

pytestmark = [pytest.mark.frameworks]
KINDS = ("postgresql", "mariadb", "mlflow server")


@contextmanager
def opened(kind: str, version: Version, folder: Path) -> Iterator[str]:
    driver = {"postgresql": "psycopg2", "mariadb": "pymysql"}.get(kind)
    if driver is not None and not Path(version.folder, driver).is_dir():
        pytest.skip(f"the package {driver} is missing beside MLflow {version.name}: imports from {kind} are not tested")
    folder.mkdir(exist_ok=True)
    made = {"postgresql": stores.postgresql, "mariadb": stores.mariadb}.get(kind)
    with made() if made is not None else stores.mlflow_server(version, folder) as uri:
        yield uri


def same(version: Version, folio: Path, uri: str, there: Path, tmp_path: Path) -> None:
    """Import a store, and compare what MLflow says of both."""
    taken = take(version, folio, uri, "--json")
    did = json.loads(taken.stdout)
    assert [item["where"] for item in did["findings"] if item["where"] != "model a/b"] == [], taken.stdout
    assert did["verified"] == did["counts"]["runs"]
    expected, found = told(version, uri, there), told(version, f"runfolio://{folio}", tmp_path)
    for run in expected["runs"].values():
        run["tags"] = {"mlflow.runName": run["name"], "mlflow.user": run["user"], **run["tags"]}
    assert found == expected
    again = json.loads(take(version, folio, uri, "--json").stdout)
    assert again["counts"] == {} and again["there"]["runs"] == did["counts"]["runs"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", each_version())
def test_runs_with_histories_and_files_are_taken_whole(version: Version, kind: str, folio_dir: Path, tmp_path: Path) -> None:
    there = tmp_path / "mlflow"
    with opened(kind, version, there) as uri:
        fill(version, there, uri, 5)
        same(version, folio_dir, uri, there, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", NEWEST)
def test_all_that_a_client_can_write_is_taken_whole(version: Version, kind: str, folio_dir: Path, tmp_path: Path) -> None:
    there = tmp_path / "mlflow"
    with opened(kind, version, there) as uri:
        done = version.run(str(JOURNEY), uri, str(there / "told.json"), cwd=there)
        assert done.returncode == 0, done.stderr[-3000:]
        same(version, folio_dir, uri, there, tmp_path)


@pytest.mark.parametrize("version", NEWEST)
def test_a_server_that_goes_away_ends_the_import_and_the_next_one_goes_on(
    version: Version, folio_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess
    import sys

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    there = tmp_path / "mlflow"
    with opened("mlflow server", version, there) as uri:
        fill(version, there, uri, 12)
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "runfolio", "import", "mlflow", uri],
            cwd=folio_dir, env=version.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        journals = folio_dir / ".git" / "runfolio" / "journal"
        while process.poll() is None and not (journals.exists() and any(journals.iterdir())):
            pass
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 19 and "does not answer any more" in said and "Traceback" not in said, said
    with stores.mlflow_server(version, there) as again:
        done = take(version, folio_dir, again, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    client = RunfolioClient(str(folio_dir))
    found = client.search_runs([item.experiment_id for item in client.search_experiments()])
    assert len(found) == 12
    for run in found:
        assert len(client.get_metric_history(run.info.run_id, "loss")) == 4
        assert [item.path for item in client.list_artifacts(run.info.run_id, "notes")] == ["notes/about.txt"]
