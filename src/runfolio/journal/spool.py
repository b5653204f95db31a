"""The folder of journals: which runs go on, which wait to be committed, which were left by a process that died."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import get_ident

from runfolio._pattern import pattern
from runfolio._typing import Any, NamedTuple
from runfolio.errors import StorageError, storage_error
from runfolio.journal.writer import JournalWriter

LIVE = ".jsonl"
SEALED = ".sealed.jsonl"
_NAME = pattern(r"(?P<id>[A-Za-z0-9][\w-]{0,255})(?:\+(?P<part>[0-9a-f]+))?(?P<sealed>\.sealed)?\.jsonl\Z")


class Journal(NamedTuple):
    """One journal in the folder; they sort by run, those of one run as they were begun.

    Parameters
    ----------
    run_id : str
    part : str
        Empty for the run's first journal; of one that amends a sealed run, its time in hex.
    sealed : bool
        Whether it has its sealed name.
    file : str
        Where it lies.
    """

    run_id: str
    part: str
    sealed: bool
    file: str

    @property
    def path(self) -> Path:
        """Where it lies; thousands are committed without asking."""
        return Path(self.file)


class Spool:
    """A folder of journals.

    Parameters
    ----------
    folder : Path
        Made when the first journal is written.
    durability : str
        ``process``, ``power`` or ``power-each``.
    """

    def __init__(self, folder: Path, durability: str = "power") -> None:
        self.folder = folder
        self.durability = durability
        self.journals_folder = folder / "journal"
        self.environments_folder = folder / "environments"

    @property
    def durable(self) -> bool:
        """Whether an end is synced to disk before it is acknowledged."""
        return self.durability != "process"

    def create(self, run_id: str, header: dict[str, Any]) -> JournalWriter:
        """Start a journal with its header."""
        amend = bool(header.get("amend"))
        part = f"+{time.time_ns() // 1000:x}{os.getpid():05x}" if amend else ""
        path = f"{self.journals_folder}/{run_id}{part}{LIVE}"
        each = self.durability == "power-each"
        try:
            writer = JournalWriter(path, each=each, create=True)
        except StorageError:
            # The first run of a spool, mostly. That the folder is there now tells nothing: another process may have made it meanwhile.
            self._make_folder()
            writer = JournalWriter(path, each=each, create=True)
        try:
            writer.event("open", header)
        except StorageError:
            # No run came of it: an empty journal would look like one.
            writer.close(durable=False)
            with suppress(OSError):
                os.unlink(path)
            raise
        return writer

    def _make_folder(self) -> None:
        try:
            self.journals_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error("make the folder for journals", error) from None

    def attach(self, journal: Journal) -> JournalWriter | None:
        """Log on to a run that another process started; None if it was sealed meanwhile."""
        try:
            writer = JournalWriter(journal.file, each=self.durability == "power-each")
        except OSError as error:
            if not journal.path.exists():
                return None
            raise error
        if not journal.path.exists():
            writer.close(durable=False)
            return None
        return writer

    def seal(self, writer: JournalWriter, *, synced: bool = True) -> bool:
        """Sync an ended journal (unless told not to) and give it its sealed name; False while another process holds it."""
        return writer.close(sealed_name=sealed_name(writer.name), durable=self.durable and synced)

    def journals(self) -> list[Journal]:
        """List the journals, oldest run first, those of one run in the order in which they were begun."""
        return self._named("")

    def _named(self, begin: str) -> list[Journal]:
        """List the journals whose names begin so; a server asks for one run's while hundreds wait to be committed."""
        try:
            names = os.listdir(self.journals_folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise storage_error("read the folder of journals", error) from None
        made, folder = [], f"{self.journals_folder}/"
        for name in names:
            match = _NAME.match(name) if name.startswith(begin) else None
            if match:
                made.append(Journal(match["id"], match["part"] or "", bool(match["sealed"]), folder + name))
        made.sort()  # by name alone, "run+part.jsonl", which amends, would come before "run.sealed.jsonl"
        return made

    def waiting(self) -> bool:
        """Tell whether there is a journal that has ended."""
        try:
            return any(name.endswith(SEALED) and _NAME.match(name) for name in os.listdir(self.journals_folder))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise storage_error("read the folder of journals", error) from None

    def of_run(self, run_id: str) -> list[Journal]:
        """List the journals of one run, the first one first."""
        return [journal for journal in self._named(run_id) if journal.run_id == run_id]

    def first_tags(self, run_id: str) -> dict[str, str] | None:
        """Return the tags of a run that has one journal, its first, without reading its points; None of any other run."""
        from runfolio.journal.tags import first_tags

        journals = self.of_run(run_id)
        return first_tags(journals[0].path) if len(journals) == 1 else None

    def drop(self, journal: Journal) -> None:
        """Remove a journal whose run is committed."""
        with suppress(FileNotFoundError):
            os.unlink(journal.file)

    @contextmanager
    def hold(self, journal: Journal) -> Iterator[bool]:
        """Hold a journal against everybody else; yields False where a living process logs to it."""
        try:
            fd = os.open(journal.file, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            yield False
            return
        except OSError as error:
            raise storage_error("open a journal", error) from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            yield False
            return
        try:
            yield journal.path.exists()
        finally:
            os.close(fd)

    def left_behind(self) -> list[Journal]:
        """List the journals of processes that died before they ended their run."""
        return [journal for journal in self.journals() if not journal.sealed and self._is_left(journal)]

    def _is_left(self, journal: Journal) -> bool:
        with self.hold(journal) as held:
            from runfolio.journal.state import RunState

            return held and not RunState(journal.path).refresh().detached

    def keep_environment(self, name: str, text: str) -> None:
        """Keep a package list until the runs that name it are committed."""
        if os.path.exists(f"{self.environments_folder}/{name}.txt"):
            return
        target = self.environments_folder / f"{name}.txt"
        try:
            self.environments_folder.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{name}.{os.getpid()}-{get_ident():x}")
            temporary.write_text(text, "utf-8")
            os.replace(temporary, target)
        except OSError as error:
            raise storage_error("keep the package list", error) from None

    def environment(self, name: str) -> bytes | None:
        """Return a kept package list, or None."""
        try:
            return (self.environments_folder / f"{name}.txt").read_bytes()
        except OSError:
            return None


def sealed_name(path: Path | str) -> str:
    """Return the name that a journal gets when its run has ended."""
    return str(path)[: -len(LIVE)] + SEALED
