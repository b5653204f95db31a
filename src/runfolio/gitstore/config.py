"""What git's configuration says, asked once.

One ``git config --list`` holds every value; it is asked again when one of git's files changed, or after some seconds (an included
file may have).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from runfolio._typing import TYPE_CHECKING
from runfolio._variables import variables

if TYPE_CHECKING:
    from runfolio.gitstore.started import Started

_ASK_AGAIN_S = 10.0
_NAMES = (b"GIT_CONFIG_COUNT", b"GIT_CONFIG_GLOBAL", b"GIT_CONFIG_SYSTEM", b"GIT_CONFIG_NOSYSTEM", b"HOME", b"XDG_CONFIG_HOME")
_TRUE = frozenset(("true", "yes", "on", "1"))
_FALSE = frozenset(("false", "no", "off", "0", ""))


def config_files(common_dir: Path, git_dir: Path) -> list[Path]:
    """Return the files that git reads for a repository, whether they are there or not."""
    home = Path.home()
    named = os.environ.get("GIT_CONFIG_GLOBAL")
    base = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    mine = [Path(named)] if named is not None else [home / ".gitconfig", base / "git" / "config"]
    system = os.environ.get("GIT_CONFIG_SYSTEM", "/etc/gitconfig")
    return [common_dir / "config", git_dir / "config.worktree", *mine, Path(system)]


class Values:
    """The values of a configuration at one time.

    Parameters
    ----------
    said : Mapping
        The last value of each key (section and name in small letters); None where a key has no ``=``.
    first : Mapping
        The first value of each, in git's order.
    """

    def __init__(self, said: Mapping[str, str | None], first: Mapping[str, str | None]) -> None:
        self.said, self.first = said, first

    def get(self, key: str) -> str | None:
        """Return the value of a key, or None where it is not set or empty."""
        section, _, rest = key.partition(".")
        subsection, dot, name = rest.rpartition(".")
        value = self.said.get(f"{section.lower()}.{subsection}{dot}{name.lower()}", "")
        return (value if value is not None else "true") or None

    def truth(self, key: str) -> bool | None:
        """Return the value of a key as git reads a boolean; None where it is not set, or says something else."""
        value = (self.get(key) or "unset").lower()
        return True if value in _TRUE else False if value in _FALSE else None


class GitConfig:
    """The values of a repository's configuration.

    Parameters
    ----------
    common_dir, git_dir : Path
    start : callable
        Starts ``git config --list -z``.
    answer : callable
        Returns what it printed.
    """

    def __init__(self, common_dir: Path, git_dir: Path, start: Callable[[], Started], answer: Callable[[Started], bytes]) -> None:
        self._common_dir, self._git_dir, self._start, self._answer = common_dir, git_dir, start, answer
        self._asked: tuple[Started, tuple[object, ...], float] | None = None
        self._files: list[str] = []
        self._values = Values({}, {})
        self._stamp: tuple[object, ...] | None = None
        self._asked_at = 0.0

    def values(self) -> Values:
        """Return all values, asked again if a file changed."""
        stamp = self._stamped()
        if not self._holds(stamp):
            asked, self._asked = self._asked, None
            if asked is None or asked[1] != stamp or asked[0].owner != os.getpid():
                if asked is not None:
                    asked[0].close()
                asked = (self._start(), stamp, time.monotonic())
            self._values = _parsed(self._answer(asked[0]))
            self._stamp, self._asked_at = stamp, asked[2]
        return self._values

    def look_ahead(self) -> None:
        """Have git say the values while the caller does something else; :meth:`values` takes what it said."""
        stamp = self._stamped()
        if self._asked is None and not self._holds(stamp):
            self._asked = (self._start(), stamp, time.monotonic())

    def close(self) -> None:
        """Stop a process whose answer nobody took."""
        asked, self._asked = self._asked, None
        if asked is not None:
            asked[0].close()

    def _holds(self, stamp: tuple[object, ...]) -> bool:
        return stamp == self._stamp and 0 <= time.monotonic() - self._asked_at < _ASK_AGAIN_S

    def last(self) -> Values:
        """Return all values as they were when they were asked for last, at this very command."""
        return self._values if self._stamp is not None else self.values()

    def _stamped(self) -> tuple[object, ...]:
        places = variables(_NAMES)
        for number in range(int(places[0]) if places[0] and places[0].isdigit() else 0):
            places += variables((b"GIT_CONFIG_KEY_%d" % number, b"GIT_CONFIG_VALUE_%d" % number))
        if self._stamp is None or self._stamp[0] != places:
            self._files = [str(path) for path in config_files(self._common_dir, self._git_dir)]
        # What was not there is asked for by `access` first: to raise an error takes longer than the question.
        before: tuple[object, ...] = self._stamp or ()
        made: list[object] = [places]
        absent = len(before) == 1 + len(self._files)
        for at, file in enumerate(self._files, 1):
            made.append(None if absent and before[at] is None and not os.access(file, os.F_OK) else _identity(file))
        return tuple(made)


def _identity(path: str) -> tuple[int, int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _parsed(said: bytes) -> Values:
    last: dict[str, str | None] = {}
    first: dict[str, str | None] = {}
    for item in said.decode("utf-8", "replace").split("\0"):
        key, line_end, value = item.partition("\n")
        if key:
            last[key] = value if line_end else None
            first.setdefault(key, last[key])
    return Values(last, first)
