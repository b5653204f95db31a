"""A folder ``mlruns``, read as MLflow's file store wrote it, without MLflow: whole, or as far as it goes where it is broken.

What MLflow passes over, or ends at, is taken where it can be: a run that lies with another experiment than it says, an experiment whose
``meta.yaml`` is gone, the good lines of a metric. Each is told. The files of runs are read where they lie, also after the folder was moved;
those in a bucket are fetched by MLflow, if it is installed.

    source = open_mlruns(Path("mlruns"), "mlruns")
    for run in source.runs([item.experiment_id for item in source.experiments()], None): ...
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, NotFoundError
from runfolio.tracking.entities import Dataset, DatasetInput, InputTag
from runfolio.transfer.mlflow_places import Elsewhere, list_local, own_folder, path_of
from runfolio.transfer.mlruns_files import (
    META,
    folders_in,
    metric_names,
    metric_points,
    names_in,
    number_in,
    read_meta,
    text_in,
    texts_in,
)
from runfolio.transfer.mlruns_models import MlrunsModels
from runfolio.transfer.plain import PlainSource
from runfolio.transfer.source import Point, SourceExperiment, SourceFile, SourceLogged, SourceModel, SourceRun

_RUN_ID = re.compile(r"[0-9a-f]{32}\Z")
_RESERVED = frozenset({"tags", "datasets", "traces", "models"})
_STATUS = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_MODEL_STATUS = {0: "PENDING", 1: "PENDING", 2: "READY", 3: "FAILED"}
_FIELDS = ("name", "digest", "source_type", "source")
_HOLDS_MODELS = "mlflow.log-model.history"


def open_mlruns(folder: Path, uri: str) -> MlrunsSource:
    """Open a folder ``mlruns``.

    Raises
    ------
    NotFoundError
        If there is no such folder, or nothing in it is MLflow's.
    """
    if folder.is_file():
        raise NotFoundError(f"{uri}: it is a file, and no folder mlruns. A database is given as sqlite:///{folder}")
    if not folder.is_dir():
        raise NotFoundError(
            f"{uri}: no such folder. Give the folder mlruns, a database (sqlite:///mlflow.db) or a server (http://…)."
        )
    around = not next(folder.glob(f"*/{META}"), None) and next(folder.glob(f"mlruns/*/{META}"), None)  # a project's folder
    if around or not any(next(folder.glob(pattern), None) for pattern in (f"*/{META}", f"*/*/{META}", f".trash/*/{META}")):
        inner = f" Is it {uri.rstrip('/')}/mlruns?" if (folder / "mlruns").is_dir() else ""
        raise NotFoundError(f"{uri}: the folder holds no MLflow store: there is no {META} of an experiment or run in it.{inner}")
    return MlrunsSource(folder.absolute(), uri)


@dataclass(frozen=True, slots=True)
class _Home:
    """Where a run, or a logged model, is, and where it says that its files are."""

    folder: Path
    files: str
    holds_models: bool = False


class MlrunsSource(PlainSource):
    """A folder ``mlruns``.

    Parameters
    ----------
    root : Path
    uri : str
    """

    def __init__(self, root: Path, uri: str) -> None:
        super().__init__("mlflow", uri)
        self.root = root
        self._experiments: dict[str, Path] = {}
        self._homes: dict[str, _Home] = {}  # of the runs at hand
        self._models: dict[str, _Home] = {}  # of logged models
        self._datasets: dict[Path, Any] = {}
        self._findings: dict[tuple[str, str], None] = {}
        self._registry = MlrunsModels(self)

    def say(self, where: str, what: str) -> None:
        """Note a finding; several may be of one place."""
        self._findings.setdefault((where, what))

    def unread(self, seen: set[str], *, whole: bool) -> Iterator[tuple[str, str]]:
        """Yield what was noted while the folder was read."""
        yield from self._findings

    def place_of(self, folder: Path) -> str:
        """Return where a folder is, for a message."""
        return str(folder.relative_to(self.root))

    def experiments(self) -> Iterator[SourceExperiment]:
        """Yield the experiments, deleted ones too."""
        for folder, trashed in self._experiment_folders():
            where = f"experiment {self.place_of(folder)}"
            try:
                meta = read_meta(folder)
                created, updated = number_in(meta, "creation_time") or 0, number_in(meta, "last_update_time") or 0
            except DamagedError as error:
                if not any(_is_run(place) for place in folders_in(folder)):
                    if (folder / META).exists() or folder.name.isdigit():
                        self.say(where, f"{error.message}; no run is in it")
                    continue
                self.say(
                    where, f"{error.message}: its runs are taken, and what else it said, its name too, is lost. Mend it first."
                )
                meta, created, updated = {}, 0, 0
            if folder.name in self._experiments:
                self.say(where, f"another experiment has its id {folder.name}; it was not taken")
                continue
            if meta and text_in(meta, "experiment_id") != folder.name:
                self.say(
                    where,
                    f"its {META} says that its id is {text_in(meta, 'experiment_id')}, its folder {folder.name}, which is taken",
                )
            self._experiments[folder.name] = folder
            tags = texts_in(folder / "tags", partial(self.say, where))
            deleted = trashed or meta.get("lifecycle_stage") == "deleted"
            yield SourceExperiment(folder.name, text_in(meta, "name") or folder.name, tags, created, updated or created, deleted)

    def _experiment_folders(self) -> Iterator[tuple[Path, bool]]:
        for folder in folders_in(self.root):
            if folder.name not in (".trash", "models"):
                yield folder, False
        for folder in folders_in(self.root / ".trash"):
            yield folder, True

    def runs(self, experiment_ids: Sequence[str], since_ms: int | None) -> Iterator[SourceRun]:
        """Yield the runs, deleted ones too, oldest first."""
        for experiment_id in experiment_ids:
            found = []
            for folder in folders_in(self._experiments[experiment_id]):
                start = self._start_of(folder) if folder.name not in _RESERVED else None
                if start is not None and (since_ms is None or start >= since_ms):
                    found.append((start, folder))
            for _, folder in sorted(found):
                try:
                    run = self._run(folder, experiment_id)
                except DamagedError as error:
                    self.say(self.place_of(folder), f"the run was not taken: {error.message}. Mend it, and import again.")
                    continue
                yield run

    def _start_of(self, folder: Path) -> int | None:
        """Return when a run started; None where the folder is no run, or one that cannot be read, which is told."""
        if not _is_run(folder) and not _RUN_ID.match(folder.name):
            return None  # an artifact store may lie here, too
        try:
            return number_in(read_meta(folder), "start_time") or 0
        except DamagedError as error:
            self.say(self.place_of(folder), f"the run was not taken: {error.message}. Mend it, and import again.")
            return None

    def _run(self, folder: Path, experiment_id: str) -> SourceRun:
        meta = read_meta(folder)
        run_id = text_in(meta, "run_id") or text_in(meta, "run_uuid")
        where = f"run {folder.name}"
        if run_id != folder.name:
            raise DamagedError(f"its {META} says that it is run {run_id or '(none)'}")
        if text_in(meta, "experiment_id") != experiment_id:
            said = text_in(meta, "experiment_id")
            self.say(where, f"its {META} says that it is of experiment {said}; it lies with {experiment_id}, and was taken there")
        tags = texts_in(folder / "tags", partial(self.say, where))
        if len(self._homes) > 1000:
            self._homes.clear()
        self._homes[run_id] = _Home(folder, text_in(meta, "artifact_uri"), _HOLDS_MODELS in tags)
        inputs, read = self._inputs(folder, where)
        return SourceRun(
            run_id,
            experiment_id,
            text_in(meta, "run_name") or text_in(meta, "name") or tags.get("mlflow.runName", ""),
            _status(meta.get("status", 1)),
            text_in(meta, "user_id"),
            number_in(meta, "start_time") or 0,
            number_in(meta, "end_time"),
            meta.get("lifecycle_stage") == "deleted",
            texts_in(folder / "params", partial(self.say, where)),
            tags,
            metric_names(folder / "metrics"),
            inputs,
            read,
            self._made(folder, where),
        )

    def _inputs(self, folder: Path, where: str) -> tuple[list[Any], list[str]]:
        data, models = [], []
        for place in folders_in(folder / "inputs"):
            try:
                meta = read_meta(place)
                if meta.get("source_type") == "MODEL":
                    models.append(text_in(meta, "source_id"))
                    continue
                tags = [InputTag(str(key), str(value)) for key, value in dict(meta.get("tags") or {}).items()]
                dataset = self._dataset(folder.parent / "datasets" / Path(text_in(meta, "source_id")).name)
                data.append(DatasetInput(dataset, tags))
            except (DamagedError, TypeError, ValueError) as error:
                self.say(where, f"a dataset was not taken: inputs/{place.name}: {getattr(error, 'message', error)}")
        return data, models

    def _dataset(self, folder: Path) -> Any:
        if folder not in self._datasets:
            meta = read_meta(folder)
            if len(self._datasets) > 100:
                self._datasets.clear()
            fields = [None if meta.get(name) is None else str(meta[name]) for name in ("schema", "profile")]
            self._datasets[folder] = Dataset(*(text_in(meta, name) for name in _FIELDS), *fields)
        return self._datasets[folder]

    def _made(self, folder: Path, where: str) -> list[tuple[str, int]]:
        made = []
        for place in folders_in(folder / "outputs"):
            try:
                meta = read_meta(place)
                made.append((text_in(meta, "destination_id") or place.name, number_in(meta, "step") or 0))
            except DamagedError as error:
                self.say(where, f"that it made model {place.name} was not taken: {error.message}")
        return made

    def points(self, run: SourceRun) -> Iterator[tuple[str, Point]]:
        """Yield the points of all metrics of a run, line by line."""
        for name in run.metrics:  # none, where a run only carries a logged model: that has no folder of a run
            folder = self._homes[run.run_id].folder / "metrics"
            for point in metric_points(folder, name, partial(self.say, f"run {run.run_id}")):
                yield name, point

    def logged(self, experiment_ids: Sequence[str]) -> Iterator[SourceLogged]:
        """Yield the logged models of experiments; deleted ones are gone for MLflow, too."""
        for experiment_id in experiment_ids:
            for folder in folders_in(self._experiments[experiment_id] / "models"):
                where = f"logged model {folder.name}"
                try:
                    meta = read_meta(folder)
                    if meta.get("lifecycle_stage") == "deleted":
                        continue
                    made = self._logged(folder, meta, experiment_id, where)
                except DamagedError as error:
                    self.say(where, f"it was not taken: {error.message}")
                    continue
                self._models[made.model_id] = _Home(folder, text_in(meta, "artifact_location"))
                yield made

    def _logged(self, folder: Path, meta: dict[str, Any], experiment_id: str, where: str) -> SourceLogged:
        if text_in(meta, "model_id") != folder.name:
            raise DamagedError(f"its {META} says that it is {text_in(meta, 'model_id') or '(none)'}")
        say = partial(self.say, where)
        created = number_in(meta, "creation_timestamp") or 0
        return SourceLogged(
            folder.name,
            experiment_id,
            text_in(meta, "name"),
            text_in(meta, "source_run_id") or None,
            _MODEL_STATUS.get(number_in(meta, "status") or 0, "PENDING"),
            text_in(meta, "status_message"),
            text_in(meta, "model_type"),
            created,
            number_in(meta, "last_updated_timestamp") or created,
            texts_in(folder / "tags", say),
            texts_in(folder / "params", say),
            tuple(_measured(folder / "metrics")),
        )

    def files(self, run_id: str) -> list[SourceFile]:
        """List the files of a run."""
        home = self._homes[run_id]
        return self._list(home, f"run {run_id}", run_id, "artifacts")

    def fetch(self, run_id: str, path: str, folder: Path) -> Path:
        """Return where a file of a run is; one that lies elsewhere is copied into a folder."""
        return self._fetch(self._homes[run_id], path, folder, run_id, "artifacts")

    def logged_files(self, model_id: str) -> list[SourceFile]:
        """List the files of a logged model."""
        return self._list(self._models[model_id], f"logged model {model_id}", "models", model_id, "artifacts")

    def fetch_logged(self, model_id: str, path: str, folder: Path) -> Path:
        """Return where a file of a logged model is; one that lies elsewhere is copied into a folder."""
        return self._fetch(self._models[model_id], path, folder, "models", model_id, "artifacts")

    def _list(self, home: _Home, where: str, *ends: str) -> list[SourceFile]:
        place = self.files_of(home.folder, home.files, *ends)
        if place is None:
            return Elsewhere(home.files).list()
        if not place.is_dir():
            if home.holds_models:
                raise NotFoundError(f"its artifacts are gone: there is no folder {place}")
            return []
        return list_local(place)

    def _fetch(self, home: _Home, path: str, folder: Path, *ends: str) -> Path:
        place = self.files_of(home.folder, home.files, *ends)
        return place / path if place is not None else Elsewhere(home.files).fetch(path, folder)

    def files_of(self, folder: Path, uri: str, *ends: str) -> Path | None:
        """Return where the files of a run or logged model lie on this machine, None where they lie elsewhere.

        That is what its document says, if it is there; beside the document, for a folder that was moved; with those of a server that
        was started beside the folder (``mlartifacts``).
        """
        said, here = own_folder(uri, *ends), folder / "artifacts"
        if said is not None and said.is_dir():
            return said
        served = self.root.parent / "mlartifacts" / Path(*uri.removeprefix("mlflow-artifacts:/").lstrip("/").split("/"))
        if (
            uri.startswith("mlflow-artifacts:/")
            and ".." not in served.parts
            and served.parts[-len(ends) :] == ends
            and served.is_dir()
        ):
            return served
        if path_of(uri) is not None or any(here.iterdir() if here.is_dir() else ()):
            return here
        return None

    def home_of(self, run_id: str) -> tuple[Path, str] | None:
        """Return a run's folder, and where it says that its files are; None where there is no such run."""
        if not _RUN_ID.match(run_id):
            return None
        for pattern in (f"*/{run_id}/{META}", f".trash/*/{run_id}/{META}"):
            for place in self.root.glob(pattern):
                try:
                    return place.parent, text_in(read_meta(place.parent), "artifact_uri")
                except DamagedError:
                    return place.parent, ""
        return None

    def model_home(self, model_id: str) -> tuple[Path, str] | None:
        """Return the same of a logged model."""
        home = self._models.get(model_id)
        return (home.folder, home.files) if home is not None else None

    def models(self) -> Iterator[SourceModel]:
        """Yield the registered models."""
        return self._registry.models()

    def fetch_version(self, name: str, version: int, folder: Path) -> Path:
        """Return where the files of a version are; those that lie elsewhere are copied into a folder."""
        return self._registry.fetch(name, version, folder)


def _is_run(folder: Path) -> bool:
    return (folder / META).is_file() and folder.name not in _RESERVED


def _status(value: Any) -> str:
    if isinstance(value, str) and value in _STATUS.values():
        return value
    if isinstance(value, int) and value in _STATUS:
        return _STATUS[value]
    raise DamagedError(f"its {META} is broken: status {value!r} is none")


def _measured(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield of what a logged model was measured: run, metric, name and digest of the dataset."""
    for name in names_in(folder):
        seen: set[tuple[str, str, str, str]] = set()
        for line in (folder / name).read_text("utf-8", "replace").splitlines():
            parts = line.split(" ")
            if len(parts) in (4, 6):
                seen.add((parts[3], name, *(parts[4:] or ("", ""))))
        yield from sorted(seen)
