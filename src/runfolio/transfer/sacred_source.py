"""Runs of Sacred's ``FileStorageObserver``: a folder for each run, with JSON files; the package Sacred is not needed."""

from __future__ import annotations

import datetime
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runfolio.errors import DamagedError, NotFoundError
from runfolio.records import DatasetInput
from runfolio.transfer.folders import files_below, walked
from runfolio.transfer.held import NOTE_TAG, Draft, HeldRun, HeldSource, flat, number_of
from runfolio.transfer.plain import id_of
from runfolio.transfer.source import SourceExperiment, SourceRun

TOOL = "sacred"
STATUS_TAG = "sacred.status"
SILENT_S = 120
"""Sacred's heart beats every 10 s; a run that says RUNNING and was silent for so long died."""
_STATUS = {"COMPLETED": "FINISHED", "FAILED": "FAILED", "INTERRUPTED": "KILLED", "TIMEOUT": "KILLED", "QUEUED": "SCHEDULED"}
_OWN = frozenset({"run.json", "config.json", "metrics.json"})
_DIGEST = re.compile(r"_([0-9a-f]{32})(?:\.|\Z)")
_PLAIN = (str, int, float, bool)


class _Found(NamedTuple):
    """A run's folder, and its ``run.json``."""

    place: Path
    said: dict[str, Any]
    experiment: str
    start: int
    run_id: str


def open_sacred(folder: str) -> SacredSource:
    """Open a folder of runs.

    Parameters
    ----------
    folder : str
        That of a ``FileStorageObserver``, one above such folders, or a run's own.

    Raises
    ------
    NotFoundError
        If there is no such folder, or it has no runs.
    """
    place = Path(folder)
    if not place.is_dir():
        raise NotFoundError(f"{folder}: no such folder. Name the folder that FileStorageObserver was given.")
    return SacredSource(place)


