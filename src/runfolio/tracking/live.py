"""One process's hold on one run: validated values in, journal events out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from runfolio._dataclass import replace
from runfolio._typing import TYPE_CHECKING, Any
from runfolio.errors import DeletedError, StateError, UsageError, storage_errors
from runfolio.formats.runs import encode_input
from runfolio.journal import JournalWriter
from runfolio.journal.events import encode_event, encode_key, encode_point, encode_value
from runfolio.objects import media_type_of
from runfolio.records import ArtifactEntry, DatasetInput, Lifecycle, Run
from runfolio.records.names import MAX_PARAM_LENGTH, MAX_TAG_LENGTH, check_artifact_path, check_key
from runfolio.records.redaction import Redactor
from runfolio.records.runs import Digest

if TYPE_CHECKING:
    from pathlib import Path

    from runfolio.folio.folio import Folio
    from runfolio.folio.offline import OfflineFolio

RUN_VARIABLE = "RUNFOLIO_RUN_ID"
"""Names the run that a program was started for."""
_BEYOND_64_BITS = 2**63


_spelled_before = lru_cache(maxsize=4096)(lambda key, kind: encode_key(check_key(key, kind)))


def _spelled(key: Any, kind: str) -> str:
    """Return the key of a param, metric or tag as it is written, checked: for the first run of a process, since the next have the same."""
    return _spelled_before(key, kind) if type(key) is str else encode_key(check_key(key, kind))


class LiveRun:
    """A run that this process logs to.

    Parameters
    ----------
    folio : Folio or OfflineFolio
    redactor : Redactor
    writer : JournalWriter
    record : Run
        What the run was when this process took hold of it.
    brief : bool
        Opened for one call: it is sealed right after.
    say : callable or None
        Told what is redacted or cut as it is logged, so that the user sees it; set by whoever holds the run.
    """

    def __init__(
        self, folio: Folio | OfflineFolio, redactor: Redactor, writer: JournalWriter, record: Run, *, brief: bool = False
    ) -> None:
        self.folio, self.redactor, self.writer = folio, redactor, writer
        self.run_id = record.run_id
        self.record = record
        self.brief = brief
        self.say: Callable[[str], None] | None = None
        self._params = dict(record.params)
        self._keys: dict[str, str] = {}
        self._copied = False
        self._asked: str | None = None  # the status with which somebody ended the run, also where that failed

    @classmethod
    def take(cls, folio: Folio | OfflineFolio, redactor: Redactor, run_id: str, *, resume: bool) -> LiveRun:
        """Take hold of a run that is there: attach to a live one, or open a sealed one again.

        Raises
        ------
        NotFoundError
            If there is no such run.
        DeletedError
            If it is deleted.
        """
        record = folio.runs.get(run_id)
        _refuse_deleted(record)
        for journal in reversed(folio.spool.of_run(run_id)):
            writer = None if journal.sealed else folio.spool.attach(journal)
            if writer is not None:
                return cls(folio, redactor, writer, record)
        now = time.time_ns() // 1_000_000
        header: dict[str, Any] = {"amend": True, "run_id": run_id, "experiment": record.experiment, "start": record.start}
        header["resumed"] = _fresh(now, record)
        made = cls(folio, redactor, folio.start(header), record, brief=not resume)
        if made.brief:
            made.writer.event("end", record.status.value, record.end if record.end is not None else now)
        return made

    @property
    def closed(self) -> bool:
        """Whether the run has been ended or let go here."""
        return self.writer.closed

    def knows(self, key: str) -> bool:
        """Tell whether this process logged the metric through this hold."""
        return key in self._keys

    def refuse_deleted(self) -> None:
        """Refuse to change a run that this process deleted while it went on; to end it is always allowed.

        Raises
        ------
        DeletedError
        """
        _refuse_deleted(self.record)

    def mark(self, lifecycle: Lifecycle, at: int) -> None:
        """Hide a run that goes on, or bring it back."""
        self.writer.event("life", lifecycle.value, at)
        self.record = replace(self.record, lifecycle=lifecycle)

    def metric(self, key: str, value: Any, timestamp: int | None = None, step: int | None = None) -> None:
        """Log one point of a metric."""
        spelled = self._keys.get(key) if type(key) is str else None
        if spelled is None:
            spelled = self._spelled(key)
        if type(value) is not float:
            value = number_of(key, value)
        if timestamp is None:
            timestamp = time.time_ns() // 1_000_000
        elif type(timestamp) is not int or not 0 <= timestamp < _BEYOND_64_BITS:
            timestamp = whole(key, "timestamp", timestamp)
        if step is None:
            step = 0
        elif type(step) is not int or not -_BEYOND_64_BITS <= step < _BEYOND_64_BITS:
            step = whole(key, "step", step)
        self.writer.point(spelled, value, timestamp, step)

    def points(self, metrics: Sequence[tuple[str, Any]], step: int = 0) -> None:
        """Log one point each of several metrics, all of now, by one write: valid ones all, or none.

        Parameters
        ----------
        metrics : sequence of (key, value)
        step : int, optional
        """
        if type(step) is not int or not -_BEYOND_64_BITS <= step < _BEYOND_64_BITS:
            step = whole(", ".join(key for key, _ in metrics), "step", step)
        lines = []
        now = time.time_ns() // 1_000_000
        for key, value in metrics:
            spelled = self._keys.get(key) or self._spelled(key)
            lines.append(encode_point(spelled, value if type(value) is float else number_of(key, value), now, step))
        self.writer.events(lines)

    def spelled(self, key: str) -> str | None:
        """Return a metric's key as the journal has it; None where the metric was not logged here yet."""
        return self._keys.get(key)

    def _spelled(self, key: str) -> str:
        spelled = self._keys[key] = _spelled(key, "metric")
        return spelled

    def param(self, key: str, value: Any) -> None:
        """Log a param once; the same value again changes nothing."""
        lines: list[bytes] = []
        text = self._param(key, value, lines)
        self.writer.events(lines)
        self._params[key] = text

    def tag(self, key: str, value: Any) -> None:
        """Set a tag."""
        lines: list[bytes] = []
        self._tag(key, value, lines)
        self.writer.events(lines)

    def batch(
        self, metrics: Iterable[tuple[str, Any, int | None, int | None]], params: Mapping[str, Any], tags: Mapping[str, Any]
    ) -> None:
        """Log metrics, params and tags by one write: valid ones all, or none.

        Parameters
        ----------
        metrics : iterable of (key, value, timestamp, step)
        params, tags : Mapping
        """
        lines: list[bytes] = []
        fresh: dict[str, str] = {}
        now = time.time_ns() // 1_000_000
        for key, value in params.items():
            fresh[key] = self._param(key, value, lines)
        for key, value, timestamp, step in metrics:
            spelled = (self._keys.get(key) if type(key) is str else None) or self._spelled(key)
            at = now if timestamp is None else whole(key, "timestamp", timestamp)
            lines.append(encode_point(spelled, number_of(key, value), at, 0 if step is None else whole(key, "step", step)))
        for key, value in tags.items():
            self._tag(key, value, lines)
        self.writer.events(lines)
        self._params.update(fresh)

    def _param(self, key: str, value: Any, lines: list[bytes]) -> str:
        """Add the lines of a param, none if it was logged before; return its text."""
        spelled = _spelled(key, "parameter")
        text = self._text(key, value, "param", MAX_PARAM_LENGTH, lines)
        known = self._params.get(key)
        if known is None:
            lines.append(encode_value("p", spelled, text))
        elif known != text:
            raise UsageError(
                f"Changing param values is not allowed. Param with key={key!r} was already logged with value={known!r} for run "
                f"ID={self.run_id!r}. Attempted logging new value {text!r}."
            )
        return text

    def _tag(self, key: str, value: Any, lines: list[bytes]) -> None:
        """Add the lines of a tag."""
        spelled = _spelled(key, "tag")
        lines.append(encode_value("t", spelled, self._text(key, value, "tag", MAX_TAG_LENGTH, lines)))

    def _text(self, key: str, value: Any, kind: str, limit: int, lines: list[bytes]) -> str:
        text = value if type(value) is str else str(value)
        shown = self.redactor.value(key, text)
        if shown != text:
            self._told(f"{kind} {key}: a secret or home path was redacted", lines)
            text = shown
        if len(text) > limit:
            self._told(f"{kind} {key}: cut from {len(text)} to {limit} characters", lines)
            text = text[:limit]
        return text

    def _told(self, notice: str, lines: list[bytes]) -> None:
        lines.append(encode_event("n", notice))
        if self.say is not None:
            self.say(notice)

    def untag(self, key: str) -> None:
        """Take a tag away."""
        self.writer.event("-t", key)

    def input(self, item: DatasetInput) -> None:
        """Log a dataset that the run read; a file that the folio has recorded is named by its content."""
        if item.source_type == "local":
            from runfolio.tracking.datasets.recorded import with_recorded_source

            item = with_recorded_source(item, self.folio, self.notice)
        self.writer.event("d", encode_input(item))

    def notice(self, text: str) -> None:
        """Write down something that the reader of the run should know."""
        self.writer.event("n", text)

    def artifact_copied(self, path: Path | str, artifact_path: str) -> None:
        """Log a file under a path of the run: its bytes are taken now, and hashed now or while the caller goes on."""
        from runfolio.tracking.copies import CopiedFile, backlog

        check_artifact_path(artifact_path)
        waiting, store = backlog(), self.folio.store
        self._copied = True
        waiting.retry(self.writer)
        copy = None if self.brief or self.folio.spool.durability == "power-each" else store.copies.take(path)
        if copy is None:
            from pathlib import Path

            self.artifact_file(Path(path), artifact_path)
            return
        try:
            self.writer.event("copy", artifact_path, *copy)
        except BaseException:
            store.copies.drop(copy.name)
            raise
        waiting.add(CopiedFile(self.writer, store, artifact_path, copy))

    @storage_errors("store the artifact")
    def settle_artifacts(self) -> None:
        """Return once each artifact that was logged here has its digest and is in the store."""
        if self._copied:  # a run without files loads none of it
            from runfolio.tracking.copies import backlog

            backlog().finish(self.writer)

    @storage_errors("store the artifact")
    def artifact_file(self, path: Path, artifact_path: str) -> ArtifactEntry:
        """Store a file and log it under a path of the run."""
        digest, size = self.folio.store.put_file(path)
        return self._artifact(artifact_path, digest, size)

    @storage_errors("store the artifact")
    def artifact_taken(self, path: Path, artifact_path: str, digest: Digest) -> ArtifactEntry:
        """Log a file of a folder that the store itself gave, by the digest of its bytes; the file is gone then."""
        check_artifact_path(artifact_path)
        return self._artifact(artifact_path, digest, self.folio.store.take(path, digest))

    @storage_errors("store the artifact")
    def artifact_bytes(self, data: bytes, artifact_path: str) -> ArtifactEntry:
        """Store bytes and log them under a path of the run."""
        check_artifact_path(artifact_path)
        digest, size = self.folio.store.put_bytes(data)
        return self._artifact(artifact_path, digest, size)

    def _artifact(self, artifact_path: str, digest: Any, size: int) -> ArtifactEntry:
        path = check_artifact_path(artifact_path)
        entry = ArtifactEntry(digest, size, "")
        self.writer.event("a", path, digest, size, "")
        return entry

    @storage_errors("end the run")
    def end(self, status: str, at: int | None = None, *, synced: bool = True) -> bool:
        """End the run; returns once it can no longer be lost.

        Parameters
        ----------
        status : str
        at : int, optional
            Milliseconds since the epoch, UTC.
        synced : bool, optional
            False leaves it to the commit that follows to bring the run to disk: it outlives a killed process, and not a power cut.

        Returns
        -------
        bool
            False while another process still logs to the run; whoever lets go last seals it.
        """
        if self.closed:
            raise StateError(f"The run {self.run_id} has ended already.")
        self._asked = status
        self.settle_artifacts()
        self.writer.event("end", status, time.time_ns() // 1_000_000 if at is None else at)
        return self.folio.spool.seal(self.writer, synced=synced)

    def seal_brief(self) -> bool:
        """Seal a run that was opened for one call."""
        return self.folio.spool.seal(self.writer)

    @storage_errors("let go of the run")
    def detach(self) -> None:
        """Let go of a run that goes on without this process; one whose end could not be written then is ended now."""
        if self.closed:
            return
        if os.getpid() == self.writer.owner:
            if self._asked is not None:
                self.end(self._asked)
                return
            self.settle_artifacts()
            self.writer.event("detach")
        self.writer.close(durable=self.folio.spool.durable)


def _refuse_deleted(record: Run) -> None:
    if record.lifecycle is Lifecycle.DELETED:
        raise DeletedError(
            f"The run {record.run_id} must be in the 'active' state. Current state is deleted. "
            f"Restore it: runfolio runs restore {record.run_id}"
        )


def media_type(path: str) -> str:
    """Return the media type that a path's ending says."""
    return media_type_of(path)


def number_of(key: str, value: Any) -> float:
    """Return a metric's value as a float; a truth value is 1 or 0, and text is the number that it spells, as in MLflow (2.22, 3.17).

    Raises
    ------
    UsageError
        If it is no number: None, other text, an array of several items.
    """
    if type(value) is float:
        return value
    try:
        item = value.item() if hasattr(value, "item") else value
        if isinstance(item, (bytes, complex)):
            raise TypeError
        return float(item)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        if value is None or isinstance(value, (str, bytes)):
            raise UsageError(
                f"Got invalid value {value!r:.80} for metric {key!r}: a metric is a number. Log text as a param or a tag."
            ) from None
        raise UsageError(f"Got invalid value {value!r:.80} for metric {key!r}: a metric is one number.") from None


def whole(key: str, field: str, value: Any) -> int:
    """Return a step or timestamp as a whole number.

    Raises
    ------
    UsageError
        If it is none, or outside 64 bits.
    """
    try:
        if isinstance(value, (bool, str, bytes)) or (int(value) != value and field == "step"):
            raise TypeError
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"Got invalid {field} {value!r} for metric {key!r}: a whole number is expected.") from None
    if not -_BEYOND_64_BITS <= number < _BEYOND_64_BITS:
        raise UsageError(f"Got invalid {field} {value!r} for metric {key!r}: it does not fit 64 bits.")
    if number < 0 and field == "timestamp":
        raise UsageError(f"Got invalid timestamp {value!r} for metric {key!r}: milliseconds since 1970 are not negative.")
    return number


def _fresh(now: int, record: Run) -> int:
    """Return a moment that tells this resumption from all earlier ones."""
    while now in record.resumed:
        now += 1
    return now
