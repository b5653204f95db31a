"""Runs that were made elsewhere, brought into the form of journals of ours, beside the folio.

What comes from elsewhere is checked here as an API call would be: names, ids, paths, secrets. Experiments are joined by name;
the branch that a worker wrote down is forgotten. The staging folder is private to one collector and holds copies only, so it
can be thrown away at any moment.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from runfolio.errors import DamagedError, NotFoundError, UsageError, storage_error
from runfolio.folio.inbox import ARTIFACTS, ID_FILE, METRICS_FILE, RUN_FILE
from runfolio.formats.foreign import ForeignRun, decode_foreign, read_metrics
from runfolio.journal import Journal, RunState, Spool
from runfolio.journal.events import decode_event, encode_event, encode_key, encode_point
from runfolio.journal.spool import SEALED
from runfolio.objects import ObjectStore, walk_files
from runfolio.records import Run, new_run_id
from runfolio.records.names import MAX_PARAM_LENGTH, MAX_TAG_LENGTH, check_artifact_path, check_key, check_run_id
from runfolio.records.redaction import Redactor

_AGAIN = "Copy it again from where it was made."
_LOCK = re.compile(r"[0-9a-f]{16}\Z")


class Staging:
    """A private spool for what is being taken in.

    Parameters
    ----------
    folder : Path
    store : ObjectStore
        The folio's.
    redactor : Redactor
        With the folio's rules.
    """

    def __init__(self, folder: Path, store: ObjectStore, redactor: Redactor) -> None:
        self.spool = Spool(folder, "process")
        self._store, self._redactor = store, redactor

    def clear(self) -> None:
        """Throw away what is staged."""
        for journal in self.spool.journals():
            self.spool.drop(journal)

    def _open(self, run_id: str, part: str = "") -> BinaryIO:
        try:
            self.spool.journals_folder.mkdir(parents=True, exist_ok=True)
            return open(self.spool.journals_folder / f"{run_id}{f'+{part}' if part else ''}{SEALED}", "wb")
        except OSError as error:
            raise storage_error("stage a run", error) from None

    def stage_journal(self, journal: Journal, state: RunState, experiment: str) -> None:
        """Copy a sealed journal of a worker's.

        Parameters
        ----------
        journal : Journal
        state : RunState
            What it says, checked by :func:`check_state`.
        experiment : str
            The folio's folder name for its experiment.
        """
        header = {key: value for key, value in state.header.items() if key not in ("branch", "lifecycle", "deleted_at")}
        header["experiment"] = experiment
        if header.get("tags"):
            header["tags"] = {key: self._text(key, value, MAX_TAG_LENGTH, []) for key, value in header["tags"].items()}
        with open(journal.path, "rb") as source, self._open(journal.run_id, journal.part) as target:
            opened = False
            for line in source:
                if not opened and line.startswith(b'["open",'):
                    line, opened = encode_event("open", header), True
                elif line.startswith((b'["p",', b'["t",')):
                    line = self._redacted(line)
                target.write(line)

    def _redacted(self, line: bytes) -> bytes:
        event = decode_event(line)
        if event is None or len(event) != 3:
            return line
        notices: list[bytes] = []
        text = self._text(event[1], event[2], MAX_PARAM_LENGTH if event[0] == "p" else MAX_TAG_LENGTH, notices)
        return line if text == event[2] else b"".join((encode_event(event[0], event[1], text), *notices))

    def _text(self, key: str, text: str, limit: int, notices: list[bytes]) -> str:
        shown = self._redactor.value(key, text)
        if shown != text:
            notices.append(encode_event("n", f"{key}: a secret or home path was redacted"))
        if len(shown) > limit:
            notices.append(encode_event("n", f"{key}: cut from {len(shown)} to {limit} characters"))
        return shown[:limit]

    def stage_foreign(self, folder: Path, run: ForeignRun, run_id: str, slug: str) -> None:
        """Write the journal of a run that another language wrote, its files stored.

        Raises
        ------
        DamagedError, UsageError
            If its metrics or files cannot be taken; the message names the file.
        """
        end = run.end
        header: dict[str, Any] = {"schema": 1, "run_id": run_id, "experiment": slug, "experiment_name": run.experiment}
        header |= {"start": run.start, "name": run.name or folder.name}
        for key in ("user", "parent"):
            if getattr(run, key):
                header[key] = getattr(run, key)
        files = files_of(folder)
        with self._open(run_id) as target:
            target.write(encode_event("open", header))
            notices: list[str] = []
            last = run.start
            for line, at in self._points(folder, run, notices):
                target.write(line)
                last = max(last, at)
            end = last if end is None else end
            for name, number in run.metrics.items():
                target.write(encode_point(encode_key(name), number, end, 0))
            for name, path in files:
                digest, size = self._store.put_file(path)
                target.write(encode_event("a", name, digest, size, ""))
            said: list[bytes] = []
            for kind, found, limit in (("p", run.params, MAX_PARAM_LENGTH), ("t", run.tags, MAX_TAG_LENGTH)):
                for name, value in found.items():
                    target.write(encode_event(kind, name, self._text(name, value, limit, said)))
            for line in (*said, *(encode_event("n", text) for text in (*run.notices, *notices))):
                target.write(line)
            target.write(encode_event("end", run.status, end))

    def _points(self, folder: Path, run: ForeignRun, notices: list[str]) -> Iterator[tuple[bytes, int]]:
        path = folder / METRICS_FILE
        if not path.exists():
            return
        check_inside(folder, path)
        fallback = run.start if run.end is None else run.end
        with open(path, "rb") as lines:
            for name, number, at, step in read_metrics(lines, str(path), notices):
                when = fallback if at is None else at
                yield encode_point(encode_key(name), number, when, step or 0), when

    def keep_environment(self, source: Spool, run: Run) -> None:
        """Keep the package list of a run with the staged journals.

        Raises
        ------
        DamagedError
            If it is not the one that the run names.
        """
        name = str(run.environment.get("lock") or "")
        if not name:
            return
        text = source.environment(name) if _LOCK.match(name) else b""
        if text is not None and hashlib.sha256(text).hexdigest()[:16] != name:
            raise DamagedError(f"{source.environments_folder}: {name}.txt: its bytes do not match its name. {_AGAIN}")
        if text is not None:
            self.spool.keep_environment(name, text.decode("utf-8", "surrogateescape"))


def read_foreign(folder: Path) -> ForeignRun:
    """Read a folder's ``run.json``."""
    path = folder / RUN_FILE
    check_inside(folder, path)
    try:
        return decode_foreign(path.read_bytes(), str(path))
    except OSError as error:
        raise storage_error(f"read {path}", error) from None


