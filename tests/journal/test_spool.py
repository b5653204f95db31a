"""The folder of journals, made by whoever comes first."""

from __future__ import annotations

import threading
from pathlib import Path

from runfolio.errors import StorageError
from runfolio.journal import Spool

WRITERS = 8


def test_writers_that_begin_at_once_in_a_new_folder_all_begin(tmp_path: Path) -> None:
    faults: list[StorageError] = []
    for round_number in range(40):
        spool = Spool(tmp_path / str(round_number), "process")
        meet = threading.Barrier(WRITERS)

        def begin(number: int, spool: Spool = spool, meet: threading.Barrier = meet) -> None:
            meet.wait()
            try:
                spool.create(f"{number:032d}", {"schema": 1}).close(durable=False)
            except StorageError as error:
                faults.append(error)

        threads = [threading.Thread(target=begin, args=(number,)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(spool.journals()) + len(faults) == WRITERS
    assert faults == []
