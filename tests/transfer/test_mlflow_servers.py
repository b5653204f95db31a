"""A store behind a real ``mlflow server`` is taken whole, also where the server is killed meanwhile and comes back."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import RemoteError
from tests.gateway.versions import VERSIONS, Version, each_version
from tests.transfer.servers import mlflow_server
from tests.transfer.test_mlflow_export import write
from tests.transfer.test_mlflow_import import fill, take, told

pytestmark = [pytest.mark.frameworks]
RUNS = 16


def both_told(version: Version, uris: dict[Path, str]) -> list[Any]:
    """Return what MLflow says of several stores."""
    return [told(version, uri, folder) for folder, uri in uris.items()]


@pytest.mark.parametrize("version", each_version())
def test_a_server_that_is_killed_meanwhile_is_told_and_then_all_is_taken(
    version: Version, folio_dir: Path, tmp_path: Path
) -> None:
    there = tmp_path / "mlflow"
    there.mkdir()
    with mlflow_server(version, there) as server:
        fill(version, there, server.uri, RUNS)
        command = [sys.executable, "-W", "ignore", "-m", "runfolio", "import", "mlflow", server.uri]
        process = subprocess.Popen(
            command, cwd=folio_dir, env=version.env(MLFLOW_HTTP_REQUEST_MAX_RETRIES="1"), stderr=subprocess.PIPE, text=True
        )
        journals = folio_dir / ".git" / "runfolio" / "journal"
        while process.poll() is None and len(list(journals.glob("*"))) < 2:
            time.sleep(0.005)
        server.kill()
        _, said = process.communicate(timeout=120)
        assert process.returncode == RemoteError.exit_code and "Traceback" not in said, said
        assert "does not answer any more; import again once it does: it goes on there" in said, said
        server.start()
        done = take(version, folio_dir, server.uri, "--json")
        did = json.loads(done.stdout)
        assert done.returncode == 0 and did["findings"] == [] and "Traceback" not in done.stderr, done.stdout + done.stderr
        assert did["counts"].get("runs", 0) + did["there"].get("runs", 0) == RUNS
        expected, found = both_told(version, {there: server.uri, tmp_path: f"runfolio://{folio_dir}"})
    assert len(expected["runs"]) == RUNS
    assert expected == found


def test_a_server_of_mlflow_2_is_taken_and_written_by_mlflow_3(
    folio_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folio_dir)
    older, newer = VERSIONS
    for version in VERSIONS:
        if not Path(version.folder, "mlflow", "server").is_dir():
            pytest.skip("both MLflows are needed")
    there = tmp_path / "mlflow"
    there.mkdir()
    with mlflow_server(older, there) as server:
        fill(older, there, server.uri, 2)
        took = take(newer, folio_dir, server.uri, "--json")
        assert took.returncode == 0 and json.loads(took.stdout)["counts"]["runs"] == 2, took.stdout + took.stderr
        with runfolio.start_run(run_name="new"):
            runfolio.log_metric("loss", 1.0)
            runfolio.log_text("a note", "note.txt")
        subprocess.run([sys.executable, "-m", "runfolio", "commit"], cwd=folio_dir, check=True, capture_output=True)
        wrote = write(newer, folio_dir, server.uri, "--json")
        did = json.loads(wrote.stdout)
        assert did["counts"]["runs"] == 1 == did["verified"] and did["there"]["runs"] == 2, wrote.stdout + wrote.stderr
        found = told(older, server.uri, there)["runs"].values()
    assert sorted(run["name"] for run in found) == ["new", "r0", "r1"]
