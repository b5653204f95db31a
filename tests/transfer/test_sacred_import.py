"""Runs that Sacred itself made, taken into a folio by a process that has no Sacred."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.transfer.apart import Tool, files_of, findings, points_of, runs_of, take

SACRED = Tool.of("RUNFOLIO_SACRED", "sacred")
pytestmark = [SACRED.missing, pytest.mark.xdist_group("sacred")]
THERE = Path(__file__).with_name("sacred_runs.py")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of runs: two that ended well, one that raised, one that was interrupted, one that was killed a day ago."""
    place = tmp_path_factory.mktemp("sacred")
    SACRED.run(str(THERE), "runs", cwd=place, code=-signal.SIGKILL, TZ="Asia/Tokyo")
    killed = place / "runs" / "killed" / "1" / "run.json"
    said = json.loads(killed.read_text())
    said["heartbeat"] = said["heartbeat"].replace("2026", "2025")
    said["start_time"] = said["start_time"].replace("2026", "2025")
    killed.write_text(json.dumps(said))
    return place / "runs"


@pytest.fixture
def made(whole: Path, tmp_path: Path) -> Path:
    """Return a copy of them."""
    shutil.copytree(whole, tmp_path / "runs")
    return tmp_path / "runs"


def test_runs_are_taken_whole_and_a_second_time_adds_nothing(made: Path, folio_dir: Path) -> None:
    dry = take(folio_dir, "sacred", str(made), "--dry-run", code=1)
    did = take(folio_dir, "sacred", str(made), code=1)
    assert dry["counts"]["runs"] == did["counts"]["runs"] == did["verified"] == 5
    assert dry["counts"]["artifacts"] == did["counts"]["artifacts"] and did["counts"]["experiments"] == 4
    found = runs_of(folio_dir)
    assert set(found) == {"digits/1", "digits/2", "fails/1", "stopped/1", "killed/1"}
    first = found["digits/1"]
    assert {key: first.data.params[key] for key in ("lr", "net.kind", "net.layers", "net.dropout.p", "note")} == {
        "lr": "0.2", "net.kind": "mlp", "net.layers": "[32, 16]", "net.dropout.p": "0.5", "note": "None",
    }  # fmt: skip
    assert found["digits/2"].data.params["net.dropout.p"] == "0.1"
    assert points_of(folio_dir, first, "loss/train") == [(step, 0.2 / (step + 1)) for step in range(5)]
    assert first.data.metrics["result"] == 0.75
    [name] = set(first.data.metrics) - {"loss/train", "result"}
    assert first.data.metrics[name] == 0.5 and json.loads(first.data.tags["runfolio.imported_names"])["metrics"] == {
        name: "acc@5"
    }
    tags = first.data.tags
    assert tags["mlflow.note.content"] == "first try" and tags["info.best.score"] == "0.25" and tags["sacred.command"] == "main"
    assert tags["mlflow.source.name"] == "sacred_runs.py" and json.loads(tags["sacred.config_updates"]) == {"lr": 0.2}
    held = files_of(folio_dir, first)
    assert held["weights.txt"] == b"weights" and held["sources/sacred_runs.py"] == THERE.read_bytes()
    assert b"sacred==0.8.7" in held["requirements.txt"] and json.loads(held["info.json"])["best"]["epoch"] == 3
    [data] = first.inputs.dataset_inputs
    assert data.dataset.name == "data.csv" and held[f"resources/data_{data.dataset.digest}.csv"] == b"a,b\n1,2\n"
    assert [found[name].info.status for name in ("digits/1", "fails/1", "stopped/1", "killed/1")] == [
        "FINISHED", "FAILED", "KILLED", "KILLED",
    ]  # fmt: skip
    assert b"the data are wrong" in files_of(folio_dir, found["fails/1"])["fail_trace.txt"]
    assert points_of(folio_dir, found["killed/1"], "loss") == [(0, 1.0)]
    said = json.loads((made / "digits" / "1" / "run.json").read_text())
    # Sacred writes UTC without saying so, whatever the machine's time zone.
    assert abs(first.info.start_time - os.path.getmtime(made / "digits" / "1" / "config.json") * 1000) < 60_000, said[
        "start_time"
    ]
    assert [item["where"] for item in did["findings"]][1:] == ["killed/1"] and "died" in did["findings"][1]["what"]
    moved = made.with_name("moved")
    made.rename(moved)
    again = take(folio_dir, "sacred", str(moved), code=1)
    assert again["counts"] == {} and again["there"]["runs"] == 5 and "otherwise" not in findings(again)


def test_a_half_broken_folder_is_taken_as_far_as_it_goes_and_the_rest_is_named(made: Path, folio_dir: Path) -> None:
    (made / "digits" / "1" / "run.json").write_text("{ not json")
    (made / "digits" / "2" / "metrics.json").write_text('{"loss": {"values": [1, "x"], "steps": [0, 1], "timestamps": [')
    (made / "fails" / "1" / "run.json").unlink()
    (made / "stopped" / "1" / "metrics.json").write_text(
        '{"a": {"values": [1], "steps": [], "timestamps": []},'
        ' "b": {"values": [1, "x", 2], "steps": [0, 1, 2], "timestamps": ["2026-01-01T00:00:00", "2026-01-01T00:00:01", "then"]}}'
    )
    (made / "digits" / "2" / "weights.txt").unlink()
    (made / "queued" / "1").mkdir(parents=True)
    (made / "queued" / "1" / "run.json").write_text('{"experiment": {"name": "queued"}, "status": "QUEUED", "command": "main"}')
    shutil.rmtree(made / "stopped" / "_sources")
    shutil.copytree(made / "killed" / "1", made / "again" / "1")
    did = take(folio_dir, "sacred", str(made), code=1)
    assert did["counts"]["runs"] == 4
    queued = runs_of(folio_dir)["queued/1"].info
    assert queued.status == "SCHEDULED" and queued.end_time is None and queued.start_time > 1_700_000_000_000
    said = findings(did)
    for expected in (
        "digits/1: the run was not taken: its run.json is broken", "digits/2: its metrics.json is broken", "its artifact weights.txt is gone",
        "fails/1: the run was not taken: its run.json is missing", "metric a: its values, timestamps and steps do not match",
        "metric b: 'x' is no number; point 2", "'then' is no time; point 3", "its source sacred_runs.py is not where it was kept", "it is a copy of",
    ):  # fmt: skip
        assert expected in said, said
    assert points_of(folio_dir, runs_of(folio_dir)["stopped/1"], "b") == [(0, 1.0)]


def test_only_what_is_asked_for_is_taken(made: Path, folio_dir: Path) -> None:
    assert take(folio_dir, "sacred", str(made), "--since", "2199-01-01", "--experiment", "digits")["counts"].get("runs", 0) == 0
    did = take(folio_dir, "sacred", str(made), "--experiment", "fails", "--no-artifacts")
    assert did["counts"]["runs"] == 1 and files_of(folio_dir, runs_of(folio_dir)["fails/1"]) == {}
    assert "no runs of Sacred" in take(folio_dir, "sacred", str(made / "digits" / "_sources"), code=11)["error"]
    assert "no such folder" in take(folio_dir, "sacred", str(made / "nowhere"), code=11)["error"]
