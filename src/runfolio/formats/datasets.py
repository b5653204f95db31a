"""Dataset files: ``datasets/<slug>.yaml`` (which content is current) and ``datasets/<slug>/<16 hex digits>.json`` (facts of one).

The first is edited by people and by us, through :mod:`runfolio.formats.yaml_edit`: a change of data is a change of one line, and
comments survive. The second is written by machines, canonical, one column a line.

>>> from runfolio.records.datasets import Dataset, Facts
>>> wine = Dataset("wine", "wine", "sha256:" + "0" * 64, path="data/wine.csv")
>>> print(encode_dataset(wine).decode(), end="")
# A dataset: which content is current. A change of data is a change of one line.
schema: 1
path: data/wine.csv
digest: sha256:0000000000000000000000000000000000000000000000000000000000000000
>>> decode_dataset(encode_dataset(wine), "datasets/wine.yaml") == wine
True
>>> facts = Facts(wine.digest, size=11163, rows=178)
>>> decode_facts(encode_facts(facts), "datasets/wine/0000000000000000.json") == facts
True
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from runfolio.errors import DamagedError, UsageError
from runfolio.formats import paths
from runfolio.formats.canonical import dump, load, read_number, spell_number
from runfolio.formats.fields import FieldReader, one_of, text, texts
from runfolio.formats.runs import check_schema
from runfolio.formats.yaml import YamlDocument, read_yaml
from runfolio.records.datasets import (
    ColumnFacts,
    Dataset,
    DatasetKind,
    Facts,
    FileType,
    Histogram,
    Holder,
    check_dataset_digest,
    check_dataset_name,
    check_dataset_path,
    facts_name,
)
from runfolio.records.runs import DatasetInput
from runfolio.records.times import read_utc_text, utc_text

SCHEMA = 1
MAX_BYTES = 1024 * 1024
_HEADER = "A dataset: which content is current. A change of data is a change of one line."
DATASET_KEYS = frozenset("schema name created description path kind held_by source tags digest".split())
T = TypeVar("T")


def decode_dataset(data: bytes, where: str, *, read: Callable[..., YamlDocument] = read_yaml) -> Dataset:
    """Read a dataset's file.

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
        If it is not one; the message names every wrong field with its line.
    NewerSchemaError
        If a newer runfolio wrote it.
    """
    slug = paths.dataset_of_path(where)
    if slug is None:
        raise DamagedError(f"{where}: not the place of a dataset's file. It is datasets/<name>.yaml.")
    document = read(data, where, limit=MAX_BYTES)
    top = FieldReader(document, where)
    if "schema" in document.value:
        check_schema(document.value, SCHEMA, where)
    else:
        top.fault((), "schema is missing: write 'schema: 1' as the first line")
    if document.value.get("digest") is None:
        top.fault((), "digest is missing: it says which content is current")
    made = Dataset(
        slug=slug,
        name=top.read("name", _refusing(check_dataset_name), slug),
        digest=top.read("digest", check_dataset_digest, ""),
        path=top.read("path", _refusing(check_dataset_path), ""),
        kind=DatasetKind(top.read("kind", one_of(*(kind.value for kind in DatasetKind)), "file")),
        held_by=Holder(top.read("held_by", one_of(*(holder.value for holder in Holder)), "store")),
        source=top.read("source", text, ""),
        created=top.read("created", _time, 0),
        description=top.read("description", text, ""),
        tags=top.read("tags", texts, {}),
        extra={key: value for key, value in document.value.items() if key not in DATASET_KEYS},
    )
    if made.held_by is Holder.STORE and made.digest.startswith("md5:"):
        top.fault(("digest",), "the object store names contents by SHA-256; an MD5 needs 'held_by: dvc'")
    top.report()
    return made


def dataset_fields(dataset: Dataset) -> dict[str, Any]:
    """Return a dataset as the values of its file, in their order, defaults left out."""
    made: dict[str, Any] = {"schema": SCHEMA}
    if dataset.name != dataset.slug:
        made["name"] = dataset.name
    if dataset.created:
        made["created"] = utc_text(dataset.created)
    if dataset.description:
        made["description"] = dataset.description
    if dataset.path:
        made["path"] = dataset.path
    if dataset.kind is not DatasetKind.FILE:
        made["kind"] = dataset.kind.value
    if dataset.held_by is not Holder.STORE:
        made["held_by"] = dataset.held_by.value
    if dataset.source:
        made["source"] = dataset.source
    if dataset.tags:
        made["tags"] = dict(dataset.tags)
    made["digest"] = dataset.digest
    made.update(dataset.extra)
    return made


def encode_dataset(dataset: Dataset) -> bytes:
    """Write the file of a new dataset.

    Raises
    ------
    UsageError
        If it would be longer than a megabyte, or its text cannot be written in UTF-8.
    """
    from runfolio.formats.yaml_text import dump_yaml

    data = dump_yaml(dataset_fields(dataset), _HEADER)
    if len(data) > MAX_BYTES:
        where = paths.dataset_path(dataset.slug)
        raise UsageError(f"{where}: {len(data)} bytes are more than the {MAX_BYTES} a dataset may have. Shorten its description.")
    return data


def edit_dataset(old: bytes, dataset: Dataset) -> bytes:
    """Write a dataset over its file: only what differs changes, comments and order stay.

    Raises
    ------
    DamagedError
        If the old file cannot be read.
    UsageError
        If it would be longer than a megabyte, or its text cannot be written in UTF-8.
    """
    from runfolio.formats.yaml_edit import changes_between, edit_yaml

    where = paths.dataset_path(dataset.slug)
    before = decode_dataset(old, where)
    changes = changes_between(dataset_fields(before), dataset_fields(dataset))
    return edit_yaml(old, changes, where, limit=MAX_BYTES) if changes else old


def encode_facts(facts: Facts) -> bytes:
    """Write the facts of a content in the canonical spelling."""
    return dump(facts_fields(facts))


def facts_fields(facts: Facts) -> dict[str, Any]:
    """Return the facts of a content as JSON values, empty fields left out."""
    made: dict[str, Any] = dict(facts.extra)
    made.update(schema=SCHEMA, digest=facts.digest, size=facts.size)
    for key in ("media_type", "format", "columns_left_out"):
        if getattr(facts, key):
            made[key] = getattr(facts, key)
    if facts.kind is DatasetKind.FOLDER:
        made["kind"], made["files"] = facts.kind.value, facts.files
    if facts.manifest_size:
        made["manifest"] = {"digest": facts.digest, "size": facts.manifest_size}
    if facts.held_by is not Holder.STORE:
        made["held_by"] = facts.held_by.value
    if facts.rows is not None:
        made["rows"] = facts.rows
    if facts.columns:
        made["columns"] = [_column_fields(column) for column in facts.columns]
    if facts.arrays:
        made["arrays"] = dict(facts.arrays)
    if facts.types:
        made["types"] = {name: {"files": item.files, "size": item.size} for name, item in facts.types.items()}
    if facts.sample:
        made["sample"] = [dict(row) for row in facts.sample]
    if facts.notes:
        made["notes"] = list(facts.notes)
    return made


def decode_facts(data: bytes, where: str, *, trusted: bool = False) -> Facts:
    """Read the facts of a content.

    Parameters
    ----------
    data : bytes
    where : str
        The file's path; its name must be that of the digest.
    trusted : bool, optional
        Skip the check of the canonical spelling.

    Raises
    ------
    DamagedError
        If they are none; the message names every wrong field.
    NewerSchemaError
        If a newer runfolio wrote them.
    """
    place = paths.facts_of_path(where)
    if place is None:
        raise DamagedError(f"{where}: not the place of a content's facts. It is datasets/<name>/<16 hex digits>.json.")
    value = load(data, where, trusted=trusted)
    check_schema(value, SCHEMA, where)
    made, faults = _read(value, _FACTS_READERS)
    faults += [f"{key}: the field is missing" for key in ("digest", "size") if key not in value]
    if "digest" in made and facts_name(made["digest"]) != place[1]:
        faults.append(f"digest: the file is named after another content than {made['digest']}")
    if faults:
        raise DamagedError("\n".join(f"{where}: {fault}" for fault in faults))
    extra = {key: found for key, found in value.items() if key != "schema" and key not in _FACTS_READERS}
    return Facts(manifest_size=made.pop("manifest", 0), **made, extra=extra)


SOURCE_TYPE = "runfolio"
"""Of an input whose source is a recorded dataset; the JSON says ``dataset``, ``digest`` and, where it has one, ``path``."""


def source_of_dataset(dataset: Dataset) -> dict[str, str]:
    """Return what an input's source says of a recorded dataset."""
    made = {"dataset": dataset.name, "digest": dataset.digest}
    return {**made, "path": dataset.path} if dataset.path else made


