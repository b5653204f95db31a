"""The entities of an RO-Crate: what each record becomes, as JSON-LD of https://w3id.org/ro/crate/1.1 and its profile Process Run Crate.

Ids: a file that lies in the crate by its path, one that does not by its ``runs:/`` URI with its SHA-256; what is no file by a fragment
(``#run-…``) or a URN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from runfolio.formats.canonical import spell_number
from runfolio.formats.datasets import content_of_input
from runfolio.objects.media_types import media_type_of
from runfolio.records import ArtifactEntry, DatasetInput, Run, RunStatus
from runfolio.records.models import NO_STAGE, ModelVersion, RegisteredModel
from runfolio.records.times import utc_text
from runfolio.registry.history import Event

Entity = dict[str, Any]
CRATE = "https://w3id.org/ro/crate/1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
CONTEXT: list[Any] = [f"{CRATE}/context", {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}]
"""The second part is a term of the profile's own context, written out so that a reader needs no network for it."""
RUNFOLIO = "https://pypi.org/project/runfolio/"
_STATES = {
    RunStatus.FINISHED: "http://schema.org/CompletedActionStatus",
    RunStatus.FAILED: "http://schema.org/FailedActionStatus",
    RunStatus.KILLED: "http://schema.org/FailedActionStatus",
}


def reference(name: str) -> Entity:
    """Return a reference to an entity."""
    return {"@id": name}


def references(names: Sequence[str]) -> list[Entity]:
    """Return references to entities, each once."""
    return [reference(name) for name in dict.fromkeys(names)]


def entity(name: str, kind: str | list[str], said: Mapping[str, Any]) -> Entity:
    """Return an entity without its empty values; one value stands without a list around it."""
    kept = {key: value for key, value in said.items() if value not in (None, "", [], {})}
    return {"@id": name, "@type": kind, **{key: _single(value) for key, value in kept.items()}}


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def moment(at_ms: int | None) -> str | None:
    """Return a time as the profile has it; None for a year that ISO 8601 has not."""
    text = "@" if at_ms is None else utc_text(at_ms)
    return None if text.startswith("@") else text.replace("Z", "+00:00")


def file_entity(name: str, path: str, entry: ArtifactEntry) -> Entity:
    """Return a file of a run."""
    digest = entry.digest.partition(":")[2]
    media = entry.media_type or media_type_of(path)
    said = {"name": path, "contentSize": str(entry.size), "encodingFormat": media, "sha256": digest}
    return entity(name, "File", said)


def dataset_entity(item: DatasetInput) -> Entity:
    """Return a dataset that a run read; its bytes are not in the crate."""
    digest = content_of_input(item) or item.digest
    name = f"urn:runfolio:dataset:{fragment(item.name)}:{fragment(digest)}/"
    said = {"name": item.name, "description": f"A dataset with the digest {digest}; source: {item.source_type or 'unknown'}."}
    return entity(name, "Dataset", {**said, "identifier": digest})


def person_entity(name: str) -> Entity:
    """Return a person, as git names them."""
    return entity(f"#person-{fragment(name)}", "Person", {"name": name})


def runfolio_entity(version: str) -> Entity:
    """Return the program that kept the records."""
    said = {"name": "runfolio", "url": RUNFOLIO, "softwareVersion": version}
    return entity(RUNFOLIO, "SoftwareApplication", said)


def code_entity(run: Run, name: str, in_crate: bool) -> Entity:
    """Return the script of a run, whose code git keeps."""
    code = run.code
    commit, tree, remote = (str(code.get(key) or "") for key in ("commit", "tree", "remote"))
    parts = [f"git commit {commit}" * bool(commit), "with changes that are not committed" * bool(code.get("dirty"))]
    parts.append(f"the exact code is the git tree {tree}" * bool(tree))
    said: Entity = {
        "name": str(run.entry.get("script")),
        "description": "; ".join(part for part in parts if part),
        "version": commit or tree,
        "codeRepository": remote if remote.startswith("http") else "",
        "url": remote if remote.startswith("http") else "",
        "encodingFormat": media_type_of(str(run.entry.get("script"))) if in_crate else "",
        "programmingLanguage": "Python" if str(run.entry.get("script", "")).endswith(".py") else "",
    }
    return entity(name, ["File", "SoftwareSourceCode"] if in_crate else "SoftwareSourceCode", said)


