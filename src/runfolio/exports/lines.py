"""One record as one line of JSON, and back: nothing that a record says is lost. ``records.schema.json`` is the schema.

A line has its ``kind``, and ``record``, the fields of the file in the folio as docs/format.md tells them, with ``path``, where that file
lies. Numbers keep all their digits; NaN and the infinities are the texts of the format.

>>> from runfolio.records import Run
>>> run = Run(run_id="ab12", experiment="wine", params={"depth": "3"})
>>> line = encode_line(run_line(run))
>>> decode_line(line).value == run
True
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any, NamedTuple

from runfolio.errors import DamagedError
from runfolio.formats import paths
from runfolio.formats.canonical import dump, read_number, spell_number
from runfolio.formats.datasets import dataset_fields, decode_dataset, decode_facts, facts_fields
from runfolio.formats.deployments import decode_deployment, deployment_fields
from runfolio.formats.experiments import experiment_fields, experiment_of_fields
from runfolio.formats.models import decode_model, decode_version, model_fields, version_fields
from runfolio.formats.reproductions import decode_reproduction, reproduction_fields
from runfolio.formats.runs import decode_artifact, encode_artifact, run_fields, run_of_fields
from runfolio.formats.yaml import YamlDocument
from runfolio.records import ArtifactEntry, Experiment, MetricPoint, Run
from runfolio.records.datasets import Dataset, Facts, facts_name
from runfolio.records.deployments import Deployment
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.records.reproductions import Reproduction

MOST_POINTS = 10_000
"""Points on one line; a longer history takes several."""
Fields = dict[str, Any]


class Line(NamedTuple):
    """A line that was read.

    Parameters
    ----------
    kind : str
    value : object
        The record: ``Run``, ``Experiment``, ``Dataset``, ``Facts``, ``RegisteredModel``, ``ModelVersion``, ``Deployment`` or
        ``Reproduction``; of ``points`` a tuple of ``MetricPoint``; of ``artifacts`` a dict of ``ArtifactEntry`` by path; of ``environment``
        and ``card`` the text; of ``export`` and ``event`` the fields.
    fields : dict
        All that stands on the line.
    """

    kind: str
    value: Any
    fields: Fields


def encode_line(fields: Mapping[str, Any]) -> str:
    """Write a line, in ASCII, keys in order, with its line feed."""
    return json.dumps(fields, sort_keys=True, allow_nan=False, separators=(",", ":")) + "\n"


def decode_line(text: str, where: str = "records.jsonl") -> Line:
    """Read a line.

    Parameters
    ----------
    text : str
    where : str, optional
        The file and line, for messages.

    Raises
    ------
    DamagedError
        If it is none, or its record is damaged.
    """
    try:
        fields = json.loads(text)
        kind = fields["kind"]
        reader = _READERS[kind]
    except (ValueError, KeyError, TypeError):
        raise DamagedError(f"{where}: not a line of an export; its kinds are: {', '.join(_READERS)}.") from None
    try:
        return Line(kind, reader(fields, where), fields)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedError(f"{where}: {kind}: {error!r}.") from None


def run_line(run: Run) -> Fields:
    """Return the line of a run."""
    return {"kind": "run", "path": paths.run_path(run.experiment, run.run_id, run.start), "record": run_fields(run)}


def points_line(run_id: str, key: str, points: Sequence[MetricPoint]) -> Fields:
    """Return a line of points of one metric, in the order in which they were logged."""
    return {
        "kind": "points",
        "run_id": run_id,
        "key": key,
        "steps": [point.step for point in points],
        "times": [point.timestamp for point in points],
        "values": [spell_number(point.value) for point in points],
    }


def artifacts_line(run_id: str, artifacts: Mapping[str, ArtifactEntry]) -> Fields:
    """Return the line of the files of a run whose record does not list them itself."""
    return {
        "kind": "artifacts",
        "run_id": run_id,
        "artifacts": {path: encode_artifact(entry) for path, entry in artifacts.items()},
    }


def experiment_line(item: Experiment) -> Fields:
    """Return the line of an experiment."""
    return {"kind": "experiment", "path": paths.experiment_path(item.slug), "record": experiment_fields(item)}


def dataset_line(item: Dataset) -> Fields:
    """Return the line of a dataset."""
    return {"kind": "dataset", "path": paths.dataset_path(item.slug), "record": dataset_fields(item)}


def facts_line(slug: str, item: Facts) -> Fields:
    """Return the line of what is known of a content of a dataset."""
    return {"kind": "facts", "path": paths.facts_path(slug, facts_name(item.digest)), "record": facts_fields(item)}


def model_line(item: RegisteredModel) -> Fields:
    """Return the line of a registered model."""
    return {"kind": "model", "path": paths.model_path(item.slug), "record": model_fields(item)}


def version_line(slug: str, item: ModelVersion) -> Fields:
    """Return the line of a version."""
    return {"kind": "version", "path": paths.version_path(slug, item.version), "record": version_fields(item)}


def deployment_line(slug: str, item: Deployment) -> Fields:
    """Return the line of a deployment."""
    return {"kind": "deployment", "model": slug, "record": deployment_fields(item)}


def reproduction_line(item: Reproduction) -> Fields:
    """Return the line of an attempt to make a run again."""
    path = paths.reproduction_path(item.run_id, item.attempt_id)
    return {"kind": "reproduction", "path": path, "record": reproduction_fields(item)}


def text_line(kind: str, path: str, text: str) -> Fields:
    """Return the line of a file of text: a list of packages (``environment``), a model card (``card``)."""
    return {"kind": kind, "path": path, "text": text}


def schema_text() -> str:
    """Return the JSON Schema of a line, with that of a run in it."""
    folder = resources.files("runfolio")
    schema = json.loads(folder.joinpath("exports/records.schema.json").read_text("utf-8"))
    run = json.loads(folder.joinpath("formats/run.schema.json").read_text("utf-8"))
    schema["$defs"]["run"] = {"$id": "urn:runfolio:run:1", **run}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _yaml(decode: Callable[..., Any]) -> Callable[[Fields, str], Any]:
    """Make a reader of a record that is YAML in the folio: its fields are those that a parse of the file gives."""
    return lambda line, where: decode(b"", line["path"], read=lambda *args, **more: YamlDocument(dict(line["record"]), {}))


def _json(decode: Callable[..., Any]) -> Callable[[Fields, str], Any]:
    return lambda line, where: decode(dump(line["record"]), line.get("path", where), trusted=True)


def _experiment(line: Fields, where: str) -> Experiment:
    slug = paths.experiment_of_path(line["path"])
    if slug is None:
        raise ValueError(f"{line['path']!r} is no place of an experiment")
    return experiment_of_fields(line["record"], slug, where)


def _points(line: Fields, where: str) -> tuple[MetricPoint, ...]:
    parts = zip(line["steps"], line["times"], line["values"], strict=True)
    return tuple(MetricPoint(line["key"], read_number(value), at, step) for step, at, value in parts)


def _artifacts(line: Fields, where: str) -> dict[str, ArtifactEntry]:
    return {path: decode_artifact(entry) for path, entry in line["artifacts"].items()}


_READERS: dict[str, Callable[[Fields, str], Any]] = {
    "export": lambda line, where: line,
    "experiment": _experiment,
    "run": lambda line, where: run_of_fields(line["record"], where),
    "artifacts": _artifacts,
    "points": _points,
    "reproduction": _json(decode_reproduction),
    "environment": lambda line, where: line["text"],
    "dataset": _yaml(decode_dataset),
    "facts": _json(decode_facts),
    "model": _yaml(decode_model),
    "version": _yaml(decode_version),
    "card": lambda line, where: line["text"],
    "deployment": _json(decode_deployment),
    "event": lambda line, where: line,
}
"""How each kind is read, in the order in which kinds stand in a file (points and the like after their run)."""
