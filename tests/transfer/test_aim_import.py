"""A repository made by Aim itself, taken into a folio; none of its files changes."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from runfolio.site.step_images import logged_image
from tests.conftest import git
from tests.transfer.apart import Tool, files_of, findings, points_of, runs_of, take

AIM = Tool.of("RUNFOLIO_AIM", "aim")
pytestmark = [AIM.missing, pytest.mark.xdist_group("aim")]
THERE = str(Path(__file__).with_name("aim_there.py"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a repository of Aim: a run with all kinds of values, one that was killed, one that was archived."""
    place = tmp_path_factory.mktemp("aim") / "project"
    place.mkdir()
    AIM.run(THERE, "repo", cwd=place)
    AIM.run(THERE, "whole", "--api-key", "secret12345", cwd=place)
    AIM.run(THERE, "killed", cwd=place, code=-signal.SIGKILL)
    AIM.run(THERE, "older", cwd=place)
    return place


def _state(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}


def _run(folio: Path, name: str) -> object:
    [found] = [run for run in runs_of(folio).values() if run.data.tags.get("mlflow.runName") == name]
    return found


def test_a_repository_is_taken_whole_and_stays_as_it_is_and_a_second_time_adds_nothing(made: Path, folio_dir: Path) -> None:
    before = _state(made)
    dry = take(folio_dir, "aim", str(made), "--dry-run", code=1, see=AIM.folder)
    did = take(folio_dir, "aim", str(made), code=1, see=AIM.folder)
    assert _state(made) == before
    assert dry["counts"]["runs"] == did["counts"]["runs"] == did["verified"] == 3 and dry["bytes"] == did["bytes"]
    again = take(folio_dir, "aim", str(made / ".aim"), code=1, see=AIM.folder)
    assert again["counts"] == {} and again["there"]["runs"] == 3 and git(folio_dir, "status", "--porcelain") == ""


def test_what_the_script_tracked_is_what_the_folio_says(made: Path, folio_dir: Path) -> None:
    said = findings(take(folio_dir, "aim", str(made), "--experiment", "digits", code=1, see=AIM.folder))
    run = _run(folio_dir, "first try")
    params = {"hparams.lr": "0.1", "hparams.opt.name": "adam", "hparams.opt.betas": "[0.9, 0.99]", "hparams.none": "None"}
    assert run.data.params == {**params, "password": "***", "about": "a text"} and "param password: a secret" in said
    assert points_of(folio_dir, run, "train/loss") == [(step, 1 / (step + 1)) for step in range(5)]
    # Another metric is called val/loss without a context: neither is lost.
    assert points_of(folio_dir, run, "val/loss") == [(step, step) for step in range(5)]
    assert points_of(folio_dir, run, "subset:val/loss") == [(step, 2 / (step + 1)) for step in range(5)]
    odd = points_of(folio_dir, run, "fold:1/of.n:2/odd:x7b:x:x7d:")
    assert [step for step, _ in odd] == [0, 10, 20, 30, 40] and math.isnan(odd[3][1]) and odd[4][1] == 4
    tags = {"labels": "base, good", "mlflow.note.content": "A description", "mlflow.source.name": THERE}
    assert tags.items() <= run.data.tags.items() and "secret12345" not in repr(run.data.tags)
    assert run.info.status == "FINISHED" and run.info.start_time < run.info.end_time


def test_media_logs_and_artifacts_are_there(made: Path, folio_dir: Path) -> None:
    take(folio_dir, "aim", str(made), "--experiment", "digits", code=1, see=AIM.folder)
    files = files_of(folio_dir, _run(folio_dir, "first try"))
    pictures = {path: item for path in files if (item := logged_image(path))}
    assert sorted((item.key, item.step) for item in pictures.values()) == [("seen", 1), ("seen", 1), ("seen", 3), ("seen", 3)]
    assert all(files[path].startswith(b"\x89PNG") for path in pictures)
    assert files["artifacts/deep/notes.txt"] == b"hello" and files["audio/heard/2-0.wav"].startswith(b"RIFF")
    assert b"a printed line" in files["output.log"] and b"numpy==" in files["requirements.txt"].lower()
    rows = [json.loads(line) for line in files["aim-history.jsonl"].splitlines()]
    assert [row["value"] for row in rows if row["type"] == "text"] == ["hello"]
    [weights] = [row["value"] for row in rows if row["type"] == "distribution"]
    assert sum(weights["weights"]) == 10
    assert sorted(row["value"]["caption"] for row in rows if row["key"] == "seen") == ["c0", "c0", "c1", "c1"]


def test_a_killed_run_is_taken_as_far_as_it_was_written(made: Path, folio_dir: Path) -> None:
    said = findings(take(folio_dir, "aim", str(made), "--experiment", "long", code=1, see=AIM.folder))
    [run] = runs_of(folio_dir).values()
    points = points_of(folio_dir, run, "value")
    assert points and points == [(step, step) for step in range(len(points))]
    assert run.info.status == "KILLED" and "Aim knows no end of it" in said


def test_an_archived_run_says_so(made: Path, folio_dir: Path) -> None:
    did = take(folio_dir, "aim", str(made), "--experiment", "aim default", see=AIM.folder)
    [run] = runs_of(folio_dir).values()
    assert did["counts"]["runs"] == 1 and run.data.tags["aim.archived"] == "true"


def test_damaged_and_missing_runs_are_named_and_the_others_are_taken(made: Path, folio_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(made, copy)
    with sqlite3.connect(copy / ".aim" / "run_metadata.sqlite") as database:
        hashes = dict(
            database.execute(
                "SELECT IFNULL(experiment.name, ''), hash FROM run LEFT JOIN experiment ON experiment.id = experiment_id"
            )
        )
    database.close()
    shutil.rmtree(copy / ".aim" / "meta" / "chunks" / hashes["long"])
    for place in (copy / ".aim" / "meta" / "chunks" / hashes["digits"]).iterdir():
        place.write_bytes(b"broken")
    shutil.rmtree(copy / "store")
    did = take(folio_dir, "aim", str(copy), code=1, see=AIM.folder)
    said = findings(did)
    assert did["counts"]["runs"] == 1
    assert (
        f"run {hashes['long']}: Aim's database names it" in said
        and f"run {hashes['digits']}: Aim cannot read its metadata" in said
    )


def test_an_artifact_elsewhere_is_named(made: Path, folio_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(made, copy)
    shutil.move(made / "store", tmp_path / "moved")
    try:
        said = findings(take(folio_dir, "aim", str(copy), "--experiment", "digits", code=1, see=AIM.folder))
    finally:
        shutil.move(tmp_path / "moved", made / "store")
    assert "artifact deep/notes.txt is no longer at file://" in said


@pytest.mark.parametrize("fault", ["missing", "other", "no package"])
def test_what_cannot_be_opened_is_said_in_words(made: Path, folio_dir: Path, tmp_path: Path, fault: str) -> None:
    place, code, said, see = tmp_path, 11, "there is no repository of Aim", AIM.folder
    if fault == "other":
        (tmp_path / ".aim").mkdir()
        (tmp_path / ".aim" / "run_metadata.sqlite").write_text("no database")
        code, said = 14, "it cannot be read"
    elif fault == "no package":
        place, code, said, see = made, 20, "runfolio[aim]", None
    assert said in take(folio_dir, "aim", str(place), code=code, see=see)["error"]
