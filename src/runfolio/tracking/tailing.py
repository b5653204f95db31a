"""What a program writes into its file of lines, read as it grows and logged to its run.

The program appends to a plain file, so nothing is lost when it, or the one that reads, is killed. Each piece that was read is
logged by one write together with the place it reaches (the event ``lines``), so that whoever goes on reading after a crash
goes on exactly there. A line that says nothing we can record becomes a notice in the run with its number; the others stand.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runfolio.errors import NotFoundError, RunfolioError, UsageError, storage_error
from runfolio.formats.lines import Said, parse_line
from runfolio.journal import JournalWriter
from runfolio.journal.events import encode_event
from runfolio.objects import walk_files
from runfolio.records.names import check_artifact_path
from runfolio.records.visible import visible
from runfolio.tracking.live import LiveRun

MAX_LINE = 1 << 20
MAX_NOTICES = 20
_CHUNK = 1 << 16
_MARK = 64
NOTE = "mlflow.note.content"


class Gathered(JournalWriter):
    """Events held back until they are written together.

    Parameters
    ----------
    target : JournalWriter
    """

    def __init__(self, target: JournalWriter) -> None:
        self._target = target
        self._held: list[bytes] = []
        self._keys: dict[str, str] = {}

    @property
    def closed(self) -> bool:
        """Whether the journal was given back."""
        return self._target.closed

    def write(self, data: bytes) -> None:
        """Hold encoded events back."""
        self._held.append(data)

    def drop(self) -> None:
        """Forget what was held back."""
        self._held.clear()

    def release(self, *event: Any) -> None:
        """Write what was held back, and one more event behind it."""
        held, self._held = self._held, []
        self._target.write(b"".join(held) + encode_event(*event))


class LineReader:
    """Reads one run's file of lines.

    Parameters
    ----------
    path : Path
    live : LiveRun
    say : callable
        Tells the user something.
    offset : int, optional
        Bytes that were read before.
    note : str, optional
        The run's note so far; lines add to it.
    base : Path, optional
        Folder from which relative paths of artifacts start; the current one by default.
    """

    def __init__(
        self, path: Path, live: LiveRun, say: Callable[[str], None], offset: int = 0, note: str = "", base: Path | None = None
    ) -> None:
        self._path, self._say, self._offset, self._note = path, say, offset, note
        self._base = base or Path.cwd()
        self._gathered = Gathered(live.writer)
        self._live = LiveRun(live.folio, live.redactor, self._gathered, live.record)
        self._live.say = say
        self._number = _lines_before(path, offset)
        self._mark = _before(path, offset)
        self._bad = 0
        self._skipping = False

    def read(self, *, last: bool = False, whole: bool = True) -> None:
        """Log what was written since the last time.

        Parameters
        ----------
        last : bool, optional
            The program has ended: take its last line also without a line end.
        whole : bool, optional
            False where it was killed: then such a line was cut off.
        """
        try:
            with open(self._path, "rb") as file:
                self._look_back(os.fstat(file.fileno()).st_size)
                file.seek(self._offset)
                while self._take(file.read(MAX_LINE if self._skipping else _CHUNK), file.read):
                    file.seek(self._offset)
                if last:
                    file.seek(self._offset)
                    self._take_rest(file.read(MAX_LINE), whole)
        except FileNotFoundError:
            self._fault("the file of lines was removed: append to it, and leave it there")
            self._path.touch()
            self._offset, self._number, self._mark = 0, 0, b""
        except RunfolioError:
            raise
        except OSError as error:
            raise storage_error(f"read {self._path}", error) from None
        if last and self._bad > MAX_NOTICES:
            self._live.notice(f"lines: {self._bad - MAX_NOTICES} more lines were not understood")
            self._gathered.release("lines", self._offset)

    def _look_back(self, size: int) -> None:
        if size < self._offset or _before(self._path, self._offset) != self._mark:
            self._fault('the file of lines was written over, so lines may be missing: append to it, with >> "$RUNFOLIO_LINES"')
            self._offset, self._number, self._mark = 0, 0, b""

    def _take(self, data: bytes, more: Callable[[int], bytes]) -> bool:
        """Log the whole lines in a piece; tell whether there may be more."""
        end = data.rfind(b"\n") + 1
        if not end and len(data) == _CHUNK:
            data += more(MAX_LINE - len(data))
            end = data.find(b"\n") + 1
        if not end and len(data) < MAX_LINE:
            return False
        if not end:
            self._skip(data)
            return True
        before = self._number, self._skipping
        try:
            for line in data[: end - 1].split(b"\n"):
                self._number += 1
                if self._skipping:
                    self._skipping = False
                else:
                    self._log(line)
            self._reached(data[:end])
        except RunfolioError:
            # The disk is full, or the like: nothing of this piece was logged, and it is tried again.
            self._number, self._skipping = before
            self._gathered.drop()
            raise
        return True

    def _skip(self, data: bytes) -> None:
        """Pass over a part of a line that is too long."""
        if not self._skipping:
            self._skipping = True
            self._refuse(self._number + 1, f"the line has more than {MAX_LINE} bytes")
        self._reached(data)

    def _take_rest(self, data: bytes, whole: bool) -> None:
        if not data or self._skipping:
            return
        self._number += 1
        if whole:
            self._log(data)
        else:
            self._refuse(self._number, "it was cut off when the program was killed")
        self._reached(data)

    def _reached(self, data: bytes) -> None:
        self._offset += len(data)
        self._mark = (self._mark + data)[-_MARK:]
        self._gathered.release("lines", self._offset)

    def _log(self, line: bytes) -> None:
        number = self._number
        try:
            said = parse_line(line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r"))
            self._write(said)
        except UnicodeDecodeError:
            self._refuse(number, "it is not UTF-8")
        except ValueError as error:  # UsageError is one
            self._refuse(number, str(error))
        except NotFoundError as error:
            self._refuse(number, error.message)

    def _write(self, said: Said) -> None:
        points = [(name, value, at, step) for name, value, at, step in said.metrics]
        tags = dict(said.tags)
        if said.note:
            self._note = tags[NOTE] = f"{self._note}\n{said.note}".lstrip("\n")
        self._live.batch(points, said.params, tags)
        for path, folder in said.artifacts:
            log_path(self._live, self._base / Path(path).expanduser(), folder)

    def _refuse(self, number: int, reason: str) -> None:
        self._bad += 1
        if self._bad <= MAX_NOTICES:
            self._fault(f"line {number} was not understood: {reason}")

    def _fault(self, text: str) -> None:
        shown = visible(self._live.redactor.text(text))
        self._live.notice(f"lines: {shown}")
        self._say(f"lines: {shown}")


def log_path(live: LiveRun, source: Path, folder: str) -> int:
    """Store a file, or a folder with all that is in it, below a folder of the run.

    Returns
    -------
    int
        How many files were stored.
    """
    folder = check_artifact_path(folder, allow_empty=True)
    if not source.exists():
        raise NotFoundError(f"There is no file {str(source)!r}. Check the path; a relative one starts at {os.getcwd()}.")
    top = f"{folder}/{source.resolve().name}".lstrip("/")
    if not source.is_dir():
        live.artifact_file(source, f"{folder}/{source.name}".lstrip("/"))
        return 1
    files = list(walk_files(source))
    if not files:
        raise UsageError(f"The folder {str(source)!r} holds no file.")
    for name, path in files:
        live.artifact_file(path, f"{top}/{name}")
    return len(files)


def _before(path: Path, offset: int) -> bytes:
    """Return the bytes just before a place: they tell whether the file was written over."""
    if not offset:
        return b""
    try:
        with open(path, "rb") as file:
            file.seek(max(offset - _MARK, 0))
            return file.read(min(offset, _MARK))
    except OSError:
        return b""


def _lines_before(path: Path, offset: int) -> int:
    count, left = 0, offset
    if left:
        with open(path, "rb") as file:
            while left > 0 and (data := file.read(min(left, MAX_LINE))):
                count += data.count(b"\n")
                left -= len(data)
    return count
