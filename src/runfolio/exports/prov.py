"""``runfolio export prov``: what came of what, as W3C PROV in its JSON form (https://www.w3.org/submissions/prov-json/).

=====================  ======================================================================================================
PROV                   of a folio
=====================  ======================================================================================================
entity                 a file of a run, a dataset that a run read, the code and the list of packages of a run, a version of a
                       registered model, and that version in a stage
activity               a run; a registration, promotion or other change of a model
agent                  people, as git and runs name them; the Python that ran
used                   run → dataset, code, packages; change → version
wasGeneratedBy         file → run; version → registration; version in a stage → promotion
wasDerivedFrom         version → the files that it was registered from; dataset → the file of a run that has its digest
wasAssociatedWith      run → user (with the code as its plan) and Python; change → author, and who merged it
wasInformedBy          run → the run that it is a child of
specializationOf       version in a stage → version
=====================  ======================================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from runfolio.exports.files import export_file
from runfolio.exports.report import Report
from runfolio.exports.selection import PAGE, FolioReader, Selection
from runfolio.folio.folio import Folio
from runfolio.formats.canonical import spell_number
from runfolio.formats.datasets import content_of_input
from runfolio.query.evaluate import artifact_uri
from runfolio.records import ArtifactEntry, DatasetInput, Run
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.records.times import utc_text
from runfolio.registry.history import Event

KINDS = ("run", "file", "dataset", "code", "environment", "model", "change", "person", "software")
PREFIXES = {"folio": "urn:runfolio:", **{kind: f"urn:runfolio:{kind}:" for kind in KINDS}}
Said = dict[str, Any]


class Document:
    """A PROV document that is being put together: records by kind and id, relations numbered in the order in which they come."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[str, Said]] = {}

    def add(self, kind: str, name: str, said: Mapping[str, Any]) -> None:
        """Add an entity, activity or agent, unless it is there; empty values are left out."""
        kept = {key: value for key, value in said.items() if value not in (None, "", [])}
        self._parts.setdefault(kind, {}).setdefault(name, kept)

    def relate(self, kind: str, **said: Any) -> None:
        """Add a relation; the names of its parts stand without their prefix."""
        held = self._parts.setdefault(kind, {})
        held[f"_:{kind}{len(held) + 1}"] = {f"prov:{key}": value for key, value in said.items() if value not in (None, "")}

    def has(self, kind: str, name: str) -> bool:
        """Tell whether an entity, activity or agent is there."""
        return name in self._parts.get(kind, ())

    def counts(self) -> dict[str, int]:
        """Return how many records of each kind there are."""
        return {kind: len(held) for kind, held in self._parts.items()}

    def text(self) -> str:
        """Return the document as PROV-JSON, in ASCII."""
        return json.dumps({"prefix": PREFIXES, **self._parts}, indent=1, sort_keys=True, allow_nan=False) + "\n"


def export_prov(
    folio: Folio, target: Path, selection: Selection, *, check: bool = True, force: bool = False, tell: Callable[[str], None]
) -> Report:
    """Write what came of what as one PROV-JSON file.

    Parameters
    ----------
    folio : Folio
    target : Path
    selection : Selection
    check : bool, optional
        Look whether the store has the runs' files.
    force : bool, optional
        Also over a file that is no such document.
    tell : callable
        Told of the course in words.

    Returns
    -------
    Report
        ``counts`` are records of the document by kind.
    """
    report = Report()
    with export_file(target, _is_ours, force=force) as file:
        reader = FolioReader(folio, selection, report)
        try:
            document = prov_document(reader, check, tell)
        finally:
            reader.close()
        for kind, number in document.counts().items():
            report.wrote(kind, number)
        file.write(document.text())
    return report


def _is_ours(data: bytes) -> bool:
    return b'"prefix"' in data and b'"urn:runfolio:"' in data


