"""Verdicts of reproduction: ``reproductions/<run id>/<attempt id>.json``, written by machines once, canonical.

>>> from runfolio.records.reproductions import Outcome, Reproduction
>>> made = Reproduction("ab12", "cd34", Outcome.EXACT, compared=3, exact=3)
>>> decode_reproduction(encode_reproduction(made), "reproductions/ab12/cd34.json") == made
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runfolio.errors import DamagedError
from runfolio.formats import paths
from runfolio.formats.canonical import dump, load, read_number, spell_number
from runfolio.formats.runs import check_schema, decode_artifact, encode_artifact
from runfolio.records.reproductions import ArtifactCounts, Deviation, Outcome, Reproduction
from runfolio.records.runs import ArtifactEntry

SCHEMA = 1
_COUNTS = ("same", "other", "missing", "added")
_PAIRS = ("packages", "facts", "inputs", "params")
_TEXTS = ("code", "changed_code", "environment", "data")
_LISTS = ("command", "ignored", "notes")


def encode_reproduction(made: Reproduction) -> bytes:
    """Write a verdict's record in the canonical spelling."""
    return dump(reproduction_fields(made))


def reproduction_fields(made: Reproduction) -> dict[str, Any]:
    """Return a verdict's record as JSON values, empty fields left out."""
    said: dict[str, Any] = dict(made.extra)
    said.update(schema=SCHEMA, run_id=made.run_id, attempt_id=made.attempt_id, verdict=made.verdict.value)
    for key in ("at", "duration_ms", "user", "asked", "reason", "manager", "replicates", "compared", "exact"):
        if getattr(made, key):
            said[key] = getattr(made, key)
    for key in _TEXTS:
        if getattr(made, key):
            said[key] = dict(getattr(made, key))
    for key in _PAIRS:
        if getattr(made, key):
            said[key] = {name: list(pair) for name, pair in getattr(made, key).items()}
    for key in _LISTS:
        if getattr(made, key):
            said[key] = list(getattr(made, key))
    if made.tolerance:
        said["tolerance"] = made.tolerance
    if made.metrics:
        said["metrics"] = {key: _deviation_fields(item) for key, item in made.metrics.items()}
    if made.artifacts != ArtifactCounts():
        said["artifacts"] = {key: getattr(made.artifacts, key) for key in _COUNTS}
        if made.artifacts.names:
            said["artifacts"]["names"] = list(made.artifacts.names)
    if made.exit_code is not None:
        said["exit_code"] = made.exit_code
    for key in ("log", "record"):
        if getattr(made, key) is not None:
            said[key] = encode_artifact(getattr(made, key))
    return said


def _deviation_fields(item: Deviation) -> dict[str, Any]:
    made: dict[str, Any] = {"outcome": item.outcome.value}
    for key in ("was", "now"):
        value = getattr(item, key)
        if value is not None:
            made[key] = spell_number(value)
    if item.relative:
        made["relative"] = spell_number(item.relative)
    if item.step is not None:
        made["step"] = item.step
    return made


def decode_reproduction(data: bytes, where: str, *, trusted: bool = False) -> Reproduction:
    """Read a verdict's record.

    Parameters
    ----------
    data : bytes
    where : str
        The file's path from the folio's root.
    trusted : bool, optional
        Skip the check of the canonical spelling.

    Raises
    ------
    DamagedError
        If it is none, or lies where another attempt's belongs; the message names every wrong field.
    NewerSchemaError
        If a newer runfolio wrote it.
    """
    named = paths.reproduction_of_path(where)
    if named is None:
        raise DamagedError(f"{where}: not the place of a verdict. It is reproductions/<run id>/<attempt id>.json.")
    value = load(data, where, trusted=trusted)
    check_schema(value, SCHEMA, where)
    made: dict[str, Any] = {}
    faults = [f"{key}: the field is missing" for key in ("run_id", "attempt_id", "verdict") if key not in value]
    for key, found in value.items():
        reader = _READERS.get(key)
        try:
            if reader is not None:
                made[key] = reader(found)
        except KeyError as error:
            faults.append(f"{key}: {error.args[0]} is missing")
        except (ValueError, DamagedError) as error:
            faults.append(f"{key}: {error}")
    for key, wanted in zip(("run_id", "attempt_id"), named, strict=True):
        if key in made and made[key] != wanted:
            faults.append(f"{key}: {made[key]!r} stands in the place of {wanted!r}")
    if faults:
        raise DamagedError("\n".join(f"{where}: {fault}" for fault in faults))
    extra = {key: found for key, found in value.items() if key != "schema" and key not in _READERS}
    return Reproduction(**made, extra=extra)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"text is expected, found {value!r}")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"a whole number from 0 is expected, found {value!r}")
    return value


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"an object is expected, found {type(value).__name__}")
    return value


def _texts(value: Any) -> Mapping[str, str]:
    return {key: _text(item) for key, item in _object(value).items()}


def _list(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"an array is expected, found {type(value).__name__}")
    return tuple(_text(item) for item in value)


def _pairs(value: Any) -> Mapping[str, tuple[str, str]]:
    made = {}
    for key, item in _object(value).items():
        pair = _list(item)
        if len(pair) != 2:
            raise ValueError(f"{key}: two texts are expected, then and now, found {item!r}")
        made[key] = (pair[0], pair[1])
    return made


def _outcome(value: Any) -> Outcome:
    known = [item.value for item in Outcome]
    if value not in known:
        raise ValueError(f"one of {', '.join(known)} is expected, found {value!r}")
    return Outcome(value)


def _deviations(value: Any) -> Mapping[str, Deviation]:
    made = {}
    for key, item in _object(value).items():
        said = _object(item)
        step = said.get("step")
        if step is not None and type(step) is not int:
            raise ValueError(f"{key}: step: a whole number is expected, found {step!r}")
        was, now = (None if said.get(name) is None else read_number(said[name]) for name in ("was", "now"))
        made[key] = Deviation(_outcome(said["outcome"]), was, now, read_number(said.get("relative", 0.0)), step)
    return made


def _tolerance(value: Any) -> float:
    number = read_number(value)
    if not 0 <= number < float("inf"):
        raise ValueError(f"a number from 0 is expected, found {value!r}")
    return number


def _counts(value: Any) -> ArtifactCounts:
    said = _object(value)
    same, other, missing, added = (_whole(said.get(key, 0)) for key in _COUNTS)
    return ArtifactCounts(same, other, missing, added, _list(said.get("names", [])))


def _code(value: Any) -> int:
    if type(value) is not int:
        raise ValueError(f"a whole number is expected, found {value!r}")
    return value


def _object_entry(value: Any) -> ArtifactEntry:
    return decode_artifact(_object(value))


_READERS: dict[str, Callable[[Any], Any]] = {
    "run_id": _text,
    "attempt_id": _text,
    "verdict": _outcome,
    "at": _whole,
    "duration_ms": _whole,
    "user": _text,
    "asked": _text,
    "reason": _text,
    "manager": _text,
    "replicates": _whole,
    "compared": _whole,
    "exact": _whole,
    **dict.fromkeys(_TEXTS, _texts),
    **dict.fromkeys(_PAIRS, _pairs),
    **dict.fromkeys(_LISTS, _list),
    "tolerance": _tolerance,
    "metrics": _deviations,
    "artifacts": _counts,
    "exit_code": _code,
    "log": _object_entry,
    "record": _object_entry,
}
"""How each field is read; one that is not here is kept as it is."""
