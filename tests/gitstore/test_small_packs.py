"""gitstore/small_packs.py: the objects of a small commit are one pack, and packs stay few."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from runfolio.gitstore import FileChange, Repo, small_packs, upkeep
from runfolio.gitstore.loose import object_id
from runfolio.gitstore.small_packs import MANY, fold_packs, packed, write_pack
from tests.faults.repositories import environment, fsck, git
from tests.gitstore.test_direct import MAIN, directly, made


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    for key, value in environment().items():
        monkeypatch.setenv(key, value)
    return made(tmp_path / "repo")


def packs(repo: Repo) -> set[str]:
    return {path.name for path in (repo.git_dir / "objects" / "pack").iterdir()}


def loose(repo: Repo) -> set[str]:
    return {path.name for path in (repo.git_dir / "objects").glob("[0-9a-f][0-9a-f]/*")}


def commit(repo: Repo, number: int) -> None:
    assert directly(repo, [FileChange(f"models/wine/{number}.yaml", b"version: %d\n" % number)])


def fold(repo: Repo) -> bool:
    folder = str(repo.git_dir / "objects" / "pack")
    return fold_packs(folder, os.listdir(folder))


def test_a_commit_in_folders_is_one_pack_that_git_reads(repo: Repo) -> None:
    before = loose(repo)
    commit(repo, 1)
    assert loose(repo) == before
    assert sorted(name.partition(".")[2] for name in packs(repo)) == ["idx", "pack"]
    (name,) = {name.partition(".")[0] for name in packs(repo)}
    shown = git(repo.git_dir.parent, "verify-pack", "-v", f".git/objects/pack/{name}.pack")
    assert sorted(line.split()[1] for line in shown.splitlines() if len(line.split()) == 5) == [
        "blob",
        "commit",
        "tree",
        "tree",
        "tree",
    ]
    assert git(repo.git_dir.parent, "show", f"{MAIN}:models/wine/1.yaml") == "version: 1\n"
    assert fsck(repo.git_dir.parent) == ""


def test_a_fresh_process_reads_what_is_in_small_packs(repo: Repo) -> None:
    for number in range(3):
        commit(repo, number)
    other = Repo.discover(repo.git_dir.parent)
    assert [other.nearby.answer(f"{other.resolve(MAIN)}:models/wine/{number}.yaml") for number in range(3)] == [
        b"version: %d\n" % number for number in range(3)
    ]


@pytest.mark.parametrize(
    ("size", "kind"), [(0, "blob"), (15, "blob"), (16, "blob"), (2047, "tree"), (2048, "commit"), (70_000, "blob")], ids=str
)
def test_an_object_of_any_size_has_the_head_that_git_reads(repo: Repo, size: int, kind: str) -> None:
    data = os.urandom(size)
    oid = object_id(kind, data)
    write_pack(str(repo.git_dir / "objects" / "pack"), [packed(oid, kind, data, 1)], durable=False)
    asked = subprocess.run(
        ("git", "cat-file", "--batch"), cwd=repo.git_dir.parent, input=oid.encode() + b"\n", capture_output=True, check=True
    )
    assert asked.stdout == f"{oid} {kind} {size}\n".encode() + data + b"\n"


def test_small_packs_stay_few_and_hold_all(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_asked", {})
    most = 0
    monkeypatch.setattr(upkeep, "_since_look", {})
    looks = []

    def look(folder: str, names: Sequence[str]) -> bool:
        looks.append(len(names))
        return fold_packs(folder, names)

    monkeypatch.setattr(upkeep, "fold_packs", look)
    for number in range(4 * MANY):
        commit(repo, number)
        upkeep.pack_now_and_then(repo)
        most = max(most, len(packs(repo)))
    assert 2 * MANY - 2 < most <= 2 * (MANY + upkeep.LOOKS_EACH) + 2
    assert 0 < len(looks) < 4 * MANY // upkeep.LOOKS_EACH
    root = repo.git_dir.parent
    assert len(git(root, "rev-list", MAIN).split()) == 4 * MANY + 1
    assert fsck(root) == ""
    assert git(root, "show", f"{MAIN}:models/wine/0.yaml") == "version: 0\n"
    git(root, "gc", "-q", "--prune=now")
    assert fsck(root) == ""


def many(repo: Repo) -> None:
    for number in range(MANY + 1):
        commit(repo, number)


def test_a_tiny_pack_does_not_keep_the_others_from_being_folded(repo: Repo) -> None:
    texts = [b"%d" % number for number in range(4)]
    tiny = [packed(object_id("blob", text), "blob", text, 1) for text in texts]
    folder = repo.git_dir / "objects" / "pack"
    name = write_pack(str(folder), tiny, durable=False)
    many(repo)
    sizes = sorted(path.stat().st_size for path in folder.glob("*.pack"))
    assert sizes[1] > 2 * sizes[0]
    assert fold(repo)
    assert len(packs(repo)) == 2
    assert not (folder / f"{name}.pack").exists()
    assert fsck(repo.git_dir.parent) == ""


def test_whoever_looked_before_a_fold_finds_all_after_it(repo: Repo) -> None:
    many(repo)
    tip = repo.resolve(MAIN)
    other = Repo.discover(repo.git_dir.parent)
    assert other.nearby.answer(f"{tip}:models/wine/3.yaml") == b"version: 3\n"
    with subprocess.Popen(
        ("git", "cat-file", "--batch"), cwd=repo.git_dir.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as asked:
        assert asked.stdin
        assert asked.stdout
        asked.stdin.write(f"{tip}:models/wine/0.yaml\n".encode())
        assert asked.stdout.readline().split()[1:] == [b"blob", b"11"]
        assert fold(repo)
        for number in range(1, MANY):
            asked.stdin.write(f"{tip}:models/wine/{number}.yaml\n".encode())
        asked.stdin.close()
        assert asked.stdout.read().count(b"version: ") == MANY
    assert [other.read(f"{tip}:models/wine/{number}.yaml") for number in range(MANY)] == [
        b"version: %d\n" % number for number in range(MANY)
    ]


def test_a_pack_of_which_a_file_says_more_is_not_folded(repo: Repo) -> None:
    many(repo)
    kept = sorted(name for name in packs(repo) if name.endswith(".pack"))[:3]
    for name, ending in zip(kept, (".keep", ".promisor", ".bitmap"), strict=True):
        (repo.git_dir / "objects" / "pack" / name).with_suffix(ending).touch()
    assert not fold(repo)  # the others are not many
    for number in range(3):
        commit(repo, 100 + number)
    assert fold(repo)
    assert packs(repo).issuperset(kept)
    assert len([name for name in packs(repo) if name.endswith(".pack")]) == 4


def test_a_pack_with_deltas_and_a_damaged_one_are_left_as_they_are(repo: Repo) -> None:
    root = repo.git_dir.parent
    text = "".join(f"{number} and more of it\n" for number in range(400))
    assert directly(repo, [FileChange("long/one", text.encode())])
    assert directly(repo, [FileChange("long/one", (text + "end\n").encode())])
    git(root, "repack", "-adq")
    (deltas,) = (name for name in packs(repo) if name.endswith(".pack"))
    many(repo)
    damaged = min(name for name in packs(repo) if name.endswith(".pack") and name != deltas)
    path = repo.git_dir / "objects" / "pack" / damaged
    path.chmod(0o644)
    with open(path, "r+b") as file:
        file.seek(20)
        file.write(b"\xff\xff")
    broken = path.read_bytes()
    assert fold(repo)
    assert path.read_bytes() == broken
    assert deltas in packs(repo)
    assert len([name for name in packs(repo) if name.endswith(".pack")]) == 3
    assert {deltas[:-5], damaged[:-5]} <= small_packs._not_foldable


def test_a_large_pack_is_not_copied_again(repo: Repo) -> None:
    assert directly(repo, [FileChange("long/random", os.urandom(small_packs.FOLDED))])
    (large,) = (name for name in packs(repo) if name.endswith(".pack"))
    for number in range(MANY):
        commit(repo, number)
    assert not fold(repo)  # the others are not many
    commit(repo, MANY)
    assert fold(repo)
    assert large in packs(repo)
    assert len([name for name in packs(repo) if name.endswith(".pack")]) == 2


def test_beside_what_somebody_else_maintains_objects_are_loose(repo: Repo) -> None:
    root = repo.git_dir.parent
    commit(repo, 1)
    git(root, "multi-pack-index", "write")
    there = packs(repo)
    commit(repo, 2)
    assert packs(repo) == there
    (repo.git_dir / "objects" / "pack" / "multi-pack-index").unlink()
    git(root, "config", "gc.autoPackLimit", "5")
    commit(repo, 3)
    assert packs(repo) == there - {"multi-pack-index"}
    assert fsck(root) == ""


def test_nothing_is_folded_while_git_packs(repo: Repo) -> None:
    many(repo)
    there = packs(repo)
    (repo.git_dir / "gc.pid").write_text(f"{os.getpid()} here\n")
    upkeep.pack_when_due(repo)
    assert packs(repo) == there
    (repo.git_dir / "gc.pid").unlink()
    upkeep.pack_when_due(repo)
    assert len(packs(repo)) == 2


FOLD = """
import os, sys
from runfolio.gitstore.small_packs import fold_packs
assert fold_packs(sys.argv[1], os.listdir(sys.argv[1]))
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_what_is_folded_is_on_disk_before_a_source_is_removed(repo: Repo, tmp_path: Path) -> None:
    many(repo)
    said, folder = tmp_path / "strace", str(repo.git_dir / "objects" / "pack")
    command = ["strace", "-f", "-y", "-e", "trace=fsync,rename,unlink", "-o", str(said), sys.executable, "-c", FOLD, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    calls = [line.split(None, 1)[1] for line in said.read_text().splitlines() if folder in line]
    assert [call.split("(")[0] for call in calls[:5]] == ["fsync", "fsync", "rename", "rename", "fsync"]
    assert [call.startswith("unlink") for call in calls[5:]] == [True] * 2 * (MANY + 1)
    assert fsck(repo.git_dir.parent) == ""


@pytest.mark.parametrize(
    ("call", "good"), [("fsync", 0), ("fsync", 2), ("rename", 1), ("unlink", 5)], ids=["file", "folder", "name", "source"]
)
def test_a_fold_that_stops_half_way_loses_nothing(repo: Repo, monkeypatch: pytest.MonkeyPatch, call: str, good: int) -> None:
    many(repo)
    left, real = good, getattr(os, call)

    def fails(*args: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(28, "No space left on device")
        real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fails)
        with pytest.raises(OSError, match="No space"):
            fold(repo)
    assert fsck(repo.git_dir.parent) == ""
    assert not [name for name in packs(repo) if name.startswith("tmp_")]
    for number in range(MANY):
        commit(repo, 200 + number)
    assert fold(repo)
    assert len(git(repo.git_dir.parent, "rev-list", MAIN).split()) == 2 * MANY + 2
    assert fsck(repo.git_dir.parent) == ""
