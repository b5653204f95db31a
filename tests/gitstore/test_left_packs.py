"""gitstore/left_packs.py: a pack whose process died between its two renames gets its index."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runfolio.gitstore import Repo, upkeep
from runfolio.gitstore.left_packs import LEFT_S, index_left_packs
from runfolio.gitstore.loose import object_id
from runfolio.gitstore.small_packs import MANY
from tests.faults.repositories import environment, fsck, git
from tests.gitstore.test_direct import made
from tests.gitstore.test_small_packs import commit, packs

KILLED = """
import os, signal, sys
from runfolio.gitstore import small_packs
from runfolio.gitstore.loose import object_id
def rename(source, target, *, to=os.rename):
    to(source, target)
    os.kill(os.getpid(), signal.SIGKILL)  # after the first of the two
small_packs.os.rename = rename
texts = [b"left %d" % number for number in range(5)]
small_packs.write_pack(sys.argv[1], [small_packs.packed(object_id("blob", text), "blob", text, 1) for text in texts], durable=False)
"""


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    for key, value in environment().items():
        monkeypatch.setenv(key, value)
    return made(tmp_path / "repo")


def left(repo: Repo, age_s: float) -> Path:
    """Leave a pack without an index, by a process that is killed."""
    folder = repo.git_dir / "objects" / "pack"
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert done.returncode == -9
    [pack] = [path for path in folder.glob("*.pack") if not path.with_suffix(".idx").exists()]
    then = time.time() - age_s
    os.utime(pack, (then, then))
    return pack


def test_an_old_pack_without_an_index_gets_it_and_is_folded(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_asked", {})
    pack = left(repo, LEFT_S + 60)
    assert "garbage: 1" in git(repo.git_dir.parent, "count-objects", "-v")
    for number in range(2 * MANY + 2):
        commit(repo, number)
        upkeep.pack_when_due(repo)
    assert not pack.exists()
    assert {name for name in packs(repo) if not name.startswith("tmp_")} >= {
        f"{name[:-5]}.idx" for name in packs(repo) if name.endswith(".pack")
    }
    assert fsck(repo.git_dir.parent) == ""
    assert git(repo.git_dir.parent, "cat-file", "blob", object_id("blob", b"left 3")) == "left 3"


def test_a_young_one_and_a_damaged_one_stay_as_they_are(repo: Repo) -> None:
    place = str(repo.common_dir)
    young = left(repo, LEFT_S - 60)
    assert (index_left_packs(place, sorted(packs(repo))), young.with_suffix(".idx").exists()) == (0, False)
    young.chmod(0o644)
    young.write_bytes(young.read_bytes()[:-30])
    os.utime(young, (0, 0))
    assert (index_left_packs(place, sorted(packs(repo))), young.exists(), young.with_suffix(".idx").exists()) == (0, True, False)


def test_a_pack_beside_which_a_file_says_more_is_left_to_git(repo: Repo) -> None:
    pack = left(repo, LEFT_S + 60)
    pack.with_suffix(".keep").touch()
    assert index_left_packs(str(repo.common_dir), sorted(packs(repo))) == 0
