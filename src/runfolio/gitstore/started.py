"""A process that runs while its caller does something else; its output is taken later, as a whole.

It is started by ``os.posix_spawn``. ``subprocess`` would do the same, and takes 12 million instructions to load, with ``selectors`` and
``locale``. A process in a session of its own, without input, whose output is read to its end: more is not done here. Python ignores
SIGPIPE, and so does what it starts; git gives it back its meaning by itself (``restore_sigpipe_to_default``).
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress

from runfolio._dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """What a process said, named as in ``subprocess.CompletedProcess``.

    Parameters
    ----------
    returncode : int
        Negative where a signal ended it.
    stdout, stderr : bytes
    """

    returncode: int
    stdout: bytes
    stderr: bytes


class Started:
    """A process under way; :meth:`wait` takes what it says.

    Parameters
    ----------
    command : tuple of str
        Path of the program, and its arguments.
    env : mapping, optional
        Its environment; that of this process by default.

    Attributes
    ----------
    owner : int
        Id of the process that started it, and alone can wait for it.

    Raises
    ------
    OSError
        If it cannot be started.
    """

    def __init__(self, command: tuple[str, ...], env: Mapping[str, str] | None) -> None:
        self.owner = os.getpid()
        self._fds: tuple[int, ...] = ()
        out, err = os.pipe(), os.pipe()
        try:
            self._pid: int | None = os.posix_spawn(
                command[0],
                command,
                os.environ if env is None else env,
                # Input comes last: where this process has none of its own, a pipe may have its number.
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, out[1], 1),
                    (os.POSIX_SPAWN_DUP2, err[1], 2),
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                ],
                setsid=True,
            )
            self._fds = out[0], err[0]
        finally:
            for fd in {*out, *err}.difference(self._fds):
                os.close(fd)

    def wait(self, timeout_s: float | None = None) -> Said:
        """Return what the process said, once; whatever keeps this from waiting, such as an interrupt, stops the process.

        Parameters
        ----------
        timeout_s : float, optional
            Seconds after which it is stopped.

        Raises
        ------
        TimeoutError
            If it took longer.
        """
        pid = self._pid
        assert pid is not None
        try:
            out, err = _read(self._fds, None if timeout_s is None else time.monotonic() + timeout_s)
            self._let_go()
            status = _ended(pid)
        except BaseException:
            self.close()
            raise
        self._pid = None
        return Said(status, out, err)

    def close(self) -> None:
        """Stop the process, if nobody waited for it."""
        pid, self._pid = self._pid, None
        if pid is None:
            return
        self._let_go()
        if self.owner == os.getpid():
            from signal import SIGKILL

            with suppress(ProcessLookupError):
                os.kill(pid, SIGKILL)
            _ended(pid)

    def _let_go(self) -> None:
        fds, self._fds = self._fds, ()
        for fd in fds:
            os.close(fd)


def _read(fds: tuple[int, ...], until: float | None) -> list[bytes]:
    """Read several pipes to their ends, whichever has something: a full one would stop the process.

    Raises
    ------
    TimeoutError
        If one is still open at `until`, on the clock of :func:`time.monotonic`.
    """
    import select

    read: dict[int, list[bytes]] = {fd: [] for fd in fds}
    waiting, still = select.poll(), len(fds)
    for fd in fds:
        waiting.register(fd, select.POLLIN)
    while still:
        ready = waiting.poll(None if until is None else max(0.0, until - time.monotonic()) * 1000)
        if not ready:
            raise TimeoutError
        for fd, _ in ready:
            data = os.read(fd, 1 << 16)
            read[fd].append(data)
            if not data:
                waiting.unregister(fd)
                still -= 1
    return [b"".join(parts) for parts in read.values()]


def _ended(pid: int) -> int:
    """Wait for a process and return its exit code; 0 where another part of the program has waited for it, as ``subprocess`` says then."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return 0
