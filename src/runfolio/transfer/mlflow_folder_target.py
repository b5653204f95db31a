"""A folder ``mlruns`` that is written by MLflow's own file store, so that ids, numbers and times are kept.

A run is written whole in a folder beside, and then moved in: a process that is killed leaves nothing of it that MLflow sees.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mlflow import entities as theirs
from mlflow.entities import model_registry
from mlflow.store.model_registry.file_store import FileModelVersion
from mlflow.store.model_registry.file_store import FileStore as RegistryStore
from mlflow.store.model_registry.file_store import _validate_model_name as check_name
from mlflow.store.tracking.file_store import FileStore
from mlflow.utils.validation import MlflowException

from runfolio.gateway.shapes import make
from runfolio.transfer.mlflow_places import asked
from runfolio.transfer.mlflow_reader import MlflowReader
from runfolio.transfer.mlflow_writing import below, upload
from runfolio.transfer.source import Point, SourceExperiment, SourceLogged, SourceModel, SourceRun, SourceVersion
from runfolio.transfer.target import UNFINISHED_TAG, Home, LoggedWork, RunWork, VersionWork, Written

META = "meta.yaml"
_INPUT_ID = getattr(FileStore, "_get_dataset_input_id", None) or FileStore._get_input_id  # MLflow 2 has another name


class FolderTarget:
    """A folder ``mlruns``.

    Parameters
    ----------
    uri : str
    folder : Path
    artifacts : str, optional
        Folder or address under which files of new experiments go; the folder itself by default.
    """

    logged = hasattr(FileStore, "create_logged_model")
    keeps_ids = True

    def __init__(self, uri: str, folder: Path, artifacts: str | None) -> None:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        self._uri, self._folder = uri, folder.absolute()
        self._store = FileStore(str(self._folder), artifacts)
        self._registry = RegistryStore(str(self._folder))
        self._homes = {item.name: item for item in self._experiments()}
        self._runs: dict[str, str] = {}
        for home in self._homes.values():
            self._index(home.experiment_id)
        # Beside the folder, where MLflow looks for nothing: what an export that was killed left there is not whole.
        self._scratch = self._folder.with_name(f".{self._folder.name}-export")
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _experiments(self) -> list[Any]:
        made, token = [], None
        while True:
            page = self._store.search_experiments(theirs.ViewType.ALL, 1000, page_token=token)
            made += page
            token = page.token
            if not token:
                return made

    def _index(self, experiment_id: str) -> None:
        place = Path(self._store._get_experiment_path(experiment_id))
        self._runs.update({meta.parent.name: experiment_id for meta in place.glob(f"*/{META}")})

    @property
    def uri(self) -> str:
        """Where it is."""
        return self._uri

    def reader(self) -> MlflowReader:
        """Return the same store as one that is read."""
        return MlflowReader(self._uri)

    # Experiments

    def experiment(self, item: SourceExperiment, *, dry_run: bool) -> Home:
        """Return the experiment of that name, made with its id, tags and times if it is missing."""
        found = self._homes.get(item.name)
        with asked(f"experiment {item.name}: it cannot be written"):
            if found is not None:
                home = Home(found.experiment_id, found.artifact_location, False)
                if not dry_run:
                    self._tag(home.experiment_id, {key: text for key, text in item.tags.items() if key not in found.tags})
                return home
            taken = {other.experiment_id for other in self._homes.values()}
            free = next(str(number) for number in range(1, len(taken) + 2) if str(number) not in taken)
            kept = item.experiment_id if item.experiment_id not in taken else free
            if dry_run:
                return Home(kept, "", True)
            self._store._create_experiment_with_id(item.name, kept, None, None)
            self._tag(kept, item.tags)
            place = Path(self._store._get_experiment_path(kept))
            made = self._store.get_experiment(kept)
            said = {
                **dict(made),
                "creation_time": item.created,
                "last_update_time": item.updated or item.created,
            }
            del said["tags"]
            _overwrite(place, said)
            if item.deleted:
                self._tag(kept, {UNFINISHED_TAG: "true"})
            self._homes[item.name] = made
            return Home(kept, made.artifact_location, True)

    def finish_runs(self) -> list[tuple[str, str]]:
        """Do nothing: parents keep their ids."""
        return []

    def finish_experiment(self, item: SourceExperiment, home: Home) -> None:
        """Move an experiment that is deleted in the folio to MLflow's trash, with its runs, which keep what they say."""
        place = Path(self._store._get_experiment_path(home.experiment_id))
        if not (place / "tags" / UNFINISHED_TAG).exists():
            return
        with asked(f"experiment {item.name}: it cannot be deleted there"):
            said = self._store._read_yaml(str(place), META)
            _overwrite(place, {**said, "lifecycle_stage": "deleted"})
            (place / "tags" / UNFINISHED_TAG).unlink()
            shutil.move(place, self._store.trash_folder)

    def _tag(self, experiment_id: str, tags: Mapping[str, str]) -> None:
        place = Path(self._store._get_experiment_path(experiment_id), "tags")
        for key, text in tags.items():
            _write_text(place / key, text)

    # Runs

    def run_there(self, run_id: str) -> str | None:
        """Return the id there of a run that is there, or None."""
        return run_id if run_id in self._runs else None

    def held(self, points: Sequence[Point]) -> tuple[list[Point], str]:
        """Return the points: a folder holds them all."""
        return list(points), ""

    def write_run(self, work: RunWork) -> str:
        """Write a run, its datasets and logged models in a folder beside, and move it in."""
        run, home = work.run, work.home
        experiment = Path(self._store._get_experiment_path(home.experiment_id))
        location = below(home.location, run.run_id, "artifacts")
        shutil.rmtree(self._scratch, ignore_errors=True)
        with asked("it cannot be written"):
            place = self._scratch / run.run_id
            for name in ("metrics", "params", "tags", "artifacts"):
                (place / name).mkdir(parents=True)
            for name, texts in (("params", run.params), ("tags", run.tags)):
                for key, text in texts.items():
                    _write_text(place / name / key, text)
            for key, points in work.histories.items():
                (place / "metrics" / key).parent.mkdir(parents=True, exist_ok=True)
                with open(place / "metrics" / key, "w", encoding="utf-8") as file:
                    file.writelines(f"{item.timestamp} {item.value!r} {item.step}\n" for item in points)
            self._inputs(run, place, experiment)
            self._info(run, home, location, place)
            if work.folder is not None:
                self._files(work.folder, location, place / "artifacts", experiment / run.run_id / "artifacts")
            for made in work.made:
                self._logged(made, home)
            unfinished = experiment / run.run_id
            if unfinished.exists():  # without a meta.yaml: no run to MLflow
                shutil.rmtree(unfinished)
            os.rename(place, unfinished)
            shutil.rmtree(self._scratch, ignore_errors=True)
        self._runs[run.run_id] = home.experiment_id
        return run.run_id

    def _info(self, run: SourceRun, home: Home, location: str, place: Path) -> None:
        from mlflow.store.tracking import file_store

        info = make(
            theirs.RunInfo, run_uuid=run.run_id, run_id=run.run_id, run_name=run.name, experiment_id=home.experiment_id,
            user_id=run.user, status=run.status, start_time=run.start, end_time=run.end,
            lifecycle_stage="deleted" if run.deleted else "active", artifact_uri=location,
        )  # fmt: skip
        said = file_store._make_persisted_run_info_dict(info)
        if run.deleted:
            said["deleted_time"] = run.end or run.start
        _overwrite(place, said)

    def _files(self, folder: Path, location: str, beside: Path, inside: Path) -> None:
        """Copy files to where they are kept: with the run where that is in the folder, so that they are moved in with it."""
        from mlflow.utils.file_utils import local_file_uri_to_path
        from mlflow.utils.uri import is_local_uri

        if is_local_uri(location) and Path(local_file_uri_to_path(location)) == inside:
            shutil.copytree(folder, beside, dirs_exist_ok=True)
        else:
            upload(folder, location)

    def _inputs(self, run: SourceRun, place: Path, experiment: Path) -> None:
        for item in run.inputs:
            data = item.dataset
            dataset_id = FileStore._get_dataset_id(data.name, data.digest)
            folder = experiment / "datasets" / dataset_id
            if not (folder / META).exists():
                said = {name: getattr(data, name) for name in ("name", "digest", "source_type", "source", "schema", "profile")}
                _overwrite(folder, said)
            edge = _INPUT_ID(dataset_id, run.run_id)
            tags = {tag.key: tag.value for tag in item.tags}
            _overwrite(place / "inputs" / edge, _edge("DATASET", dataset_id, "RUN", run.run_id, tags=tags))
        for model_id in run.read:
            edge = FileStore._get_model_input_id(model_id, run.run_id)
            _overwrite(place / "inputs" / edge, _edge("MODEL", model_id, "RUN", run.run_id, tags={}))
        for model_id, step in run.made:
            said = _edge("RUN_OUTPUT", model_id, "MODEL_OUTPUT", run.run_id, tags={}, step=step)
            _overwrite(place / "outputs" / model_id, said)

    def run_location(self, run_id: str) -> str | None:
        """Return where the files of a run are there, or None if it is not there."""
        if run_id not in self._runs:
            return None
        with asked(f"run {run_id}: it cannot be read"):
            return str(self._store.get_run(run_id).info.artifact_uri)

    def expected(self, written: Written) -> Written:
        """Return the same: ids are kept."""
        return written

    # Logged models

    def write_logged(self, work: LoggedWork, home: Home) -> str:
        """Write a logged model that no run made; return its id."""
        with asked(f"logged model {work.model.model_id}: it cannot be written"):
            self._logged(work, home)
        return work.model.model_id

    def _logged(self, work: LoggedWork, home: Home) -> None:
        model = work.model
        place = self._model_folder(home.experiment_id, model.model_id)
        if (place / META).exists():
            return
        for name in ("metrics", "params", "tags"):
            (place / name).mkdir(parents=True, exist_ok=True)
        for name, texts in (("params", model.params), ("tags", model.tags)):
            for key, text in texts.items():
                _write_text(place / name / key, text)
        location = below(home.location, FileStore.MODELS_FOLDER_NAME, model.model_id, "artifacts")
        if work.folder is not None:
            upload(work.folder, location)
        made = theirs.LoggedModel(
            experiment_id=home.experiment_id, model_id=model.model_id, name=model.name, artifact_location=location,
            creation_timestamp=model.created, last_updated_timestamp=model.updated, source_run_id=model.run_id,
            status=theirs.LoggedModelStatus(model.status), status_message=model.message or None, model_type=model.model_type or None,
        )  # fmt: skip
        # Its meta.yaml is the last: without one it is no model to MLflow.
        _overwrite(place, {**self._store._make_persisted_model_dict(made), "lifecycle_stage": "active"})

    def _model_folder(self, experiment_id: str, model_id: str) -> Path:
        return Path(self._store._get_experiment_path(experiment_id), FileStore.MODELS_FOLDER_NAME, model_id)

    def logged_location(self, model_id: str) -> str | None:
        """Return where the files of a logged model are there, or None if it is not there."""
        for home in self._homes.values() if self.logged else ():
            place = self._model_folder(home.experiment_id, model_id)
            if (place / META).exists():
                return str(self._store._read_yaml(str(place), META)["artifact_location"])
        return None

    def measure(self, model: SourceLogged, histories: Mapping[tuple[str, str], Sequence[Point]]) -> None:
        """Write of which logged model metrics of runs were measured."""
        for home in self._homes.values():
            place = self._model_folder(home.experiment_id, model.model_id)
            if not (place / META).exists():
                continue
            lines: dict[str, list[str]] = {}
            for run_id, key, dataset, digest in model.metrics:
                of = f" {dataset} {digest}" if dataset and digest else ""
                lines.setdefault(key, []).extend(
                    f"{item.timestamp} {item.value!r} {item.step} {run_id}{of}\n" for item in histories.get((run_id, key), ())
                )
            for key, made in lines.items():
                _write_text(place / "metrics" / key, "".join(made))

    # Registered models

    def accepts_name(self, name: str) -> str:
        """Return in words why a registered model cannot have a name there; empty where it can."""
        try:
            check_name(name)
        except MlflowException as error:
            return str(error.message)
        return ""

    def versions_there(self, name: str) -> set[int] | None:
        """Return the numbers of a registered model's versions; None if it is not there."""
        with asked(f"model {name}: it cannot be read"):
            place = Path(self._registry._get_registered_model_path(name))
            if not (place / META).exists():
                return None
            return {int(found.parent.name.removeprefix("version-")) for found in place.glob(f"version-*/{META}")}

    def place_files(self, name: str, version: int, folder: Path) -> str:
        """Put the files of a version that lie in no run below the store's files, and return where."""
        location = below(self._store.artifact_root_uri, "models", quote(name, safe=" "), f"version-{version}", "artifacts")
        with asked("its files cannot be put there"):
            upload(folder, location)
        return location

    def expected_version(self, version: SourceVersion) -> SourceVersion:
        """Return the same: all of it is kept."""
        return version

    def write_model(self, model: SourceModel, versions: Sequence[VersionWork]) -> None:
        """Write a registered model, or what is new of one."""
        with asked("it cannot be written"):
            place = Path(self._registry._get_registered_model_path(model.name))
            place.mkdir(parents=True, exist_ok=True)
            for kind, texts in (("tags", model.tags), ("aliases", model.aliases)):
                for key, text in texts.items():
                    if not (place / kind / key).exists():
                        _write_text(place / kind / key, str(text))
            for work in versions:
                self._version(model.name, place / f"version-{work.version.version}", work)
            if not (place / META).exists():  # the last: without one it is no model to MLflow
                made = model_registry.RegisteredModel(
                    name=model.name, creation_timestamp=model.created, last_updated_timestamp=model.updated,
                    description=model.description,
                )  # fmt: skip
                self._registry._save_registered_model_as_meta_file(made, meta_dir=str(place), overwrite=False)

    def _version(self, name: str, place: Path, work: VersionWork) -> None:
        item = work.version
        place.mkdir(exist_ok=True)
        for key, text in item.tags.items():
            _write_text(place / "tags" / key, text)
        model_id = (
            {"model_id": work.source.removeprefix("models:/")} if self.logged and work.source.startswith("models:/m-") else {}
        )
        made = FileModelVersion(
            name=name, version=item.version, creation_timestamp=item.created, last_updated_timestamp=item.updated,
            description=item.description, user_id=item.user or None, current_stage=item.stage, source=work.source,
            storage_location=work.location, run_id=item.run_id, run_link=item.run_link or None, status=item.status,
            status_message=item.message or None, tags=[], **model_id,
        )  # fmt: skip
        self._registry._save_model_version_as_meta_file(made, meta_dir=str(place), overwrite=False)


def _edge(kind: str, source: str, to: str, destination: str, **more: Any) -> dict[str, Any]:
    # MLflow itself names the source in both places, and reads an output's model from the second.
    return {"source_type": kind, "source_id": source, "destination_type": to, "destination_id": source, **more}


def _write_text(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text.encode())


def _overwrite(place: Path, said: Mapping[str, Any]) -> None:
    try:
        from mlflow.utils.yaml_utils import write_yaml
    except ImportError:  # MLflow 2 has it elsewhere
        from mlflow.utils.file_utils import write_yaml

    place.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        (place / META).unlink()
    write_yaml(str(place), META, dict(said))
