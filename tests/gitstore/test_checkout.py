"""What was committed appears in the work tree, and a file that is no longer needed may become one of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from runfolio.gitstore import FileChange, Ident, Repo, commit_files
from runfolio.gitstore.checkout import show_known
from runfolio.gitstore.index_lock import index_held
from tests.conftest import git

RECORD = "runs/wine/a.json"


def commit_and_show(folder: Path, *changes: FileChange) -> None:
    repo = Repo.discover(folder)
    before = repo.resolve("HEAD")
    (repo.git_dir / "runfolio").mkdir(exist_ok=True)
    assert commit_files(repo, "refs/heads/main", before, changes, "runs\n", Ident("Ada", "ada@example.org"))
    with index_held(repo):
        show_known(repo, changes, before)
    repo.close()


@pytest.fixture
def donor(repo_dir: Path) -> Path:
    folder = repo_dir / ".git" / "journal"
    folder.mkdir()
    (folder / "a.sealed.jsonl").write_bytes(b'["open",{}]\n' * 50)
    return folder / "a.sealed.jsonl"


def test_a_donor_becomes_the_file(repo_dir: Path, donor: Path) -> None:
    inode = donor.stat().st_ino
    commit_and_show(repo_dir, FileChange(RECORD, b"{}\n", str(donor)))
    assert ((repo_dir / RECORD).read_bytes(), (repo_dir / RECORD).stat().st_ino) == (b"{}\n", inode)
    assert not donor.exists()
    assert git(repo_dir, "status", "--porcelain") == ""


def test_a_donor_shorter_than_the_file_does(repo_dir: Path, donor: Path) -> None:
    donor.write_bytes(b"x")
    commit_and_show(repo_dir, FileChange(RECORD, b"{" + b" " * 9000 + b"}\n", str(donor)))
    assert (repo_dir / RECORD).stat().st_size == 9003
    assert git(repo_dir, "status", "--porcelain") == ""


def test_without_its_donor_the_file_is_made(repo_dir: Path, donor: Path) -> None:
    donor.unlink()
    commit_and_show(repo_dir, FileChange(RECORD, b"{}\n", str(donor)))
    assert (repo_dir / RECORD).read_bytes() == b"{}\n"
    assert git(repo_dir, "status", "--porcelain") == ""


def test_a_file_that_the_user_has_there_takes_no_donor(repo_dir: Path, donor: Path) -> None:
    (repo_dir / RECORD).parent.mkdir(parents=True)
    (repo_dir / RECORD).write_text("mine")
    commit_and_show(repo_dir, FileChange(RECORD, b"{}\n", str(donor)))
    assert (repo_dir / RECORD).read_text() == "mine"
    assert donor.exists()


@pytest.mark.skipif(not hasattr(os, "getgid"), reason="folders have groups on POSIX only")
def test_where_a_folder_hands_its_group_down_the_file_is_made(repo_dir: Path, donor: Path) -> None:
    folder = (repo_dir / RECORD).parent
    folder.mkdir(parents=True)
    folder.chmod(0o2775)
    assert folder.stat().st_mode & stat.S_ISGID
    inode = donor.stat().st_ino
    commit_and_show(repo_dir, FileChange(RECORD, b"{}\n", str(donor)))
    assert (repo_dir / RECORD).stat().st_ino != inode
    assert donor.exists()


def test_no_name_of_a_donor_is_left_in_the_work_tree(repo_dir: Path, donor: Path) -> None:
    commit_and_show(repo_dir, FileChange(RECORD, b"{}\n", str(donor)))
    assert [path.name for path in (repo_dir / RECORD).parent.iterdir()] == ["a.json"]
