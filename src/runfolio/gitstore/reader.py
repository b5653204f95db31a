"""Read many objects through one long-lived ``git cat-file --batch``; a few without it, where they are at hand.

Requests are written in slices small enough for the pipe while answers are read, so that neither side can block the
other. A reader belongs to the process that started it: after a fork the child lets go of the parent's pipes at once (held open,
they would keep the parent's git from seeing its end) and starts its own.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path

from runfolio._typing import IO, TYPE_CHECKING
from runfolio.errors import GitError, RemoteError
from runfolio.gitstore.nearby import NearbyObjects, NotNearbyError
from runfolio.gitstore.process import NO_HOOKS, SAFE, environment
from runfolio.gitstore.program import git_program

if TYPE_CHECKING:
    import subprocess

_SLICE_BYTES = 32 * 1024
FEW = 40
"""Names of one question up to which each is looked for here first: git's answer costs less for more, but its start 5 ms."""


class ObjectReader:
    """Answers of ``git cat-file --batch``, one process for the reader's life.

    Parameters
    ----------
    git_dir, common_dir : Path
    """

    def __init__(self, git_dir: Path, common_dir: Path) -> None:
        self._git_dir = git_dir
        self.nearby = NearbyObjects(common_dir)
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = threading.RLock()
        _readers.add(self)

    def read_many(self, names: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield (name, content) for each name in order; None where there is no such object.

        Parameters
        ----------
        names : iterable of str
            Object ids, or ``rev:path``. A name may not hold a newline.
        """
        waiting = iter(names)
        first = list(islice(waiting, FEW + 1))
        if len(first) <= FEW:
            yield from self._read_few(first)
            return
        waiting = chain(first, waiting)
        while True:
            batch: list[str] = []
            size = 0
            for name in islice(waiting, 512):
                batch.append(name)
                size += len(name) + 1
                if size > _SLICE_BYTES:
                    break
            if not batch:
                return
            with self._lock:
                answers = list(self._ask(batch))
            yield from answers

    def read(self, name: str) -> bytes | None:
        """Return the content of one object, or None; see :meth:`read_many`."""
        with self._lock:
            if self.nearby.trusted():
                try:
                    return self.nearby.answer(name)
                except NotNearbyError:
                    pass
            return dict(self._ask([name]))[name]

    def _read_few(self, names: list[str]) -> list[tuple[str, bytes | None]]:
        with self._lock:
            found: dict[str, bytes | None] = {}
            trusted, asked = self.nearby.trusted(), []
            for name in names:
                try:
                    if not trusted:
                        raise NotNearbyError
                    found[name] = self.nearby.answer(name)
                except NotNearbyError:
                    asked.append(name)
            found.update(self._ask(asked) if asked else ())
        return [(name, found[name]) for name in names]

    def _ask(self, batch: list[str]) -> Iterator[tuple[str, bytes | None]]:
        process = self._start()
        assert process.stdin
        assert process.stdout
        good = [name for name in batch if name and "\n" not in name]
        try:
            # Without --buffer git flushes after every answer. A slice of requests is written before its first answer is
            # read, which keeps both sides busy; 32 KiB of requests always fit the pipe (64 KiB on Linux and macOS).
            process.stdin.write("".join(f"{name}\n" for name in good).encode("utf-8", "surrogateescape"))
            process.stdin.flush()
            for name in batch:
                yield name, (self._answer(process.stdout) if name and "\n" not in name else None)
        except (BrokenPipeError, ValueError) as error:
            self.close()
            if self._is_partial():
                # git fetches what a partial clone lacks as it is read, and ends where it cannot.
                raise RemoteError(
                    f"{self._git_dir} is a partial clone, and a record that is not in it could not be fetched from its remote. Where the "
                    "remote can be reached, run: git fetch --refetch --no-filter"
                ) from None
            raise GitError(f"git cat-file stopped while reading from {self._git_dir}: {error}. Run: git fsck") from None

    def _is_partial(self) -> bool:
        with suppress(OSError):
            for folder in (self._git_dir, *self._git_dir.parents[1:2]):  # of a linked work tree: .git/worktrees/NAME
                text = (folder / "config").read_text("utf-8", "replace").lower() if (folder / "config").is_file() else ""
                if "promisor" in text or "partialclone" in text:
                    return True
        return False

    def _answer(self, stream: IO[bytes]) -> bytes | None:
        header = stream.readline()
        if not header:
            raise BrokenPipeError("no answer")
        parts = header.rsplit(b" ", 2)
        if header.endswith((b" missing\n", b" ambiguous\n")) or len(parts) != 3:
            return None
        size = int(parts[2])
        data = stream.read(size)
        stream.read(1)
        return data

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._owner == os.getpid() and self._process.poll() is None:
            return self._process
        import subprocess  # a few objects are read without it

        self.close()  # one that stopped by itself, at an object that it cannot unpack
        self._owner = os.getpid()
        try:
            self._process = subprocess.Popen(
                [git_program(), *SAFE, *NO_HOOKS, "--git-dir", str(self._git_dir), "cat-file", "--batch"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(),
                start_new_session=True,
                bufsize=256 * 1024,
            )
        except OSError as error:
            raise GitError(f"git could not be started: {error.strerror or error}.") from None
        return self._process

    def close(self) -> None:
        """Stop the process; the next read starts another."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        for stream in (process.stdin, process.stdout):
            if stream:
                with suppress(OSError):
                    stream.close()
        # It only reads, so nothing is lost; another holder of its pipe (a program that was started without closing files)
        # must not keep us waiting.
        process.kill()
        process.wait()

    def forget(self) -> None:
        """Let go of the parent's process, in a forked child: nothing is written to it, nothing read."""
        process, self._process = self._process, None
        self._lock = threading.RLock()
        if process is None:
            return
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (process.stdin, process.stdout):
            if stream and not stream.closed:
                # The number stays taken: closing the stream later must not close somebody else's file.
                os.dup2(null, stream.fileno(), inheritable=False)
        os.close(null)
        process.returncode = 0  # not ours to wait for


_readers: weakref.WeakSet[ObjectReader] = weakref.WeakSet()


def _forget_all() -> None:
    for reader in list(_readers):
        reader.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
