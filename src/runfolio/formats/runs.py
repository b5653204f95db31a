"""Run records: ``runs/<slug>/<YYYY-MM>/<DD>/<run-id>.json``.

>>> from runfolio.records import Run, RunStatus
>>> run = Run(run_id="ab12", experiment="wine", status=RunStatus.FINISHED, start=1, end=2, params={"depth": "3"})
>>> decode_run(encode_run(run), "runs/x.json") == run
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import EnumMeta

from runfolio._typing import Any, TypeVar
from runfolio.errors import DamagedError, NewerSchemaError
from runfolio.formats.canonical import SharedField, dump, entries, load, read_number, spell_number, spelled
from runfolio.records.runs import ArtifactEntry, DatasetInput, Digest, Lifecycle, MetricSummary, Run, RunStatus, SeriesRef

SCHEMA = 1
MAX_INLINE_ARTIFACTS = 200
"""Artifacts that a record lists itself; a run with more names one object that lists them."""

T = TypeVar("T")
_SHARED = {field: SharedField() for field in ("code", "entry", "environment")}
"""What the runs of one script share."""


def encode_metric(summary: MetricSummary) -> dict[str, Any]:
    """Write a metric's summary; the extremes are left out where they say no more than the last value."""
    made: dict[str, Any] = {"last": spell_number(summary.last), "step": summary.step, "at": summary.timestamp}
    if summary.count != 1:
        made["count"] = summary.count
    elif summary.min == summary.last:
        return made  # most metrics have one point
    if summary.min is not None:
        made["min"], made["min_step"] = spell_number(summary.min), summary.min_step
        assert summary.max is not None
        made["max"], made["max_step"] = spell_number(summary.max), summary.max_step
    return made


def _spelled_metric(summary: MetricSummary) -> str:
    """Write a metric's summary as it stands in a record."""
    last = summary.last
    if type(last) is float and summary.count == 1 and summary.min == last and last - last == 0.0:
        return f'{{"at": {summary.timestamp}, "last": {last!r}, "step": {summary.step}}}'  # as most are; a third of the encoder's time
    return spelled(encode_metric(summary))


def decode_metric(value: Mapping[str, Any]) -> MetricSummary:
    """Read a metric's summary."""
    last, step, at, count = value["last"], value["step"], value["at"], value.get("count", 1)
    if type(last) is not float:
        last = read_number(last)
    if not (type(step) is type(at) is type(count) is int):
        step, at, count = _whole(step), _whole(at), _whole(count)
    if "min" in value:
        return MetricSummary(
            last, step, at, count,
            read_number(value["min"]), read_number(value["max"]), _whole(value["min_step"]), _whole(value["max_step"]),
        )  # fmt: skip
    if count == 1 and last == last:
        return MetricSummary(last, step, at, 1, last, last, step, step)
    return MetricSummary(last, step, at, count)


def encode_artifact(entry: ArtifactEntry) -> dict[str, Any]:
    """Write an artifact's entry."""
    made: dict[str, Any] = {"digest": entry.digest, "size": entry.size}
    if entry.media_type:
        made["type"] = entry.media_type
    return made


def decode_artifact(value: Mapping[str, Any]) -> ArtifactEntry:
    """Read an artifact's entry."""
    return ArtifactEntry(check_digest(value["digest"]), _whole(value["size"]), _text(value.get("type", "")))


def encode_input(item: DatasetInput) -> dict[str, Any]:
    """Write a dataset that a run read."""
    made: dict[str, Any] = {"name": item.name, "digest": item.digest}
    for key in ("source_type", "source", "schema", "profile"):
        if getattr(item, key):
            made[key] = getattr(item, key)
    if item.tags:
        made["tags"] = dict(item.tags)
    return made


def decode_input(value: Mapping[str, Any]) -> DatasetInput:
    """Read a dataset that a run read."""
    parts = {key: _text(value.get(key, "")) for key in ("source_type", "source", "schema", "profile")}
    return DatasetInput(_text(value["name"]), _text(value["digest"]), tags=_texts(value.get("tags", {})), **parts)


def encode_run(run: Run) -> bytes:
    """Write a run's record in the canonical spelling."""
    made = _fields_without_metrics(run)
    if run.metrics:
        made["metrics"] = entries(run.metrics, _spelled_metric)
    for key, shared in _SHARED.items():
        if key in made:
            made[key] = shared.spelled(made[key])
    return dump(made)


def run_fields(run: Run) -> dict[str, Any]:
    """Return a run's record as JSON values, empty fields left out."""
    made = _fields_without_metrics(run)
    if run.metrics:
        made["metrics"] = {key: encode_metric(value) for key, value in run.metrics.items()}
    return made


def _fields_without_metrics(run: Run) -> dict[str, Any]:
    made: dict[str, Any] = dict(run.extra)
    made.update(schema=SCHEMA, run_id=run.run_id, experiment=run.experiment, status=run.status.value, start=run.start)
    if run.end is not None:
        made["end"] = run.end
    if run.lifecycle is not Lifecycle.ACTIVE:
        made["lifecycle"] = run.lifecycle.value
    if run.inputs:
        made["inputs"] = [encode_input(item) for item in run.inputs]
    if run.artifacts:
        made["artifacts"] = {path: encode_artifact(entry) for path, entry in run.artifacts.items()}
    if run.manifest:
        made["manifest"] = encode_artifact(run.manifest)
        made["artifact_count"] = run.artifact_count
    if run.series:
        series: dict[str, Any] = {"points": run.series.points, "whole": run.series.whole}
        if run.series.digest:
            series["digest"], series["size"] = run.series.digest, run.series.size
        made["series"] = series
    for key in ("name", "deleted_at", "user", "parent"):
        if found := getattr(run, key):
            made[key] = found
    for key in ("params", "tags", "code", "entry", "environment"):
        if found := getattr(run, key):
            made[key] = dict(found)
    for key in ("notices", "resumed"):
        if found := getattr(run, key):
            made[key] = list(found)
    return made


