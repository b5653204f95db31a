"""An index is changed as asked, or the change is refused: git ends with 0 also where its input was cut off."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from runfolio.errors import GitError, StateError
from runfolio.folio import initialise
from runfolio.folio.in_use import _in_trees
from runfolio.gitstore import Repo
from runfolio.gitstore.index_entries import IndexEntry, set_entries, skip_work_tree, take_files
from runfolio.gitstore.program import found_git, git_program
from tests.conftest import git

OID = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


@pytest.fixture
def repo(repo_dir: Path) -> Repo:
    for name in ("a", "b/one", "b/two"):
        (repo_dir / name).parent.mkdir(exist_ok=True)
        (repo_dir / name).write_text(name)
    git(repo_dir, "add", ".")
    git(repo_dir, "commit", "-qm", "files")
    return Repo.discover(repo_dir)


def index_of(repo: Repo, tmp_path: Path) -> dict[str, str]:
    shutil.copy2(repo.git_dir / "index", tmp_path / "index")
    return {"GIT_INDEX_FILE": str(tmp_path / "index")}


def listed(repo: Repo, env: dict[str, str]) -> list[str]:
    return repo.run("ls-files", "-z", env=env).decode("utf-8", "surrogateescape").split("\0")[:-1]


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Let the real git read nothing of what it is given on standard input."""
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shutil.which("git")} "$@" </dev/null\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    _forget_git()
    yield
    _forget_git()


def _forget_git() -> None:
    git_program.cache_clear()
    found_git.cache_clear()


CHANGES = {
    "put": ([IndexEntry("new", OID), IndexEntry("é 'x'", OID, "100755")], ["a", "b/one", "b/two", "new", "train.py", "é 'x'"]),
    "taken out": ([IndexEntry("a", None), IndexEntry("not/there", None)], ["b/one", "b/two", "train.py"]),
    "both": ([IndexEntry("z", OID), IndexEntry("a", None)], ["b/one", "b/two", "train.py", "z"]),
    "a folder becomes a file": ([IndexEntry("b", OID), IndexEntry("b/one", None), IndexEntry("b/two", None)], ["a", "b", "train.py"]),
    "a file of the folder's name is taken out": ([IndexEntry("b", None)], ["a", "b/one", "b/two", "train.py"]),
    "none": ([], ["a", "b/one", "b/two", "train.py"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_entries_are_set(name: str, repo: Repo, tmp_path: Path) -> None:
    entries, after = CHANGES[name]
    env = index_of(repo, tmp_path)
    set_entries(repo, entries, env)
    assert sorted(listed(repo, env)) == sorted(after)


@pytest.mark.parametrize("name", ["put", "taken out", "both"])
@pytest.mark.usefixtures("cut_off")
def test_entries_that_git_did_not_read_are_missed(name: str, repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(GitError, match="did not read all"):
        set_entries(repo, CHANGES[name][0], index_of(repo, tmp_path))


def test_files_are_taken_as_they_are(repo: Repo, tmp_path: Path, repo_dir: Path) -> None:
    env = index_of(repo, tmp_path)
    (repo_dir / "a").unlink()
    (repo_dir / "new").write_text("new")
    take_files(repo, ["new", "a"], env)
    assert listed(repo, env) == ["b/one", "b/two", "new", "train.py"]


@pytest.mark.usefixtures("cut_off")
def test_files_that_git_did_not_read_of_are_missed(repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(GitError, match="did not read all"):
        take_files(repo, ["a"], index_of(repo, tmp_path))


def test_entries_are_marked_as_not_checked_out(repo: Repo, tmp_path: Path) -> None:
    env = index_of(repo, tmp_path)
    skip_work_tree(repo, ["b/one", "b/two"], env)
    assert repo.run("ls-files", "-t", env=env).decode().split("\n")[:3] == ["H a", "S b/one", "S b/two"]


def test_a_clean_up_sees_whether_git_looked_at_all_it_was_asked_for(repo_dir: Path, request: pytest.FixtureRequest) -> None:
    made = initialise(repo_dir, commit=True).folio
    git(repo_dir, "commit", "-q", "--allow-empty", "-m", "let go of")
    gone = git(repo_dir, "rev-parse", "HEAD").strip()
    git(repo_dir, "reset", "-q", "--hard", "HEAD~1")
    _in_trees(made.place, 0, [gone, "0" * 40])
    request.getfixturevalue("cut_off")
    with pytest.raises((GitError, StateError), match="did not look at all"):
        _in_trees(made.place, 0, [gone])
    made.close()