def prov_document(reader: FolioReader, check: bool, tell: Callable[[str], None]) -> Document:
    """Put the document of a selection together."""
    made = Document()
    contents: dict[str, list[str]] = {}
    inputs: dict[str, str] = {}
    of_run: dict[str, list[str]] = {}
    for done, run in enumerate(reader.runs(), 1):
        _run(made, run, reader.experiments[run.experiment].name)
        files = reader.artifacts(run) or {}
        if check:
            reader.look_for((f"run {run.run_id}: {path}", entry) for path, entry in files.items())
        for path, entry in files.items():
            _file(made, run, path, entry)
            contents.setdefault(entry.digest, []).append(file_name(run.run_id, path))
        for item in run.inputs:
            inputs.setdefault(_dataset(made, run, item), content_of_input(item) or "")
        of_run[run.run_id] = [file_name(run.run_id, path) for path in files]
        if done % (20 * PAGE) == 0:
            tell(f"{done:,} runs read")
    for name, digest in inputs.items():
        for source in contents.get(digest, ()):
            made.relate("wasDerivedFrom", generatedEntity=name, usedEntity=source)
    for model, versions in reader.models:
        for version in versions:
            _version(made, model, version, of_run.get(version.run_id or "", ()))
        for number, event in enumerate(reader.events(model, versions)):
            _change(made, model, event, number)
    return made


def file_name(run_id: str, path: str) -> str:
    """Return the name of a file of a run."""
    return f"file:{run_id}/{_safe(path)}"


def _run(made: Document, run: Run, experiment: str) -> None:
    name = f"run:{run.run_id}"
    said: Said = {
        "prov:startTime": _moment(run.start),
        "prov:endTime": None if run.end is None else _moment(run.end),
        "prov:type": _typed("folio:Run"),
        "prov:label": run.name,
        "folio:experiment": experiment,
        "folio:status": run.status.value,
        "folio:param": [f"{key}={value}" for key, value in sorted(run.params.items())],
        "folio:metric": [f"{key}={spell_number(item.last)}" for key, item in sorted(run.metrics.items())],
        "folio:script": str(run.entry.get("script") or ""),
    }
    made.add("activity", name, said)
    code = _code(made, run)
    if code:
        made.relate("used", activity=name, entity=code)
    if run.user:
        made.relate("wasAssociatedWith", activity=name, agent=_person(made, run.user), plan=code)
    python = str(run.environment.get("python") or "")
    if python:
        software = f"software:python-{_safe(python)}"
        made.add("agent", software, {"prov:type": _typed("prov:SoftwareAgent"), "prov:label": f"Python {python}"})
        made.relate("wasAssociatedWith", activity=name, agent=software)
    lock = str(run.environment.get("lock") or "")
    if lock:
        made.add(
            "entity", f"environment:{_safe(lock)}", {"prov:type": _typed("folio:Environment"), "prov:label": f"packages {lock}"}
        )
        made.relate("used", activity=name, entity=f"environment:{_safe(lock)}")
    if run.parent:
        made.relate("wasInformedBy", informed=name, informant=f"run:{_safe(run.parent)}")


def _code(made: Document, run: Run) -> str:
    tree, commit = (str(run.code.get(key) or "") for key in ("tree", "commit"))
    if not (tree or commit):
        return ""
    name = f"code:{_safe(tree or commit)}"
    said: Said = {"prov:type": [_typed("folio:Code"), _typed("prov:Plan")], "prov:label": f"code {(tree or commit)[:10]}"}
    dirty = run.code.get("dirty")
    remote = str(run.code.get("remote") or "")
    made.add("entity", name, {**said, "folio:tree": tree, "folio:commit": commit, "folio:dirty": dirty, "prov:location": remote})
    return name


def _file(made: Document, run: Run, path: str, entry: ArtifactEntry) -> None:
    name = file_name(run.run_id, path)
    said: Said = {"prov:type": _typed("folio:File"), "prov:label": path, "folio:digest": entry.digest, "folio:size": entry.size}
    uri = f"{artifact_uri(run.run_id)}/{_safe(path)}"
    made.add("entity", name, {**said, "folio:media_type": entry.media_type, "prov:location": _uri(uri)})
    made.relate("wasGeneratedBy", entity=name, activity=f"run:{run.run_id}", time=None if run.end is None else _moment(run.end))


