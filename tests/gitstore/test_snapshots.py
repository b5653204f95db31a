"""Kept code outlives its branch, many writers lose nothing, and two clones' refs unite."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runfolio.errors import BusyError, NotFoundError, StateError
from runfolio.gitstore.codestate import code_tree
from runfolio.gitstore.repo import Repo
from runfolio.gitstore.snapshots import CODE_REF, carry_tree, has_tree, keep_tree, merge_code_refs, restore_tree
from runfolio.gitstore.trees import Entry, format_tree, parse_tree, tree_id, tree_of_files, without, write_tree
from tests.gitstore.test_codestate import git, write


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repo]:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    found = new_repo(tmp_path / "code")
    yield found
    found.close()


def new_repo(place: Path, *options: str) -> Repo:
    place.mkdir()
    git(place, "init", "-q", "-b", "main", *options)
    write(place, "train.py", "print(1)\n")
    git(place, "add", ".")
    git(place, "commit", "-qm", "first")
    return Repo.discover(place)


def place_of(repo: Repo) -> Path:
    assert repo.work_tree is not None
    return repo.work_tree


def one_file(repo: Repo, text: str) -> str:
    return tree_of_files(repo, {"a.py": ("100644", text.encode())})


def test_dirty_code_outlives_squash_branch_deletion_and_gc(repo: Repo, tmp_path: Path) -> None:
    place = place_of(repo)
    git(place, "checkout", "-qb", "topic")
    write(place, "train.py", b"committed on the topic\n")
    git(place, "commit", "-qam", "topic")
    content = os.urandom(300) + b"\r\n\x00 exact"
    write(place, "train.py", content)
    write(place, "new.py", b"never committed\n")
    tree = code_tree(repo).tree
    keep_tree(repo, tree)
    git(place, "checkout", "-qf", "main")
    (place / "new.py").unlink()
    git(place, "merge", "-q", "--squash", "topic")
    git(place, "commit", "-qm", "squashed")
    git(place, "branch", "-D", "topic")
    git(place, "reflog", "expire", "--expire=now", "--all")
    git(place, "gc", "-q", "--prune=now")
    again = Repo.discover(place)
    assert has_tree(again, tree)
    assert restore_tree(again, tree, tmp_path / "out") == 2
    assert (tmp_path / "out/train.py").read_bytes() == content
    assert (tmp_path / "out/new.py").read_bytes() == b"never committed\n"
    assert git(place, "fsck", "--strict") == ""
    again.close()


def test_keeping_twice_makes_one_commit(repo: Repo) -> None:
    tree = one_file(repo, "1")
    keep_tree(repo, tree)
    first = repo.resolve(CODE_REF)
    keep_tree(repo, tree)
    assert repo.resolve(CODE_REF) == first
    keep_tree(repo, one_file(repo, "2"))
    assert git(place_of(repo), "rev-list", "--count", CODE_REF) == "2"
    assert git(place_of(repo), "status", "--porcelain") == ""


def test_tree_that_is_not_there_is_refused(repo: Repo) -> None:
    for name in ("0" * 40, "HEAD", "", git(place_of(repo), "rev-parse", "HEAD")):
        with pytest.raises(NotFoundError):
            keep_tree(repo, name)
    assert not has_tree(repo, "0" * 40)


def test_lock_of_somebody_else_is_named(repo: Repo) -> None:
    keep_tree(repo, one_file(repo, "1"))
    lock = repo.common_dir / f"{CODE_REF}.lock"
    lock.touch()
    with pytest.raises(BusyError, match=r"code\.lock"):
        keep_tree(repo, one_file(repo, "2"), wait_s=0.01)
    assert lock.exists()


def test_lock_that_a_crash_left_is_removed(repo: Repo) -> None:
    keep_tree(repo, one_file(repo, "1"))
    lock = repo.common_dir / f"{CODE_REF}.lock"
    lock.touch()
    os.utime(lock, (0, 0))
    keep_tree(repo, one_file(repo, "2"), wait_s=0.01)
    assert not lock.exists()
    assert has_tree(repo, one_file(repo, "2"))


def _keep_some(place: str, number: int, count: int) -> None:
    repo = Repo.discover(place)
    for at in range(count):
        keep_tree(repo, one_file(repo, f"{number} {at}"))
    repo.close()


def test_eight_writers_at_once_lose_no_tree(repo: Repo) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_keep_some, args=(str(place_of(repo)), number, 5)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * 8
    assert all(has_tree(repo, one_file(repo, f"{number} {at}")) for number in range(8) for at in range(5))
    assert not list(repo.common_dir.rglob("*.lock"))


def test_merged_refs_keep_what_both_kept_whoever_merges(repo: Repo, tmp_path: Path) -> None:
    place = place_of(repo)
    keep_tree(repo, one_file(repo, "shared"))
    git(place, "clone", "-q", "--mirror", str(place), str(tmp_path / "clone"))
    clone = Repo.discover(tmp_path / "clone")
    for number in range(20):
        keep_tree(repo, one_file(repo, f"ours {number}"))
        keep_tree(clone, one_file(clone, f"theirs {number}"))
    ours, theirs = repo.resolve(CODE_REF), clone.resolve(CODE_REF)
    git(place, "fetch", "-q", str(tmp_path / "clone"), f"{CODE_REF}:refs/runfolio/theirs")
    assert ours
    assert theirs
    merged = merge_code_refs(repo, ours, theirs)
    assert merge_code_refs(repo, theirs, ours) == merged
    assert repo.update_ref(CODE_REF, merged, ours, "test")
    assert all(has_tree(repo, one_file(repo, f"{side} {number}")) for side in ("ours", "theirs") for number in range(20))
    assert has_tree(repo, one_file(repo, "shared"))
    assert merge_code_refs(repo, merged, theirs) == merged
    assert merge_code_refs(repo, ours, merged) == merged
    assert git(place, "fsck", "--strict") == ""
    clone.close()


def test_code_of_another_repository_is_carried_whole_and_only_once(repo: Repo, tmp_path: Path) -> None:
    folio = new_repo(tmp_path / "folio")
    write(place_of(repo), "src/deep/net.py", b"net \xff\n")
    (place_of(repo) / "link").symlink_to("train.py")
    tree = code_tree(repo).tree
    carry_tree(repo, folio, tree)
    keep_tree(folio, tree)
    restore_tree(folio, tree, tmp_path / "out")
    assert (tmp_path / "out/src/deep/net.py").read_bytes() == b"net \xff\n"
    assert os.readlink(tmp_path / "out/link") == "train.py"
    before = git(place_of(folio), "count-objects", "-v")
    write(place_of(repo), "one.py", b"one more\n")
    second = code_tree(repo).tree
    carry_tree(repo, folio, second)
    after = git(place_of(folio), "count-objects", "-v")
    assert int(after.splitlines()[0].split()[1]) - int(before.splitlines()[0].split()[1]) == 2, "the new blob and the root"
    keep_tree(folio, second)
    assert git(place_of(folio), "fsck", "--strict") == ""
    folio.close()


def test_many_carried_objects_come_as_one_pack(repo: Repo, tmp_path: Path) -> None:
    folio = new_repo(tmp_path / "folio")
    for number in range(600):
        write(place_of(repo), f"n/{number}.py", f"{number}\n")
    tree = code_tree(repo).tree
    carry_tree(repo, folio, tree)
    keep_tree(folio, tree)
    assert "packs: 1" in git(place_of(folio), "count-objects", "-v")
    assert restore_tree(folio, tree, tmp_path / "out") == 601
    folio.close()


def test_too_much_code_is_refused_in_words(repo: Repo, tmp_path: Path) -> None:
    folio = new_repo(tmp_path / "folio")
    write(place_of(repo), "data.csv", os.urandom(3000))
    with pytest.raises(StateError, match="MiB"):
        carry_tree(repo, folio, code_tree(repo).tree, max_bytes=2000)
    folio.close()


def test_repositories_that_name_objects_differently_are_told_apart(repo: Repo, tmp_path: Path) -> None:
    folio = new_repo(tmp_path / "folio", "--object-format=sha256")
    with pytest.raises(StateError, match="sha256"):
        carry_tree(repo, folio, code_tree(repo).tree)
    write(place_of(folio), "train.py", "changed\n")
    tree = code_tree(folio).tree
    keep_tree(folio, tree)
    assert len(tree) == 64
    assert has_tree(folio, tree)
    assert restore_tree(folio, tree, tmp_path / "out") == 1
    folio.close()


def test_restore_refuses_a_folder_with_files(repo: Repo, tmp_path: Path) -> None:
    tree = one_file(repo, "1")
    write(tmp_path, "out/mine.txt", "mine")
    with pytest.raises(StateError, match="not empty"):
        restore_tree(repo, tree, tmp_path / "out")
    with pytest.raises(NotFoundError):
        restore_tree(repo, "1" * 40, tmp_path / "new")


@pytest.mark.parametrize("name", ["..", ".git", ".GIT", "a\\b"])
def test_restore_writes_nothing_outside(repo: Repo, tmp_path: Path, name: str) -> None:
    blob = repo.run("hash-object", "-w", "--stdin", input=b"x").decode().strip()
    inner = repo.run("hash-object", "-w", "-t", "tree", "--literally", "--stdin", input=format_tree([Entry("100644", "x", blob)]))
    data = format_tree([Entry("40000", name, inner.decode().strip())])
    tree = repo.run("hash-object", "-w", "-t", "tree", "--literally", "--stdin", input=data).decode().strip()
    with pytest.raises(StateError, match="no work tree may hold"):
        restore_tree(repo, tree, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_tree_bytes_and_id_are_gits(repo: Repo) -> None:
    place = place_of(repo)
    for name in ("a/x", "a.b", "a0", "ü", "z/y/x"):
        write(place, name, name)
    git(place, "add", ".")
    tree = git(place, "write-tree")
    data = repo.read(tree)
    assert data is not None
    entries = parse_tree(data, 20)
    assert format_tree(reversed(entries)) == data
    assert tree_id(data, 20) == tree
    assert write_tree(repo, entries) == tree
    assert without(repo, entries, []) == entries
