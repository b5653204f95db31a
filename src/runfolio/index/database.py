"""The SQLite file or memory behind an index: opening, transactions, and giving up on a file that does not serve.

The journal is SQLite's rollback journal, because the write-ahead log needs shared memory, which network folders lack.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUSY_TIMEOUT_S = 30.0
_CACHE_KIB = 65_536


class Database:
    """A connection that can be replaced.

    Parameters
    ----------
    file : Path or None
        None: in memory, gone with the process.
    """

    def __init__(self, file: Path | None) -> None:
        self._connection: sqlite3.Connection | None = None
        self._file = file
        self._process = os.getpid()

    @property
    def file(self) -> Path | None:
        """Where it lies; None in memory."""
        return self._file

    def connection(self) -> sqlite3.Connection:
        """Return the open connection; opened again in a forked child, which must not share its parent's file locks."""
        if self._connection is not None and self._file is not None and self._process != os.getpid():
            self._connection = None
        if self._connection is None:
            self._connection = _connect(self._file)
            self._process = os.getpid()
        return self._connection

    def give_up(self, error: Exception) -> None:
        """Replace what raised `error`: a damaged file by a new one, a file that cannot be used by memory.

        Raises
        ------
        Exception
            `error`, where it is in memory already.
        """
        if self._file is None:
            raise error
        if isinstance(error, sqlite3.OperationalError):
            self.go_private()  # locked, read-only, disk full, no such folder: the file may be good, but not for us
        else:
            self.close()
            _remove(self._file)

    def go_private(self) -> None:
        """Leave the file and go on in memory, with what the file holds where it can be read."""
        private = _connect(None)
        try:
            self.connection().backup(private)
        except sqlite3.Error:
            private.close()
            private = _connect(None)
        self.close()
        self._file, self._connection = None, private

    def copy(self) -> Database:
        """Return a copy in memory."""
        made = Database(None)
        self.connection().backup(made.connection())
        return made

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        if self._connection is not None and self._process == os.getpid():
            self._connection.close()
        self._connection = None

    def __del__(self) -> None:
        """Close a copy in memory that nobody holds any more: from Python 3.13 on, one that is left open is warned of."""
        self.close()


@contextmanager
def transaction(db: sqlite3.Connection, mode: str) -> Iterator[None]:
    """Run the block in a transaction: ``DEFERRED`` to read one state, ``IMMEDIATE`` to write; undone if the block raises."""
    db.execute(f"BEGIN {mode}")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _connect(file: Path | None) -> sqlite3.Connection:
    db = sqlite3.connect(
        ":memory:" if file is None else str(file), timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    db.execute("PRAGMA synchronous = NORMAL")
    return db


def _remove(file: Path) -> None:
    for path in (
        file,
        file.with_name(file.name + "-journal"),
        file.with_name(file.name + "-wal"),
        file.with_name(file.name + "-shm"),
    ):
        try:
            path.unlink(missing_ok=True)
        except OSError:
            # It stays, will not open, and is given up for memory the next time round.
            continue
