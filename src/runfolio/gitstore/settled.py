"""Small files that are read again and again, and folders: looked at, but not opened, while they stay as they were.

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
_COARSE_NS = 2_100_000_000
"""The same where a time is a whole second: some file systems keep no more of it, and FAT every other one."""
_SECOND_NS = 1_000_000_000
_PIECE = 64 * 1024


_Stamp = tuple[int, int, int, int]


class SettledFiles:
    """Texts of small files, and the names in folders."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[_Stamp, str]] = {}
        self._listed: dict[str, tuple[_Stamp, list[str]]] = {}

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
        if _settled(stamp, time.time_ns()):
            self._held[path] = (stamp, text)
        else:
            self._held.pop(path, None)
        return text

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, which has new times whenever one comes or goes; the list is not to be changed.

        Parameters
        ----------
        folder : str

        Raises
        ------
        OSError
            If it is not there or cannot be read.
        """
        stat = os.stat(folder)
        stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        held = self._listed.get(folder)
        if held is not None and held[0] == stamp:
            return held[1]
        names = os.listdir(folder)
        if _settled(stamp, time.time_ns()):
            self._listed[folder] = (stamp, names)
        else:
            self._listed.pop(folder, None)
        return names


def _settled(stamp: _Stamp, now: int) -> bool:
    """Tell whether a file that was read at `now` has times by which a later change will be seen."""
    newest = max(stamp[2:])
    return now - newest > (_SETTLED_NS if newest % _SECOND_NS else _COARSE_NS)


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
