"""``runfolio export ro-crate``: a folder that says what it holds, for an archive: RO-Crate 1.1 with the profile Process Run Crate 0.5.

Each run is a ``CreateAction``: its script the instrument, its datasets and params the objects, its files and metrics the results, its user
the agent. A registration of a model version is one, too, and a promotion an ``UpdateAction``. ``records.jsonl`` holds all that the records
say (:mod:`runfolio.exports.json_lines`), so nothing is lost that these words do not have.

https://www.researchobject.org/ro-crate/specification/1.1/ and https://www.researchobject.org/workflow-run-crate/profiles/process_run_crate/
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio._version import __version__
from runfolio.errors import RunfolioError, UsageError
from runfolio.exports import crate_entities as made
from runfolio.exports.crate_entities import Entity
from runfolio.exports.folders import ABOUT, export_folder, write_about
from runfolio.exports.json_lines import FILE, SCHEMA, write_records
from runfolio.exports.lines import schema_text
from runfolio.exports.report import Report
from runfolio.exports.selection import FolioReader, Selection
from runfolio.folio.folio import Folio
from runfolio.query.evaluate import artifact_uri
from runfolio.records import ArtifactEntry, Run
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.records.names import check_artifact_path
from runfolio.registry.history import Event

METADATA = "ro-crate-metadata.json"
NO_LICENSE = "No license was stated. Ask the owners of the records before you use them."
MOST_CODE = 1 << 20
"""Bytes of a script at most that is copied into the crate."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller says of the crate.

    Parameters
    ----------
    name, description : str
    license : str
        Its URL, or its name; empty where none was stated.
    artifacts : bool
        Copy the runs' files into the crate; else they are named by ``runs:/`` URI and SHA-256.
    check : bool
        Look whether the store has the runs' files.
    """

    name: str = "Records of machine-learning experiments"
    description: str = "Runs with what went in and what came out, and the registered models that came of them."
    license: str = ""
    artifacts: bool = False
    check: bool = True


@dataclass(slots=True)
class _Crate:
    """A crate that is being put together; an entity of an id that is there is not added again."""

    reader: FolioReader
    folder: Path
    wanted: Wanted
    entities: dict[str, Entity] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    mentions: list[str] = field(default_factory=list)
    files: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, entity: Entity, *, part: bool = False, mention: bool = False) -> str:
        """Add an entity and return its id."""
        name = str(entity["@id"])
        if name not in self.entities:
            self.entities[name] = entity
            if part:
                self.parts.append(name)
            if mention:
                self.mentions.append(name)
        return name

    def person(self, name: str) -> str:
        """Return the id of a person; empty for nobody."""
        return self.add(made.person_entity(name)) if name else ""

    @property
    def people(self) -> list[str]:
        """The ids of the people that are named."""
        return sorted(name for name, entity in self.entities.items() if entity["@type"] == "Person")


def export_crate(
    folio: Folio,
    target: Path,
    selection: Selection,
    wanted: Wanted,
    *,
    force: bool = False,
    tell: Callable[[str], None] = lambda text: None,
) -> Report:
    """Write a folio's records as an RO-Crate.

    Parameters
    ----------
    folio : Folio
    target : Path
    selection : Selection
    wanted : Wanted
    force : bool, optional
        See :func:`runfolio.exports.folders.export_folder`.
    tell : callable, optional
        Told of the course in words.
    """
    if not wanted.name.strip() or not wanted.description.strip():
        raise UsageError("A crate has a name and a description: neither --name nor --description may be empty.")
    report = Report()
    with export_folder(target, folio.place.root, force=force) as folder:
        reader = FolioReader(folio, selection, report)
        try:
            write_records(reader, folder, check=wanted.check and not wanted.artifacts, tell=tell)
            crate = _Crate(reader, folder, wanted)
            for run in reader.runs():
                _add_run(crate, run)
            for model, versions in reader.models:
                _add_model(crate, model, versions)
            _write_metadata(crate, _published(reader))
        finally:
            reader.close()
        (folder / SCHEMA).write_text(schema_text(), encoding="utf-8")
        write_about(folder, "ro-crate", selection, report, {})
    return report


def _add_run(crate: _Crate, run: Run) -> None:
    held = crate.reader.artifacts(run) or {}
    crate.files[run.run_id] = {path: _add_file(crate, run, path, entry) for path, entry in held.items()}
    params, metrics = made.value_entities(run)
    read = [crate.add(made.dataset_entity(item), part=True) for item in run.inputs]
    read += [crate.add(item) for item in params]
    results = [*crate.files[run.run_id].values(), *(crate.add(item) for item in metrics)]
    experiment = crate.reader.experiments[run.experiment].name
    agent, instrument = crate.person(run.user), _instrument(crate, run)
    crate.add(made.run_entity(run, experiment, agent=agent, instrument=instrument, read=read, made=results), mention=True)


def _add_file(crate: _Crate, run: Run, path: str, entry: ArtifactEntry) -> str:
    inside = f"artifacts/{run.run_id}/{path}"
    if crate.wanted.artifacts:
        place = crate.folder / inside
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            crate.reader.folio.store.copy_to(entry.digest, place)
        except RunfolioError as error:
            crate.reader.report.find(f"run {run.run_id}: {path}", f"it was not copied: {error.message}")
        else:
            crate.reader.report.wrote("files copied")
            return crate.add(made.file_entity(made.path_id(inside), path, entry), part=True)
    uri = f"{artifact_uri(run.run_id)}/{made.path_id(path)}"
    return crate.add(made.file_entity(uri, path, entry), part=True)


def _instrument(crate: _Crate, run: Run) -> str:
    """Return the id of what was run: the script where one is known, with its text where git has it."""
    script, tree = str(run.entry.get("script") or ""), str(run.code.get("tree") or "")
    if not script:
        return crate.add(made.runfolio_entity(__version__))
    code = tree or str(run.code.get("commit") or "")
    path = f"code/{code[:12]}/{script}"
    if made.path_id(path) in crate.entities:
        return made.path_id(path)
    data = _script_of(crate, tree, script) if tree else None
    if data is None:
        return crate.add(made.code_entity(run, f"#code-{code[:12]}-{made.fragment(script)}", in_crate=False))
    place = crate.folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return crate.add(made.code_entity(run, made.path_id(path), in_crate=True), part=True)


def _script_of(crate: _Crate, tree: str, script: str) -> bytes | None:
    try:
        data = crate.reader.folio.repo.read(f"{tree}:{check_artifact_path(script)}")
    except RunfolioError:
        return None  # a path outside of the code, or code that was not fetched: the entity names the tree
    return data if data is not None and len(data) <= MOST_CODE else None


def _add_model(crate: _Crate, model: RegisteredModel, versions: Sequence[ModelVersion]) -> None:
    files: dict[int, list[str]] = {}
    for version in versions:
        held = crate.files.get(version.run_id or "", {})
        start = f"{version.path}/" if version.path else ""
        files[version.version] = [name for path, name in held.items() if path.startswith(start)]
        crate.add(made.version_entity(model, version, files[version.version]), mention=True)
    for number, event in enumerate(crate.reader.events(model, versions)):
        if event.version in files:
            _add_change(crate, model, event, number, files[event.version])


def _add_change(crate: _Crate, model: RegisteredModel, event: Event, number: int, files: Sequence[str]) -> None:
    assert event.version is not None
    crate.add(made.runfolio_entity(__version__))
    agents = [name for name in (crate.person(event.author), crate.person(event.merged_by)) if name]
    version = made.version_name(model, event.version)
    crate.add(made.change_entity(model, event, number, agents, version, files), mention=True)


def _write_metadata(crate: _Crate, published: str) -> None:
    for path, says, media in (
        (FILE, "All that the records say, a line of JSON a record, every metric point included.", "application/jsonl"),
        (SCHEMA, f"The JSON Schema of a line of {FILE}.", "application/schema+json"),
        (ABOUT, "What was exported, from which commit, what could not be, and the SHA-256 of each file.", "application/json"),
    ):
        crate.add(made.entity(path, "File", {"name": path, "description": says, "encodingFormat": media}), part=True)
    about: Mapping[str, Any] = {"conformsTo": made.reference(made.CRATE), "about": made.reference("./")}
    profile = made.entity(made.PROFILE, "CreativeWork", {"name": "Process Run Crate", "version": "0.5"})
    root = made.entity(
        "./",
        "Dataset",
        {
            "name": crate.wanted.name,
            "description": crate.wanted.description,
            "datePublished": published,
            "author": made.references(crate.people),
            "license": made.reference(_license(crate)),
            "conformsTo": made.reference(made.PROFILE),
            "identifier": f"git commit {crate.reader.commit}" if crate.reader.commit else None,
            "hasPart": made.references(sorted(crate.parts)),
            "mentions": made.references(crate.mentions),
        },
    )
    graph = [made.entity(METADATA, "CreativeWork", about), root, profile, *crate.entities.values()]
    text = json.dumps({"@context": made.CONTEXT, "@graph": graph}, indent=1, ensure_ascii=True)
    (crate.folder / METADATA).write_text(text + "\n", encoding="utf-8")


def _license(crate: _Crate) -> str:
    stated = crate.wanted.license
    if stated.startswith(("http://", "https://")):
        return crate.add(made.entity(stated, "CreativeWork", {"name": stated, "description": "The license of the records."}))
    said = {"name": stated or "No license", "description": f"The license is {stated}." if stated else NO_LICENSE}
    return crate.add(made.entity("#license", "CreativeWork", said))


def _published(reader: FolioReader) -> str:
    """Return when the records were committed; what is the same records is the same crate."""
    if reader.commit is None:
        return "1970-01-01"
    seconds = int(reader.folio.repo.run("show", "--no-patch", "--format=%ct", "--end-of-options", reader.commit))
    return made.moment(seconds * 1000) or "1970-01-01"
