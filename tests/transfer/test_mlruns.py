"""Folders ``mlruns``, made by MLflow itself, are taken without MLflow; what it says of the folio then is what it says of the folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from runfolio.tracking.client import RunfolioClient
from runfolio.transfer.mlruns_source import open_mlruns
from tests.conftest import git
from tests.gateway.versions import Version, each_version
from tests.transfer.test_mlflow_import import JOURNEY, told

FRAMEWORKS = pytest.mark.frameworks


def take(folio: Path, place: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the import as a user does, in a Python that has no MLflow."""
    command = [sys.executable, "-W", "ignore", "-m", "runfolio", "import", "mlflow", str(place), *options]
    hidden = "import sys; sys.modules['mlflow'] = None; import runpy; runpy.run_module('runfolio', run_name='__main__', alter_sys=True)"
    command[3:5] = ["-c", hidden]
    return subprocess.run(command, cwd=folio, env={**os.environ, **env}, capture_output=True, text=True, check=False)


@FRAMEWORKS
@pytest.mark.parametrize("version", each_version())
def test_a_folder_is_taken_whole_without_mlflow(version: Version, folio_dir: Path, tmp_path: Path) -> None:
    there = tmp_path / "mlflow"
    there.mkdir()
    uri = f"file://{there}/mlruns"
    done = version.warm(str(JOURNEY), uri, str(there / "told.json"), cwd=there, MLFLOW_ALLOW_FILE_STORE="true")
    assert done.returncode == 0, done.stderr[-3000:]
    taken = take(folio_dir, there / "mlruns", "--json")
    did = json.loads(taken.stdout)
    assert did["findings"] == [] and did["verified"] == did["counts"]["runs"] > 4, taken.stdout
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    try:
        expected, found = told(version, uri, there), told(version, f"runfolio://{folio_dir}", tmp_path)
    finally:
        del os.environ["MLFLOW_ALLOW_FILE_STORE"]
    for run in expected["runs"].values():
        run["tags"] = {"mlflow.runName": run["name"], "mlflow.user": run["user"], **run["tags"]}
    assert found == expected
    again = json.loads(take(folio_dir, there / "mlruns", "--json").stdout)
    assert again["counts"] == {} and again["findings"] == []


# A folder as MLflow 1.30 wrote it, file by file (from mlflow/store/tracking/file_store.py of that version): for what its newer versions
# write no more, and for what they refuse to write.
RUN = "0123456789abcdef0123456789abcde{}"
EXPERIMENT = {"artifact_location": "", "experiment_id": "3", "lifecycle_stage": "active", "name": "old"}


def document(folder: Path, **fields: Any) -> None:
    """Write a ``meta.yaml``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meta.yaml").write_text(yaml.safe_dump(fields, allow_unicode=True))


def run_of(place: Path, number: int | str, **fields: Any) -> Path:
    """Write a run with a param, a tag, a metric of three points and a file."""
    folder = place / "3" / RUN.format(number)
    document(
        folder, **{
            "artifact_uri": f"file:///somewhere/else/mlruns/3/{folder.name}/artifacts", "run_id": folder.name, "run_uuid": folder.name,
            "experiment_id": "3", "lifecycle_stage": "active", "start_time": 1600000000000 + int(f"{number}", 16), "end_time": 1600000009000, "status": 3,
            "user_id": "ada", "name": "", **fields,
        }
    )  # fmt: skip
    for path, text in {
        "params/depth": "3", "tags/mlflow.runName": f"r{number}", "metrics/loss": "1 0.5 0\n2 0.25 1\n3 nan 2\n",
        "artifacts/notes/a.txt": "hello",
    }.items():  # fmt: skip
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a folder with one experiment of two runs, which was moved since."""
    place = tmp_path / "mlruns"
    document(place / "3", **EXPERIMENT)
    run_of(place, 1)
    run_of(place, 2)
    return place


def findings(done: subprocess.CompletedProcess[str], code: int = 1) -> dict[str, list[str]]:
    assert done.returncode == code and "Traceback" not in done.stderr, done.stderr
    said: dict[str, list[str]] = {}
    for item in json.loads(done.stdout)["findings"]:
        said.setdefault(item["where"], []).append(item["what"])
    return said


