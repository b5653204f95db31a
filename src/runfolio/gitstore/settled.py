"""Small files that are read again and again: looked at, but not opened, while they stay as they were.

Invariants:

- A text is given again only while the file has the same inode, size and times, and only if it had not been written shortly before
  it was read. A file that changes within the grain of its clock looks unchanged; git guards its index in the same way ("racy git").
- Per process, and thread-safe as far as a dict is.
"""

from __future__ import annotations

import os
import time

_SETTLED_NS = 30_000_000
"""How old a file must be, when it is read, for its times to tell that it changed: clocks of file systems tick every 1 to 10 ms."""


_PIECE = 64 * 1024


class SettledFiles:
    """Texts of small files."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[tuple[int, int, int, int], str]] = {}

    def read(self, path: str) -> str | None:
        """Return a file's text, or None where it is not there or not text.

        Parameters
        ----------
        path : str
        """
        try:
            stat = os.stat(path)
        except OSError:
            return None
        stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        held = self._held.get(path)
        if held is not None and held[0] == stamp:
            return held[1]
        try:
            text = read_small(path).decode("utf-8")
        except (OSError, ValueError):
            return None
        age = time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns)
        if age > _SETTLED_NS:
            self._held[path] = (stamp, text)
        else:
            self._held.pop(path, None)
        return text


def read_small(path: str, *, follow: bool = True) -> bytes:
    """Return a file's content by three calls of the system; ``open`` makes seven.

    Parameters
    ----------
    path : str
    follow : bool, optional
        Read through a symbolic link; otherwise one is an error.

    Raises
    ------
    OSError
        If it is not there or cannot be read.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    try:
        data = os.read(fd, _PIECE)
        while len(data) and len(data) % _PIECE == 0:
            more = os.read(fd, _PIECE)
            if not more:
                break
            data += more
        return data
    finally:
        os.close(fd)
