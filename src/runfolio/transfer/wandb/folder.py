"""A W&B run of a folder ``run-…`` or ``offline-run-…``: what its log says, put together, and its files."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError
from runfolio.transfer.folders import files_below
from runfolio.transfer.held import NOTE_TAG, Draft, HeldRun, number_of
from runfolio.transfer.wandb import log
from runfolio.transfer.wandb.rows import Rows, drop, put, set_config

_HISTORY, _SUMMARY, _OUTPUT, _CONFIG, _STATS, _ARTIFACT, _RAW, _RUN, _EXIT, _USED, _ENVIRONMENT = (
    2,
    3,
    4,
    5,
    7,
    8,
    13,
    17,
    18,
    25,
    26,
)
_NOT_FILES = ("config.yaml", "wandb-metadata.json")
_OWN_ARTIFACTS = ("run_table", "wandb-history")
"""Kinds of artifacts that W&B makes of what is among the run's media, too."""
LABELS_TAG, GROUP_TAG, JOB_TAG, SWEEP_TAG, STATE_TAG = "labels", "group", "job_type", "sweep", "wandb.state"


@dataclass(frozen=True, slots=True)
class Name:
    """What names a W&B run: its entity, project and id."""

    entity: str
    project: str
    run_id: str

    @property
    def origin(self) -> str:
        """As in an address of W&B."""
        return "/".join(part for part in (self.entity, self.project, self.run_id) if part)


def name_of(place: Path) -> Name:
    """Return what names the run of a log.

    Raises
    ------
    DamagedError
        If the log does not say: its process ended before W&B had written it.
    """
    for record in log.records(place, lambda text: None):
        run = log.part(log.fields_of(record), _RUN)
        if run:
            return Name(log.text(run, 2), log.text(run, 3) or "uncategorized", log.text(run, 1))
    raise DamagedError("its log holds no run: the process ended before W&B wrote it to disk. It was not taken.")


