"""Move a branch as git's own files backend does: lock, look again, write the reflog, rename.

The order is git's (``refs/files-backend.c``): ``REF.lock`` is made only if it is not there, the value is read again under it (the loose
file, then ``packed-refs``), the reflog gets its line, the lock becomes the ref. The branch that ``HEAD`` stands on takes ``HEAD.lock``
too and has a line in ``HEAD``'s reflog.

So that the lock of a killed process can be told from anybody else's, the ref and its new value are noted first, in one file of ours
(``runfolio/ref.moving``) that is held by ``flock`` meanwhile: whoever gets hold of it and finds a note knows that its writer is dead, and
that a lock with that value was its own. What this module does not do (a branch that is new, symbolic, or in another backend) it leaves
to git.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from runfolio.gitstore.loose import write_whole
from runfolio.gitstore.settled import SettledFiles, read_small

LOCK_WAIT_S = 0.1
"""How long somebody else's lock is waited for: git's own ``core.filesRefLockTimeout``."""
SETTLED_S = 1.0
"""How long a lock without content must stay so before it counts as a killed process's, in seconds."""
NOTE = "ref.moving"
_ID = re.compile(r"[0-9a-f]{40}\n?\Z")


class LeaveToGitError(Exception):
    """It is not done here: nothing was changed, git is to do it."""


class RefFiles:
    """The refs of a repository whose refs are files.

    Parameters
    ----------
    common_dir : Path
        The repository; not a linked work tree.
    files : SettledFiles, optional
        What reads ``HEAD``.
    """

    def __init__(self, common_dir: Path, files: SettledFiles | None = None) -> None:
        self._root, self._files = str(common_dir), files or SettledFiles()
        self._note = f"{common_dir}/runfolio/{NOTE}"
        self._left = False  # a lock could not be removed: the note stays, so that the next one removes it

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
            with self._noted(name, new), self._locked(name, new, durable) as lock:
                head = self._head_at(name)
                with self._locked("HEAD", new, False) if head else nullcontext():
                    if self._value(name) != old:
                        return False
                    line = f"{old} {new} {reflog}\n".encode("utf-8", "surrogateescape")
                    for log in (name, "HEAD") if head else (name,):
                        self._log(log, line, logged)
                    lock.rename(f"{self._root}/{name}")
                    return True
        except _HeldError:
            return False
        except OSError as error:
            raise LeaveToGitError(str(error)) from None

    @contextmanager
    def _noted(self, name: str, value: str) -> Iterator[None]:
        """Hold the note, and say in it what is about to be done."""
        fd = _opened(self._note)
        try:
            _hold(fd)
            _finish(fd, self._root)
            os.pwrite(fd, f"{value} {name}\n".encode("utf-8", "surrogateescape"), 0)
            self._left = False
            try:
                yield
            finally:
                if not self._left:
                    os.ftruncate(fd, 0)
        finally:
            fcntl.flock(fd, fcntl.LOCK_UN)  # a child that was forked meanwhile has the file open, too
            os.close(fd)

    @contextmanager
    def _locked(self, name: str, value: str, durable: bool) -> Iterator[_Lock]:
        lock = _Lock(f"{self._root}/{name}.lock")
        give_up, pause = time.monotonic() + LOCK_WAIT_S, 0.001
        while True:
            try:
                lock.take(f"{value}\n".encode("ascii"), durable)
                break
            except FileNotFoundError:
                os.makedirs(os.path.dirname(lock.path), exist_ok=True)  # git removes the empty folder of a ref that it packs
            except FileExistsError:
                if time.monotonic() > give_up:
                    raise _HeldError from None
                time.sleep(pause)
                pause = min(pause * 2, 0.02)
            except BaseException:
                self._left |= not lock.give_back()
                raise
        try:
            yield lock
        finally:
            self._left |= not lock.give_back()

    def _head_at(self, name: str) -> bool:
        text = self._files.read(f"{self._root}/HEAD")
        if text is None:
            raise LeaveToGitError("HEAD")
        return text.strip() == f"ref: {name}"

    def _value(self, name: str) -> str:
        """Return what the ref is at, read now."""
        try:
            # A link is how git once wrote a symbolic ref: moving it would cut it off from the ref that it names.
            text = read_small(f"{self._root}/{name}", follow=False).decode("ascii", "replace")
        except (FileNotFoundError, IsADirectoryError):
            text = self._packed(name)
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


class _Lock:
    """One lock file, taken and not yet renamed."""

    def __init__(self, path: str) -> None:
        self.path, self._ours = path, False

    def take(self, data: bytes, durable: bool) -> None:
        """Make the file, which must not be there, with its content; where that fails half-way, :meth:`give_back` removes it."""
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._ours = True
        try:
            write_whole(fd, data)
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)

    def rename(self, target: str) -> None:
        """Make it the ref: from then on the name is free, or somebody else's."""
        os.rename(self.path, target)
        self._ours = False

    def give_back(self) -> bool:
        """Remove it, if it is still ours, and tell whether it is gone."""
        ours, self._ours = self._ours, False
        return not ours or _removed(self.path)


def _removed(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


class _HeldError(Exception):
    """Somebody else holds a lock."""


def _opened(note: str) -> int:
    try:
        return os.open(note, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(note), exist_ok=True)
        return os.open(note, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _hold(fd: int) -> None:
    give_up = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise _HeldError from None
            time.sleep(0.001)


def left_refs(common_dir: Path | str) -> bool:
    """Tell whether a process of ours is moving a ref, or was killed at it."""
    try:
        return os.stat(f"{common_dir}/runfolio/{NOTE}").st_size > 0
    except OSError:
        return False


def remove_left_refs(common_dir: Path | str) -> None:
    """Remove the locks that a killed process of ours left.

    Parameters
    ----------
    common_dir : Path or str
    """
    if not left_refs(common_dir):
        return
    with suppress(OSError, _HeldError):
        fd = os.open(f"{common_dir}/runfolio/{NOTE}", os.O_RDWR | os.O_CLOEXEC)
        try:
            _hold(fd)
            _finish(fd, str(common_dir))
        finally:
            fcntl.flock(fd, fcntl.LOCK_UN)
            os.close(fd)


def _finish(fd: int, root: str) -> None:
    """Remove the locks of the process that wrote the note, which is dead: its file is held by the caller now."""
    value, _, rest = os.pread(fd, 4096, 0).decode("utf-8", "surrogateescape").partition(" ")
    if not value:
        return
    name, whole, _ = rest.partition("\n")
    gone = True
    if whole:  # without its end the note was cut off, and no lock was taken yet
        for lock in (f"{root}/HEAD.lock", f"{root}/{name}.lock"):
            if _is_left(lock, value):
                gone &= _removed(lock)
    if gone:
        os.ftruncate(fd, 0)


def _is_left(lock: str, value: str) -> bool:
    """Tell whether a lock is the one that was to give a ref that value: nobody else's ever says so."""
    try:
        with open(lock, encoding="ascii") as file:
            text = file.read()
            if text:
                return text.strip() == value
            # Killed before it could write, or a git that is just about to: that one goes on in milliseconds.
            seen, give_up = os.fstat(file.fileno()), time.monotonic() + SETTLED_S
        while time.monotonic() < give_up:
            time.sleep(0.02)
            now = os.stat(lock)
            if now.st_size or not os.path.samestat(now, seen):
                return False
        return True
    except (OSError, UnicodeDecodeError):
        return False
