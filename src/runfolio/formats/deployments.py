"""Deployment records: ``models/<slug>/deployments/<name>.json``, written by machines, canonical.

>>> from runfolio.records.deployments import Deployment
>>> made = Deployment("kubernetes", "wine", 3, place="default", endpoint="http://wine.default")
>>> decode_deployment(encode_deployment(made), "models/wine/deployments/kubernetes-default-wine.json") == made
True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runfolio.errors import DamagedError
from runfolio.formats import paths
from runfolio.formats.canonical import dump, load
from runfolio.formats.runs import check_digest, check_schema
from runfolio.records.deployments import Deployment, DeploymentState

SCHEMA = 1


def encode_deployment(deployment: Deployment) -> bytes:
    """Write a deployment's record in the canonical spelling."""
    return dump(deployment_fields(deployment))


def deployment_fields(deployment: Deployment) -> dict[str, Any]:
    """Return a deployment's record as JSON values, empty fields left out."""
    made: dict[str, Any] = dict(deployment.extra)
    made.update(schema=SCHEMA, state=deployment.state.value)
    for key in _READERS.keys() - {"state"}:
        value = getattr(deployment, key)
        if value:
            made[key] = dict(value) if key == "facts" else value
    return made


def decode_deployment(data: bytes, where: str, *, trusted: bool = False) -> Deployment:
    """Read a deployment's record.

    Parameters
    ----------
    data : bytes
    where : str
        The file's path.
    trusted : bool, optional
        Skip the check of the canonical spelling.

    Raises
    ------
    DamagedError
        If it is none; the message names every wrong field.
    NewerSchemaError
        If a newer runfolio wrote it.
    """
    if paths.deployment_of_path(where) is None:
        raise DamagedError(f"{where}: not the place of a deployment's record. It is models/<name>/deployments/<name>.json.")
    value = load(data, where, trusted=trusted)
    check_schema(value, SCHEMA, where)
    made: dict[str, Any] = {}
    faults = [f"{key}: the field is missing" for key in ("target", "name", "version", "state") if key not in value]
    for key, found in value.items():
        reader = _READERS.get(key)
        try:
            if reader is not None:
                made[key] = reader(found)
        except ValueError as error:
            faults.append(f"{key}: {error}")
    if faults:
        raise DamagedError("\n".join(f"{where}: {fault}" for fault in faults))
    extra = {key: found for key, found in value.items() if key != "schema" and key not in _READERS}
    return Deployment(**made, extra=extra)


def _some_text(value: Any) -> str:
    if not _text(value).strip():
        raise ValueError("text is expected, found nothing")
    return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"text is expected, found {value!r}")
    return value


def _texts(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f"an object is expected, found {type(value).__name__}")
    for key, text in value.items():
        if not isinstance(text, str):
            raise ValueError(f"{key}: text is expected, found {text!r}")
    return value


def _whole(value: Any, least: int = 0) -> int:
    if type(value) is not int or value < least:
        raise ValueError(f"a whole number from {least} is expected, found {value!r}")
    return value


def _state(value: Any) -> DeploymentState:
    known = [state.value for state in DeploymentState]
    if value not in known:
        raise ValueError(f"one of {', '.join(known)} is expected, found {value!r}")
    return DeploymentState(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "target": _some_text,
    "name": _some_text,
    "version": lambda value: _whole(value, 1),
    "state": _state,
    "place": _text,
    "uri": _text,
    "digest": check_digest,
    "image": _text,
    "endpoint": _text,
    "facts": _texts,
    "created": _whole,
    "updated": _whole,
    "user": _text,
}
"""How each field is read; one that is not here is kept as it is."""