def runs_in(folio: Path) -> dict[str, Any]:
    client = RunfolioClient(str(folio))
    ids = [item.experiment_id for item in client.search_experiments(view_type=3)]
    return {run.info.run_id: run for run in client.search_runs(ids, run_view_type=3)}


def test_a_folder_of_an_old_version_that_was_moved_is_whole(folio_dir: Path, old: Path) -> None:
    (old / "3" / RUN.format(1) / "metrics" / "older").write_text("5 0.125\n")
    (old / "3" / RUN.format(1) / "metrics" / "newer").write_text("5 0.125 7 grid abc\n")
    assert findings(take(folio_dir, old, "--json"), 0) == {}
    found, client = runs_in(folio_dir)[RUN.format(1)], RunfolioClient(str(folio_dir))
    assert (found.info.run_name, found.info.status, found.info.start_time) == ("r1", "FINISHED", 1600000000001)
    assert found.data.params == {"depth": "3"} and found.data.metrics["older"] == 0.125
    assert [(item.timestamp, item.step) for item in client.get_metric_history(found.info.run_id, "loss")] == [
        (1, 0),
        (2, 1),
        (3, 2),
    ]
    assert [item.step for item in client.get_metric_history(found.info.run_id, "newer")] == [7]
    assert [item.path for item in client.list_artifacts(found.info.run_id, "notes")] == ["notes/a.txt"]


def test_the_folder_around_mlruns_and_a_file_are_refused_with_what_to_write(folio_dir: Path, old: Path) -> None:
    (old.parent / "train.py").touch()
    (old.parent / "mlflow.db").touch()
    around, file = take(folio_dir, old.parent), take(folio_dir, old.parent / "mlflow.db")
    assert around.returncode == 11 and f"Is it {old}?" in around.stderr, around.stderr
    assert file.returncode == 11 and f"sqlite:///{old.parent}/mlflow.db" in file.stderr, file.stderr
    assert runs_in(folio_dir) == {} and git(folio_dir, "status", "--porcelain") == ""
    assert [item.name for item in RunfolioClient(str(folio_dir)).search_experiments()] == ["Default"]


def break_utf8(run: Path) -> None:
    (run / "params" / "depth").write_bytes(b"\xff3")


def break_lines(run: Path) -> None:
    (run / "metrics" / "loss").write_text("1 0.5 0\nno line\n2 0.25 1\n3 0.125")


def break_name(run: Path) -> None:
    (run / "metrics" / "acc@5").write_text("1 0.5 0\n")


def break_artifacts(run: Path) -> None:
    shutil.rmtree(run / "artifacts")
    (run / "tags" / "mlflow.log-model.history").write_text("[]")


def break_experiment(run: Path) -> None:
    (run.parent / "meta.yaml").write_text("name: [")


def break_empty(run: Path) -> None:
    (run / "metrics" / "loss").write_text("")


def break_link(run: Path) -> None:
    (run / "artifacts" / "secret").symlink_to("/etc/hostname")


def break_status(run: Path) -> None:
    document(run, **{**yaml.safe_load((run / "meta.yaml").read_text()), "status": 17})


def break_moved(run: Path) -> None:
    document(run, **{**yaml.safe_load((run / "meta.yaml").read_text()), "experiment_id": "8"})


def break_copy(run: Path) -> None:
    other = run.parent.parent / "4"
    document(other, **{**EXPERIMENT, "experiment_id": "4", "name": "other"})
    shutil.copytree(run, other / run.name)


