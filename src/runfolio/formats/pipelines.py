"""``pipeline.json``: what became of a pipeline's steps, as the site draws it; docs/pipeline-format.md tells every field.

A document is an artifact: whoever may write to the object store may write one. So a reader takes from it what has the right shape, within
bounds, and leaves the rest; a document that is of another format is none.

>>> decode_pipeline_document(b'{"format": "runfolio-pipeline", "schema": 1, "steps": [{"name": "train", "state": "made"}]}')["steps"]
[{'name': 'train', 'state': 'made', 'needs': [], 'inputs': [], 'outputs': [], 'why': []}]
>>> decode_pipeline_document(b'{"steps": []}') is None
True
"""

from __future__ import annotations

import json
from typing import Any

from runfolio.formats.documents import Reader, fields, list_of, one_of, text_map, whole, words
from runfolio.records.pipelines import STATES

FORMAT, SCHEMA = "runfolio-pipeline", 1
MAX_BYTES = 4_000_000
MAX_STEPS, MAX_FILES, MAX_WHY, MAX_PARAMS = 1000, 200, 20, 500


def decode_pipeline_document(data: bytes) -> dict[str, Any] | None:
    """Read a document; None where the bytes are none.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    dict or None
        Only fields that are known, of the right shape; ``steps`` is always there, each with a name and a state, each after those that it
        needs.
    """
    if len(data) > MAX_BYTES or FORMAT.encode() not in data:
        return None
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("format") != FORMAT or said.get("schema") != SCHEMA:
        return None
    found: dict[str, Any] = fields(_DOCUMENT)(said) or {}
    steps: list[dict[str, Any]] = []
    for step in found.get("steps", []):
        known = [each["name"] for each in steps]
        if "name" in step and "state" in step and step["name"] not in known:
            needs = [name for name in step.get("needs", []) if name in known]
            steps.append({"inputs": [], "outputs": [], "why": [], **step, "needs": needs})
    found["steps"] = [{"name": step["name"], "state": step["state"], "needs": step["needs"], **step} for step in steps]
    return found


_FILE: dict[str, Reader] = {"path": words, "digest": words, "size": whole, "files": whole, "step": words, "uri": words}
_STEP: dict[str, Reader] = {
    "name": words,
    "command": words,
    "state": one_of(*STATES),
    "run": words,
    "key": words,
    "why": list_of(words, MAX_WHY),
    "start": whole,
    "end": whole,
    "needs": list_of(words, MAX_STEPS),
    "inputs": list_of(fields(_FILE), MAX_FILES),
    "outputs": list_of(fields(_FILE), MAX_FILES),
}
_DOCUMENT: dict[str, Reader] = {
    "name": words,
    "file": words,
    "description": words,
    "params": text_map(MAX_PARAMS),
    "steps": list_of(fields(_STEP), MAX_STEPS),
}
