"""Experiments made by DVC and dvclive themselves, taken into a folio by a process that has neither."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from runfolio.site.step_images import logged_image
from runfolio.tracking.client import RunfolioClient
from tests.conftest import git
from tests.transfer.apart import Tool, files_of, findings, points_of, runs_of, take

DVC = Tool.of("RUNFOLIO_DVC", "dvclive")
pytestmark = [DVC.missing, pytest.mark.xdist_group("dvc")]
HERE = Path(__file__).parent
PIPELINE = """\
stages:
  train:
    cmd: python train.py
    deps: [train.py, data]
    params: [lr, opt]
    outs: [model.bin]
metrics:
- dvclive/metrics.json
- plain.json
"""
IDENTITY = "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"


def _dvc(place: Path, *args: str) -> str:
    return DVC.run("-m", "dvc", *args, cwd=place, **_env(place))


def _env(place: Path) -> dict[str, str]:
    """Return the environment: `python` of a stage is the one at hand, an identity, nothing sent."""
    programs = place.parent / "bin"
    return {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "GIT_CONFIG_GLOBAL": str(place.parent / "gitconfig"),
        "DVC_NO_ANALYTICS": "1", "GIT_CONFIG_NOSYSTEM": "1", "DVC_SITE_CACHE_DIR": str(place.parent / "site"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository in which DVC ran two experiments, dvclive saved one; branches main and other, a tag v1."""
    place = tmp_path_factory.mktemp("dvc") / "project"
    (place / "data").mkdir(parents=True)
    (place.parent / "bin").mkdir()
    import sys

    (place.parent / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" -W ignore "$@"\n')
    (place.parent / "bin" / "python").chmod(0o755)
    (place.parent / "gitconfig").write_text(IDENTITY)
    with pytest.MonkeyPatch.context() as patch:
        for key, value in _env(place).items():
            patch.setenv(key, value)
        git(place, "init", "-q")
        _dvc(place, "init", "-q")
        shutil.copy(HERE / "dvc_train.py", place / "train.py")
        shutil.copy(HERE / "dvc_live.py", place / "direct.py")
        (place / "data" / "a.txt").write_text("hi")
        (place / "params.yaml").write_text("lr: 0.1\nopt: {name: adam}\n")
        (place / "dvc.yaml").write_text(PIPELINE)
        _dvc(place, "add", "-q", "data")
        git(place, "remote", "add", "origin", "https://ada:s3cret0123@git.example.org/lab/x.git")
        git(place, "add", "-A")
        git(place, "commit", "-qm", "code")
        _dvc(place, "exp", "run", "-q", "-n", "slow")
        _dvc(place, "exp", "run", "-q", "-n", "fast", "-S", "lr=0.5")
        git(place, "add", "-A")
        git(place, "commit", "-qm", "Faster learns better")
        git(place, "tag", "-a", "v1", "-m", "first")
        git(place, "branch", "other")
        DVC.run("direct.py", cwd=place, **_env(place))
    return place


def _by_name(folio: Path) -> dict[str, Any]:
    return {run.info.run_name: run for run in runs_of(folio).values()}


def test_experiments_are_taken_whole_and_a_second_time_adds_nothing(made: Path, folio_dir: Path) -> None:
    dry = take(folio_dir, "dvc", str(made), "--dry-run")
    did = take(folio_dir, "dvc", str(made))
    assert dry["counts"]["runs"] == did["counts"]["runs"] == did["verified"] == 3 and dry["bytes"] == did["bytes"]
    assert set(_by_name(folio_dir)) == {"slow", "fast", "direct"}
    again = take(folio_dir, "dvc", str(made))
    assert again["counts"] == {} and again["there"]["runs"] == 3 and git(folio_dir, "status", "--porcelain") == ""


def test_what_dvc_shows_is_what_the_folio_says(made: Path, folio_dir: Path) -> None:
    take(folio_dir, "dvc", str(made))
    runs = _by_name(folio_dir)
    shown = json.loads(_dvc(made, "exp", "show", "--json"))
    seen = {item["name"]: item for base in shown for group in base.get("experiments") or () for item in group["revs"]}
    assert set(seen) <= set(runs) and seen  # the others lie on the commit before
    for name, item in seen.items():
        assert runs[name].data.tags["mlflow.source.git.commit"] == item["rev"]
        for values in item["data"]["metrics"].values():
            for key, value in values["data"].items():
                if key not in ("step", "train") and isinstance(value, float):
                    assert runs[name].data.metrics[key] == value
    fast = runs["fast"]
    assert fast.data.params == {"lr": "0.5", "opt.name": "adam", "extra": "5"}
    assert points_of(folio_dir, fast, "train/loss") == [(step, 0.5 / (step + 1)) for step in range(4)]
    assert points_of(folio_dir, fast, "acc") == [(step, step / 4) for step in range(4)]
    assert fast.data.metrics["best"] == 0.9 and fast.data.metrics["test.f1"] == 0.5 and fast.data.tags["summary.kind"] == "good"
    assert fast.data.tags["mlflow.source.name"] == "python train.py" and fast.info.status == "FINISHED"
    assert fast.data.tags["dvc.baseline"] == git(made, "rev-parse", "v1~").strip() and "s3cret" not in repr(fast.data.tags)
    assert fast.info.start_time < fast.info.end_time and fast.data.tags["mlflow.user"] == "Ada"
    [data] = [item.dataset for item in fast.inputs.dataset_inputs]
    assert data.name == "data" and data.digest.endswith(".dir") and data.source_type == "dvc"


def test_outputs_come_from_the_cache_and_pictures_stand_by_their_steps(made: Path, folio_dir: Path) -> None:
    take(folio_dir, "dvc", str(made))
    runs = _by_name(folio_dir)
    files = files_of(folio_dir, runs["fast"])
    assert (
        files["model.bin"] == b"model 0.5"
        and b"# DVC Report" in files["dvclive/report.md"]
        and {"dvc.yaml", "dvc.lock"} <= set(files)
    )
    pictures = [item for path in files if (item := logged_image(path))]
    assert sorted((item.key, item.step) for item in pictures) == [("seen", step) for step in range(4)]
    direct = files_of(folio_dir, runs["direct"])
    assert direct["weights.bin"] == b"weights" and json.loads(direct["dvc-artifacts.json"])["best"]["labels"] == ["good"]
    assert runs["direct"].data.params["live2/params.yaml:lr"] == "3" and runs["direct"].data.params["lr"] == "0.5"
    assert runs["direct"].data.tags["mlflow.note.content"] == "Tried directly"


def test_commits_branches_tags_and_the_work_folder_are_runs_where_they_are_asked_for(made: Path, folio_dir: Path) -> None:
    did = take(folio_dir, "dvc", str(made), "--rev", "v1~1", "--all-branches", "--all-tags", "--workspace", code=1)
    # Both branches and the tag are one commit. The first commit has params and no metrics yet: what its dvc.yaml names is not there.
    assert did["counts"]["runs"] == 6
    runs = _by_name(folio_dir)
    assert (
        runs["workspace"].data.metrics["value"] == 3.0
        and runs["v1~1"].data.metrics == {}
        and runs["v1~1"].data.params["lr"] == "0.1"
    )
    assert runs["main"].data.tags["mlflow.source.git.branch"] == "main" and runs["main"].data.metrics["acc"] == 0.75
    assert "dvclive/metrics.json: dvc.yaml names it, and it is not there" in findings(did)


def test_an_output_that_is_not_on_this_machine_is_named(made: Path, folio_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(made, copy)
    model = git(copy, "show", "v1:dvc.lock").split("path: model.bin\n")[1].split("md5: ")[1][:32]
    place = copy / ".dvc" / "cache" / "files" / "md5" / model[:2] / model[2:]
    place.unlink()
    said = findings(take(folio_dir, "dvc", str(copy), code=1))
    assert f"model.bin (md5:{model}) is not in DVC's cache" in said
    assert "model.bin" not in files_of(folio_dir, _by_name(folio_dir)["fast"]) and "model.bin" in files_of(
        folio_dir, _by_name(folio_dir)["slow"]
    )


def test_a_changed_file_of_the_cache_is_not_taken_for_the_output(made: Path, folio_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(made, copy)
    for place in (copy / ".dvc" / "cache" / "files" / "md5").glob("*/*"):
        if place.read_bytes() == b"model 0.5":
            place.chmod(0o644)
            place.write_bytes(b"other 0.5")
    assert "model.bin (md5:" in findings(take(folio_dir, "dvc", str(copy), code=1))


def test_a_folder_of_dvclive_alone_is_a_run(made: Path, folio_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "dvclive"
    shutil.copytree(made / "dvclive", folder)
    with open(folder / "plots" / "metrics" / "acc.tsv", "a") as file:
        file.write("4\tnot a number\n")  # a process that was killed while it wrote
    said = findings(take(folio_dir, "dvc", str(folder), code=1))
    [run] = runs_of(folio_dir).values()
    assert points_of(folio_dir, run, "acc") == [(step, step / 4) for step in range(4)] and run.data.params == {"extra": "5"}
    assert "acc.tsv: 1 of 5 lines hold no point" in said and "report.md" in files_of(folio_dir, run)
    assert take(folio_dir, "dvc", str(folder), code=1)["counts"] == {}


def test_files_that_cannot_be_read_are_named_and_the_rest_is_taken(made: Path, folio_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(made, copy)
    (copy / "params.yaml").write_text("lr: [1\n")
    (copy / "plain.json").write_text("{")
    (copy / "dvc.yaml").write_text(PIPELINE + "- ${where}.json\n- other.parquet\n")
    (copy / "other.parquet").write_text("x")
    (copy / "dvc.lock").write_text("schema: '2.0'\nstages: {train: {outs: [{path: model.bin}]}}\n")
    said = findings(take(folio_dir, "dvc", str(copy), "--workspace", code=1))
    for text in (
        "params.yaml:",
        "plain.json: it cannot be read",
        "a template is not filled in",
        "with the ending .parquet",
        "it has no md5",
    ):
        assert text in said
    assert _by_name(folio_dir)["workspace"].data.metrics["acc"] == 0.75


@pytest.mark.parametrize(
    ("what", "options", "code", "said"),
    [
        ("missing", (), 11, "no such folder"),
        ("plain", (), 11, "no experiments of DVC"),
        ("plain", ("--rev", "nothing"), 11, "no revision 'nothing'"),
    ],
)  # fmt: skip
def test_a_place_without_runs_is_said_in_words(
    repo_dir: Path, folio_dir: Path, tmp_path: Path, what: str, options: Any, code: int, said: str
) -> None:
    (tmp_path / "plain").mkdir()
    git(tmp_path / "plain", "init", "-q")
    assert said in take(folio_dir, "dvc", str(tmp_path / what), *options, code=code)["error"]


def test_a_run_of_dvc_can_be_found_by_what_it_was(made: Path, folio_dir: Path) -> None:
    take(folio_dir, "dvc", str(made))
    client = RunfolioClient(str(folio_dir))
    experiment = client.get_experiment_by_name("project")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], "params.lr = '0.5' AND metrics.`train/loss` < 0.2")
    assert {run.info.run_name for run in found} == {"fast", "direct"}
