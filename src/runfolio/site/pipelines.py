"""Pipelines as pages show them: what ``pipeline.json`` says, as a picture and a table, each step with the run that made it.

A document is an artifact, which anybody with access to the object store may have written:
:func:`runfolio.formats.pipelines.decode_pipeline_document` has made plain texts and numbers of it, and only runs of this site are linked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runfolio.records.pipelines import FAILED, KILLED, MADE, NOT_RUN, RUNNING, UP_TO_DATE
from runfolio.site.links import run_page
from runfolio.site.svg.pipelines import MOST_DRAWN, Box, steps_picture
from runfolio.site.words import count_words, duration_words

if TYPE_CHECKING:
    from runfolio.site.gather import Site

_MARKS = {MADE: "made", UP_TO_DATE: "kept", FAILED: "failed", KILLED: "killed", NOT_RUN: "waits", RUNNING: "waits"}
_PILLS = {MADE: "pill-good", UP_TO_DATE: "pill-accent", FAILED: "pill-bad", KILLED: "pill-bad", NOT_RUN: "", RUNNING: "pill-warn"}


def laid_out(site: Site, document: Mapping[str, Any], root: str, *, ended: bool) -> dict[str, Any]:
    """Lay a document out for the template.

    Parameters
    ----------
    site : Site
    document : Mapping
        Of :func:`~runfolio.formats.pipelines.decode_pipeline_document`.
    root : str
    ended : bool
        The run has ended: a step that its last document calls running was killed with it.
    """
    steps = [_step(site, step, root, ended) for step in document["steps"]]
    makers = {step["name"]: step for step in steps}
    for step in steps:
        step["inputs"] = [_file(item, makers) for item in step["inputs"] if item.get("path")]
        step["outputs"] = [_file(item, {}) for item in step["outputs"] if item.get("path")]
    counts = {state: sum(step["state"] == state for step in steps) for state in _PILLS}
    words = f"{count_words(len(steps), 'step')} of {document.get('name', 'a pipeline')}: " + ", ".join(
        f"{number} {state}" for state, number in counts.items() if number
    )
    boxes = [Box(step["name"], tuple(step["needs"]), step["note"], step["mark"], step["href"], step["words"]) for step in steps]
    return {
        "name": document.get("name", ""),
        "file": document.get("file", ""),
        "description": document.get("description", ""),
        "counts": [(state, number, _PILLS[state]) for state, number in counts.items() if number],
        "steps": steps,
        "wide": steps_picture(boxes, words),
        "tall": steps_picture(boxes, words, tall=True),
        "more": max(0, len(steps) - MOST_DRAWN),
    }


def _file(said: Mapping[str, Any], makers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a step reads or makes, with the step that made it."""
    maker = makers.get(said.get("step", ""))
    made = {"digest": "", "size": None, "files": 1, "uri": "", **said}
    return {**made, "maker": {"name": maker["name"], "href": maker["href"]} if maker else None}


def _step(site: Site, said: Mapping[str, Any], root: str, ended: bool) -> dict[str, Any]:
    state = KILLED if ended and said["state"] == RUNNING else said["state"]
    run = said.get("run", "")
    known = run in site.by_id
    took = said["end"] - said["start"] if "start" in said and "end" in said and said["end"] >= said["start"] else None
    note = state if took is None else f"{state}, {duration_words(took)}"
    return {
        "command": "",
        **said,
        "state": state,
        "pill": _PILLS[state],
        "mark": _MARKS[state],
        "took": took,
        "run": run if known else "",
        "run_name": (site.by_id[run].name or run[:12]) if known else "",
        "href": f"{root}{run_page(site, run)}" if known else "",
        "note": note,
        "words": f"{said['name']}: {note}{'. ' + said['command'] if said.get('command') else ''}",
    }
