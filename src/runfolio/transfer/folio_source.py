"""A folio as a store that is read: what an export writes elsewhere, in the plain values of :mod:`runfolio.transfer.source`.

What the import had to say our way is said as it was: a model's name with a slash, logged models as such, MLflow's tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from runfolio.errors import NotFoundError
from runfolio.folio.folio import Folio
from runfolio.gateway.model_facts import CARRIES_TAG, FILE, ID_TAG, TAG, ModelFacts, RunModels, decode_models
from runfolio.query import parse_filter, parse_order_by
from runfolio.records import ArtifactEntry, Experiment, Lifecycle, Run, ViewType
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.registry.versions import files_of
from runfolio.tracking.entities import NOTE_TAG, run_entity
from runfolio.transfer.files import MISSING_TAG
from runfolio.transfer.restored import restored_run, restored_tags
from runfolio.transfer.source import Point, SourceExperiment, SourceFile, SourceLogged, SourceModel, SourceRun, SourceVersion
from runfolio.transfer.spelling import NAME_TAG, NAMES_TAG, RunNames, name_of, names_of

PAGE = 500
Value = TypeVar("Value")


class FolioSource:
    """A folio's committed records as of one commit.

    Parameters
    ----------
    folio : Folio
    logged : bool
        The other store knows logged models: then their files are theirs, and not artifacts of the run that made them.
    """

    def __init__(self, folio: Folio, *, logged: bool) -> None:
        self._folio, self._logged = folio, logged
        self._tip = folio.place.tip()
        self._histories: tuple[str, dict[str, list[Point]]] = ("", {})
        self._facts: dict[str, tuple[Run, ModelFacts]] = {}

    @property
    def uri(self) -> str:
        """Where it is."""
        return f"runfolio://{self._folio.place.root}"

    def experiments(self) -> Iterator[SourceExperiment]:
        """Yield the experiments, deleted ones too."""
        for item in self._folio.experiments.all(self._tip):
            yield _experiment(item)

    def runs(self, experiment_ids: Sequence[str], since_ms: int | None) -> Iterator[SourceRun]:
        """Yield the runs, deleted ones too, oldest first."""
        for run, experiment_id in self._records(experiment_ids, since_ms):
            if self._logged and run.tags.get(CARRIES_TAG) == "model":
                continue
            yield self._run(run, experiment_id)

    def _records(self, experiment_ids: Sequence[str], since_ms: int | None) -> Iterator[tuple[Run, str]]:
        if self._tip is None:
            return
        only = parse_filter("" if since_ms is None else f"attributes.start_time >= {since_ms}")
        order = parse_order_by(["attributes.start_time ASC"])
        for experiment_id in experiment_ids:
            found = self._folio.experiments.by_id(experiment_id)
            if found is None:
                continue
            at = 0
            while page := self._folio.runs.search(only, order, [found.slug], ViewType.ALL, PAGE, at, self._tip):
                yield from ((run, experiment_id) for run in page)
                at += len(page)

    def _run(self, run: Run, experiment_id: str) -> SourceRun:
        shown = run_entity(run, experiment_id, "")
        models = self._models_of(run)
        tags = dict(shown.data.tags)
        if self._logged:
            tags = {key: text for key, text in tags.items() if key != TAG and not key.startswith(ID_TAG)}
        made = SourceRun(
            run.run_id, experiment_id, run.name, run.status.value, run.user, run.start, run.end,
            run.lifecycle is Lifecycle.DELETED, dict(run.params), tags,
            {key: item.last for key, item in run.metrics.items()}, tuple(shown.inputs.dataset_inputs),
            models.inputs if self._logged else (), models.outputs if self._logged else (),
        )  # fmt: skip
        return restored_run(_renamed(made))

    def _models_of(self, run: Run) -> RunModels:
        if not run.artifact_count and not run.artifacts:
            return RunModels()
        entry = self._artifacts(run).get(FILE)
        return decode_models(self._folio.store.read(entry.digest)) if entry else RunModels()

    def _artifacts(self, run: Run) -> dict[str, ArtifactEntry]:
        return self._folio.runs.artifacts(run)

    def _committed(self, run_id: str) -> Run:
        found = self._folio.runs.committed(run_id, self._tip)
        if found is None:
            raise NotFoundError(f"There is no run {run_id!r}.")
        return found

    def live(self) -> list[str]:
        """Return the ids of runs that go on, or wait for a commit: they are in no commit yet."""
        return [run.run_id for run in self._folio.runs.live() if self._folio.runs.committed(run.run_id, self._tip) is None]

    def history(self, run_id: str, key: str) -> list[Point]:
        """Return the points of a metric, in the order in which they were logged."""
        if self._histories[0] != run_id:
            made: dict[str, list[Point]] = {}
            run = self._committed(run_id)
            names = names_of(run.tags).get("metrics", {})
            for point in self._folio.runs.history(run, None, self._tip):
                made.setdefault(names.get(point.key, point.key), []).append(Point(point.value, point.timestamp, point.step))
            self._histories = (run_id, made)
        return self._histories[1].get(key, [])

    def logged(self, experiment_ids: Sequence[str]) -> Iterator[SourceLogged]:
        """Yield the logged models of experiments; none where the other store knows none."""
        if not self._logged:
            return
        uses: dict[str, list[tuple[str, str, str, str]]] = {}
        homes: dict[str, str] = {}
        for run, experiment_id in self._records(experiment_ids, None):
            models = self._models_of(run)
            for use in models.metrics:
                uses.setdefault(use.model_id, []).append((run.run_id, use.key, use.dataset, use.digest))
            for facts in models.made.values():
                self._facts[facts.model_id] = run, facts
                homes[facts.model_id] = experiment_id
        for model_id, (run, facts) in self._facts.items():
            if model_id in homes and not facts.deleted:
                carried = run.tags.get(CARRIES_TAG) == "model"
                yield SourceLogged(
                    model_id, homes[model_id], facts.name, None if carried else run.run_id, facts.status, facts.message,
                    facts.model_type, facts.created, facts.updated, facts.tags, facts.params, tuple(uses.get(model_id, ())),
                )  # fmt: skip

    def _files_of_model(self, model_id: str) -> Mapping[str, ArtifactEntry]:
        run, facts = self._facts[model_id]
        start = f"{facts.path}/"
        return {path.removeprefix(start): entry for path, entry in self._artifacts(run).items() if path.startswith(start)}

    def logged_files(self, model_id: str) -> list[SourceFile]:
        """List the files of a logged model."""
        return _listed(self._files_of_model(model_id))

    def fetch_logged(self, model_id: str, path: str, folder: Path) -> Path:
        """Copy a file of a logged model into a folder."""
        return self._copied(self._files_of_model(model_id)[path], path, folder)

    def _files_of_run(self, run: Run) -> dict[str, ArtifactEntry]:
        listed = self._artifacts(run)
        if not self._logged:
            return listed
        made = tuple(f"{facts.path}/" for facts in self._models_of(run).made.values())
        return {path: entry for path, entry in listed.items() if path != FILE and not path.startswith(made)}

    def files(self, run_id: str) -> list[SourceFile]:
        """List the files of a run, without those of its logged models where the other store knows them."""
        return _listed(self._files_of_run(self._committed(run_id)))

    def fetch(self, run_id: str, path: str, folder: Path) -> Path:
        """Copy a file of a run into a folder."""
        return self._copied(self._artifacts(self._committed(run_id))[path], path, folder)

    def _copied(self, entry: ArtifactEntry, path: str, folder: Path) -> Path:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        self._folio.store.copy_to(entry.digest, place)
        return place

    def models(self) -> Iterator[SourceModel]:
        """Yield the registered models, under the names that they had before an import."""
        for item in self._folio.models.all(self._tip):
            versions = tuple(_version(item, version) for version in self._folio.models.versions(item, self._tip))
            tags = {key: text for key, text in item.tags.items() if key != NAME_TAG}
            tags, said = restored_tags(tags)
            yield SourceModel(
                name_of(item.name, item.tags), item.created, item.description, tags, dict(item.aliases), versions,
                int(said.get("updated", 0)) or max([item.created, *(version.created for version in versions)]),
            )  # fmt: skip

    def fetch_version(self, name: str, version: int, folder: Path) -> Path:
        """Copy the files of a version into a folder; none where it was registered without files.

        Parameters
        ----------
        name : str
            As :meth:`models` says it.
        version : int
        folder : Path

        Returns
        -------
        Path
        """
        model = next(item for item in self._folio.models.all(self._tip) if name_of(item.name, item.tags) == name)
        found = self._folio.models.version(model, version, self._tip)
        if found.digest is not None:
            for path, entry in files_of(self._folio, found).items():
                self._copied(entry, path, folder)
        return folder

    def unread(self, seen: set[str], *, whole: bool) -> Iterator[tuple[str, str]]:
        """Yield runs that are in no commit yet."""
        for run_id in self.live():
            yield f"run {run_id}", "it goes on, or waits for a commit. Export again once it is committed (runfolio commit)."


def _renamed(run: SourceRun) -> SourceRun:
    """Return a run with the names that its params, metrics and tags had before an import."""
    names = names_of(run.tags)
    if MISSING_TAG in run.tags:
        run = replace(run, tags={key: text for key, text in run.tags.items() if key != MISSING_TAG})
    if not names:
        return run
    tags = {key: text for key, text in run.tags.items() if key != NAMES_TAG and not key.startswith(f"{NAMES_TAG}.")}
    # Files keep the names that they have here, and the tag goes on saying what those were; of other names it would say what is no more.
    tags.update(RunNames({"artifacts": names["artifacts"]} if "artifacts" in names else {}).tags())
    return replace(
        run,
        params=_back(run.params, names.get("params", {})),
        metrics=_back(run.metrics, names.get("metrics", {})),
        tags=_back(tags, names.get("tags", {})),
    )


def _back(items: Mapping[str, Value], names: Mapping[str, str]) -> dict[str, Value]:
    return {names.get(key, key): value for key, value in items.items()}


def _listed(entries: Mapping[str, ArtifactEntry]) -> list[SourceFile]:
    return [SourceFile(path, entry.size) for path, entry in sorted(entries.items())]


def _experiment(item: Experiment) -> SourceExperiment:
    note = {NOTE_TAG: item.description} if item.description else {}
    tags = {key: text for key, text in item.tags.items() if key != NAME_TAG}
    return SourceExperiment(
        item.experiment_id,
        name_of(item.name, item.tags),
        {**note, **tags},
        item.created,
        item.updated,
        item.lifecycle is Lifecycle.DELETED,
    )


def _version(model: RegisteredModel, item: ModelVersion) -> SourceVersion:
    tags, said = restored_tags(item.tags)
    return SourceVersion(
        item.version, item.run_id, item.source, model.stage_of(item.version), item.created, item.description, item.user,
        item.run_link, tags, int(said.get("updated", 0)) or item.created, str(said.get("status", "READY")),
        str(said.get("message", "")),
    )  # fmt: skip