def named_in_source(source_type: str, source: str) -> tuple[str, str] | None:
    """Return name and digest of the recorded content that an input's source names, or None."""
    if source_type != SOURCE_TYPE:
        return None
    try:
        said = json.loads(source)
    except ValueError:
        return None
    digest = said.get("digest") if isinstance(said, dict) else None
    try:
        return str(said.get("dataset", "")), check_dataset_digest(digest)
    except (ValueError, AttributeError):
        return None


def content_of_input(item: DatasetInput) -> str | None:
    """Return the digest of the recorded content that an input names, or None."""
    found = named_in_source(item.source_type, item.source)
    return found[1] if found else None


def _column_fields(column: ColumnFacts) -> dict[str, Any]:
    made: dict[str, Any] = dict(column.extra)
    made.update(name=column.name, type=column.type, count=column.count)
    for key in ("missing", "not_finite", "texts", "sampled"):
        if getattr(column, key):
            made[key] = getattr(column, key)
    for key in ("min", "max", "mean", "std", "length_min", "length_mean", "length_max", "distinct"):
        value = getattr(column, key)
        if value is not None:
            made[key] = spell_number(value) if isinstance(value, (int, float)) else value
    if column.quantiles:
        made["quantiles"] = [spell_number(value) for value in column.quantiles]
    if column.histogram is not None:
        shape = column.histogram
        made["histogram"] = {"start": shape.start, "width": shape.width, "counts": list(shape.counts)}
    if column.values:
        made["values"] = dict(column.values)
    return made


