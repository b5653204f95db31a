"""Experiment files: ``experiments/<slug>.yaml``, edited by people and by us.

The slug is the file's name. Only what differs from a default is written; a file may be one line (``schema: 1``), and is then
an experiment named as its slug. Keys that this version does not know are kept. Changes go through
:mod:`runfolio.formats.yaml_edit`, so people's comments and order survive.

>>> made = Experiment(experiment_id="wine", slug="wine", name="Wine", created=1795428000000)
>>> print(encode_experiment(made).decode(), end="")
# An experiment: what its runs are about and how they are judged. Edit freely.
schema: 1
name: Wine
created: 2026-11-23T10:00:00.000Z
>>> decode_experiment(encode_experiment(made), "experiments/wine.yaml") == made
True
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from runfolio._pattern import pattern
from runfolio._typing import Any
from runfolio.errors import DamagedError, UsageError
from runfolio.formats.fields import FieldReader, one_of, some_text, text, texts
from runfolio.formats.paths import experiment_of_path
from runfolio.formats.runs import check_schema
from runfolio.formats.settings import read_objective
from runfolio.formats.yaml import YamlDocument, read_yaml
from runfolio.records.experiments import Experiment
from runfolio.records.names import check_experiment_id, check_experiment_name, check_run_id
from runfolio.records.runs import Lifecycle
from runfolio.records.times import read_utc_text, utc_text

SCHEMA = 1
MAX_BYTES = 1024 * 1024
"""Larger than other YAML, because an imported experiment may bear many tags of 20,000 characters."""

_HEADER = "An experiment: what its runs are about and how they are judged. Edit freely."
_KNOWN = frozenset("schema experiment_id name created updated description tags objective baseline lifecycle".split())
_SLUG = pattern(r"[a-z0-9][a-z0-9_-]*\Z", re.ASCII)


def decode_experiment(data: bytes, where: str, *, read: Callable[..., YamlDocument] = read_yaml) -> Experiment:
    """Read an experiment's file.

    Parameters
    ----------
    data : bytes
    where : str
        The file's path; its name is the slug.
    read : callable, optional
        Parses the file, as :func:`~runfolio.formats.yaml.read_yaml` does.

    Raises
    ------
    DamagedError
        If it is not an experiment's file; the message names every wrong field with its line.
    NewerSchemaError
        If a newer runfolio wrote it.
    """
    slug = experiment_of_path(where) or where.rsplit("/", 1)[-1].removesuffix(".yaml")
    if not _SLUG.match(slug):
        raise DamagedError(
            f"{where}: {slug!r} cannot name an experiment's file. Rename it: lower-case letters, digits, '-' and '_'."
        )
    return _decode(read(data, where, limit=MAX_BYTES), slug, where)


def experiment_of_fields(value: Mapping[str, Any], slug: str, where: str) -> Experiment:
    """Read an experiment from the values of its file; see :func:`decode_experiment`."""
    return _decode(YamlDocument(dict(value), {}), slug, where)


def _decode(document: YamlDocument, slug: str, where: str) -> Experiment:
    top = FieldReader(document, where)
    if "schema" in document.value:
        check_schema(document.value, SCHEMA, where)
    else:
        top.fault((), "schema is missing: write 'schema: 1' as the first line")
    objective = top.section("objective")
    made = Experiment(
        experiment_id=top.read("experiment_id", lambda value: check_experiment_id(text(value)), slug),
        slug=slug,
        name=top.read("name", lambda value: check_experiment_name(text(value)), slug),
        created=top.read("created", _time, 0),
        updated=top.read("updated", _time, 0),
        description=top.read("description", text, ""),
        tags=top.read("tags", texts, {}),
        objective=read_objective(objective) if objective.value else None,
        baseline=top.read("baseline", lambda value: check_run_id(some_text(value)), None),
        lifecycle=Lifecycle(top.read("lifecycle", one_of("active", "deleted"), "active")),
        extra={key: value for key, value in document.value.items() if key not in _KNOWN},
    )
    top.report()
    return made


def experiment_fields(experiment: Experiment) -> dict[str, Any]:
    """Return an experiment as the values of its file, in their order, defaults left out."""
    made: dict[str, Any] = {"schema": SCHEMA}
    if experiment.experiment_id != experiment.slug:
        made["experiment_id"] = experiment.experiment_id
    if experiment.name != experiment.slug:
        made["name"] = experiment.name
    for key in ("created", "updated"):
        if getattr(experiment, key):
            made[key] = utc_text(getattr(experiment, key))
    if experiment.description:
        made["description"] = experiment.description
    if experiment.tags:
        made["tags"] = dict(experiment.tags)
    if experiment.objective:
        made["objective"] = {"metric": experiment.objective.metric, "direction": experiment.objective.direction}
        if experiment.objective.replicate != "seed":
            made["objective"]["replicate"] = experiment.objective.replicate
    if experiment.baseline:
        made["baseline"] = experiment.baseline
    if experiment.lifecycle is not Lifecycle.ACTIVE:
        made["lifecycle"] = experiment.lifecycle.value
    made.update(experiment.extra)
    return made


def encode_experiment(experiment: Experiment) -> bytes:
    """Write the file of a new experiment.

    Raises
    ------
    UsageError
        If it would be longer than a megabyte, or its text cannot be written in UTF-8.
    """
    from runfolio.formats.yaml_text import dump_yaml

    data = dump_yaml(experiment_fields(experiment), _HEADER)
    if len(data) > MAX_BYTES:
        raise UsageError(
            f"experiments/{experiment.slug}.yaml: {len(data)} bytes are more than the {MAX_BYTES} an experiment may have. "
            "Shorten its description or tags."
        )
    return data


def edit_experiment(old: bytes, experiment: Experiment, where: str | None = None) -> bytes:
    """Write an experiment over its file: only what differs changes, comments and order stay.

    Parameters
    ----------
    old : bytes
        The file as it is.
    experiment : Experiment
        What it should say.
    where : str, optional
        The file, for messages; follows from the slug.

    Raises
    ------
    DamagedError
        If the old file cannot be read.
    UsageError
        If it would be longer than a megabyte, or its text cannot be written in UTF-8.
    """
    from runfolio.formats.yaml_edit import changes_between, edit_yaml

    place = where or f"experiments/{experiment.slug}.yaml"
    before = _decode(read_yaml(old, place, limit=MAX_BYTES), experiment.slug, place)
    changes = changes_between(experiment_fields(before), experiment_fields(experiment))
    return edit_yaml(old, changes, place, limit=MAX_BYTES) if changes else old


def _time(value: Any) -> int:
    return read_utc_text(text(value))