class SacredSource(HeldSource):
    """A folder of Sacred's runs; see :func:`open_sacred`."""

    def __init__(self, root: Path) -> None:
        super().__init__(TOOL, str(root))
        self._root, self._since = root, 0
        self._runs = sorted(self._found(), key=lambda found: (found.start, str(found.place)))
        if not self._runs and not self._unread:
            raise NotFoundError(f"{root}: there are no runs of Sacred in it, nor below (folders with run.json).")

    def experiments(self) -> Iterator[SourceExperiment]:
        """Yield the experiments, by the names that Sacred knows."""
        for name in dict.fromkeys(found.experiment for found in self._runs):
            yield self.experiment(name)

    def runs(self, experiment_ids: Sequence[str], since_ms: int | None) -> Iterator[SourceRun]:
        """Yield the runs that started then or later; what is older is not read."""
        self._since = since_ms or 0
        yield from super().runs(experiment_ids, since_ms)

    def held(self, experiment_ids: Sequence[str]) -> Iterator[HeldRun]:
        """Yield the runs of experiments, oldest first."""
        for found in self._runs:
            experiment_id = self.experiment(found.experiment).experiment_id
            if experiment_id in experiment_ids and found.start >= self._since:
                yield self._run(found, experiment_id)

    def _where(self, place: Path) -> str:
        return place.relative_to(self._root).as_posix()

    def _found(self) -> Iterator[_Found]:
        seen: dict[str, Path] = {}
        for place, folders, names in walked(self._root, lambda link, why: self.cannot_read(self._where(link), why)):
            folders[:] = [name for name in folders if name not in ("_sources", "_resources")]
            if "run.json" not in names:
                if "cout.txt" in names or {"config.json", "metrics.json"} <= set(names):
                    self.cannot_read(self._where(place), "the run was not taken: its run.json is missing")
                continue
            folders.clear()
            try:
                found = self._read(place)
            except DamagedError as error:
                self.cannot_read(self._where(place), f"the run was not taken: {error.message}")
                continue
            twin = seen.setdefault(found.run_id, place)
            if twin != place:
                self.cannot_read(self._where(place), f"it is a copy of {self._where(twin)}, of which one is taken")
                continue
            yield found

    def _read(self, place: Path) -> _Found:
        said = _json(place / "run.json")
        experiment = _object(said, "experiment")
        if not experiment or "status" not in said:
            raise DamagedError("its run.json is not one of Sacred's: it has no experiment or no status")
        name = str(experiment.get("name") or "sacred")
        start = _time(said.get("start_time"), "start_time")
        if start is None:  # it was queued, and never started
            start = round((place / "run.json").stat().st_mtime * 1000)
        host = _object(said, "host").get("hostname")
        run_id = id_of(TOOL, name, place.resolve().name, str(said.get("start_time")), str(host))
        return _Found(place, said, name, start, run_id)

    def _run(self, found: _Found, experiment_id: str) -> HeldRun:
        draft = Draft(self, found.run_id, experiment_id, f"{found.experiment}/{found.place.resolve().name}")
        said = found.said
        status, end = self._ending(found)
        draft.params_of(_plain(self._part(found, "config.json")))
        last = self._metrics(found, draft)
        _origin(draft, said)
        draft.tag(STATUS_TAG, said["status"])
        result = _plain(said.get("result"))
        number = number_of(result)
        if number is not None:
            at = end or found.start
            draft.point("sacred.result" if "result" in draft.histories else "result", number, at, 0)
        elif result is not None:
            draft.files["result.json"] = _bytes(result)
        self._info(found, draft)
        if said.get("fail_trace"):
            draft.files["fail_trace.txt"] = "".join(map(str, said["fail_trace"])).encode()
        dependencies = said["experiment"].get("dependencies") or []
        if dependencies:
            draft.files["requirements.txt"] = "".join(f"{line}\n" for line in dependencies).encode()
        self._files(found, draft)
        self._resources(found, draft)
        if status == "RUNNING":
            end = None
        elif end is None and status in ("FINISHED", "FAILED", "KILLED"):
            end = max(last, found.start)
        return draft.held(status, found.start, end, name=f"{found.experiment} {found.place.resolve().name}")

    def _ending(self, found: _Found) -> tuple[str, int | None]:
        said, where = found.said, self._where(found.place)
        end = self._moment(found, "stop_time")
        status = str(said["status"])
        if status == "RUNNING":
            beat = self._moment(found, "heartbeat") or found.start
            if time.time() * 1000 - beat <= SILENT_S * 1000:
                self.cannot_read(where, "it is running: what it says until now is taken, and not what follows")
                return "RUNNING", None
            self.cannot_read(where, "it died while it was running (RUNNING, and its heart stopped): it is KILLED here")
            return "KILLED", beat
        if status not in _STATUS:
            self.cannot_read(where, f"its status {status!r} is its own; it is {'KILLED' if end else 'SCHEDULED'} here")
        return _STATUS.get(status, "KILLED" if end else "SCHEDULED"), end

    def _moment(self, found: _Found, name: str) -> int | None:
        try:
            return _time(found.said.get(name), name)
        except DamagedError as error:
            self.cannot_read(self._where(found.place), error.message)
            return None

    def _part(self, found: _Found, name: str) -> dict[str, Any]:
        """Return what a file of the run says; a broken one is named."""
        if not (found.place / name).exists():
            return {}
        try:
            return _json(found.place / name)
        except DamagedError as error:
            self.cannot_read(self._where(found.place), error.message)
            return {}

    def _metrics(self, found: _Found, draft: Draft) -> int:
        """Take the histories; return the time of the last point."""
        latest = 0
        for key, columns in self._part(found, "metrics.json").items():
            try:
                rows = list(zip(columns["values"], columns["timestamps"], columns["steps"], strict=True))
            except (TypeError, KeyError, ValueError):
                self.cannot_read(
                    f"{self._where(found.place)}/metrics.json", f"metric {key}: its values, timestamps and steps do not match"
                )
                continue
            for at, (value, moment, step) in enumerate(rows):
                number = number_of(_plain(value))
                try:
                    stamp = _time(moment, f"metric {key}") or found.start
                    if number is None:
                        raise DamagedError(f"metric {key}: {value!r} is no number")
                except DamagedError as error:
                    self.cannot_read(f"{self._where(found.place)}/metrics.json", f"{error.message}; point {at + 1} was not taken")
                    continue
                latest = max(latest, stamp)
                draft.point(key, number, stamp, step if isinstance(step, int) else at)
        return latest

    def _info(self, found: _Found, draft: Draft) -> None:
        info = self._part(found, "info.json")
        for key, value in flat(_plain(info)):
            if isinstance(value, _PLAIN) and len(str(value)) <= 250:
                draft.tag(f"info.{key}", value)

    def _files(self, found: _Found, draft: Draft) -> None:
        refuse = lambda place, why: self.cannot_read(self._where(place), why)  # noqa: E731
        for path, place in files_below(found.place, [self._root], refuse):
            if path not in _OWN:
                draft.files[path] = place
        for name in found.said.get("artifacts") or ():
            if str(name) not in draft.files:
                self.cannot_read(self._where(found.place), f"its artifact {name} is gone")
        for name, stored in found.said["experiment"].get("sources") or ():
            place = found.place.parent / str(stored)
            if place.is_file() and place.resolve().is_relative_to(self._root.resolve()):
                draft.files[f"sources/{str(name).lstrip('/')}"] = place
            elif found.place != self._root:
                self.cannot_read(self._where(found.place), f"its source {name} is not where it was kept ({stored})")

    def _resources(self, found: _Found, draft: Draft) -> None:
        """Take the files that the run opened as datasets, with their MD5, which is in the name of the copy."""
        for original, stored in found.said.get("resources") or ():
            name, copy = Path(str(original)).name, found.place.parent / "_resources" / Path(str(stored)).name
            digest = _DIGEST.search(copy.name)
            draft.inputs.append(DatasetInput(name, digest[1] if digest else "", "local", json.dumps({"uri": str(original)})))
            if copy.is_file():
                draft.files[f"resources/{copy.name}"] = copy