BROKEN = {
    "not UTF-8": (break_utf8, "run {}", "params/depth is not UTF-8", 2),
    "half lines": (break_lines, "run {}", "metrics/loss: 2 lines not taken, cut off or no point (the first is line 2)", 2),
    "a name": (break_name, "metric acc@5", "it is acc:x40:5", 2),
    "artifacts gone": (break_artifacts, "run {}", "its artifacts are gone", 2),
    "an experiment's file": (break_experiment, "experiment 3", "its meta.yaml is broken", 2),
    "no points": (break_empty, "run {}", "metric loss was not taken: the store has no points of it", 2),
    "a link that leads out": (break_link, "run {}", "secret was not taken: it is a link", 2),
    "a status": (break_status, "3/{}", "status 17", 1),
    "another experiment": (break_moved, "run {}", "says that it is of experiment 8", 2),
    "an id twice": (break_copy, "run {}", "the store has it twice", 2),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_named_and_the_rest_is_taken(folio_dir: Path, old: Path, case: str) -> None:
    breaks, where, what, left = BROKEN[case]
    breaks(old / "3" / RUN.format(1))
    said = findings(take(folio_dir, old, "--json"))
    assert any(what in text for text in said[where.format(RUN.format(1))]), said
    found = runs_in(folio_dir)
    assert len(found) == left and found[RUN.format(2)].data.params == {"depth": "3"}
    again = take(folio_dir, old, "--json")
    assert json.loads(again.stdout)["counts"].get("runs", 0) == 0 and "Traceback" not in again.stderr
    if case == "half lines":
        history = RunfolioClient(str(folio_dir)).get_metric_history(RUN.format(1), "loss")
        assert [(item.value, item.step) for item in history] == [(0.5, 0), (0.25, 1)]


def test_files_that_could_not_be_had_are_taken_by_the_next_import(folio_dir: Path, old: Path, tmp_path: Path) -> None:
    files, gone = old / "3" / RUN.format(1) / "artifacts", old / "3" / RUN.format(2) / "artifacts"
    break_link(files.parent)
    (files / "other").symlink_to("/etc/hostname")
    (gone.parent / "tags" / "mlflow.log-model.history").write_text("[]")  # so that it has files
    gone.rename(tmp_path / "offline")
    assert set(findings(take(folio_dir, old, "--json"))) == {f"run {RUN.format(1)}", f"run {RUN.format(2)}"}
    found = runs_in(folio_dir)
    assert found[RUN.format(1)].data.tags["runfolio.import_missing"] == '["other", "secret"]'
    assert found[RUN.format(2)].data.tags["runfolio.import_missing"] == '["*"]'

    assert "other was not taken" in findings(take(folio_dir, old, "--json"))[f"run {RUN.format(1)}"][0]
    tips = git(folio_dir, "log", "--oneline")
    (files / "secret").unlink()
    (files / "secret").write_text("no secret")
    (tmp_path / "offline").rename(gone)
    dry = json.loads(take(folio_dir, old, "--dry-run", "--json").stdout)
    assert dry["counts"] == {"artifacts": 3}
    left = findings(take(folio_dir, old, "--json"))
    assert list(left) == [f"run {RUN.format(1)}"] and "other was not taken" in left[f"run {RUN.format(1)}"][0]
    client, found = RunfolioClient(str(folio_dir)), runs_in(folio_dir)
    assert [item.path for item in client.list_artifacts(RUN.format(1))] == ["notes", "secret"]
    assert [item.path for item in client.list_artifacts(RUN.format(2))] == ["notes"]
    assert found[RUN.format(1)].data.tags["runfolio.import_missing"] == '["other"]'
    assert "runfolio.import_missing" not in found[RUN.format(2)].data.tags
    assert (found[RUN.format(2)].info.end_time, found[RUN.format(2)].info.status) == (1600000009000, "FINISHED")
    assert git(folio_dir, "log", "--oneline") != tips

    tips = git(folio_dir, "log", "--oneline")
    (files / "other").unlink()
    assert findings(take(folio_dir, old, "--json"))[f"run {RUN.format(1)}"] == [
        "other was not taken: the store does not list it any more"
    ]
    assert git(folio_dir, "log", "--oneline") == tips
    (files / "other").write_text("here")
    assert findings(take(folio_dir, old, "--json"), 0) == {}
    assert findings(take(folio_dir, old, "--json"), 0) == {}
    assert "runfolio.import_missing" not in runs_in(folio_dir)[RUN.format(1)].data.tags


def test_a_deleted_run_is_not_changed_for_its_missing_files(folio_dir: Path, old: Path) -> None:
    break_link(old / "3" / RUN.format(1))
    findings(take(folio_dir, old, "--json"))
    RunfolioClient(str(folio_dir)).delete_run(RUN.format(1))
    subprocess.run([sys.executable, "-m", "runfolio", "commit"], cwd=folio_dir, check=True, capture_output=True)
    said = findings(take(folio_dir, old, "--json"))[f"run {RUN.format(1)}"]
    assert "runfolio runs restore" in said[-1]


def test_names_too_long_for_a_tag_are_all_that_is_missing(folio_dir: Path, old: Path) -> None:
    files = old / "3" / RUN.format(1) / "artifacts"
    names = [f"{number:02}-{'x' * 200}" for number in range(40)]
    for name in names:
        (files / name).symlink_to("/etc/hostname")
    assert len(findings(take(folio_dir, old, "--json"))[f"run {RUN.format(1)}"]) == 40
    assert runs_in(folio_dir)[RUN.format(1)].data.tags["runfolio.import_missing"] == '["*"]'
    for name in names:
        (files / name).unlink()
        (files / name).write_text(name)
    assert findings(take(folio_dir, old, "--json"), 0) == {}
    assert len(RunfolioClient(str(folio_dir)).list_artifacts(RUN.format(1))) == 41


@pytest.mark.parametrize(("since", "left"), [(None, 2), (1600000000002, 1), (1700000000000, 0)])
def test_a_dry_run_counts_and_reads_no_file(old: Path, folio_dir: Path, since: int | None, left: int) -> None:
    for number in (1, 2):
        place = old / "3" / RUN.format(number) / "artifacts" / "large.bin"
        with open(place, "wb") as file:
            file.truncate(1 << 40)  # a terabyte that is not there: nobody can have read it
    options = [] if since is None else ["--since", _date(since)]
    did = json.loads(take(folio_dir, old, "--dry-run", "--json", *options).stdout)
    assert did["counts"].get("runs", 0) == left and did["bytes"] == left * ((1 << 40) + 5)
    assert runs_in(folio_dir) == {}


def _date(at_ms: int) -> str:
    import datetime

    return datetime.datetime.fromtimestamp(at_ms / 1000, datetime.timezone.utc).isoformat()


@pytest.mark.parametrize("made", ["nothing", "a file", "another tool's"])
def test_a_folder_that_is_no_store_is_said_in_words(folio_dir: Path, tmp_path: Path, made: str) -> None:
    place = tmp_path / "there"
    if made != "nothing":
        (place / "0" / "x").mkdir(parents=True)
    if made == "a file":
        (place / "mlruns").mkdir()
    done = take(folio_dir, place)
    assert done.returncode == 11 and "Traceback" not in done.stderr
    assert ("no such folder" if made == "nothing" else "holds no MLflow store") in done.stderr
    assert ("/mlruns?" in done.stderr) == (made == "a file")


def registry(old: Path) -> None:
    """Write a registered model with two versions: of a run's files, by the path that they had; and of files that are gone."""
    model = old / "models" / "scorer"
    document(model, name="scorer", creation_timestamp=5, last_updated_timestamp=6, description="what for")
    for number, inner in ((1, "notes"), (4, "gone")):
        document(
            model / f"version-{number}", name="scorer", version=number, creation_timestamp=7, current_stage="Staging", description=None,
            run_id=RUN.format(1), run_link=None, source=f"/somewhere/else/mlruns/3/{RUN.format(1)}/artifacts/{inner}", user_id=None,
        )  # fmt: skip
    for path, text in {"aliases/best": "1", "aliases/bad": "x", "tags/team": "red", "version-1/tags/a": "b"}.items():
        (model / path).parent.mkdir(exist_ok=True)
        (model / path).write_text(text)


def test_a_registry_keeps_numbers_stages_and_aliases_and_names_what_is_gone(folio_dir: Path, old: Path) -> None:
    registry(old)
    said = findings(take(folio_dir, old, "--json"))
    assert "it was not taken" in said["model scorer version 4"][0] and "alias bad was not taken" in said["model scorer"][0]
    client = RunfolioClient(str(folio_dir))
    found = client.get_registered_model("scorer")
    assert (found.description, found.tags["team"], dict(found.aliases)) == ("what for", "red", {"best": 1}) or dict(
        found.aliases
    ) == {"best": "1"}
    version = client.get_model_version("scorer", "1")
    assert (version.current_stage, version.run_id, version.tags["a"]) == ("Staging", RUN.format(1), "b")


def test_points_are_read_line_by_line(old: Path) -> None:
    with open(old / "3" / RUN.format(1) / "metrics" / "long", "w") as file:
        file.writelines(f"{at} {at / 7} {at}\n" for at in range(50_000))
    source = open_mlruns(old, str(old))
    [experiment] = source.experiments()
    run = next(source.runs([experiment.experiment_id], None))
    points = (point for name, point in source.points(run) if name == "long")
    assert next(points).step == 0 and sum(1 for _ in points) == 49_999
