"""What a run's code differs in from its commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runfolio.gitstore.codediff import code_diff
from runfolio.gitstore.repo import Repo


def git(folder: Path, *args: str) -> str:
    names = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    return subprocess.run(["git", *names, *args], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def changed(tmp_path: Path) -> tuple[Repo, str, str]:
    """A repository, its commit, and a tree with a changed script, a new file and without the folder of records."""
    git(tmp_path, "init", "-q")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a.json").write_text("{}")
    (tmp_path / "train.py").write_text("lr = 0.1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    commit = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "train.py").write_text("lr = 0.2\n" + "x" * 1000 + "\n")
    (tmp_path / "new.py").write_text("pass\n" * 500)
    git(tmp_path, "rm", "-rq", "--cached", "runs")
    git(tmp_path, "add", "train.py", "new.py")
    tree = git(tmp_path, "write-tree")
    return Repo.discover(tmp_path), commit, tree


def test_changed_and_new_lines_are_shown_and_records_are_not(changed: tuple[Repo, str, str]) -> None:
    repo, commit, tree = changed
    found = code_diff(repo, commit, tree, ["runs/"])
    assert found is not None
    assert "-lr = 0.1" in found.lines
    assert "+lr = 0.2" in found.lines
    assert not any("runs/" in line for line in found.lines)
    repo.close()


def test_long_differences_and_long_lines_are_cut_and_counted(changed: tuple[Repo, str, str]) -> None:
    repo, commit, tree = changed
    found = code_diff(repo, commit, tree, ["runs"], most=20)
    assert found is not None
    assert len(found.lines) == 20
    assert found.left_out > 480
    assert max(map(len, found.lines)) <= 401
    repo.close()


@pytest.mark.parametrize("commit", ["0" * 40, "--output=x", "HEAD", ""])
def test_what_is_no_commit_of_the_repository_has_no_difference(changed: tuple[Repo, str, str], commit: str) -> None:
    repo, _, tree = changed
    assert code_diff(repo, commit, tree) is None
    repo.close()


def test_no_program_that_the_repository_names_is_run(changed: tuple[Repo, str, str], tmp_path: Path) -> None:
    repo, commit, tree = changed
    git(tmp_path, "config", "diff.external", "touch pwned")
    git(tmp_path, "config", "diff.evil.textconv", "touch pwned")
    (tmp_path / ".git" / "info" / "attributes").write_text("*.py diff=evil\n")
    assert code_diff(repo, commit, tree, ["runs"]) is not None
    assert not list(tmp_path.rglob("pwned"))
    repo.close()
