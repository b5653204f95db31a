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


def test_a_change_in_the_second_of_the_last_add_is_still_seen_after_a_commit_of_records(folio_dir: Path) -> None:
    from runfolio.folio.opening import open_folio
    from tests.conftest import git as run_git

    moment = (1_700_000_000 * 10**9, 1_700_000_000 * 10**9)
    run_git(folio_dir, "config", "core.trustctime", "false")
    file = folio_dir / "quick.py"
    file.write_text("accuracy = 1\n")
    os.utime(file, ns=moment)
    run_git(folio_dir, "add", "quick.py")
    run_git(folio_dir, "commit", "-qm", "quick")
    run_git(folio_dir, "update-index", "--refresh")
    file.write_text("accuracy = 2\n")
    os.utime(file, ns=moment)
    os.utime(folio_dir / ".git" / "index", ns=moment)
    folio = open_folio(str(folio_dir))
    try:
        folio.experiments.create("another")
    finally:
        folio.close()
    assert run_git(folio_dir, "status", "--porcelain") == " M quick.py\n"
