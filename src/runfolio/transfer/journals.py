"""A run of another store as a journal, written whole beside the folio and then moved in: killed in between, nothing of it is there."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import BusyError, NotFoundError, RunfolioError, StorageError, UsageError, storage_errors
from runfolio.folio.folio import Folio
from runfolio.folio.lock import locked
from runfolio.formats.runs import encode_input
from runfolio.gateway.model_facts import FILE, RunModels, encode_models
from runfolio.gateway.provided import claims_of
from runfolio.journal.events import encode_event, encode_key, encode_point, encode_text
from runfolio.journal.spool import SEALED
from runfolio.records import ArtifactEntry, DatasetInput, Experiment, Lifecycle, Run
from runfolio.records.names import MAX_PARAM_LENGTH, MAX_TAG_LENGTH, check_run_id
from runfolio.records.redaction import Redactor
from runfolio.records.runs import Digest
from runfolio.tracking.datasets import stored_input
from runfolio.tracking.live import LiveRun
from runfolio.tracking.model_logging import HISTORY_TAG, shortened_history
from runfolio.transfer.files import ALL, MISSING_TAG, Fetch, is_missing, list_files, missing_of, missing_text
from runfolio.transfer.findings import Imported
from runfolio.transfer.logged import LoggedOf, document_of, tags_of
from runfolio.transfer.restored import noted_difference
from runfolio.transfer.source import Source, SourceRun, StoreGoneError
from runfolio.transfer.spelling import KINDS, NAMES_TAG, RunNames, name_tag, names_of

_FIELDS = {"mlflow.runName": "name", "mlflow.parentRunId": "parent"}


@dataclass(slots=True)
class Expected:
    """What the folio should say of a run once it is taken.

    Parameters
    ----------
    run : SourceRun
    params, tags : dict of str to str
        As they were written: redacted, cut.
    histories : dict of str to PointsDigest
    names : RunNames
        Those that are spelled otherwise here.
    artifacts : dict of str to ArtifactEntry
    inputs : list of DatasetInput
    """

    run: SourceRun
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    histories: dict[str, PointsDigest] = field(default_factory=dict)
    names: RunNames = field(default_factory=RunNames)
    artifacts: dict[str, ArtifactEntry] = field(default_factory=dict)
    inputs: list[DatasetInput] = field(default_factory=list)

    @property
    def points(self) -> int:
        """Number of points of all metrics."""
        return sum(held.number for held in self.histories.values())


class Stage:
    """Journals of an import, beside the folio until they are whole.

    Parameters
    ----------
    folio : Folio
    source : Source
    done : Imported
        Findings go there.
    files : bool
        Take artifacts too.

    Raises
    ------
    BusyError
        If another import into this folio goes on.
    """

    def __init__(self, folio: Folio, source: Source, done: Imported, *, files: bool) -> None:
        self._held = ExitStack()
        try:
            self._held.enter_context(locked(folio.spool.folder / "importing", 0))
        except BusyError:
            raise BusyError("Another import into this folio goes on. Start this one again when it has ended.") from None
        self._folio, self._source, self._done, self._files = folio, source, done, files
        settings = folio.settings.redact
        self._redactor = Redactor(settings.patterns, settings.keys, home=str(Path.home()))
        self._folder = folio.spool.folder / "import"
        # What an import that was killed left here is not whole.
        shutil.rmtree(self._folder, ignore_errors=True)
        with storage_errors("import runs"):
            (self._folder / "files").mkdir(parents=True)
            folio.spool.journals_folder.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Remove what is left of the stage."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._held.close()

    @storage_errors("import the run")
    def take(self, run: SourceRun, experiment: Experiment, logged: LoggedOf) -> Expected:
        """Write a run's journal, its files into the store, and move the journal in.

        Raises
        ------
        RunfolioError
            If the run cannot be taken; nothing of it is there then.
        """
        check_run_id(run.run_id)
        expected = Expected(run)
        models = document_of(run, logged)
        expected.tags.update(tags_of(models))
        place = self._folder / f"{run.run_id}.jsonl"
        with open(place, "wb") as journal:
            journal.write(encode_event("open", self._header(run, experiment, expected)))
            journal.writelines(self._texts(run, expected))
            self._points(run, expected, journal.write)
            for item in run.inputs:
                self._input(run, item, expected, journal.write)
            if models != RunModels():
                digest, size = self._folio.store.put_bytes(encode_models(models))
                self._stored(expected, FILE, digest, size, journal.write)
            if self._files:
                self._artifacts(run, models, expected, journal.write)
            if expected.names:
                expected.names.keep(names_of(run.tags).get("artifacts", {}))
            for key, text in expected.names.tags().items():
                expected.tags[key] = text
                journal.write(encode_text("t", key, text))
            if run.deleted:
                journal.write(encode_event("life", "deleted", run.end or run.start))
            journal.write(encode_event("end", run.status, run.end or 0))
        os.replace(place, self._folio.spool.journals_folder / f"{run.run_id}{SEALED}")
        return expected

    def _header(self, run: SourceRun, experiment: Experiment, expected: Expected) -> dict[str, Any]:
        kept, claims = claims_of(run.tags, run.user, captured=False)
        header: dict[str, Any] = {"schema": 1, "run_id": run.run_id, "experiment": experiment.slug, "start": run.start}
        header["experiment_name"] = experiment.name
        redactor = self._redactor.fresh()
        for name in ("code", "entry"):
            said = {
                key: redactor.remote(text) if key == "remote" else redactor.text(text)
                for key, text in claims.get(name, {}).items()
            }
            if said:
                header[name] = said
        if claims.get("user"):
            header["user"] = claims["user"]
        for key, text in kept.items():
            if key in _FIELDS:
                continue
            spelled = self._spelled(expected, "tags", key, kept)
            expected.tags[spelled] = self._text(run, f"tag {key}", key, text, MAX_TAG_LENGTH)
        header["name"] = run.name or run.tags.get("mlflow.runName", "")
        parent = run.tags.get("mlflow.parentRunId")
        if parent:
            try:
                header["parent"] = check_run_id(parent)
            except UsageError as error:
                self._done.find(f"run {run.run_id}", f"its parent was not taken: {error.message}")
        shown = Run(
            run.run_id, experiment.slug, header["name"], user=header.get("user", ""), parent=header.get("parent"),
            code=header.get("code", {}), entry=header.get("entry", {}),
        ).all_tags  # fmt: skip
        redact = lambda key, text: redactor.remote(text) if key.endswith("repoURL") else redactor.value(key, text)  # noqa: E731
        expected.tags.update(noted_difference(run, shown, redact, header.get("user", "")))
        header["tags"] = expected.tags
        header["notices"] = [f"imported from {self._redactor.text(self._source.uri)}", *dict.fromkeys(redactor.notices)]
        return header

    def _texts(self, run: SourceRun, expected: Expected) -> list[bytes]:
        made = []
        for key, text in sorted(run.params.items()):
            spelled = self._spelled(expected, "params", key, run.params)
            expected.params[spelled] = self._text(run, f"param {key}", key, text, MAX_PARAM_LENGTH)
            made.append(encode_text("p", spelled, expected.params[spelled]))
        return made

    def _spelled(self, expected: Expected, kind: str, name: str, among: Collection[str]) -> str:
        made = expected.names.spell(kind, name, among)
        if made != name:
            what = f"a name cannot be that here; it is {made}, and the tag {NAMES_TAG} of its runs says what it was"
            self._done.find(f"{KINDS[kind]} {name_tag(name)}", what)
        return made

    def _text(self, run: SourceRun, what: str, key: str, text: str, limit: int) -> str:
        shown = self._redactor.value(key, text)
        if shown != text:
            self._done.find(f"run {run.run_id}", f"{what}: a secret or home path was redacted")
        if len(shown) <= limit:
            return shown
        if key == HISTORY_TAG:
            return shortened_history(shown)
        self._done.find(f"run {run.run_id}", f"{what}: cut from {len(shown)} to {limit} characters")
        return shown[:limit]

    def _points(self, run: SourceRun, expected: Expected, write: Callable[[bytes], Any]) -> None:
        known: dict[str, tuple[str, PointsDigest]] = {}
        for key, point in self._source.points(run):
            found = known.get(key)
            if found is None:
                spelled = self._spelled(expected, "metrics", key, run.metrics)
                found = known[key] = encode_key(spelled), expected.histories.setdefault(spelled, PointsDigest())
            write(encode_point(found[0], float(point.value), int(point.timestamp), int(point.step)))
            found[1].add(point)
        for key in sorted(run.metrics.keys() - known.keys()):
            self._done.find(f"run {run.run_id}", f"metric {key} was not taken: the store has no points of it")

    def _input(self, run: SourceRun, item: Any, expected: Expected, write: Callable[[bytes], Any]) -> None:
        try:
            made = (
                item
                if isinstance(item, DatasetInput)
                else stored_input(item, notify=lambda text: self._done.find(f"run {run.run_id}", text))
            )
        except UsageError as error:
            self._done.find(f"run {run.run_id}", f"a dataset was not taken: {error.message}")
            return
        expected.inputs.append(made)
        write(encode_event("d", encode_input(made)))

    def _artifacts(self, run: SourceRun, models: RunModels, expected: Expected, write: Callable[[bytes], Any]) -> None:
        spell = partial(self._spelled, expected, "artifacts")
        listed = list_files(self._source, run, models, spell, partial(self._done.find, f"run {run.run_id}"))
        missing = set()
        for path, fetch in listed.fetch.items():
            if path in expected.artifacts:
                continue
            stored = self._fetched(run.run_id, path, fetch)
            if stored is None:
                missing.add(path)
            else:
                self._stored(expected, path, *stored, write)
        if text := missing_text(missing, whole=listed.whole):
            expected.tags[MISSING_TAG] = text
            write(encode_text("t", MISSING_TAG, text))

    def complete(self, run: SourceRun, found: Run, logged: LoggedOf) -> bool:
        """Fetch what an earlier import could not; tell whether the run was changed by it.

        Parameters
        ----------
        run : SourceRun
        found : Run
            The run as the folio has it.
        logged : LoggedOf
            The models that it made.
        """
        where, said, there = f"run {run.run_id}", missing_of(found.tags), self._folio.runs.artifacts(found)
        if found.lifecycle is Lifecycle.DELETED:
            what = f"files of it are missing, and it is deleted: runfolio runs restore {run.run_id}, and import again"
            self._done.find(where, what)
            return False
        names = RunNames(names_of(found.tags))
        find = partial(self._done.find, where)
        listed = list_files(self._source, run, document_of(run, logged), partial(names.spell, "artifacts"), find)
        missing, taken = set(), {}
        for path, fetch in listed.fetch.items():
            if path in there or not is_missing(path, said):
                continue
            stored = self._fetched(run.run_id, path, fetch)
            if stored is None:
                missing.add(path)
            else:
                taken[path] = stored
        gone = [path for path in said - {ALL} - there.keys() if not any(is_missing(name, (path,)) for name in listed.fetch)]
        for path in sorted(gone) if listed.whole else ():
            find(f"{path} was not taken: the store does not list it any more")
            missing.add(path)
        wanted = {MISSING_TAG: missing_text(missing, whole=listed.whole), **names.tags()}
        changed = {key: text for key, text in wanted.items() if text != found.tags.get(key, "")}
        if not changed:
            return False
        live = LiveRun.take(self._folio, self._redactor, run.run_id, resume=False)
        live.writer.events([encode_event("a", path, digest, size, "") for path, (digest, size) in taken.items()])
        live.writer.events([encode_text("t", key, text) if text else encode_event("-t", key) for key, text in changed.items()])
        if live.brief:
            live.seal_brief()
        else:
            live.detach()  # somebody goes on with the run, and will end it
        self._done.took("artifacts", len(taken))
        self._done.size += sum(size for _, size in taken.values())
        return True

    def _fetched(self, run_id: str, path: str, fetch: Fetch) -> tuple[Digest, int] | None:
        """Put a file into the store; None, and a finding, where it cannot be had."""
        folder = self._folder / "files" / run_id
        try:
            folder.mkdir(exist_ok=True)
            try:
                fetched = fetch(folder)
                _readable(fetched)
            except (StoreGoneError, StorageError):
                raise
            except RunfolioError as error:
                self._done.find(f"run {run_id}", f"{path} was not taken: {error.message}")
                return None
            return self._folio.store.put_file(fetched)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _stored(self, expected: Expected, path: str, digest: Digest, size: int, write: Callable[[bytes], Any]) -> None:
        expected.artifacts[path] = ArtifactEntry(digest, size)
        self._done.size += size
        write(encode_event("a", path, digest, size, ""))


class PointsDigest:
    """The number and the digest of a metric's points, whatever their order, without holding them.

    The digests of the points are added up modulo 2**256: a sum, unlike an exclusive or, tells one point from the same point thrice.
    """

    def __init__(self) -> None:
        self.number, self._sum = 0, 0

    def add(self, point: Any) -> None:
        """Add a point: its value, time and step."""
        text = f"{float(point.value)!r} {int(point.timestamp)} {int(point.step)}"
        self._sum += int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
        self.number += 1

    def text(self) -> str:
        """Return the digest: 64 hexadecimal digits."""
        return f"{self._sum % (1 << 256):064x}"


def _readable(place: Path) -> None:
    """Tell a file of the other store that cannot be read from a folio that cannot be written."""
    try:
        with open(place, "rb"):
            pass
    except OSError as error:
        raise NotFoundError(f"{place.name}: {error.strerror or error}") from None


def differences(expected: Expected, folio: Folio) -> list[str]:
    """Compare a run as the folio holds it with what it should be; return what differs, in words."""
    wanted = expected.run
    found = folio.runs.committed(wanted.run_id)
    if found is None:
        return ["it is not in the folio"]
    said = []
    pairs: list[tuple[str, Any, Any]] = [
        ("status", wanted.status, found.status.value),
        ("start", wanted.start, found.start),
        ("end", wanted.end, found.end),
        ("deleted", wanted.deleted, found.lifecycle.value == "deleted"),
        ("params", expected.params, dict(found.params)),
        ("tags", expected.tags, dict(found.tags)),
        ("metrics", sorted(expected.histories), sorted(found.metrics)),
        ("artifacts", _plain(expected.artifacts), _plain(folio.runs.artifacts(found))),
        ("datasets", len({(item.name, item.digest) for item in expected.inputs}), len(found.inputs)),
    ]
    said += [f"{name} differ" for name, one, other in pairs if one != other]
    held: dict[str, PointsDigest] = {}
    for point in folio.runs.history(found):
        held.setdefault(point.key, PointsDigest()).add(point)
    for key, there in expected.histories.items():
        here = held.get(key, PointsDigest())
        if (here.number, here.text()) != (there.number, there.text()):
            said.append(f"metric {key}: {here.number} points here, {there.number} there, or of other values")
    return said


def _plain(artifacts: Mapping[str, ArtifactEntry]) -> dict[str, tuple[str, int]]:
    return {path: (str(entry.digest), entry.size) for path, entry in artifacts.items()}
