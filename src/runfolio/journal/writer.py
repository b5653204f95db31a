"""Append events to a journal."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from runfolio._typing import Any, NoReturn
from runfolio.errors import StateError, StorageError, storage_error
from runfolio.journal.events import encode_event, encode_key, encode_point
from runfolio.journal.syncing import sync_with_folder

_SEALED_ELSEWHERE = "the run was ended by the process that started it. Resume it to log more: start_run(run_id=…)."

_ENDED = "the run has ended: its journal is closed. Start a run, or resume this one: start_run(run_id=…)."

_write = os.write
_writers: weakref.WeakSet[JournalWriter] = weakref.WeakSet()
_fork_lock = threading.Lock()


def _renew_lock() -> None:
    # Held by a thread of the parent at the fork, nobody in the child would give it back.
    global _fork_lock  # noqa: PLW0603 - a lock can only be replaced
    _fork_lock = threading.Lock()
    for writer in list(_writers):
        writer._plain = False  # each looks whose it is before it writes again


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class _RemovedError(Exception):
    """The folder of the journals is not there any more."""


class JournalWriter:
    """One process's hold on one journal.

    Each event is one ``write`` on a file opened for appending, so that threads and processes that log to the same run
    cannot mix their lines, and a killed process loses nothing that a call returned for.

    Parameters
    ----------
    path : Path or str
    each : bool
        Sync every event to disk before the call returns (mode ``power-each``).
    create : bool
        The file must not exist yet.
    """

    def __init__(self, path: Path | str, *, each: bool = False, create: bool = False) -> None:
        self.name = str(path)
        self._each = each
        self._keys: dict[str, str] = {}
        # A killed process may have left half a line behind which we would write: an empty line costs nothing.
        self._torn = not create
        # Whether a line may be written as it is: open here, by this process, nothing torn, nothing to be synced.
        self._plain = create and not each
        _writers.add(self)
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._fd = self._open(create)

    def _open(self, create: bool) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if create else 0)
        try:
            fd = os.open(self.name, flags, 0o666)  # it may become a file of the work tree: the user's mask decides
        except OSError as error:
            raise _not_opened(error) from None
        fcntl.flock(fd, fcntl.LOCK_SH)
        return fd

    @property
    def path(self) -> Path:
        """The journal, under the name that it has while the run goes on."""
        return Path(self.name)

    @property
    def owner(self) -> int:
        """Process id of the process that holds the journal."""
        return self._pid

    @property
    def closed(self) -> bool:
        """Whether this process gave the journal back."""
        return self._fd < 0

    def metric(self, key: str, value: float, timestamp: int, step: int) -> None:
        """Append one point of a metric (a valid key, a float)."""
        spelled = self._keys.get(key)
        if spelled is None:
            spelled = self._keys[key] = encode_key(key)
        self.point(spelled, value, timestamp, step)

    def point(self, spelled: str, value: float, timestamp: int, step: int) -> None:
        """Append one point of a metric whose key was encoded before: the hot path, written out in one place."""
        if not self._plain or value - value != 0.0:
            self.write(encode_point(spelled, value, timestamp, step))
            return
        data = f'["m",{spelled},{value!r},{timestamp},{step}]\n'.encode()
        try:  # as `_append`, whose call would be a tenth of this one
            done = _write(self._fd, data)
        except OSError as error:
            self._failed(error)
        if done != len(data):
            self._finish(data, done)

    def row(self, spelled: Sequence[str], values: Sequence[Any], timestamp: int, step: int) -> bool:
        """Append one point each of several metrics whose keys were encoded before, by one write: as hot a path as :meth:`point`.

        Returns
        -------
        bool
            False, and nothing is written, where it is not that easy: a value is no finite float, or see :meth:`write`.
        """
        if not self._plain:
            return False
        text, end = "", f",{timestamp},{step}]\n"
        for key, value in zip(spelled, values, strict=True):
            if type(value) is not float or value - value != 0.0:
                return False
            text += f'["m",{key},{value!r}{end}'
        if not text:
            return True
        data = text.encode()
        try:
            done = _write(self._fd, data)
        except OSError as error:
            self._failed(error)
        if done != len(data):
            self._finish(data, done)
        return True

    def event(self, *parts: Any) -> None:
        """Append one event."""
        self.write(encode_event(*parts))

    def events(self, lines: list[bytes]) -> None:
        """Append several encoded events by one write: all of them or, on a full disk, the first ones."""
        if lines:
            self.write(b"".join(lines))

    def write(self, data: bytes) -> None:
        """Append encoded events.

        Raises
        ------
        StorageError
            If the disk is full or failed; what earlier calls wrote is still there.
        StateError
            If the run was ended.
        """
        if self._plain:
            self._append(data)
            return
        if self._pid != os.getpid():
            self._after_fork()
        fd = self._fd
        if fd < 0:
            raise StateError(_ENDED)
        if self._torn:
            data = b"\n" + data
        try:
            done = os.write(fd, data)
            if done != len(data):
                self._rest(fd, data, done)
            if self._each:
                os.fdatasync(fd) if hasattr(os, "fdatasync") else os.fsync(fd)
        except OSError as error:
            self._failed(error)
        self._torn = False
        self._plain = not self._each

    def _append(self, data: bytes) -> None:
        try:
            done = _write(self._fd, data)
        except OSError as error:
            self._failed(error)
        if done != len(data):
            self._finish(data, done)

    def _finish(self, data: bytes, done: int) -> None:
        """Write what a short write left over."""
        try:
            self._rest(self._fd, data, done)
        except OSError as error:
            self._failed(error)
        self._torn, self._plain = False, not self._each

    def _failed(self, error: OSError) -> NoReturn:
        self._plain = False
        if self._fd < 0:
            raise StateError(_ENDED) from None
        raise storage_error("write to the run's journal", error) from None

    def _rest(self, fd: int, data: bytes, done: int) -> None:
        # A short write: the disk filled up within the line. Either the rest goes through, or the line stays torn, is
        # skipped by readers, and the next one starts on a line of its own.
        self._torn, self._plain = True, False
        while done < len(data):
            done += os.write(fd, data[done:])

    def _after_fork(self) -> None:
        # The lock belongs to the open file, which parent and child share: the child takes a hold of its own.
        with _fork_lock:
            if self._pid == os.getpid() or self._fd < 0:
                return
            try:
                fresh = os.open(self.name, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            except FileNotFoundError:
                raise StateError(_SEALED_ELSEWHERE) from None
            except OSError as error:
                raise _not_opened(error) from None
            fcntl.flock(fresh, fcntl.LOCK_SH)
            if not self._is_mine(fresh):
                os.close(fresh)
                raise StateError(_SEALED_ELSEWHERE)
            os.close(self._fd)
            self._fd, self._pid, self._lock, self._torn, self._plain = fresh, os.getpid(), threading.Lock(), True, False

    def _is_mine(self, fd: int) -> bool:
        """Tell whether the journal still has its live name, now that nobody can take it away."""
        try:
            return os.path.samestat(os.fstat(fd), os.stat(self.name))
        except FileNotFoundError:
            return False

    def sync(self) -> None:
        """Bring all that was written to disk."""
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise storage_error("sync the run's journal", error) from None

    def close(self, *, sealed_name: str | None = None, durable: bool = True) -> bool:
        """Give the journal back.

        Parameters
        ----------
        sealed_name : str, optional
            The run has ended: give the journal this name if no other process holds it.
        durable : bool, optional
            Sync file and folder first.

        Returns
        -------
        bool
            True if the journal has its sealed name now.

        Raises
        ------
        StorageError
            If the disk failed, or the run has ended and its journal was removed, folder and all.
        """
        with self._lock:
            fd, self._fd, self._plain = self._fd, -1, False
        if fd < 0:
            return False
        sealed = False
        try:
            if sealed_name is not None and self._pid == os.getpid():
                sealed = self._seal(fd, sealed_name)
                if not sealed and os.fstat(fd).st_nlink == 0 and not self.path.parent.exists():
                    raise _RemovedError
            if durable:
                sync_with_folder(fd, os.path.dirname(self.name)) if sealed else os.fsync(fd)
        except _RemovedError:
            raise StorageError(
                f"{self.path.parent} was removed while the run went on, and with it what the run had logged. If the folio was moved, "
                "look for the run's journal there: runfolio recover"
            ) from None
        except OSError as error:
            raise storage_error("sync the run's journal", error) from None
        finally:
            if self._pid == os.getpid():
                # Forked children share the lock with the open file; without this it would stay theirs until they end.
                with suppress(OSError):
                    fcntl.flock(fd, fcntl.LOCK_UN)
            os.close(fd)
        return sealed

    def _seal(self, fd: int, sealed_name: str) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False  # another process still logs to the run; whoever lets go last seals it
        if os.fstat(fd).st_nlink == 0:
            return False
        try:
            os.rename(self.name, sealed_name)
        except FileNotFoundError:
            return False  # it has its sealed name already
        return True


def _not_opened(error: OSError) -> StorageError:
    """Say that a journal could not be opened, and where else may be logged to."""
    made = storage_error("open the run's journal", error)
    if error.errno in (errno.EACCES, errno.EPERM):
        made = StorageError(f"{made.message} Or log elsewhere: RUNFOLIO_SPOOL=FOLDER.")
        made.errno, made.filename = error.errno, error.filename
    return made
