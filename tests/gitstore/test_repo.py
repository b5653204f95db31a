"""A ref is what git says it is, wherever git keeps it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runfolio.gitstore import Repo

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """A repository of two commits, and git in it."""

    def run(*args: str) -> str:
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
        return subprocess.run(["git", *who, *args], cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    run("init", "-q", ".")
    for text in ("one", "two"):
        run("commit", "-q", "--allow-empty", "-m", text)
    run("branch", "deep/ledger", "HEAD~1")
    run("update-ref", "refs/remotes/origin/ledger", "HEAD~1")
    run("tag", "-a", "-m", "words", "noted")
    return run


@pytest.mark.parametrize(
    "name", ["HEAD", "refs/heads/main", "refs/heads/deep/ledger", "refs/remotes/origin/ledger", "refs/tags/noted"]
)
@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_a_ref_is_found_where_git_keeps_it(git: Git, tmp_path: Path, name: str, packed: bool) -> None:
    if packed:
        git("pack-refs", "--all")
    assert Repo.discover(tmp_path).resolve(name) == git("rev-parse", f"{name}^{{commit}}")


@pytest.mark.parametrize("name", ["refs/heads/ledger", "refs/heads/mai", "refs/heads/", "refs/remotes/origin"])
def test_part_of_a_packed_name_is_no_ref(git: Git, tmp_path: Path, name: str) -> None:
    git("pack-refs", "--all")
    assert Repo.discover(tmp_path).resolve(name) is None


def test_a_loose_ref_wins_over_the_packed_one(git: Git, tmp_path: Path) -> None:
    git("pack-refs", "--all")
    git("commit", "-q", "--allow-empty", "-m", "three")
    assert Repo.discover(tmp_path).resolve("refs/heads/main") == git("rev-parse", "HEAD")
