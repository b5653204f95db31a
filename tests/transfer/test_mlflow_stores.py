"""Stores on PostgreSQL and on MariaDB are taken as those on SQLite are, and PostgreSQL is written as SQLite is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gateway.versions import Version, each_version
from tests.transfer import stores
from tests.transfer.test_mlflow_export import write
from tests.transfer.test_mlflow_import import fill, take, told

pytestmark = [pytest.mark.frameworks]
STORES = {"postgresql": (stores.postgresql, "psycopg2"), "mariadb": (stores.mariadb, "pymysql")}


@contextmanager
def opened(kind: str, version: Version, folder: Path) -> Iterator[str]:
    made, driver = STORES[kind]
    if not Path(version.folder, driver).is_dir():
        pytest.skip(f"the package {driver} is missing beside MLflow {version.name}: imports from {kind} are not tested")
    folder.mkdir()
    with made() as uri:
        yield uri


def same(version: Version, folio: Path, uri: str, there: Path, tmp_path: Path) -> None:
    """Import a store, and compare what MLflow says of both."""
    taken = take(version, folio, uri, "--json")
    did = json.loads(taken.stdout)
    assert [item["where"] for item in did["findings"]] == [], taken.stdout
    assert did["verified"] == did["counts"]["runs"]
    expected, found = told(version, uri, there), told(version, f"runfolio://{folio}", tmp_path)
    for run in expected["runs"].values():
        run["tags"] = {"mlflow.runName": run["name"], "mlflow.user": run["user"], **run["tags"]}
    assert found == expected
    again = json.loads(take(version, folio, uri, "--json").stdout)
    assert again["counts"] == {} and again["there"]["runs"] == did["counts"]["runs"]


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("version", each_version())
def test_runs_with_histories_and_files_are_taken_whole(version: Version, kind: str, folio_dir: Path, tmp_path: Path) -> None:
    there = tmp_path / "mlflow"
    with opened(kind, version, there) as uri:
        fill(version, there, uri, 5)
        same(version, folio_dir, uri, there, tmp_path)


@pytest.mark.parametrize("version", each_version())
def test_an_export_writes_postgresql_whole_and_a_second_time_nothing(version: Version, folio_dir: Path, tmp_path: Path) -> None:
    there = tmp_path / "mlflow"
    there.mkdir()
    database = f"sqlite:///{there}/mlflow.db"
    fill(version, there, database, 5)
    assert take(version, folio_dir, database).returncode == 0
    with opened("postgresql", version, tmp_path / "back") as uri:
        place = ("--artifacts", str(tmp_path / "back" / "files"))
        wrote = write(version, folio_dir, uri, *place, "--json")
        did = json.loads(wrote.stdout)
        assert wrote.returncode == 0 and did["verified"] == did["counts"]["runs"] == 5, wrote.stdout + wrote.stderr
        assert told(version, uri, tmp_path) == told(version, database, there)
        again = json.loads(write(version, folio_dir, uri, *place, "--json").stdout)
        assert again["counts"] == {} and again["there"]["runs"] == 5 and again["findings"] == []