@dataclass(slots=True)
class Read:
    """What was read of a run so far; a run that was resumed has several logs.

    Parameters
    ----------
    draft : Draft
    tell : callable
        Given in words what could not be read.
    """

    draft: Draft
    tell: Callable[[str], None]
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    output: list[str] = field(default_factory=list)
    run: log.Fields = field(default_factory=dict)
    environment: log.Fields = field(default_factory=dict)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    exit_code: int | None = None
    start: int = 0
    end: int = 0
    samples: int = 0
    rows: Rows | None = None

    def take(self, place: Path) -> None:
        """Read a log."""
        self.exit_code = None
        for record in log.records(place, self.tell):
            try:
                self._record(log.fields_of(record))
            except DamagedError as error:
                self.tell(f"{place.name}: {error.message}; that record was left out")

    def _record(self, fields: log.Fields) -> None:
        if _RUN in fields:
            self._run(log.part(fields, _RUN))
        elif _HISTORY in fields:
            row: dict[str, Any] = {}
            history = log.part(fields, _HISTORY)
            for path, value in log.items(history, 1):
                put(row, path, value)
            if self.rows is not None:
                self.rows.add(row, log.whole(log.part(history, 2), 1))
                self.end = max(self.end, self.rows.last_at)
        elif _SUMMARY in fields:
            _change(self.summary, log.part(fields, _SUMMARY))
        elif _CONFIG in fields:
            _change(self.config, log.part(fields, _CONFIG))
        elif _STATS in fields:
            self._sample(log.part(fields, _STATS))
        elif _EXIT in fields:
            self.exit_code = log.whole(log.part(fields, _EXIT), 1)
        elif _ENVIRONMENT in fields:
            for number, values in log.part(fields, _ENVIRONMENT).items():
                self.environment[number] = values
        elif _ARTIFACT in fields:
            self._artifact(log.part(fields, _ARTIFACT))
        elif _USED in fields:
            used = log.part(fields, _USED)
            self.artifacts.append({"used": log.text(used, 3) or log.text(used, 1), "type": log.text(used, 2)})
        elif _OUTPUT in fields or _RAW in fields:
            output = log.part(fields, _OUTPUT if _OUTPUT in fields else _RAW)
            self.output.append(log.text(output, 3))
            self.end = max(self.end, log.moment(output, 2))

    def _run(self, run: log.Fields) -> None:
        self.run.update(run)
        _change(self.config, log.part(run, 4))
        _change(self.summary, log.part(run, 5))
        start = log.moment(run, 17)
        if self.rows is None:
            self.start, self.rows = start, Rows(self.draft, start)
        self.end = max(self.end, start)

    def _sample(self, stats: log.Fields) -> None:
        at = log.moment(stats, 2)
        for path, value in log.items(stats, 3):
            number = number_of(value)
            if number is not None:
                self.draft.point(f"system/{'.'.join(path)}", number, at, self.samples)
        self.samples += 1
        self.end = max(self.end, at)

    def _artifact(self, artifact: log.Fields) -> None:
        name, kind = log.text(artifact, 5), log.text(artifact, 4)
        if kind in _OWN_ARTIFACTS:
            return
        entries = []
        for entry in log.parts(log.part(artifact, 12), 4):
            path, digest, reference = log.text(entry, 1), log.text(entry, 2), log.text(entry, 3)
            entries.append({"path": path, "md5": digest, "size": log.whole(entry, 4), **({"at": reference} if reference else {})})
            place = Path(log.text(entry, 6))
            if reference:
                self.tell(f"artifact {name}: {path} is only named by W&B, at {reference}; it was not fetched")
            elif not place.is_absolute() or not _is(place, digest):
                self.tell(f"artifact {name}: {path} is no longer where W&B put it on this machine (md5 {digest}, base64)")
            else:
                self.draft.files[f"artifacts/{name}/{path}"] = place
        described: dict[str, Any] = {
            "logged": name,
            "type": kind,
            "digest": log.text(artifact, 6),
            "aliases": log.texts(artifact, 11),
        }
        described |= {"description": log.text(artifact, 7), "metadata": log.text(artifact, 8), "files": entries}
        self.artifacts.append({key: value for key, value in described.items() if value})

    def files(self, folder: Path) -> None:
        """Add the files of a folder ``files/``; those whose content is in params and tags are left out."""
        roots = [folder.parent, *([folder.parent.parent.parent] if folder.parent.parent.name == "wandb" else [])]
        for path, place in files_below(
            folder, roots, lambda where, why: self.tell(f"{where.relative_to(folder)} was not taken: {why}")
        ):
            if path in _NOT_FILES:
                continue
            for name in (self.rows.pictures.get(path) if self.rows else None) or [path]:
                self.draft.files[name] = place

    def held(self, name: Name) -> HeldRun:
        """Return the run, whole."""
        assert self.rows is not None
        draft, run = self.draft, self.run
        set_config(draft, self.config)
        self.rows.summary(self.summary)
        self.rows.close()
        if self.output:
            draft.files.setdefault("output.log", "".join(self.output).encode("utf-8", "replace"))
        if self.artifacts:
            draft.files["wandb-artifacts.json"] = json.dumps(self.artifacts, indent=1).encode()
        draft.tag(LABELS_TAG, ", ".join(log.texts(run, 10)))
        for tag, number in ((GROUP_TAG, 6), (JOB_TAG, 7), (SWEEP_TAG, 12), (NOTE_TAG, 9), ("host", 13)):
            draft.tag(tag, log.text(run, number))
        draft.tag("wandb.entity", name.entity)
        self._facts()
        if self.exit_code is None:
            status = "KILLED"
            draft.tag(STATE_TAG, "crashed")
            self.tell(
                "its log has no end: the process was killed, or still runs. What is in the log was taken; it is KILLED here"
            )
        else:
            status = "FAILED" if self.exit_code else "FINISHED"
            if self.exit_code:
                draft.tag("exit_code", self.exit_code)
        user = log.text(self.environment, 13) or log.text(self.environment, 10)
        return draft.held(status, self.start, max(self.end, self.start), name=log.text(run, 8) or name.run_id, user=user)

    def _facts(self) -> None:
        """Set what is known of program, code and machine."""
        seen, draft = self.environment, self.draft
        git = {**log.part(self.run, 21), **log.part(seen, 9)}
        draft.tag("mlflow.source.name", log.text(seen, 7) or log.text(seen, 6))
        draft.tag("mlflow.source.type", "LOCAL" if log.text(seen, 6) else "")
        draft.tag("mlflow.source.git.commit", log.text(git, 2))
        draft.tag("mlflow.source.git.repoURL", log.text(git, 1))
        draft.tag("arguments", " ".join(log.texts(seen, 5)))
        facts = (("os", 1), ("python", 2), ("docker", 4), ("executable", 14), ("gpu", 18), ("cuda", 25))
        for tag, number in facts:
            draft.tag(tag, log.text(seen, number))
        for tag, number in (("cpu_count", 16), ("gpu_count", 19)):
            draft.tag(tag, log.whole(seen, number) or "")


def _change(tree: dict[str, Any], fields: log.Fields) -> None:
    """Apply a record of updates (1) and removals (2)."""
    for path, value in log.items(fields, 1):
        put(tree, path, value)
    for path, _ in log.items(fields, 2):
        drop(tree, path)


def _is(place: Path, digest: str) -> bool:
    """Tell whether a file has an MD5 in base64: a log can then name no file whose content its writer did not know."""
    try:
        wanted = base64.b64decode(digest, validate=True)
        made = hashlib.md5(usedforsecurity=False)
        with open(place, "rb") as file:
            while part := file.read(1 << 20):
                made.update(part)
    except (OSError, binascii.Error):
        return False
    return made.digest() == wanted