def _origin(draft: Draft, said: Mapping[str, Any]) -> None:
    """Take the command, the code, the machine and what was asked for."""
    experiment, host, meta = (_object(said, name) for name in ("experiment", "host", "meta"))
    draft.tag("mlflow.source.name", experiment.get("mainfile"))
    draft.tag("mlflow.source.type", "LOCAL" if experiment.get("mainfile") else "")
    repositories = [item for item in experiment.get("repositories") or () if isinstance(item, dict)]
    if repositories:
        draft.tag("mlflow.source.git.commit", repositories[0].get("commit"))
        draft.tag("mlflow.source.git.repoURL", repositories[0].get("url"))
        draft.tag("sacred.dirty", repositories[0].get("dirty"))
    for number, item in enumerate(repositories[1:], 2):
        draft.tag(f"sacred.repository.{number}", json.dumps(item))
    draft.tag("sacred.command", said.get("command"))
    draft.tag(NOTE_TAG, meta.get("comment"))
    for name in ("config_updates", "named_configs", "options", "priority", "queue_time"):
        value = meta.get(name)
        if isinstance(value, dict):  # of the options, those that were given
            value = {key: each for key, each in value.items() if each not in (None, False)}
        if value:
            draft.tag(f"sacred.{name}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    for key, value in flat(_plain(host)):
        draft.tag(f"host.{key}", value if isinstance(value, _PLAIN) else json.dumps(value, ensure_ascii=False))


def _object(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = said.get(name)
    return found if isinstance(found, dict) else {}


def _json(place: Path) -> dict[str, Any]:
    try:
        said = json.loads(place.read_text("utf-8"))
    except OSError as error:
        raise DamagedError(f"its {place.name} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"its {place.name} is broken: {error}") from None
    if not isinstance(said, dict):
        raise DamagedError(f"its {place.name} holds no object")
    return said


def _time(text: object, name: str) -> int | None:
    """Return a time of Sacred, which writes UTC without saying so, in milliseconds."""
    if text is None:
        return None
    try:
        made = datetime.datetime.fromisoformat(str(text))
    except ValueError:
        raise DamagedError(f"{name}: {text!r} is no time") from None
    made = made.replace(tzinfo=datetime.timezone.utc) if made.tzinfo is None else made
    return round(made.timestamp() * 1000)


def _plain(value: Any) -> Any:
    """Take off what Sacred's jsonpickle puts around numbers of numpy, tuples and sets."""
    if isinstance(value, dict):
        if str(value.get("py/object", "")).startswith("numpy."):
            return value.get("value", value.get("values", value))
        for kind in ("py/tuple", "py/set"):
            if kind in value:
                return [_plain(item) for item in value[kind]]
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _bytes(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode()
