"""Run a program in the foreground: its output passed through as it comes, signals handed on, its exit status returned.

Invariants: the program gets our standard input as it is; its output reaches ours byte for byte, also when nobody keeps it;
when the program has ended, a process that it left behind and that holds its output does not keep us.

What it does *not* do: give the program a terminal. Its output goes through pipes, so most programs write it in blocks; Python
ones are told to write it at once.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType

from runfolio._dataclass import dataclass, field
from runfolio.errors import UsageError

TICK_S = 1.0
GRACE_S = 0.25
"""How long output may take to arrive after the program's end."""

STOP_S = 10.0
"""How long a program that leads a group may take to end once a signal told it to; then all of the group is killed."""

_CHUNK = 1 << 16
_SCRIPT_BYTES = 256
"""The beginning of a file in which a script has no zero byte, as shells look at it."""

_FORWARDED = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCONT")
_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended.

    Parameters
    ----------
    code : int
        Its exit status, as a shell shows it: 128 and the signal's number where a signal ended it.
    signal : str
        The signal's name; empty where none ended it.
    """

    code: int
    signal: str = ""

    @property
    def status(self) -> str:
        """The run's status that follows."""
        return "KILLED" if self.signal else "FAILED" if self.code else "FINISHED"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a program is run where it is one of several: a step of a pipeline, a project in a folder of its own.

    Parameters
    ----------
    folder : str or None
        Where it is started; the current folder by default.
    env : Mapping of str to str
        Variables beside ours.
    keep_open : tuple of int
        File descriptors that it inherits.
    own_group : bool
        It leads a process group of its own: signals reach it through us alone, and all that it started can be ended.
    show : callable, optional
        Given the number (1 or 2) and the bytes of its output; written to ours by default.
    watch : callable, optional
        Given the process about once a second.
    """

    folder: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    keep_open: tuple[int, ...] = ()
    own_group: bool = False
    show: Callable[[int, bytes], None] | None = None
    watch: Callable[[subprocess.Popen[bytes]], None] | None = None


AS_WE_ARE = Manner()


def run_program(
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    tick: Callable[[], None],
    output: Callable[[bytes], None] | None = None,
    keep_open: Sequence[int] = (),
    manner: Manner = AS_WE_ARE,
) -> Ending:
    """Run a program to its end.

    Parameters
    ----------
    argv : sequence of str
    env : Mapping
    tick : callable
        Called about once a second.
    output : callable, optional
        Given the program's output and errors as they come; without it the program writes to our output itself.
    keep_open : sequence of int, optional
        File descriptors that the program inherits.
    manner : Manner, optional

    Raises
    ------
    UsageError
        If it could not be started.
    """
    with _Signals(manner.own_group) as signals:
        pipe = subprocess.PIPE if output else None
        _flush()

        def started(words: Sequence[str]) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                words, env={**env, **manner.env}, stdout=pipe, stderr=pipe, pass_fds=(*keep_open, *manner.keep_open), bufsize=0,
                cwd=manner.folder, start_new_session=manner.own_group, stdin=subprocess.DEVNULL if manner.own_group else None,
            )  # fmt: skip

        try:
            try:
                program = started(argv)
            except OSError as error:
                script = _without_shebang(error, argv[0], manner.folder)
                if script is None:
                    raise
                program = started(("/bin/sh", script, *argv[1:]))
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise UsageError(f"{argv[0]} could not be started: {said}. Is it a script? Then start its interpreter.") from None
        signals.attach(program)

        def look() -> None:
            tick()
            signals.insist()

        _follow(program, look, output, manner)
        return _ending(program.returncode, signals.sent)


def _without_shebang(error: OSError, program: str, folder: str | None) -> str | None:
    """Return the script that a shell, and ``execvp``, would give to ``/bin/sh`` where the system refuses it; None if it is none."""
    found = shutil.which(program)
    if error.errno != errno.ENOEXEC or found is None:
        return None
    path = os.path.join(folder or "", found) if "/" in program else found
    try:
        with open(path, "rb") as file:
            return None if b"\0" in file.read(_SCRIPT_BYTES) else found
    except OSError:
        return None


def _ending(code: int, sent: set[int]) -> Ending:
    if code >= 0:
        # A shell, and a program that tidies up, ends by itself with the status of the signal that it was sent.
        by = next((number for number in sent if number in _ENDING and code == 128 + number), None)
        return Ending(code, signal.Signals(by).name if by else "")
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return Ending(128 - code, name)


def _follow(
    program: subprocess.Popen[bytes], tick: Callable[[], None], output: Callable[[bytes], None] | None, manner: Manner
) -> None:
    """Pass output on until the program has ended and its output is through."""
    with selectors.DefaultSelector() as selector, _ended(program) as end:
        selector.register(end, selectors.EVENT_READ, 0)
        for stream, number in ((program.stdout, 1), (program.stderr, 2)):
            if stream is not None:
                selector.register(stream.fileno(), selectors.EVENT_READ, number)
        closed: set[int] = set()
        due = time.monotonic() + TICK_S
        ended = False
        while selector.get_map():
            events = selector.select(GRACE_S if ended else max(due - time.monotonic(), 0.0))
            if ended and not events:
                break
            for key, _ in events:
                if key.data == 0:
                    ended = True
                    selector.unregister(end)
                elif not _pass_on(key.fd, key.data, output, closed, manner.show):
                    selector.unregister(key.fd)
            if time.monotonic() >= due:
                tick()
                if manner.watch is not None and not ended:
                    manner.watch(program)
                due = time.monotonic() + TICK_S
    for stream in (program.stdout, program.stderr):
        if stream is not None:
            stream.close()


def _pass_on(
    source: int,
    target: int,
    output: Callable[[bytes], None] | None,
    closed: set[int],
    show: Callable[[int, bytes], None] | None,
) -> bool:
    data = os.read(source, _CHUNK)
    if not data:
        return False
    if output:
        output(data)  # kept before it is shown: what the user saw is in the log, whenever we are killed
    if show is not None:
        show(target, data)
    elif target not in closed:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(target, rest) :]
        except OSError:
            # Whoever read our output has gone (`| head`): the program goes on, and is recorded to its end.
            closed.add(target)
    return True


@contextlib.contextmanager
def _ended(program: subprocess.Popen[bytes]) -> Iterator[int]:
    """Yield a file descriptor that becomes readable when the program has ended."""
    reader, writer = os.pipe()

    def wait() -> None:
        program.wait()
        os.close(writer)

    watch = threading.Thread(target=wait, name="runfolio-program", daemon=True)
    watch.start()
    try:
        yield reader
        watch.join()
    finally:
        os.close(reader)


class _Signals:
    """Hands our signals on to the program while it runs."""

    def __init__(self, own_group: bool) -> None:
        self.sent: set[int] = set()
        self._own_group = own_group
        self._told_at: float | None = None
        self._program: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._before: dict[int, object] = {}

    def __enter__(self) -> _Signals:
        if threading.current_thread() is threading.main_thread():
            for name in _FORWARDED:
                number = getattr(signal, name)
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
                    self._before[number] = signal.signal(number, self._hand_on)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal returned

    def attach(self, program: subprocess.Popen[bytes]) -> None:
        """Name the program; signals that came before it are handed on now."""
        self._program = program
        for number in self._early:
            self._send(number)

    def _hand_on(self, number: int, _frame: FrameType | None) -> None:
        if self._program is None:
            self._early.append(number)
        else:
            self._send(number)

    def _send(self, number: int) -> None:
        self.sent.add(number)
        if number in _ENDING and self._told_at is None:
            self._told_at = time.monotonic()
        if number in (signal.SIGINT, signal.SIGQUIT) and not self._own_group and _in_foreground():
            return  # the terminal sent it to the program as well
        self._kill(number)

    def insist(self) -> None:
        """Kill a group that does not end though it was told to."""
        if self._own_group and self._told_at is not None and time.monotonic() >= self._told_at + STOP_S:
            self._kill(signal.SIGKILL)

    def _kill(self, number: int) -> None:
        if self._program is not None and self._program.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                (os.killpg if self._own_group else os.kill)(self._program.pid, number)


def _in_foreground() -> bool:
    """Tell whether a terminal sends Ctrl-C to us and to the program alike."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
