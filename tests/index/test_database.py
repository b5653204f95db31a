"""Whatever becomes of the file, the answer is right and no error of the cache reaches the user."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runfolio.index import Index, database
from runfolio.index.schema import SCHEMA
from runfolio.records import Run
from tests.index.history import History

SOME = [Run(f"r{place}", "wine", start=place, params={"p": str(place)}) for place in range(50)]
NEWEST_FIRST = [run.run_id for run in reversed(SOME)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite"


def asked(file: Path, history: History) -> Index:
    index = Index.open(file)
    index.update(history.repo, history.repo.resolve("main"))
    assert [run.run_id for run in index.search_runs()] == NEWEST_FIRST
    return index


def test_the_file_is_used_again(file: Path, history: History) -> None:
    history.commit_runs(SOME)
    asked(file, history).close()
    before = file.read_bytes()
    index = asked(file, history)
    index.close()
    assert index.file == file
    assert file.read_bytes() == before


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    half = len(data) // 2
    return data[:4096] + bytes(byte ^ 0xFF for byte in data[4096:half]) + data[half:]


def other_schema(data: bytes) -> bytes:
    return data[:60] + (SCHEMA + 1).to_bytes(4, "big") + data[64:]


DAMAGE = {
    "cut": cut,
    "flipped": flipped,
    "empty": lambda data: b"",
    "text": lambda data: b"not a database at all\n" * 99,
    "schema": other_schema,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_made_again(damage: object, file: Path, history: History) -> None:
    history.commit_runs(SOME)
    asked(file, history).close()
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    index = asked(file, history)
    assert index.file == file
    index.close()
    index = asked(file, history)
    assert index.file == file
    index.close()


def test_a_file_damaged_while_it_is_open_is_made_again(file: Path, history: History) -> None:
    history.commit_runs(SOME)
    index = asked(file, history)
    file.write_bytes(b"x" * file.stat().st_size)
    history.commit_runs([Run("late", "wine", start=99)])
    index.update(history.repo, history.repo.resolve("main"))
    assert [run.run_id for run in index.search_runs()] == ["late", *NEWEST_FIRST]
    index.close()


def test_a_record_that_is_damaged_in_the_file_is_read_from_git_again(file: Path, history: History) -> None:
    history.commit_runs(SOME)
    asked(file, history).close()
    connection = sqlite3.connect(file)
    connection.execute("UPDATE bodies SET body = x'00' WHERE pk = 7")
    connection.commit()
    connection.close()
    asked(file, history).close()


@pytest.mark.parametrize("place", ["missing/folder/index.sqlite", "a-file/index.sqlite", "a-folder"])
def test_a_file_that_cannot_be_opened_means_memory(place: str, tmp_path: Path, history: History) -> None:
    history.commit_runs(SOME)
    (tmp_path / "a-file").write_bytes(b"")
    (tmp_path / "a-folder").mkdir()
    assert asked(tmp_path / place, history).file is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_means_memory(file: Path, history: History) -> None:
    history.commit_runs(SOME)
    file.parent.chmod(0o555)
    try:
        assert asked(file, history).file is None
    finally:
        file.parent.chmod(0o755)


def test_a_read_only_file_of_an_older_commit_means_memory(file: Path, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    history.commit_runs(SOME[:20])
    index = Index.open(file)
    index.update(history.repo, history.repo.resolve("main"))
    index.close()
    history.commit_runs(SOME[20:])
    connect = sqlite3.connect

    def read_only(name: str, **options: object) -> sqlite3.Connection:
        return connect(f"file:{name}?mode=ro", uri=True, **options) if name == str(file) else connect(name, **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(sqlite3, "connect", read_only)
    assert asked(file, history).file is None


def test_a_file_locked_for_too_long_means_memory(file: Path, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    history.commit_runs(SOME)
    asked(file, history).close()
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.05)
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert asked(file, history).file is None
    holder.execute("ROLLBACK")
    holder.close()


def test_an_index_answers_from_its_own_commit_though_another_moves_the_file(file: Path, history: History) -> None:
    first = history.commit_runs(SOME[:30])
    second = history.commit_runs(SOME[30:])
    one, two = Index.open(file), Index.open(file)
    one.update(history.repo, first)
    two.update(history.repo, second)
    for _ in range(3):
        assert one.count() == 30
        assert two.count() == 50
    one.close()
    two.close()


def test_threads_share_an_index(file: Path, history: History) -> None:
    history.commit_runs(SOME)
    index = asked(file, history)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.extend(index.count() for _ in range(20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [50] * 160
    index.close()


def test_a_forked_child_asks_for_itself(file: Path, history: History) -> None:
    history.commit_runs(SOME)
    index = asked(file, history)
    child = os.fork()
    if child == 0:
        os._exit(index.count())
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 50
    assert index.count() == 50
    index.close()


WORKER = """
import sys
from pathlib import Path
from runfolio.gitstore.repo import Repo
from runfolio.index import Index

repo, file, commits = Repo.discover(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
for turn in range(12):
    index = Index.open(file)
    place = turn % len(commits)
    index.update(repo, commits[place])
    assert index.count() == 10 * (place + 1), (turn, place, index.count())
    assert index.file == file
    index.close()
"""


def test_processes_that_move_one_file_at_once_all_get_their_own_answer(file: Path, history: History) -> None:
    commits = [history.commit_runs(SOME[:10])] + [history.commit_runs(SOME[at : at + 10]) for at in (10, 20, 30)]
    command = [sys.executable, "-W", "error", "-c", WORKER, str(history.repo.git_dir), str(file)]
    workers = [subprocess.Popen([*command, *commits], stderr=subprocess.PIPE) for _ in range(4)]
    said = [worker.communicate(timeout=120)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0, 0], b"\n".join(said).decode()
