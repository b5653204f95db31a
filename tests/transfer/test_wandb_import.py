"""Offline runs made by W&B itself, taken into a folio by a process that has no wandb."""

from __future__ import annotations

import json
import math
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runfolio.errors import DamagedError
from runfolio.site.step_images import logged_image
from runfolio.transfer.wandb import log
from tests.conftest import git
from tests.transfer.apart import Tool, files_of, findings, points_of, runs_of, take

WANDB = Tool.of("RUNFOLIO_WANDB", "wandb")
pytestmark = [WANDB.missing, pytest.mark.xdist_group("wandb")]
THERE = Path(__file__).with_name("wandb_there.py")
KEY = "ada:s3cret0123456789@"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project in which W&B made runs: one that ended well, one that raised, one that was killed, one that was resumed."""
    place = tmp_path_factory.mktemp("wandb") / "project"
    place.mkdir()
    shutil.copy(THERE, place / "train.py")
    (place / "notes.txt").write_text("hello")
    from PIL import Image

    Image.new("RGB", (4, 4), (9, 8, 7)).save(place / "picture.png")
    for command in (["init", "-q"], ["remote", "add", "origin", f"https://{KEY}git.example.org/lab/x.git"], ["add", "."]):
        git(place, *command)
    git(place, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-qm", "code")
    env = {f"WANDB_{name}_DIR": str(place.parent / name) for name in ("DATA", "CACHE", "CONFIG")} | {"WANDB_MODE": "offline"}
    WANDB.run("train.py", "whole", "--api-token", "hunter2x", cwd=place, **env)
    WANDB.run("train.py", "raised", cwd=place, code=1, **env)
    WANDB.run("train.py", "killed", "1000", cwd=place, code=-signal.SIGKILL, **env)
    WANDB.run("train.py", "resumed", cwd=place, **env)
    return place


def test_runs_are_taken_whole_and_a_second_time_adds_nothing(made: Path, folio_dir: Path) -> None:
    dry = take(folio_dir, "wandb", str(made), "--dry-run", code=1)
    assert runs_of(folio_dir) == {}
    did = take(folio_dir, "wandb", str(made), code=1)
    assert dry["counts"]["runs"] == did["counts"]["runs"] == did["verified"] == 4
    assert dry["counts"]["artifacts"] == did["counts"]["artifacts"] and dry["bytes"] == did["bytes"]
    runs = runs_of(folio_dir)
    assert set(runs) == {"team/mnist/idwhole", "team/mnist/idraised", "long/killed1", "long/resumed1"}
    again = take(folio_dir, "wandb", str(made), code=1)
    assert again["counts"] == {} and again["there"]["runs"] == 4
    assert not any("went on" in item["what"] for item in again["findings"])
    checked = subprocess.run(
        [sys.executable, "-m", "runfolio", "check"], cwd=folio_dir, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
    assert git(folio_dir, "status", "--porcelain") == ""


def test_what_the_script_logged_is_what_the_folio_says(made: Path, folio_dir: Path) -> None:
    said = findings(take(folio_dir, "wandb", str(made), "--experiment", "mnist", code=1))
    run, failed = (runs_of(folio_dir)[f"team/mnist/id{kind}"] for kind in ("whole", "raised"))
    assert run.data.params == {
        "lr": "0.01", "opt.name": "adam", "opt.betas": "[0.9, 0.99]", "password": "***", "none": "None", "added": "later",
    }  # fmt: skip
    assert "param password: a secret" in said
    assert points_of(folio_dir, run, "loss") == [(step, 1 / (step + 1)) for step in range(5)]
    assert points_of(folio_dir, run, "inner.a") == [(step, step) for step in range(5)]
    assert points_of(folio_dir, run, "flag") == [(step, step % 2 == 0) for step in range(5)]
    assert points_of(folio_dir, run, "late") == [(40, 1.0)] and points_of(folio_dir, run, "accuracy")[0][1] == 0.99
    assert points_of(folio_dir, run, "best") == [(40, 2.0), (41, 3.0)] and run.data.metrics["best.min"] == 2.0
    assert math.isnan(run.data.metrics["odd"]) and run.data.metrics["big"] == math.inf
    assert any(key.startswith("system/") for key in run.data.metrics)
    assert "top@5" in said and json.loads(run.data.tags["runfolio.imported_names"]) == {"metrics": {"top:x40:5": "top@5"}}
    tags = {"labels": "baseline, v1", "group": "cv-3", "job_type": "train", "mlflow.note.content": "A note\nin two lines"}
    tags |= {"summary.verdict": "good", "mlflow.runName": "whole try", "mlflow.source.name": "train.py"}
    tags |= {"mlflow.source.git.commit": git(made, "rev-parse", "HEAD").strip()}
    assert tags.items() <= run.data.tags.items()
    assert "hunter2" not in repr(run.data.tags) and "s3cret" not in repr(run.data.tags)
    assert run.info.status == "FINISHED" and failed.info.status == "FAILED" and failed.data.tags["exit_code"] == "1"
    times = [item.timestamp for item in _history(folio_dir, run, "loss")]
    assert times == sorted(times) and run.info.start_time <= times[0] <= times[-1] <= run.info.end_time


def _history(folio: Path, run: Any, key: str) -> Any:
    from runfolio.tracking.client import RunfolioClient

    return RunfolioClient(str(folio)).get_metric_history(run.info.run_id, key)


def test_files_media_and_artifacts_are_there(made: Path, folio_dir: Path) -> None:
    said = findings(take(folio_dir, "wandb", str(made / "wandb"), "--experiment", "mnist", code=1))
    files = files_of(folio_dir, runs_of(folio_dir)["team/mnist/idwhole"])
    pictures = [logged_image(path) for path in files]
    assert sorted((item.key, item.step) for item in pictures if item) == [("seen/digit", 1), ("seen/digit", 3)]
    assert sum(data == (made / "picture.png").read_bytes() for data in files.values()) == 2
    assert files["notes.txt"] == files["artifacts/data/notes.txt"] == b"hello" and b"a printed line" in files["output.log"]
    [table] = [data for path, data in files.items() if path.startswith("media/table/rows_2_")]
    assert json.loads(table)["data"] == [[1], [2]]
    rows = [json.loads(line) for line in files["wandb-history.jsonl"].splitlines()]
    assert [row["value"] for row in rows if row["key"] == "word"] == [f"w{step}" for step in range(5)]
    assert [row["artifacts"][0] in files for row in rows if row["key"] == "seen/digit"] == [True, True]
    [logged] = json.loads(files["wandb-artifacts.json"])
    assert (
        sorted(logged["aliases"]) == ["first", "latest"]
        and {"path": "key", "at": "s3://bucket/key"}.items() <= logged["files"][0].items()
    )
    assert "s3://bucket/key; it was not fetched" in said
    assert not {"config.yaml", "wandb-metadata.json"} & set(files)


def test_a_killed_run_is_taken_as_far_as_its_log_goes(made: Path, folio_dir: Path) -> None:
    [place] = made.glob("wandb/offline-run-*-killed1")
    said = findings(take(folio_dir, "wandb", str(place), code=1))
    run = runs_of(folio_dir)["long/killed1"]
    points = points_of(folio_dir, run, "value")
    assert points == [(step, step) for step in range(len(points))] and 0 < len(points) <= 1000
    assert run.info.status == "KILLED" and run.data.tags["wandb.state"] == "crashed" and "its log has no end" in said


def test_the_logs_of_a_resumed_run_are_one_run(made: Path, folio_dir: Path) -> None:
    did = take(folio_dir, "wandb", str(made), "--experiment", "long", "--no-artifacts", code=1)
    run = runs_of(folio_dir)["long/resumed1"]
    assert did["counts"]["runs"] == 2 and points_of(folio_dir, run, "value") == [(0, 0.0), (1, 1.0)]
    assert run.data.params == {"part0": "0", "part1": "1"} and files_of(folio_dir, run) == {}


def _short(place: Path) -> None:
    place.write_bytes(place.read_bytes()[:7])


def _other(place: Path) -> None:
    place.write_bytes(b"SQLite format 3" + place.read_bytes())


def _newer(place: Path) -> None:
    place.write_bytes(place.read_bytes()[:6] + b"\x01" + place.read_bytes()[7:])


@pytest.mark.parametrize(
    ("harm", "why"), [(_short, "holds no run"), (_other, "is no log of W&B"), (_newer, "another version"), (Path.unlink, "has no log")]
)  # fmt: skip
def test_a_log_that_cannot_be_read_is_named_and_the_others_are_taken(
    made: Path, folio_dir: Path, tmp_path: Path, harm: Callable[[Path], None], why: str
) -> None:
    place = tmp_path / "copy"
    shutil.copytree(made / "wandb", place, symlinks=True)
    [hurt] = place.glob("offline-run-*-killed1/*.wandb")
    harm(hurt)
    did = take(folio_dir, "wandb", str(place), code=1)
    assert did["counts"]["runs"] == 3 and f"{hurt.parent}" in findings(did) and why in findings(did)


def test_a_damaged_block_costs_no_more_than_that_block(made: Path, folio_dir: Path, tmp_path: Path) -> None:
    [place] = made.glob("wandb/offline-run-*-killed1/*.wandb")
    data = bytearray(place.read_bytes())
    data[log.BLOCK + 500] ^= 0xFF
    hurt = tmp_path / "run-x.wandb"
    hurt.write_bytes(data)
    said: list[str] = []
    whole, left = set(log.records(place, said.append)), set(log.records(hurt, said.append))
    assert left < whole and len(left) > len(whole) / 4 and any("a checksum is wrong" in text for text in said)
    assert "a checksum is wrong" in findings(take(folio_dir, "wandb", str(hurt), code=1))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_log_cut_or_changed_anywhere_gives_whole_records_or_says_why(made: Path, tmp_path: Path, data: st.DataObject) -> None:
    [place] = made.glob("wandb/offline-run-*-killed1/*.wandb")
    content = bytearray(place.read_bytes())
    whole = list(log.records(place, lambda text: None))
    end = data.draw(st.integers(8, len(content)))
    hurt = tmp_path / "cut.wandb"
    hurt.write_bytes(content[:end])
    said: list[str] = []
    cut = list(log.records(hurt, said.append))
    assert cut == whole[: len(cut)]
    content[data.draw(st.integers(7, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    hurt.write_bytes(content)
    assert set(log.records(hurt, said.append)) <= set(whole)
    try:
        log.fields_of(bytes(content[end : end + 200]))
    except DamagedError as error:
        assert error.message


def test_a_folder_of_somebody_else_names_no_file_of_this_machine(made: Path, folio_dir: Path, tmp_path: Path) -> None:
    place = tmp_path / "theirs" / "wandb"
    shutil.copytree(made / "wandb", place, symlinks=True)
    (tmp_path / "secret.txt").write_text("secret")
    files = next(place.glob("*-resumed1/files"))
    (files / "stolen.txt").symlink_to(tmp_path / "secret.txt")
    said = findings(take(folio_dir, "wandb", str(place), "--experiment", "long", code=1))
    assert "stolen.txt was not taken: it is a link to" in said
    assert "stolen.txt" not in files_of(folio_dir, runs_of(folio_dir)["long/resumed1"])


def test_an_import_that_is_killed_takes_each_run_once(made: Path, folio_dir: Path) -> None:
    command = [sys.executable, "-m", "runfolio", "import", "wandb", str(made)]
    killed = 0
    for number in range(1, 4):
        process = subprocess.Popen(command, cwd=folio_dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        journals = folio_dir / ".git" / "runfolio" / "journal"
        while process.poll() is None and (len(list(journals.glob("*"))) if journals.exists() else 0) < number:
            pass
        if process.poll() is None:
            process.kill()
            killed += 1
        process.wait(60)
    assert killed
    take(folio_dir, "wandb", str(made), code=1)
    assert len(runs_of(folio_dir)) == 4 and points_of(folio_dir, runs_of(folio_dir)["team/mnist/idwhole"], "late") == [(40, 1.0)]


@pytest.mark.parametrize(("what", "code", "said"), [("missing", 11, "no such file"), ("empty", 11, "no log of W&B")])
def test_a_place_without_runs_is_said_in_words(folio_dir: Path, tmp_path: Path, what: str, code: int, said: str) -> None:
    (tmp_path / "empty").mkdir()
    assert said in take(folio_dir, "wandb", str(tmp_path / what), code=code)["error"]


def test_since_leaves_earlier_runs(made: Path, folio_dir: Path) -> None:
    did = take(folio_dir, "wandb", str(made), "--since", "2199-01-01")
    assert did["counts"].get("runs", 0) == 0 and did["findings"] == []