def _read(value: Mapping[str, Any], readers: Mapping[str, Callable[[Any], Any]]) -> tuple[dict[str, Any], list[str]]:
    made: dict[str, Any] = {}
    faults: list[str] = []
    for key, found in value.items():
        reader = readers.get(key)
        try:
            if reader is not None:
                made[key] = reader(found)
        except ValueError as error:
            faults.append(f"{key}: {error}")
    return made, faults


def _column(value: Any) -> ColumnFacts:
    made, faults = _read(_object(value), _COLUMN_READERS)
    faults += [f"{key}: the field is missing" for key in ("name", "type") if key not in value]
    if faults:
        raise ValueError("; ".join(faults))
    return ColumnFacts(**made, extra={key: found for key, found in value.items() if key not in _COLUMN_READERS})


def _histogram(value: Any) -> Histogram:
    shape = _object(value)
    start, width = _number(shape.get("start")), _number(shape.get("width"))
    counts = _list(_whole)(shape.get("counts"))
    if not width > 0 or not counts:
        raise ValueError("a width above 0 and counts are expected")
    return Histogram(start, width, counts)


def _file_types(value: Any) -> dict[str, FileType]:
    return {
        name: FileType(_whole(_object(entry).get("files")), _whole(entry.get("size"))) for name, entry in _object(value).items()
    }


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"an object is expected, found {type(value).__name__}")
    return value


def _list(reader: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    def read(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ValueError(f"an array is expected, found {type(value).__name__}")
        return tuple(reader(entry) for entry in value)

    return read


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"a whole number from 0 is expected, found {value!r}")
    return value


def _number(value: Any) -> float:
    read_number(value)
    return value if isinstance(value, int) else read_number(value)


def _extreme(value: Any) -> float | str:
    return value if isinstance(value, str) and value not in ("NaN", "Infinity", "-Infinity") else _number(value)


def _counts(value: Any) -> dict[str, int]:
    return {name: _whole(count) for name, count in _object(value).items()}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"text is expected, found {value!r}")
    return value


def _named(kind: Callable[[Any], T]) -> Callable[[Any], T]:
    def read(value: Any) -> T:
        try:
            return kind(value)
        except ValueError:
            known = ", ".join(item.value for item in kind)  # type: ignore[attr-defined]
            raise ValueError(f"one of {known} is expected, found {value!r}") from None

    return read


def _refusing(check: Callable[[Any], str]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        try:
            return check(text(value))
        except UsageError as error:
            raise ValueError(error.message) from None

    return read


def _time(value: Any) -> int:
    return read_utc_text(text(value))


_COLUMN_READERS: dict[str, Callable[[Any], Any]] = {
    "name": _text,
    "type": _text,
    **dict.fromkeys(("count", "missing", "not_finite", "texts", "sampled", "length_min", "length_max", "distinct"), _whole),
    **dict.fromkeys(("min", "max"), _extreme),
    **dict.fromkeys(("mean", "std", "length_mean"), _number),
    "quantiles": _list(_number),
    "histogram": _histogram,
    "values": _counts,
}
_FACTS_READERS: dict[str, Callable[[Any], Any]] = {
    "digest": check_dataset_digest,
    "kind": _named(DatasetKind),
    "held_by": _named(Holder),
    **dict.fromkeys(("size", "files", "rows", "columns_left_out"), _whole),
    **dict.fromkeys(("media_type", "format"), _text),
    "columns": _list(_column),
    "manifest": lambda value: _whole(_object(value).get("size")),
    "arrays": lambda value: {name: _text(entry) for name, entry in _object(value).items()},
    "types": _file_types,
    "sample": _list(_object),
    "notes": _list(_text),
}
"""How each field is read; one that is not here is kept as it is."""
