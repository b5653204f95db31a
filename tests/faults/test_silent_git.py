"""A git that fails, or that says nothing and ends with 0 (as on a full disk): no run is lost, and no code is made up."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.faults.repositories import fsck, git, make_folio, python, runfolio

LOG = "import runfolio\nwith runfolio.start_run(): runfolio.log_metric('m', 1)\n"


def broken(folder: Path, verb: str, instead: str) -> dict[str, str]:
    """Make a git that does `instead` where it is asked for a verb, and return the variables by which it is found."""
    real = shutil.which("git")
    program = folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncase " $* " in *" {verb} "*) {instead} ;; esac\nexec {real} "$@"\n')
    program.chmod(0o755)
    return {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}


def shown(folder: Path) -> dict[str, object]:
    [run] = json.loads(runfolio(folder, "runs", "list", "--json").stdout)
    found: dict[str, object] = json.loads(runfolio(folder, "runs", "show", run["run_id"], "--json").stdout)
    return found


@pytest.mark.parametrize("verb", ["status", "write-tree", "mktree"])
def test_code_that_git_does_not_tell_is_not_made_up(tmp_path: Path, verb: str) -> None:
    folder = make_folio(tmp_path / "folio")
    (folder / "train.py").write_text("print('changed')\n")
    if verb == "write-tree":
        (folder / "link").symlink_to("train.py")  # where files alone changed, git is not asked for trees
    done = python(folder, LOG, **broken(tmp_path, verb, "cat > /dev/null; exit 0"))
    assert done.returncode == 0, done.stderr
    assert "the code could not be captured" in done.stderr
    assert f"git {verb}" in done.stderr
    run = shown(folder)
    assert run["metrics"] == {"m": 1.0}
    assert run["code"].get("tree") is None  # type: ignore[attr-defined]
    assert any("could not be captured" in notice for notice in run["notices"])  # type: ignore[attr-defined]
    assert fsck(folder) == ""


@pytest.mark.parametrize("instead", ["cat > /dev/null; exit 0", "cat > /dev/null; echo sorry; exit 0", "exit 128"])
def test_files_that_git_does_not_make_objects_of_are_taken_through_its_index(tmp_path: Path, instead: str) -> None:
    folder = make_folio(tmp_path / "folio")
    (folder / "train.py").write_text("print('changed')\n")
    assert python(folder, LOG, **broken(tmp_path, "--stdin-paths", instead)).stderr == ""
    tree = shown(folder)["code"]["tree"]  # type: ignore[index]
    assert git(folder, "show", f"{tree}:train.py") == "print('changed')\n"
    assert fsck(folder) == ""


def test_an_index_that_git_changed_in_part_only_is_put_right(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    git(folder, "update-index", "--index-version", "4")  # git's to write
    before = git(folder, "status", "--porcelain")
    done = python(folder, LOG, **broken(tmp_path, "--index-info", f'exec {shutil.which("git")} "$@" < /dev/null'))
    assert "git update-index did not read all that it was given" in done.stderr
    assert shown(folder)["metrics"] == {"m": 1.0}
    assert runfolio(folder, "recover").returncode == 0
    assert git(folder, "status", "--porcelain") == before
    assert git(folder, "ls-files", "runs")
    assert fsck(folder) == ""


def test_a_code_tree_that_git_did_not_store_is_kept_by_nothing(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    (folder / "train.py").write_text("print('changed')\n")
    done = python(folder, LOG, **broken(tmp_path, "mktree", f"cat > /dev/null; echo {'1' * 40}; exit 0"))
    assert done.returncode == 0, done.stderr
    assert "git mktree did not store the tree" in done.stderr
    assert shown(folder)["metrics"] == {"m": 1.0}
    assert git(folder, "for-each-ref", "refs/runfolio") == ""
    assert fsck(folder) == ""


def test_an_empty_work_tree_is_kept_as_an_empty_tree_that_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert runfolio(tmp_path, "init", str(folder), "--no-commit").returncode == 0
    (folder / ".git" / "info" / "exclude").write_text("*\n")
    assert python(folder, LOG).stderr == ""
    assert shown(folder)["code"]["tree"] == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # type: ignore[index]
    assert fsck(folder) == ""


def test_a_git_that_does_not_start_is_not_called_too_old(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    env = broken(tmp_path, "--version", "echo 'error while loading shared libraries: libz.so.1' >&2; exit 127")
    done = runfolio(folder, "doctor", **env)  # a list of few runs asks git nothing
    assert done.returncode == 17
    assert "libz.so.1" in done.stderr
    assert "too old" not in done.stderr


def test_an_old_git_is_named_with_its_version(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    done = runfolio(folder, "doctor", **broken(tmp_path, "--version", "echo git version 2.17.1; exit 0"))
    assert done.returncode == 17
    assert "git 2.17 is too old" in done.stderr


def test_a_repository_that_git_cannot_read_is_not_called_none(tmp_path: Path) -> None:
    make_folio(tmp_path / "folio")
    folder = tmp_path / "linked"  # a plain repository is found without asking git
    git(tmp_path / "folio", "worktree", "add", "-q", "-b", "side", str(folder))
    env = broken(tmp_path, "rev-parse", "echo 'fatal: unable to read .git/config: Input/output error' >&2; exit 128")
    done = runfolio(folder, "runs", "list", **env)
    assert done.returncode == 17
    assert "Input/output error" in done.stderr
    assert "runfolio init" not in done.stderr
