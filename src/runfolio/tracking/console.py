"""A program's console output, kept within a bound: its beginning and its end.

The output lies in the recording's folder while the program runs, in files named by the byte they start at, so that nothing
but the last write is lost with a killed recorder, and whoever finds the folder can tell what is missing in between.

What it does *not* do: redact. A program's output is its own; ``runfolio record --no-log`` keeps none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from runfolio.errors import storage_error

DEFAULT_LIMIT = 10 * 1024 * 1024
LOG = "console.log"
_PART = re.compile(r"console\.(\d{15})\Z")
_CHUNK = 1 << 20


class Console:
    """Takes output as it comes.

    Parameters
    ----------
    folder : Path
    limit : int
        Bytes kept: the first half of them, and the last half.
    """

    def __init__(self, folder: Path, limit: int = DEFAULT_LIMIT) -> None:
        self._folder = folder
        self._half = max(limit // 2, 1)
        self.taken = 0
        self._room = self._half
        self._file: BinaryIO | None = None

    def take(self, data: bytes) -> None:
        """Add output."""
        try:
            while data:
                if self._file is None or self._room == 0:
                    self._next()
                assert self._file is not None
                part, data = data[: self._room], data[self._room :]
                self._file.write(part)
                self._room -= len(part)
                self.taken += len(part)
        except OSError as error:
            raise storage_error("keep the program's output", error) from None

    def _next(self) -> None:
        if self._file is not None:
            self._file.close()
        # The beginning, and of the rest the last two parts: they hold the last half, whole.
        for _, path in parts(self._folder)[1:-1]:
            path.unlink()
        self._file = open(self._folder / f"console.{self.taken:015d}", "xb", buffering=0)  # noqa: SIM115
        self._room = self._half

    def close(self) -> None:
        """Close the file; what was taken stays."""
        if self._file is not None:
            self._file.close()
            self._file = None


def parts(folder: Path) -> list[tuple[int, Path]]:
    """List the files with output and the byte that each starts at, in order."""
    found = ((_PART.match(name), name) for name in os.listdir(folder))
    return sorted((int(match[1]), folder / name) for match, name in found if match)


def join(folder: Path, limit: int = DEFAULT_LIMIT) -> tuple[Path, int] | None:
    """Write the output that was kept into one file.

    Parameters
    ----------
    folder : Path
    limit : int
        As it was for :class:`Console`.

    Returns
    -------
    (Path, int) or None
        The file, and how many bytes were left out between beginning and end; None where there was no output.
    """
    found = parts(folder)
    if not found:
        return None
    end = found[-1][0] + found[-1][1].stat().st_size
    half = max(limit // 2, 1)
    start = max(end - half, half) if end > 2 * half else half
    target = folder / LOG
    left_out = 0
    with open(target, "wb") as made:
        made.writelines(_pieces(found[0][1], 0))
        if end > half:
            start = _line_start(found, start) if start > half else start
            left_out = start - half
            if left_out:
                made.write(f"\n[runfolio: {left_out:,} bytes of output left out here]\n".encode())
            for at, path in found[1:]:
                made.writelines(_pieces(path, max(start - at, 0)))
    return target, left_out


def _pieces(path: Path, start: int) -> Iterator[bytes]:
    with open(path, "rb") as file:
        file.seek(start)
        while data := file.read(_CHUNK):
            yield data


def _line_start(found: list[tuple[int, Path]], start: int) -> int:
    """Move forward to the next line's start, if one is near: a line cut in two reads as another."""
    for at, path in found[1:]:
        size = path.stat().st_size
        if at <= start < at + size:
            with open(path, "rb") as file:
                file.seek(start - at)
                place = file.read(4096).find(b"\n")
            return start + place + 1 if place >= 0 else start
    return start
