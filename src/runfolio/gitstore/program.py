"""Which git there is, and its version, which a file of the user's cache remembers: to ask is a process, a millisecond of each command.

What is remembered holds for the very file that was asked (path, inode, size, times), and only where that is git itself: a script, or a
program that starts another one (a shim of a version manager, a snap), stays as it is when the git behind it is replaced.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from functools import lru_cache

from runfolio.errors import GitError
from runfolio.gitstore.started import Started

OLDEST_GIT = (2, 30)
_ELF = b"\x7fELF"
_asked: list[Started] = []


@lru_cache(maxsize=1)
def git_program() -> str:
    """Return the path of git, once its version was looked at.

    Raises
    ------
    GitError
        If git is not installed, or older than 2.30.
    """
    version = git_version()
    if version < OLDEST_GIT:
        raise GitError(f"git {version[0]}.{version[1]} is too old: runfolio needs git 2.30 or newer. Upgrade git.")
    return found_git()


@lru_cache(maxsize=1)
def found_git() -> str:
    """Return the path of git, whatever its version.

    Raises
    ------
    GitError
        If git is not installed.
    """
    found = next(filter(_is_program, (os.path.join(folder, "git") for folder in os.get_exec_path())), None)
    if not found:
        import shutil  # it also knows where Windows looks, and takes 2 ms to load

        found = shutil.which("git")
    if not found:
        raise GitError("git was not found. Install git 2.30 or newer and see that it is on the PATH.")
    return found


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


@lru_cache(maxsize=1)
def git_version() -> tuple[int, int]:
    """Return git's version.

    Raises
    ------
    GitError
        If git is not installed, or does not run.
    """
    program = found_git()
    kept = _kept(program)
    if kept is not None and not _asked:
        return kept
    asked = _asked.pop() if _asked else _ask(program)
    done = (asked if asked.owner == os.getpid() else _ask(program)).wait()
    match = re.search(rb"(\d+)\.(\d+)", done.stdout)
    if done.returncode or match is None:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()[:300] or f"exit code {done.returncode}"
        raise GitError(f"{program} does not run: git --version said: {said}. Check your installation of git.")
    version = int(match[1]), int(match[2])
    _keep(program, version)
    return version


def durability_options(durable: bool) -> tuple[str, ...]:
    """Return the git options under which what a command writes is synced to disk."""
    if not durable:
        return ()
    return ("-c", "core.fsync=all") if git_version() >= (2, 36) else ("-c", "core.fsyncObjectFiles=true")


def ask_version_ahead() -> None:
    """Have git say its version while another of its commands works, if that is neither known nor remembered."""
    if not _asked and not git_version.cache_info().currsize and _kept(found_git()) is None:
        _asked.append(_ask(found_git()))


def _ask(program: str) -> Started:
    try:
        return Started((program, "--version"), None)
    except OSError as error:
        raise GitError(f"{program} could not be started: {error.strerror or error}.") from None


def _memory() -> str:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(home, "runfolio", "git")


def _stamp(program: str) -> str | None:
    """Return what tells this file from any other; None where it is not git itself."""
    try:
        with open(program, "rb", 0) as file:
            if file.read(len(_ELF)) != _ELF or os.path.basename(os.path.realpath(program)) != "git":
                return None
            stat = os.fstat(file.fileno())
    except OSError:
        return None
    return f"{stat.st_dev} {stat.st_ino} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {program}"


@lru_cache(maxsize=1)
def _kept(program: str) -> tuple[int, int] | None:
    """Return the version that is remembered of a program."""
    stamp = _stamp(program)
    try:
        with open(_memory(), encoding="utf-8") as file:
            version, _, of = file.read(4096).rstrip("\n").partition(" ")
    except (OSError, ValueError):
        return None
    numbers = version.split(".")
    return (int(numbers[0]), int(numbers[1])) if of == stamp and len(numbers) == 2 and all(map(str.isdecimal, numbers)) else None


def _keep(program: str, version: tuple[int, int]) -> None:
    stamp = _stamp(program)
    if stamp is None or "\n" in stamp:
        return
    memory = _memory()
    beside = f"{memory}.{os.getpid()}"
    with suppress(OSError, ValueError):
        os.makedirs(os.path.dirname(memory), exist_ok=True)
        with open(beside, "w", encoding="utf-8") as file:
            file.write(f"{version[0]}.{version[1]} {stamp}\n")
        os.replace(beside, memory)
