"""Processes of this machine that outlive the one that started them, told from others that got the same number later."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_PAUSE_S = 0.05


def start(command: list[str], env: Mapping[str, str], log: Path) -> int:
    """Start a process of its own session, with its output in a file, and return its number; nobody waits for its end."""
    nothing, out = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        streams = [(os.POSIX_SPAWN_DUP2, nothing, 0), (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)]
        return os.posix_spawn(command[0], command, env, file_actions=streams, setsid=True)
    finally:
        os.close(nothing)
        os.close(out)


def birth(pid: int) -> str:
    """Return when a process was started, in the system's own words; empty if there is no such process."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] == "Z" else fields[19]  # field 22 of proc(5), counted from the third
    said = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return said.stdout.strip()


def lives(pid: int, born: str) -> bool:
    """Tell whether that very process lives."""
    return bool(born) and birth(pid) == born


def end(pid: int, born: str, patience_s: float = 30.0) -> None:
    """Ask a process to end, and end it if it does not; whoever has its number now is left alone."""
    for sent, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 5.0)):
        if not lives(pid, born):
            return
        with suppress(ProcessLookupError):
            os.kill(pid, sent)
        deadline = time.monotonic() + wait_s
        while lives(pid, born) and time.monotonic() < deadline:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            time.sleep(_PAUSE_S)
