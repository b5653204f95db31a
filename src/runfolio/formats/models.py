"""Registry files: ``models/<slug>/model.yaml`` (what is live) and ``models/<slug>/versions/<n>.yaml`` (facts of one version).

Both are edited by people and by us. Only what differs from a default is written; keys that this version does not know are
kept; changes go through :mod:`runfolio.formats.yaml_edit`, so that a promotion is one changed line and comments survive.

>>> from runfolio.records.models import RegisteredModel
>>> wine = RegisteredModel("Wine", "wine", 1795428000000, stages={"Production": (3,)}, aliases={"champion": 3})
>>> print(encode_model(wine).decode(), end="")
# A registered model. What is live stands here and nowhere else: a promotion is a change of one line.
schema: 1
name: Wine
created: 2026-11-23T10:00:00.000Z
stages:
  Production: 3
aliases:
  champion: 3
>>> decode_model(encode_model(wine), "models/wine/model.yaml") == wine
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from runfolio.errors import DamagedError, UsageError
from runfolio.formats import paths
from runfolio.formats.canonical import read_number, spell_number
from runfolio.formats.fields import FieldReader, flag, list_of, one_of, some_text, text, texts, whole
from runfolio.formats.runs import check_digest, check_schema
from runfolio.formats.yaml import YamlDocument, read_yaml
from runfolio.records.models import ModelVersion, RegisteredModel, Waiver, check_alias, check_model_name, check_stage_name
from runfolio.records.names import check_run_id
from runfolio.records.runs import Lifecycle
from runfolio.records.times import read_utc_text, utc_text

SCHEMA = 1
MAX_BYTES = 1024 * 1024
_MODEL_HEADER = "A registered model. What is live stands here and nowhere else: a promotion is a change of one line."
_VERSION_HEADER = "One version of a registered model. Its facts never change; description and tags may."
MODEL_KEYS = frozenset("schema name created description tags stages aliases".split())
VERSION_KEYS = frozenset(
    "schema created source run path digest size files flavors runs_code signature input_example metrics user description tags "
    "run_link waivers lifecycle".split()
)
_LOOSE = frozenset("description tags lifecycle waivers".split())
Read = Callable[..., YamlDocument]
R = TypeVar("R")


def decode_model(data: bytes, where: str, *, read: Read = read_yaml) -> RegisteredModel:
    """Read a registered model's file.

    Parameters
    ----------
    data : bytes
    where : str
        The file's path; its folder is the slug.
    read : callable, optional
        Parses the file, as :func:`~runfolio.formats.yaml.read_yaml` does.

    Raises
    ------
    DamagedError
        If it is not one; the message names every wrong field with its line.
    NewerSchemaError
        If a newer runfolio wrote it.
    """
    slug = paths.model_of_path(where)
    if slug is None:
        raise DamagedError(f"{where}: not the place of a registered model's file. It is models/<name>/model.yaml.")
    document = read(data, where, limit=MAX_BYTES)
    top = _top(document, where)
    stages, aliases = top.section("stages"), top.section("aliases")
    made = RegisteredModel(
        name=top.read("name", _refusing(check_model_name), slug),
        slug=slug,
        created=top.read("created", _time, 0),
        description=top.read("description", text, ""),
        tags=top.read("tags", texts, {}),
        stages=_named(stages, check_stage_name, _versions),
        aliases=_named(aliases, _refusing(check_alias), whole(1)),
        extra={key: value for key, value in document.value.items() if key not in MODEL_KEYS},
    )
    for name, number in _in_two_stages(made.stages):
        stages.fault((name,), f"version {number} is in another stage too; a version is in one stage")
    top.report()
    return made


def model_fields(model: RegisteredModel) -> dict[str, Any]:
    """Return a registered model as the values of its file, in their order, defaults left out."""
    made: dict[str, Any] = {"schema": SCHEMA}
    if model.name != model.slug:
        made["name"] = model.name
    if model.created:
        made["created"] = utc_text(model.created)
    if model.description:
        made["description"] = model.description
    if model.tags:
        made["tags"] = dict(model.tags)
    if model.stages:
        made["stages"] = {stage: numbers[0] if len(numbers) == 1 else list(numbers) for stage, numbers in model.stages.items()}
    if model.aliases:
        made["aliases"] = dict(model.aliases)
    made.update(model.extra)
    return made


def encode_model(model: RegisteredModel) -> bytes:
    """Write the file of a new registered model.

    Raises
    ------
    UsageError
        If it would be longer than a megabyte, or its text cannot be written in UTF-8.
    """
    return _encode(model_fields(model), _MODEL_HEADER, paths.model_path(model.slug))


def edit_model(
    old: bytes, model: RegisteredModel, before: RegisteredModel | None = None, fields: Mapping[str, Any] | None = None
) -> bytes:
    """Write a registered model over its file: only what differs changes, comments and order stay.

    Parameters
    ----------
    old : bytes
        The file.
    model : RegisteredModel
    before : RegisteredModel, optional
        What the file says, where the caller has read it.
    fields : mapping, optional
        Of :func:`model_fields`, where the caller has them.

    Raises
    ------
    DamagedError
        If the old file cannot be read.
    UsageError
        If it would be longer than a megabyte, or its text cannot be written in UTF-8.
    """
    where = paths.model_path(model.slug)
    said = model_fields(before or decode_model(old, where))
    return _edit(old, said, model_fields(model) if fields is None else fields, where, _MODEL_HEADER)


def decode_version(data: bytes, where: str, *, read: Read = read_yaml) -> ModelVersion:
    """Read the file of one version.

    Parameters
    ----------
    data : bytes
    where : str
        The file's path; its name is the number.
    read : callable, optional
        Parses the file, as :func:`~runfolio.formats.yaml.read_yaml` does.

    Raises
    ------
    DamagedError
        If it is not one; the message names every wrong field with its line.
    NewerSchemaError
        If a newer runfolio wrote it.
    """
    found = paths.version_of_path(where)
    if found is None:
        raise DamagedError(f"{where}: not the place of a version's file. It is models/<name>/versions/<number>.yaml.")
    document = read(data, where, limit=MAX_BYTES)
    top = _top(document, where)
    made = ModelVersion(
        version=found[1],
        created=top.read("created", _time, 0),
        source=top.read("source", text, ""),
        run_id=top.read("run", lambda value: _refusing(check_run_id)(some_text(value)), None),
        path=top.read("path", text, ""),
        digest=top.read("digest", check_digest, None),
        size=top.read("size", whole(), 0),
        file_count=top.read("files", whole(), 0),
        flavors=top.read("flavors", list_of(some_text), ()),
        runs_code=top.read("runs_code", list_of(some_text), ()),
        signature=top.read("signature", texts, {}),
        input_example=top.read("input_example", flag, False),
        metrics=_named(top.section("metrics"), some_text, read_number),
        user=top.read("user", text, ""),
        description=top.read("description", text, ""),
        tags=top.read("tags", texts, {}),
        run_link=top.read("run_link", text, ""),
        waivers=tuple(_waiver(item) for item in top.items("waivers")),
        lifecycle=Lifecycle(top.read("lifecycle", one_of("active", "deleted"), "active")),
        extra={key: value for key, value in document.value.items() if key not in VERSION_KEYS},
    )
    top.report()
    return made


def version_fields(version: ModelVersion) -> dict[str, Any]:
    """Return a version as the values of its file, in their order, defaults left out."""
    made: dict[str, Any] = {"schema": SCHEMA}
    if version.created:
        made["created"] = utc_text(version.created)
    values = {
        "source": version.source,
        "run": version.run_id,
        "path": version.path,
        "digest": version.digest and str(version.digest),
        "size": version.size,
        "files": version.file_count,
        "flavors": list(version.flavors),
        "runs_code": list(version.runs_code),
        "signature": dict(version.signature),
        "input_example": version.input_example,
        "metrics": {key: spell_number(value) for key, value in sorted(version.metrics.items())},
        "user": version.user,
        "description": version.description,
        "tags": dict(version.tags),
        "run_link": version.run_link,
    }
    made.update({key: value for key, value in values.items() if value})
    if version.waivers:
        made["waivers"] = [_waiver_fields(waiver) for waiver in version.waivers]
    if version.lifecycle is not Lifecycle.ACTIVE:
        made["lifecycle"] = version.lifecycle.value
    made.update(version.extra)
    return made


def changed_facts(old: ModelVersion, new: ModelVersion) -> list[str]:
    """Return the fields that differ between two states of a version and that nobody may change, in order."""
    before, after = version_fields(old), version_fields(new)
    return sorted(key for key in before.keys() | after.keys() if key not in _LOOSE and before.get(key) != after.get(key))


def encode_version(version: ModelVersion, slug: str, fields: Mapping[str, Any] | None = None) -> bytes:
    """Write the file of a new version, of its :func:`version_fields` where the caller has them; see :func:`encode_model`."""
    return _encode(fields or version_fields(version), _VERSION_HEADER, paths.version_path(slug, version.version))


def edit_version(old: bytes, version: ModelVersion, slug: str) -> bytes:
    """Write a version over its file; see :func:`edit_model`."""
    where = paths.version_path(slug, version.version)
    return _edit(old, version_fields(decode_version(old, where)), version_fields(version), where, _VERSION_HEADER)


def _waiver(item: FieldReader) -> Waiver:
    for key in ("gate", "stage", "reason", "expires"):
        if item.value.get(key) is None:
            item.fault((), f"{key} is missing: a waiver names gate, stage, reason, by and expires")
    return Waiver(
        gate=item.read("gate", some_text, ""),
        stage=item.read("stage", some_text, ""),
        reason=item.read("reason", some_text, ""),
        by=item.read("by", text, ""),
        expires=item.read("expires", _time, 0),
    )


def _waiver_fields(waiver: Waiver) -> dict[str, Any]:
    return {
        "gate": waiver.gate,
        "stage": waiver.stage,
        "reason": waiver.reason,
        "by": waiver.by,
        "expires": utc_text(waiver.expires),
    }


def _top(document: YamlDocument, where: str) -> FieldReader:
    top = FieldReader(document, where)
    if "schema" in document.value:
        check_schema(document.value, SCHEMA, where)
    else:
        top.fault((), "schema is missing: write 'schema: 1' as the first line")
    return top


def _named(section: FieldReader, check: Callable[[Any], str], reader: Callable[[Any], R]) -> dict[str, R]:
    """Read a mapping entry by entry, so that each fault has its line."""
    made: dict[str, R] = {}
    for key, value in section.value.items():
        try:
            made[check(key)] = reader(value)
        except ValueError as error:
            section.fault((key,), str(error).rstrip("."))
    return made


def _versions(value: Any) -> tuple[int, ...]:
    numbers = list_of(whole(1))(value) if isinstance(value, list) else (whole(1)(value),)
    if not numbers:
        raise ValueError("a version's number is expected, found an empty list; take the line away instead")
    if len(set(numbers)) < len(numbers):
        raise ValueError("a version stands here twice")
    return tuple(sorted(numbers))


def _in_two_stages(stages: Mapping[str, tuple[int, ...]]) -> list[tuple[str, int]]:
    seen: set[int] = set()
    twice = []
    for name, numbers in stages.items():
        twice += [(name, number) for number in numbers if number in seen]
        seen.update(numbers)
    return twice


def _refusing(check: Callable[[Any], R]) -> Callable[[Any], R]:
    """Turn a check of what a user typed into a reader of a field: its refusal becomes the field's fault."""

    def read(value: Any) -> R:
        try:
            return check(value)
        except UsageError as error:
            raise ValueError(error.message) from None

    return read


def _encode(fields: Mapping[str, Any], header: str, where: str) -> bytes:
    from runfolio.formats.yaml_text import dump_yaml

    data = dump_yaml(fields, header)
    if len(data) > MAX_BYTES:
        raise UsageError(
            f"{where}: {len(data)} bytes are more than the {MAX_BYTES} it may have. Shorten its description or tags."
        )
    return data


def _edit(old: bytes, before: Mapping[str, Any], after: Mapping[str, Any], where: str, header: str) -> bytes:
    from runfolio.formats.yaml_edit import changes_between, edit_yaml, goes_on
    from runfolio.formats.yaml_text import dump_yaml

    if goes_on(before, after) and dump_yaml(before, header) == old:
        return _encode(after, header, where)  # nobody else's comment or order is in it: it is what an edit would make of it
    changes = changes_between(before, after)
    return edit_yaml(old, changes, where, limit=MAX_BYTES) if changes else old


def _time(value: Any) -> int:
    return read_utc_text(text(value))
