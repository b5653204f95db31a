"""Move a branch as git's own files backend does: lock, look again, write the reflog, rename.

The order is git's (``refs/files-backend.c``): ``REF.lock`` is made only if it is not there, the value is read again under it (the loose
file, then ``packed-refs``), the reflog gets its line, the lock becomes the ref. The branch that ``HEAD`` stands on takes ``HEAD.lock``
too and has a line in ``HEAD``'s reflog.

A lock here is a second name of a file of ours (``runfolio/ref.…``), written whole before, and held by ``flock`` while its process
lives. So a lock never holds half a value, and whoever finds both names on one file that nobody holds knows that the lock of a killed
process is ours to remove. What this module does not do (a branch that is new, symbolic, or in another backend) it leaves to git.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from urllib.parse import quote, unquote

from runfolio.gitstore.loose import write_whole

LOCK_WAIT_S = 0.1
"""How long somebody else's lock is waited for: git's own ``core.filesRefLockTimeout``."""
_ID = re.compile(r"[0-9a-f]{40}\n?\Z")
_MARK = "ref."
_numbers = count()


class LeaveToGitError(Exception):
    """It is not done here: nothing was changed, git is to do it."""


class RefFiles:
    """The refs of a repository whose refs are files.

    Parameters
    ----------
    common_dir : Path
        The repository; not a linked work tree.
    """

    def __init__(self, common_dir: Path) -> None:
        self._root = str(common_dir)
        self._ours = f"{common_dir}/runfolio"

    def swap(self, name: str, new: str, old: str, reflog: str, *, logged: bool, durable: bool) -> bool:
        """Move a ref that is at `old` to `new`.

        Parameters
        ----------
        name : str
            Full name of a branch.
        new, old : str
            Object ids.
        reflog : str
            Who, when and why: the reflog's line without the two ids.
        logged : bool
            Begin a reflog where there is none; one that is there is always written.
        durable : bool
            Sync the ref to disk.

        Returns
        -------
        bool
            False if it was not at `old` any more, or somebody else held its lock: nothing was changed.

        Raises
        ------
        LeaveToGitError
            If it is not there, not a plain branch, or cannot be written.
        """
        try:
            with self._own(name, new, durable) as own, self._locked(name, own) as lock:
                head = self._head_at(name)
                with self._locked("HEAD", own) if head else _nothing():
                    if self._value(name) != old:
                        return False
                    line = f"{old} {new} {reflog}\n".encode("utf-8", "surrogateescape")
                    for log in (name, "HEAD") if head else (name,):
                        self._log(log, line, logged)
                    os.rename(lock, f"{self._root}/{name}")
                    return True
        except _HeldError:
            return False
        except OSError as error:
            raise LeaveToGitError(str(error)) from None

    @contextmanager
    def _own(self, name: str, value: str, durable: bool) -> Iterator[str]:
        own = f"{self._ours}/{_MARK}{os.getpid()}.{next(_numbers)}.{quote(name, safe='')}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            fd = os.open(own, flags, 0o666)
        except FileNotFoundError:
            os.makedirs(self._ours, exist_ok=True)
            fd = os.open(own, flags, 0o666)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            write_whole(fd, f"{value}\n".encode("ascii"))
            if durable:
                os.fsync(fd)
            yield own
        finally:
            with suppress(OSError):
                os.unlink(own)
            os.close(fd)

    @contextmanager
    def _locked(self, name: str, own: str) -> Iterator[str]:
        lock = f"{self._root}/{name}.lock"
        give_up, pause = time.monotonic() + LOCK_WAIT_S, 0.001
        while True:
            try:
                os.link(own, lock)
                break
            except FileNotFoundError:
                os.makedirs(os.path.dirname(lock), exist_ok=True)  # git removes the empty folder of a ref that it packs
            except FileExistsError:
                if remove_left_refs(self._root):
                    continue
                if time.monotonic() > give_up:
                    raise _HeldError from None
                time.sleep(pause)
                pause = min(pause * 2, 0.02)
        try:
            yield lock
        finally:
            # Renamed, it is the ref, and the name is free or somebody else's: only a lock that is still ours is given back.
            with suppress(OSError):
                if os.path.samefile(lock, own):
                    os.unlink(lock)

    def _head_at(self, name: str) -> bool:
        with open(f"{self._root}/HEAD", encoding="utf-8", errors="surrogateescape") as file:
            return file.read().strip() == f"ref: {name}"

    def _value(self, name: str) -> str:
        """Return what the ref is at, read now."""
        try:
            with open(f"{self._root}/{name}", encoding="ascii") as file:
                text = file.read()
        except (FileNotFoundError, IsADirectoryError):
            text = self._packed(name)
        except UnicodeDecodeError:
            raise LeaveToGitError(name) from None
        if not _ID.match(text):
            raise LeaveToGitError(name)  # symbolic, or not there
        return text[:40]

    def _packed(self, name: str) -> str:
        with suppress(FileNotFoundError), open(f"{self._root}/packed-refs", "rb") as file:
            data = file.read()
            end = data.find(b" " + name.encode("utf-8", "surrogateescape") + b"\n")
            if end >= 40:
                return data[data.rfind(b"\n", 0, end) + 1 : end].decode("ascii", "replace")
        return ""

    def _log(self, name: str, line: bytes, begin: bool) -> None:
        path = f"{self._root}/logs/{name}"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        try:
            fd = os.open(path, flags)
        except FileNotFoundError:
            if not begin:
                return
            os.makedirs(os.path.dirname(path), exist_ok=True)
            fd = os.open(path, flags | os.O_CREAT, 0o666)
        try:
            write_whole(fd, line)
        finally:
            os.close(fd)


class _HeldError(Exception):
    """Somebody else holds a lock."""


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def remove_left_refs(common_dir: Path | str) -> int:
    """Remove the ref locks that killed processes of ours left, and return how many.

    Parameters
    ----------
    common_dir : Path or str
    """
    folder, removed = f"{common_dir}/runfolio", 0
    try:
        names = [name for name in os.listdir(folder) if name.startswith(_MARK)]
    except OSError:
        return 0
    for name in names:
        with suppress(OSError):
            removed += _remove_left(f"{folder}/{name}", str(common_dir))
    return removed


def _remove_left(own: str, root: str) -> int:
    fd = os.open(own, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while its process lives
        found = os.fstat(fd)
        if not os.path.samestat(os.stat(own), found):
            return 0  # another cleaner was first
        ref = unquote(own.rpartition("/")[2].split(".", 3)[3])
        removed = 0
        for lock in (f"{root}/HEAD.lock", f"{root}/{ref}.lock"):
            with suppress(OSError):
                if os.path.samestat(os.stat(lock), found):
                    os.unlink(lock)
                    removed += 1
        os.unlink(own)
        return removed
    finally:
        os.close(fd)