def files_of(folder: Path) -> list[tuple[str, Path]]:
    """List a run's files by their paths in the run.

    Raises
    ------
    UsageError
        If one cannot be stored, or is a link out of the folder.
    """
    top = folder / ARTIFACTS
    if not top.is_dir():
        return []
    check_inside(folder, top)
    found = walk_files(top)
    for name, path in found:
        check_inside(folder, path)
        try:
            check_artifact_path(name)
        except UsageError as error:
            raise UsageError(f"{path}: {error.message} Rename the file.") from None
    return found


def check_inside(folder: Path, path: Path) -> None:
    """Refuse a link that leads out of a run's folder: what it names is not the run's to give.

    Raises
    ------
    UsageError
        If it does.
    """
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{path} is a link that leads out of the run's folder. Put the file itself there.")


def id_of(folder: Path, run: ForeignRun, *, make: bool) -> str:
    """Return the id of a run that another language wrote, decided once for all collectors.

    Parameters
    ----------
    folder : Path
    run : ForeignRun
    make : bool
        Write it down (``run.id``) if it is not.

    Raises
    ------
    DamagedError
        If ``run.id`` does not hold a run id.
    """
    path = folder / ID_FILE
    wanted = run.run_id or new_run_id(run.start)
    try:
        if make and not path.exists():
            _write_once(path, wanted)
        if not path.exists():
            return wanted
        held = check_run_id(path.read_text("utf-8", "replace").strip())
    except UsageError:
        raise DamagedError(f"{path}: it does not hold a run id. Remove the file; a new one is made.") from None
    except OSError as error:
        raise storage_error(f"write {path}", error) from None
    if run.run_id and held != run.run_id:
        raise DamagedError(f"{path}: it says {held}, and run.json says {run.run_id}. Remove the one that is wrong.")
    return held


def _write_once(path: Path, text: str) -> None:
    """Make a file that appears whole, and only if it is not there."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text + "\n", "utf-8")
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass  # another collector was first: its id counts
    finally:
        temporary.unlink()


def check_state(journal: Journal, state: RunState) -> None:
    """Check what a worker's journal says as the API would have.

    Raises
    ------
    DamagedError
        If it could not have been written by runfolio; the message names journal and field.
    """
    where = str(journal.path)
    if not state.header:
        raise DamagedError(f"{where}: the journal has no header: it is empty or was cut off. {_AGAIN}")
    if state.header.get("run_id") != journal.run_id:
        raise DamagedError(f"{where}: run_id: {state.header.get('run_id')!r:.60} is not the id in the file's name.")
    faults: list[str] = []

    def check(field: str, test: Callable[[Any], Any], value: Any) -> None:
        try:
            test(value)
        except (ValueError, TypeError) as error:
            faults.append(f"{where}: {field}: {error}")

    tags = state.header.get("tags") or {}
    for kind, found in (("parameter", state.params), ("tag", {**(tags if isinstance(tags, dict) else {}), **state.tags})):
        for key, value in found.items():
            check(f"{kind} {key!r:.60}", partial(check_key, kind=kind), key)
            if value is not None and not isinstance(value, str):
                faults.append(f"{where}: {kind} {key!r:.60}: text is expected, found {value!r:.40}")
    for key in state.reduction.summaries():
        check(f"metric {key!r:.60}", lambda item: check_key(item, "metric"), key)
    for path in (*state.artifacts, *state.all_copies.values()):
        check(f"artifact {path!r:.60}", check_artifact_path, path)
    if type(state.header.get("start")) is not int or not 0 <= state.header["start"] < 250_000_000_000_000:
        faults.append(f"{where}: start: {state.header.get('start')!r:.40} is no time in milliseconds")
    if faults:
        raise DamagedError("\n".join(faults[:20]))
    if not state.amends:
        state.run()


def bring_objects(source: ObjectStore, target: ObjectStore, state: RunState) -> None:
    """Copy the objects that a journal names, each verified.

    Raises
    ------
    NotFoundError, DamagedError
        If one is missing or damaged.
    """
    for path, entry in state.artifacts.items():
        if target.exists(entry.digest):
            continue
        try:
            with source.open_verified(entry.digest) as stream:
                digest, _ = target.put_stream(stream)
        except NotFoundError as error:
            raise NotFoundError(f"{state.path}: artifact {path!r}: {error.message}") from None
        except DamagedError as error:
            raise DamagedError(f"{state.path}: artifact {path!r}: {error.message}") from None
        if digest != entry.digest:
            raise DamagedError(f"{state.path}: artifact {path!r}: object {entry.digest} changed while it was copied. Try again.")