def _dataset(made: Document, run: Run, item: DatasetInput) -> str:
    name = f"dataset:{_safe(item.name)}/{_safe(content_of_input(item) or item.digest)}"
    said: Said = {"prov:type": _typed("folio:Dataset"), "prov:label": item.name, "folio:digest": item.digest}
    made.add("entity", name, {**said, "folio:source_type": item.source_type, "folio:source": item.source})
    made.relate("used", activity=f"run:{run.run_id}", entity=name, role=item.context)
    return name


def _version(made: Document, model: RegisteredModel, version: ModelVersion, files: Sequence[str]) -> None:
    name = _version_name(model, version.version)
    said: Said = {"prov:type": _typed("folio:ModelVersion"), "prov:label": f"{model.name} {version.version}"}
    stage, aliases = model.stage_of(version.version), list(model.aliases_of(version.version))
    said |= {"folio:stage": stage, "folio:alias": aliases, "folio:digest": version.digest, "folio:source": version.source}
    made.add("entity", name, said)
    if version.user:
        made.relate("wasAttributedTo", entity=name, agent=_person(made, version.user))
    if version.run_id is None:
        return
    folder = f"{file_name(version.run_id, version.path)}/" if version.path else ""
    for source in files:
        if source.startswith(folder):
            made.relate("wasDerivedFrom", generatedEntity=name, usedEntity=source)


def _change(made: Document, model: RegisteredModel, event: Event, number: int) -> None:
    name, moment = f"change:{model.slug}/{number}-{event.commit[:12]}", _moment(event.at)
    said: Said = {
        "prov:startTime": moment,
        "prov:endTime": moment,
        "prov:type": _typed(f"folio:{event.kind}"),
        "prov:label": event.text,
    }
    said |= {"folio:commit": event.commit, "folio:pull_request": event.pull_request, "folio:gates": event.gates}
    made.add("activity", name, said)
    made.relate("wasAssociatedWith", activity=name, agent=_person(made, event.author), role="author")
    if event.merged_by:
        made.relate("wasAssociatedWith", activity=name, agent=_person(made, event.merged_by), role="merged")
    version = "" if event.version is None else _version_name(model, event.version)
    if not version or not made.has("entity", version):
        return
    if event.kind == "registered":
        made.relate("wasGeneratedBy", entity=version, activity=name, time=moment)
        return
    made.relate("used", activity=name, entity=version)
    if event.kind == "stage":
        staged = f"{version}/in/{_safe(event.stage_to)}/{event.commit[:12]}"
        label = f"{model.name} {event.version} in {event.stage_to}"
        made.add(
            "entity", staged, {"prov:type": _typed("folio:StagedVersion"), "prov:label": label, "folio:stage": event.stage_to}
        )
        made.relate("wasGeneratedBy", entity=staged, activity=name, time=moment)
        made.relate("specializationOf", specificEntity=staged, generalEntity=version)


def _version_name(model: RegisteredModel, number: int) -> str:
    return f"model:{model.slug}/{number}"


def _person(made: Document, name: str) -> str:
    made.add("agent", f"person:{_safe(name)}", {"prov:type": _typed("prov:Person"), "prov:label": name})
    return f"person:{_safe(name)}"


def _typed(name: str) -> Said:
    return {"$": name, "type": "prov:QUALIFIED_NAME"}


def _uri(text: str) -> Said:
    return {"$": text, "type": "xsd:anyURI"}


def _moment(at_ms: int) -> str | None:
    """Return an xsd:dateTime; None for a year that it cannot have."""
    text = utc_text(at_ms)
    return None if text.startswith("@") else text.replace("Z", "+00:00")


def _safe(text: str) -> str:
    return quote(text, safe="/", errors="surrogatepass")
