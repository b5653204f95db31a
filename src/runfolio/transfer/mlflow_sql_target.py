"""An MLflow database that is written through the tables of MLflow's own stores, so that ids, numbers and times are kept.

A run is one transaction, after its files: a process that is killed leaves a run whole or not there. MLflow makes the tables where they are
missing; that it changes no tables of another version, :mod:`.mlflow_database` sees to before.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy
from mlflow.store.model_registry.dbmodels import models as registry_tables
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as RegistryStore
from mlflow.store.tracking.dbmodels import models as tables
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils import validation
from sqlalchemy.orm import Session

from runfolio.transfer.mlflow_asking import without_secret
from runfolio.transfer.mlflow_places import asked
from runfolio.transfer.mlflow_reader import MlflowReader
from runfolio.transfer.mlflow_writing import below, latest, upload
from runfolio.transfer.source import Point, SourceExperiment, SourceLogged, SourceModel, SourceRun, SourceVersion
from runfolio.transfer.target import Home, LoggedWork, RunWork, VersionWork, Written

_ROWS = 5000
_MOST_ID = 2**31 - 1  # the column is a 32-bit integer everywhere but in SQLite


class SqlTarget:
    """An MLflow database.

    Parameters
    ----------
    uri : str
    artifacts : str
        Folder or address under which files of new experiments go.
    """

    logged = hasattr(tables, "SqlLoggedModel")
    keeps_ids = True

    def __init__(self, uri: str, artifacts: str) -> None:
        self._uri = uri
        self._store = SqlAlchemyStore(uri, artifacts)
        RegistryStore(uri)
        self._artifacts = self._store.artifact_root_uri
        self._dialect = self._store.engine.dialect.name

    @property
    def uri(self) -> str:
        """Where it is, without secrets."""
        return without_secret(self._uri)

    def reader(self) -> MlflowReader:
        """Return the same store as one that is read."""
        return MlflowReader(self._uri)

    @contextmanager
    def _session(self, what: str) -> Iterator[Any]:
        with asked(what), Session(self._store.engine) as session, session.begin():
            yield session

    # Experiments

    def experiment(self, item: SourceExperiment, *, dry_run: bool) -> Home:
        """Return the experiment of that name, made with its id, tags and times if it is missing."""
        with self._session(f"experiment {item.name}: it cannot be written") as session:
            found = session.query(tables.SqlExperiment).filter_by(name=item.name).first()
            if found is not None:
                self._tag_experiment(session, found.experiment_id, {} if dry_run else item.tags)
                return Home(str(found.experiment_id), found.artifact_location, False)
            kept = self._free_id(session, item.experiment_id)
            if dry_run:
                return Home(str(kept or ""), "", True)
            made = tables.SqlExperiment(
                experiment_id=kept,
                name=item.name,
                lifecycle_stage="deleted" if item.deleted else "active",
                creation_time=item.created,
                last_update_time=item.updated or item.created,
            )
            session.add(made)
            session.flush()
            made.artifact_location = self._store._get_artifact_location(made.experiment_id)
            self._tag_experiment(session, made.experiment_id, item.tags)
            if kept is not None and self._dialect == "postgresql":
                session.execute(sqlalchemy.text(
                    "SELECT setval(pg_get_serial_sequence('experiments', 'experiment_id'), (SELECT MAX(experiment_id) FROM experiments))"
                ))  # fmt: skip
            return Home(str(made.experiment_id), made.artifact_location, True)

    def finish_runs(self) -> list[tuple[str, str]]:
        """Do nothing: parents keep their ids."""
        return []

    def finish_experiment(self, item: SourceExperiment, home: Home) -> None:
        """Do nothing: a database takes runs into a deleted experiment."""

    def _free_id(self, session: Any, wanted: str) -> int | None:
        """Return an experiment's id as the number that it is, if the database can hold it and has no other of it."""
        if not (wanted.isascii() and wanted.isdigit()) or wanted != str(int(wanted)) or wanted == "0":
            return None
        number = int(wanted)
        if number > (_MOST_ID if self._dialect != "sqlite" else 2**63 - 1):
            return None
        return None if session.get(tables.SqlExperiment, number) is not None else number

    def _tag_experiment(self, session: Any, experiment_id: int, tags: Mapping[str, str]) -> None:
        there = {row.key for row in session.query(tables.SqlExperimentTag).filter_by(experiment_id=experiment_id)}
        session.add_all(
            tables.SqlExperimentTag(experiment_id=experiment_id, key=key, value=text)
            for key, text in tags.items()
            if key not in there
        )

    # Runs

    def run_there(self, run_id: str) -> str | None:
        """Return the id there of a run that is there, or None."""
        with self._session("runs cannot be looked up") as session:
            return run_id if session.get(tables.SqlRun, run_id) is not None else None

    def held(self, points: Sequence[Point]) -> tuple[list[Point], str]:
        """Return the points as MLflow's databases hold them: infinities as the greatest numbers, equal points once."""
        made = [Point(self._number(item.value), item.timestamp, item.step) for item in points]
        once = list({(repr(item.value), item.timestamp, item.step): item for item in made}.values())
        said = []
        endless = sum(math.isinf(item.value) for item in points)
        if endless:
            said.append(f"{endless} infinite values are ±1.8e308, as MLflow's databases have them")
        if len(once) < len(made):
            said.append(f"{len(made) - len(once)} points are equal to another in value, time and step, and are there once")
        return once, "; ".join(said)

    def _number(self, value: float) -> float:
        is_nan, number = self._store.sanitize_metric_value(value)
        return math.nan if is_nan else float(number) + 0.0  # SQLite knows no negative zero

    def write_run(self, work: RunWork) -> str:
        """Write a run, its datasets and logged models in one transaction, after its files."""
        run = work.run
        location = below(work.home.location, run.run_id, "artifacts")
        with asked("its files cannot be put there"):
            if work.folder is not None:
                upload(work.folder, location)
            for made in work.made:
                self._upload(made, work.home)
        with self._session("it cannot be written") as session:
            session.add(self._row(run, work.home, location))
            session.flush()
            self._insert(session, tables.SqlParam, ({"key": key, "value": text} for key, text in run.params.items()), run.run_id)
            self._insert(session, tables.SqlTag, ({"key": key, "value": text} for key, text in run.tags.items()), run.run_id)
            for key, points in work.histories.items():
                held, _ = self.held(points)
                self._insert(session, tables.SqlMetric, (self._point(key, item) for item in held), run.run_id)
                self._insert(session, tables.SqlLatestMetric, [self._point(key, latest(held))], run.run_id)
            self._inputs(session, run, int(work.home.experiment_id))
            for made in work.made:
                self._logged(session, made.model, work.home)
        return run.run_id

    def _row(self, run: SourceRun, home: Home, location: str) -> Any:
        return tables.SqlRun(
            run_uuid=run.run_id,
            name=run.name,
            experiment_id=int(home.experiment_id),
            artifact_uri=location,
            source_type="UNKNOWN",
            source_name="",
            entry_point_name="",
            source_version="",
            user_id=run.user,
            status=run.status,
            start_time=run.start,
            end_time=run.end,
            deleted_time=(run.end or run.start) if run.deleted else None,
            lifecycle_stage="deleted" if run.deleted else "active",
        )

    def _point(self, key: str, item: Point) -> dict[str, Any]:
        is_nan, value = self._store.sanitize_metric_value(item.value)
        return {"key": key, "value": value, "is_nan": is_nan, "timestamp": item.timestamp, "step": item.step}

    def _insert(self, session: Any, table: Any, rows: Any, run_id: str) -> None:
        rows = iter(rows)
        while batch := [{**row, "run_uuid": run_id} for row in islice(rows, _ROWS)]:
            session.execute(sqlalchemy.insert(table), batch)

    def _inputs(self, session: Any, run: SourceRun, experiment_id: int) -> None:
        for item in run.inputs:
            data = item.dataset
            named = {"experiment_id": experiment_id, "name": data.name, "digest": data.digest}
            found = session.query(tables.SqlDataset).filter_by(**named).first()
            if found is None:
                found = tables.SqlDataset(
                    dataset_uuid=uuid.uuid4().hex, dataset_source_type=data.source_type, dataset_source=data.source,
                    dataset_schema=data.schema, dataset_profile=data.profile, **named,
                )  # fmt: skip
                session.add(found)
            made = self._edge(session, "DATASET", found.dataset_uuid, "RUN", run.run_id)
            session.add_all(tables.SqlInputTag(input_uuid=made, name=tag.key, value=tag.value) for tag in item.tags)
        for model_id in run.read:
            self._edge(session, "RUN_INPUT", run.run_id, "MODEL_INPUT", model_id)
        for model_id, step in run.made:
            self._edge(session, "RUN_OUTPUT", run.run_id, "MODEL_OUTPUT", model_id, step=step)

    def _edge(self, session: Any, kind: str, source: str, to: str, destination: str, **more: Any) -> str:
        made = uuid.uuid4().hex
        session.add(
            tables.SqlInput(
                input_uuid=made, source_type=kind, source_id=source, destination_type=to, destination_id=destination, **more
            )
        )
        session.flush()
        return made

    def run_location(self, run_id: str) -> str | None:
        """Return where the files of a run are there, or None if it is not there."""
        with self._session("runs cannot be looked up") as session:
            found = session.get(tables.SqlRun, run_id)
            return found.artifact_uri if found is not None else None

    # Logged models

    def expected(self, written: Written) -> Written:
        """Return the same: ids are kept."""
        return written

    def write_logged(self, work: LoggedWork, home: Home) -> str:
        """Write a logged model that no run made; return its id."""
        self._upload(work, home)
        with self._session(f"logged model {work.model.model_id}: it cannot be written") as session:
            self._logged(session, work.model, home)
        return work.model.model_id

    def _upload(self, work: LoggedWork, home: Home) -> None:
        if work.folder is not None:
            with asked(f"logged model {work.model.model_id}: its files cannot be put there"):
                upload(work.folder, self._model_location(work.model.model_id, home))

    def _model_location(self, model_id: str, home: Home) -> str:
        return below(home.location, SqlAlchemyStore.MODELS_FOLDER_NAME, model_id, "artifacts")

    def _logged(self, session: Any, model: SourceLogged, home: Home) -> None:
        from mlflow.entities import LoggedModelStatus

        if session.get(tables.SqlLoggedModel, model.model_id) is not None:
            return
        owner = {"model_id": model.model_id, "experiment_id": int(home.experiment_id)}
        session.add(
            tables.SqlLoggedModel(
                name=model.name, artifact_location=self._model_location(model.model_id, home), creation_timestamp_ms=model.created,
                last_updated_timestamp_ms=model.updated, status=LoggedModelStatus(model.status).to_int(), lifecycle_stage="active",
                model_type=model.model_type or None, source_run_id=model.run_id, status_message=model.message or None, **owner,
            )
        )  # fmt: skip
        session.flush()
        session.add_all(
            tables.SqlLoggedModelParam(param_key=key, param_value=text, **owner) for key, text in model.params.items()
        )
        session.add_all(tables.SqlLoggedModelTag(tag_key=key, tag_value=text, **owner) for key, text in model.tags.items())

    def logged_location(self, model_id: str) -> str | None:
        """Return where the files of a logged model are there, or None if it is not there."""
        if not self.logged:
            return None
        with self._session("logged models cannot be looked up") as session:
            found = session.get(tables.SqlLoggedModel, model_id)
            return found.artifact_location if found is not None else None

    def measure(self, model: SourceLogged, histories: Mapping[tuple[str, str], Sequence[Point]]) -> None:
        """Write of which logged model metrics of runs were measured, where that is not said yet."""
        with self._session(f"logged model {model.model_id}: its metrics cannot be written") as session:
            row = session.get(tables.SqlLoggedModel, model.model_id)
            there = {
                (item.run_id, item.metric_name, item.metric_timestamp_ms, item.metric_step)
                for item in session.query(tables.SqlLoggedModelMetric).filter_by(model_id=model.model_id)
            }
            for run_id, key, dataset, digest in model.metrics:
                for point in histories.get((run_id, key), ()):
                    if (run_id, key, point.timestamp, point.step) in there:
                        continue
                    there.add((run_id, key, point.timestamp, point.step))
                    session.add(
                        tables.SqlLoggedModelMetric(
                            model_id=model.model_id, metric_name=key, metric_timestamp_ms=point.timestamp, metric_step=point.step,
                            metric_value=self._store.sanitize_metric_value(point.value)[1], experiment_id=row.experiment_id,
                            run_id=run_id, dataset_name=dataset or None, dataset_digest=digest or None,
                        )
                    )  # fmt: skip

    # Registered models

    def accepts_name(self, name: str) -> str:
        """Return in words why a registered model cannot have a name there; empty where it can."""
        try:
            validation._validate_model_name(name)
        except validation.MlflowException as error:
            return str(error.message)
        return ""

    def versions_there(self, name: str) -> set[int] | None:
        """Return the numbers of a registered model's versions, removed ones too; None if it is not there."""
        with self._session("registered models cannot be looked up") as session:
            if session.query(registry_tables.SqlRegisteredModel).filter_by(name=name).first() is None:
                return None
            return {item.version for item in session.query(registry_tables.SqlModelVersion).filter_by(name=name)}

    def expected_version(self, version: SourceVersion) -> SourceVersion:
        """Return the same: all of it is kept."""
        return version

    def place_files(self, name: str, version: int, folder: Path) -> str:
        """Put the files of a version that lie in no run below the store's files, and return where."""
        location = below(self._artifacts, "registered", quote(name, safe=" "), str(version))
        with asked("its files cannot be put there"):
            upload(folder, location)
        return location

    def write_model(self, model: SourceModel, versions: Sequence[VersionWork]) -> None:
        """Write a registered model, or what is new of one, in one transaction."""
        with self._session("it cannot be written") as session:
            named = {"name": model.name}
            if session.query(registry_tables.SqlRegisteredModel).filter_by(**named).first() is None:
                session.add(
                    registry_tables.SqlRegisteredModel(
                        creation_time=model.created, last_updated_time=model.updated, description=model.description, **named
                    )
                )
                session.flush()
            keys = {item.key for item in session.query(registry_tables.SqlRegisteredModelTag).filter_by(**named)}
            session.add_all(
                registry_tables.SqlRegisteredModelTag(key=key, value=text, **named)
                for key, text in model.tags.items()
                if key not in keys
            )
            for work in versions:
                session.add(self._version(model.name, work))
            session.flush()
            for work in versions:
                session.add_all(
                    registry_tables.SqlModelVersionTag(version=work.version.version, key=key, value=text, **named)
                    for key, text in work.version.tags.items()
                )
            aliases = {item.alias for item in session.query(registry_tables.SqlRegisteredModelAlias).filter_by(**named)}
            session.add_all(
                registry_tables.SqlRegisteredModelAlias(alias=alias, version=number, **named)
                for alias, number in model.aliases.items()
                if alias not in aliases
            )

    def _version(self, name: str, work: VersionWork) -> Any:
        item = work.version
        return registry_tables.SqlModelVersion(
            name=name,
            version=item.version,
            creation_time=item.created,
            last_updated_time=item.updated,
            description=item.description,
            user_id=item.user or None,
            current_stage=item.stage,
            source=work.source,
            storage_location=work.location,
            run_id=item.run_id,
            run_link=item.run_link or None,
            status=item.status,
            status_message=item.message or None,
        )
