"""``pipeline.json``: what a run of a pipeline leaves in its run, for the site and for programs; docs/pipeline-format.md tells every field.

It names the run that made each step's outputs, also of the steps that were up to date, and so the way of every file from step to step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runfolio.formats.pipelines import FORMAT, SCHEMA
from runfolio.pipelines.contents import Content, below, digest_of
from runfolio.pipelines.entries import typed
from runfolio.pipelines.model import Input, Pipeline, Step
from runfolio.pipelines.results import StepResult
from runfolio.records.redaction import Redactor


def pipeline_document(pipeline: Pipeline, results: Mapping[str, StepResult], redactor: Redactor) -> bytes:
    """Return the bytes of the document.

    Parameters
    ----------
    pipeline : Pipeline
    results : Mapping of str to StepResult
        Of the steps that this run was about, by name.
    redactor : Redactor
    """
    made = {
        "format": FORMAT,
        "schema": SCHEMA,
        "name": pipeline.name,
        "file": pipeline.file,
        "description": pipeline.description,
        "params": {name: redactor.value(name, value) for name, value in pipeline.params.items()},
        "steps": [_step(pipeline, step, results[step.name], redactor) for step in pipeline.steps if step.name in results],
    }
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def command_text(pipeline: Pipeline, step: Step, redactor: Redactor) -> str:
    """Return a step's command as one would type it, without secrets."""
    values = {name: redactor.value(name, value) for name, value in pipeline.values(step).items()}
    return redactor.text(typed(step, values))


def _step(pipeline: Pipeline, step: Step, result: StepResult, redactor: Redactor) -> dict[str, Any]:
    inputs = result.inputs or {}
    made: dict[str, Any] = {
        "name": step.name,
        "command": command_text(pipeline, step, redactor),
        "state": result.state,
        "run": result.run_id,
        "key": result.key,
        "why": [redactor.text(each) for each in result.why],
        "start": result.start,
        "end": result.end,
        "needs": list(step.needs),
        "inputs": [_content(item.place, inputs.get(item.place)) | _source(item) for item in step.inputs],
        "outputs": [_content(place, below(result.files, place) if result.files else None) for place in step.outputs],
    }
    return {name: value for name, value in made.items() if value not in (None, "", [])}


def _source(item: Input) -> dict[str, str]:
    return {"step": item.step, "uri": item.uri or (f"data:{item.dataset}" if item.dataset else "")}


def _content(place: str, content: Content | None) -> dict[str, Any]:
    if not content:
        return {"path": place}
    return {
        "path": place,
        "digest": digest_of(content),
        "size": sum(entry.size for entry in content.values()),
        "files": len(content),
    }