def value_entities(run: Run) -> tuple[list[Entity], list[Entity]]:
    """Return the params and the metrics of a run, as values."""

    def made(kind: str, key: str, value: Any, more: Mapping[str, Any]) -> Entity:
        return entity(
            f"#{kind}-{run.run_id}-{fragment(key)}", "PropertyValue", {"name": key, "value": value or "(empty)", **more}
        )

    params = [made("param", key, run.params[key], {}) for key in sorted(run.params)]
    metrics = [
        made(
            "metric", key, str(spell_number(item.last)), {"description": f"The last of {item.count} points, at step {item.step}."}
        )
        for key, item in sorted(run.metrics.items())
    ]
    return params, metrics


def run_entity(run: Run, experiment: str, *, agent: str, instrument: str, read: Sequence[str], made: Sequence[str]) -> Entity:
    """Return a run as an action that made its files and metrics."""
    state = _STATES.get(run.status)
    failed = state is not None and state.endswith("FailedActionStatus")
    said: Entity = {
        "name": run.name or run.run_id,
        "description": f"A run of the experiment {experiment}, {run.status.value}.",
        "identifier": run.run_id,
        "startTime": moment(run.start),
        "endTime": moment(run.end),
        "actionStatus": state,
        "error": f"The run ended as {run.status.value}." if failed else None,
        "agent": reference(agent) if agent else None,
        "instrument": reference(instrument),
        "object": references(read),
        "result": references(made),
        "isPartOf": reference(f"#run-{run.parent}") if run.parent else None,
    }
    return entity(f"#run-{run.run_id}", "CreateAction", said)


def version_entity(model: RegisteredModel, version: ModelVersion, files: Sequence[str]) -> Entity:
    """Return a version of a registered model."""
    stage = model.stage_of(version.version)
    aliases = [f"@{alias}" for alias in model.aliases_of(version.version)]
    said: Entity = {
        "name": f"{model.name} {version.version}",
        "description": version.description or model.description,
        "version": str(version.version),
        "creativeWorkStatus": stage if stage != NO_STAGE else "",
        "alternateName": aliases,
        "dateCreated": moment(version.created or None),
        "identifier": version.digest,
        "isBasedOn": references(files),
    }
    return entity(version_name(model, version.version), "CreativeWork", said)


def version_name(model: RegisteredModel, number: int) -> str:
    """Return the id of a version."""
    return f"#model-{model.slug}-{number}"


def change_entity(
    model: RegisteredModel, event: Event, number: int, agents: Sequence[str], version: str, files: Sequence[str]
) -> Entity:
    """Return something that happened to a version: a registration makes it, anything else changes it."""
    made = event.kind == "registered"
    parts = [event.text, f"commit {event.commit}", f"gates: {event.gates}" * bool(event.gates)]
    parts.append(f"pull request {event.pull_request}" * bool(event.pull_request))
    said: Entity = {
        "name": event.text,
        "description": "; ".join(part for part in parts if part),
        "endTime": moment(event.at),
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "agent": references(agents),
        "instrument": reference(RUNFOLIO),
        "object": references(files) if made else [reference(version)],
        "result": [reference(version)],
    }
    return entity(f"#change-{model.slug}-{number}", "CreateAction" if made else "UpdateAction", said)


def fragment(text: str) -> str:
    """Return a text as a part of an id."""
    return quote(text, safe="", errors="surrogatepass")


def path_id(path: str) -> str:
    """Return the id of a file of the crate."""
    return quote(path, safe="/", errors="surrogatepass")
