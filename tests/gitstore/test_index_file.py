"""The index that is written here is the one that ``git update-index`` writes, byte for byte, or it is left to git."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runfolio.gitstore import Repo
from runfolio.gitstore.index_file import edited, write_entries
from runfolio.gitstore.ref_files import LeaveToGitError
from tests.faults.repositories import environment, git

OIDS = ("1" * 40, "a" * 40, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
LONG_AGO = 1_600_000_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for key, value in environment().items():
        monkeypatch.setenv(key, value)
    made = tmp_path / "repo"
    made.mkdir()
    git(made, "init", "-q", "-b", "main")
    for name in ("runs/a/1.json", "runs/a/2.json", "runs/b/1.json", "runs.md", "src/train.py", "z", "é/ü", "a.b", "a/b"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name)
        os.utime(made / name, (LONG_AGO, LONG_AGO))
    git(made, "add", ".")
    git(made, "commit", "-qm", "start")
    return made


def by_git(folder: Path, index: Path, changes: Mapping[str, str | None]) -> bytes:
    """Return the index that git writes, from a copy with its time."""
    copy = folder.parent / "index.copy"
    shutil.copy2(index, copy)
    lines = "".join(f"{'100644' if oid else '0'} {oid or '0' * 40}\t{path}\0" for path, oid in changes.items())
    env = {**os.environ, "GIT_INDEX_FILE": str(copy)}
    subprocess.run(["git", "update-index", "-z", "--index-info"], cwd=folder, env=env, input=lines.encode(), check=True)
    return copy.read_bytes()


PATHS = st.sampled_from(
    [
        "runs/a/1.json",
        "runs/a/3.json",
        "runs/a.json",
        "runs/b/1.json",
        "runs/c/d/e",
        "0",
        "zz",
        "a/b",
        "a-b",
        "é/new",
        "experiments/x.yaml",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.dictionaries(PATHS, st.sampled_from(OIDS) | st.none(), min_size=1, max_size=5), min_size=1, max_size=3))
def test_it_is_the_index_that_git_writes(folder: Path, steps: list[dict[str, str | None]]) -> None:
    git(folder, "read-tree", "HEAD")
    index = folder / ".git" / "index"
    for changes in steps:
        expected = by_git(folder, index, changes)
        write_entries(Repo.discover(folder), changes, folder / ".git" / "fresh")
        assert index.read_bytes() == expected


def _staged(folder: Path) -> None:
    (folder / "src" / "new.py").write_text("x")
    os.utime(folder / "src" / "new.py", (LONG_AGO, LONG_AGO))
    git(folder, "add", "src/new.py")


def _no_trees(folder: Path) -> None:
    git(folder, "rm", "-rq", "--cached", ".")
    git(folder, "add", ".")


def _removed(folder: Path) -> None:
    git(folder, "rm", "-q", "src/train.py")


def _executable(folder: Path) -> None:
    git(folder, "update-index", "--chmod=+x", "z")


def _assumed(folder: Path) -> None:
    git(folder, "update-index", "--assume-unchanged", "z")


@pytest.mark.parametrize(
    "change", [_staged, _no_trees, _removed, _executable, _assumed], ids=lambda item: item.__name__.strip("_")
)
def test_what_the_user_staged_stays(change: Callable[[Path], None], folder: Path) -> None:
    change(folder)
    index, changes = folder / ".git" / "index", {"runs/c/1.json": OIDS[0], "runs/a/1.json": OIDS[2], "runs/b/1.json": None}
    expected = by_git(folder, index, changes)
    write_entries(Repo.discover(folder), changes, folder / ".git" / "fresh")
    assert index.read_bytes() == expected


def _version_4(folder: Path) -> None:
    git(folder, "update-index", "--index-version", "4")


def _split(folder: Path) -> None:
    git(folder, "update-index", "--split-index")


def _untracked_cache(folder: Path) -> None:
    git(folder, "update-index", "--force-untracked-cache")


def _to_be_added(folder: Path) -> None:
    (folder / "later").write_text("x")
    git(folder, "add", "-N", "later")


def _skipped(folder: Path) -> None:
    git(folder, "update-index", "--skip-worktree", "z")


def _conflict(folder: Path) -> None:
    lines = "".join(f"100644 {OIDS[1]} {stage}\tfought\n" for stage in (1, 2, 3))
    subprocess.run(["git", "update-index", "--index-info"], cwd=folder, input=lines.encode(), check=True)


def _young(folder: Path) -> None:
    (folder / "z").write_text("young")
    git(folder, "add", "z")


def _configured(folder: Path) -> None:
    git(folder, "config", "core.untrackedCache", "true")


def _damaged(folder: Path) -> None:
    data = bytearray((folder / ".git" / "index").read_bytes())
    data[40] ^= 1
    (folder / ".git" / "index").write_bytes(data)


def _missing(folder: Path) -> None:
    (folder / ".git" / "index").unlink()


@pytest.mark.parametrize(
    "change",
    [_version_4, _split, _untracked_cache, _to_be_added, _skipped, _conflict, _young, _configured, _damaged, _missing],
    ids=lambda item: item.__name__.strip("_"),
)
def test_what_is_not_plain_is_left_to_git(change: Callable[[Path], None], folder: Path) -> None:
    change(folder)
    index = folder / ".git" / "index"
    before = index.read_bytes() if index.exists() else None
    with pytest.raises(LeaveToGitError):
        write_entries(Repo.discover(folder), {"runs/c/1.json": OIDS[0]}, folder / ".git" / "fresh")
    assert (index.read_bytes() if index.exists() else None) == before


@pytest.mark.parametrize("path", ["runs", "runs.md/x", "src/.git/x", "src/../x", "git~1"])
def test_names_that_are_gits_to_judge_are_left_to_it(path: str, folder: Path) -> None:
    with pytest.raises(LeaveToGitError):
        edited((folder / ".git" / "index").read_bytes(), {path: OIDS[0]}, LONG_AGO + 100)
