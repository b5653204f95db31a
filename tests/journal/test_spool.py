"""The folder of journals, made by whoever comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from runfolio.errors import StorageError
from runfolio.journal import JournalWriter, Spool

WRITERS = 8
ROUNDS = 40


def at_once(act: Callable[[int], None]) -> list[StorageError]:
    """Let threads do something at the same moment, and return what went wrong."""
    faults: list[StorageError] = []
    meet = threading.Barrier(WRITERS)

    def begin(number: int) -> None:
        meet.wait()
        try:
            act(number)
        except StorageError as error:
            faults.append(error)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def test_writers_that_begin_at_once_in_a_new_folder_all_begin(tmp_path: Path) -> None:
    for round_number in range(ROUNDS):
        spool = Spool(tmp_path / str(round_number), "process")
        assert at_once(lambda number, spool=spool: spool.create(f"{number:032d}", {"schema": 1}).close(durable=False)) == []  # type: ignore[misc]
        assert len(spool.journals()) == WRITERS


def test_a_package_list_that_threads_keep_at_once_is_kept(tmp_path: Path) -> None:
    text = "numpy==2.4.6\n" * 400
    for round_number in range(ROUNDS):
        spool = Spool(tmp_path / str(round_number), "process")
        assert at_once(lambda _, spool=spool: spool.keep_environment("0123456789abcdef", text)) == []  # type: ignore[misc]
        assert spool.environment("0123456789abcdef") == text.encode()


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="a folder that refuses even root is Linux's /sys")
def test_a_journal_that_may_not_be_written_is_answered_with_where_else_to_log() -> None:
    with pytest.raises(StorageError, match="RUNFOLIO_SPOOL"):
        JournalWriter(Path("/sys/kernel/run.jsonl"), each=False, create=True)