def decode_run(data: bytes, where: str, *, trusted: bool = False) -> Run:
    """Read a run's record.

    Parameters
    ----------
    data : bytes
    where : str
        The file, for messages.
    trusted : bool, optional
        Skip the check of the canonical spelling.

    Raises
    ------
    DamagedError
        If it is not a run's record; the message names every wrong field.
    NewerSchemaError
        If a newer runfolio wrote it.
    """
    return run_of_fields(load(data, where, trusted=trusted), where)


def run_of_fields(value: Mapping[str, Any], where: str) -> Run:
    """Read a run from the JSON values of its record; see :func:`decode_run`."""
    return Run(**read_fields(value, where))


def read_fields(value: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Read the fields of a run from the JSON values of its record, checked; see :func:`decode_run`."""
    check_schema(value, SCHEMA, where)
    made: dict[str, Any] = {}
    faults = [f"{key}: the field is missing" for key in ("run_id", "experiment", "status", "start") if key not in value]
    for key, found in value.items():
        reader = _READERS.get(key)
        if reader is None:
            continue
        try:
            made[key] = reader(found)
        except KeyError as error:
            faults.append(f"{key}: the field {error} is missing")
        except (ValueError, TypeError, AttributeError) as error:
            words = ", ".join(map(str, reader)) if isinstance(reader, EnumMeta) else ""
            faults.append(f"{key}: one of {words} is expected, found {found!r}" if words else f"{key}: {error}")
    if faults:
        raise DamagedError("\n".join(f"{where}: {fault}" for fault in faults))
    if "artifacts" in made:
        made.setdefault("artifact_count", len(made["artifacts"]))
    if not _KNOWN.issuperset(value):
        made["extra"] = {key: value[key] for key in value if key not in _KNOWN}
    return made


def check_schema(value: Mapping[str, Any], newest: int, where: str) -> None:
    """Refuse a record of another schema than ours.

    Raises
    ------
    NewerSchemaError
        If its schema number is larger.
    DamagedError
        If it has none.
    """
    schema = value.get("schema")
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise DamagedError(f"{where}: schema: a whole number from 1 is expected, found {schema!r}.")
    if schema > newest:
        raise NewerSchemaError(
            f"{where}: schema: {schema} is newer than {newest}, the newest that this runfolio reads. Upgrade: pip install -U runfolio"
        )


def check_digest(value: Any) -> Digest:
    """Return `value` if it is ``sha256:`` and 64 lower-case hex digits.

    Raises
    ------
    ValueError
        If it is not.
    """
    if isinstance(value, str) and len(value) == 71 and value.startswith("sha256:") and not value[7:].strip("0123456789abcdef"):
        return Digest(value)
    raise ValueError(f"'sha256:' and 64 hex digits are expected, found {value!r}")


def _series(value: Any) -> SeriesRef:
    digest = check_digest(value["digest"]) if "digest" in value else None
    whole = value["whole"]
    if not isinstance(whole, bool):
        raise ValueError(f"whole: true or false is expected, found {whole!r}")
    return SeriesRef(_whole(value["points"]), whole, digest, _whole(value.get("size", 0)))


def _entries(value: Any, reader: Callable[[Mapping[str, Any]], T]) -> dict[str, T]:
    made: dict[str, T] = {}
    entries, key = _mapping(value), ""
    try:
        for key, entry in entries.items():
            made[key] = reader(entry if type(entry) is dict else _mapping(entry))
    except KeyError as error:
        raise ValueError(f"{key}: the field {error} is missing") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{key}: {error}") from None
    return made


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError(f"a whole number is expected, found {value!r}")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError(f"text is expected, found {value!r}")
    return value


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise ValueError(f"a list is expected, found {type(value).__name__}")
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise ValueError(f"an object is expected, found {type(value).__name__}")
    return value


def _texts(value: Any) -> dict[str, str]:
    for key, text in _mapping(value).items():
        if type(text) is not str:
            raise ValueError(f"{key}: text is expected, found {text!r}")
    return value  # type: ignore[no-any-return]


_READERS: dict[str, Callable[[Any], Any]] = {
    "run_id": _text,
    "experiment": _text,
    "name": _text,
    "status": RunStatus,
    "start": _whole,
    "end": _whole,
    "lifecycle": Lifecycle,
    "deleted_at": _whole,
    "user": _text,
    "parent": _text,
    "params": _texts,
    "metrics": lambda found: _entries(found, decode_metric),
    "tags": _texts,
    "inputs": lambda found: tuple(decode_input(_mapping(item)) for item in _list(found)),
    "artifacts": lambda found: _entries(found, decode_artifact),
    "manifest": lambda found: decode_artifact(_mapping(found)),
    "artifact_count": _whole,
    "series": lambda found: _series(_mapping(found)),
    "code": _mapping,
    "entry": _mapping,
    "environment": _mapping,
    "notices": lambda found: tuple(_text(item) for item in _list(found)),
    "resumed": lambda found: tuple(_whole(item) for item in _list(found)),
}
"""How each field of a record is read; a field that is not here is kept as it is, in `extra`, unless it is the schema number."""

_KNOWN = frozenset({"schema", *_READERS})
