"""gitstore/upkeep.py: git's upkeep, and what a killed one leaves."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from runfolio.gitstore import Repo
from runfolio.gitstore.upkeep import drop_left_lock


def git(folder: Path, *args: str, code: int = 0) -> str:
    done = subprocess.run(("git", *args), cwd=folder, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with enough loose objects for git's upkeep to be due."""
    git(tmp_path, "init", "-q")
    blobs = [tmp_path / f"{number}.txt" for number in range(4000)]
    for number, file in enumerate(blobs):
        file.write_text(f"{number} " * 400)
    listed = "\n".join(str(file) for file in blobs)
    made = subprocess.run(
        ("git", "hash-object", "-w", "--stdin-paths"), cwd=tmp_path, input=listed, text=True, capture_output=True, check=True
    )
    entries = "".join(f"100644 blob {oid}\t{file.name}\n" for oid, file in zip(made.stdout.split(), blobs, strict=True))
    tree = subprocess.run(
        ("git", "mktree"), cwd=tmp_path, input=entries, text=True, capture_output=True, check=True
    ).stdout.strip()
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    git(tmp_path, "update-ref", "HEAD", git(tmp_path, *who, "commit-tree", "-m", "all", tree).strip())
    git(tmp_path, "config", "gc.auto", "10")
    return Repo(tmp_path / ".git", tmp_path / ".git", tmp_path)


def kill_upkeep(place: Path) -> bool:
    """Start git's upkeep in the background and kill it as soon as it holds its lock; tell whether the lock was left."""
    git(place.parent, "gc", "--auto", "--quiet")
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        if (place / "gc.log.lock").exists():
            os.kill(int((place / "gc.pid").read_text().split()[0]), signal.SIGKILL)
            return (place / "gc.log.lock").exists()
    return False


def test_the_lock_of_a_killed_upkeep_is_removed_and_git_packs_again(repo: Repo, tmp_path: Path) -> None:
    place = tmp_path / ".git"
    assert kill_upkeep(place)
    child = int((place / "gc.pid").read_text().split()[0])
    with contextlib.suppress(psutil.NoSuchProcess):
        while psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
    assert drop_left_lock(repo)
    assert not (place / "gc.log.lock").exists()
    git(tmp_path, "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet")
    assert len(list((place / "objects/pack").glob("*.pack"))) == 1
    assert not drop_left_lock(repo)


def test_the_lock_of_a_living_upkeep_stays(repo: Repo, tmp_path: Path) -> None:
    place = tmp_path / ".git"
    (place / "gc.log.lock").touch()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as alive:
        (place / "gc.pid").write_text(f"{alive.pid} {os.uname().nodename}")
        assert not drop_left_lock(repo)
    assert drop_left_lock(repo)


@pytest.mark.parametrize("said", ["", "1 another-machine", "nonsense here", "-1 x"])
def test_where_nobody_knows_who_holds_it_a_young_lock_stays_and_an_old_one_goes(repo: Repo, tmp_path: Path, said: str) -> None:
    place, lock = tmp_path / ".git", tmp_path / ".git/gc.log.lock"
    lock.touch()
    (place / "gc.pid").write_text(said)
    assert not drop_left_lock(repo)
    os.utime(lock, (0, 0))
    assert drop_left_lock(repo)
