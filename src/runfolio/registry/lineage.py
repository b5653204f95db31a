"""What a version came from and where it went: dataset, code, run, version, stages."""

from __future__ import annotations

from typing import Any

from runfolio.errors import NotFoundError
from runfolio.folio.folio import Folio
from runfolio.records.models import NO_STAGE, ModelVersion, RegisteredModel
from runfolio.records.runs import Run
from runfolio.records.times import utc_text
from runfolio.registry.history import history


def lineage_of(folio: Folio, model: RegisteredModel, version: ModelVersion) -> dict[str, Any]:
    """Return a version's lineage, both ways.

    Returns
    -------
    dict
        ``datasets`` (name, digest, context), ``run`` (run_id, name, experiment, code; None where none is known), ``version``,
        ``digest``, ``source``, ``live`` (stages and aliases), ``copies`` (versions of the same bytes) and ``events`` (its history,
        oldest first).
    """
    run = _run(folio, version)
    stage = model.stage_of(version.version)
    copies = [
        f"{other.name} {item.version}"
        for other in folio.models.all()
        for item in folio.models.versions(other)
        if item.digest and item.digest == version.digest and (other.slug, item.version) != (model.slug, version.version)
    ]
    events = [event for event in history(folio, model.slug) if event.version == version.version]
    return {
        "datasets": [{"name": item.name, "digest": item.digest, "context": item.context or ""} for item in run.inputs]
        if run
        else [],
        "run": {"run_id": run.run_id, "name": run.name, "experiment": run.experiment, "code": _code(run)} if run else None,
        "model": model.name,
        "version": version.version,
        "digest": version.digest,
        "source": version.source,
        "live": [stage] * (stage != NO_STAGE) + [f"@{alias}" for alias in model.aliases_of(version.version)],
        "copies": copies,
        "events": [{"at": utc_text(event.at), "text": event.text, "commit": event.commit} for event in reversed(events)],
    }


def _run(folio: Folio, version: ModelVersion) -> Run | None:
    if version.run_id is None:
        return None
    try:
        return folio.runs.get(version.run_id)
    except NotFoundError:  # registered from another folio, or not pushed yet
        return None


def _code(run: Run) -> str:
    commit = str(run.code.get("commit") or "")
    return f"{commit[:10]}{' with changes not committed' if run.code.get('dirty') else ''}" if commit else ""
