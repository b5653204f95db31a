"""Parameters of ``predict`` checked against their declared types; whole numbers go where fractions are asked for, nothing else."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from runfolio.errors import UsageError
from runfolio.flavors.telling import listed, short
from runfolio.flavors.types import DataType, Object

if TYPE_CHECKING:
    from runfolio.flavors.schema import ParamSchema

_log = logging.getLogger("runfolio")
_PYTHON: dict[DataType, type | tuple[type, ...]] = {
    DataType.boolean: bool,
    DataType.integer: int,
    DataType.long: int,
    DataType.float: (int, float),
    DataType.double: (int, float),
    DataType.string: str,
    DataType.binary: (bytes, bytearray),
}


def checked_param(name: str, value: Any, dtype: DataType | Object, *, listed: bool) -> Any:
    """Return a parameter's value as its type says.

    Raises
    ------
    UsageError
        Naming the parameter, if it is of another type.
    """
    if value is None:
        return None
    value = value.tolist() if hasattr(value, "tolist") and hasattr(value, "dtype") else value
    if listed:
        if not isinstance(value, (list, tuple)):
            raise UsageError(f"Parameter {name!r}: expected a list of {dtype!r}, and it is {short(value)}.")
        return [checked_param(name, each, dtype, listed=False) for each in value]
    if isinstance(dtype, Object):
        if not isinstance(value, dict):
            raise UsageError(f"Parameter {name!r}: expected a dictionary, and it is {short(value)}.")
        return value
    if dtype is DataType.datetime:
        return _moment(name, value)
    if not isinstance(value, _PYTHON[dtype]) or (isinstance(value, bool) and dtype is not DataType.boolean):
        raise UsageError(f"Parameter {name!r}: expected {dtype!r}, and it is {short(value)} ({type(value).__name__}).")
    return float(value) if isinstance(value, int) and dtype in (DataType.float, DataType.double) else value


def enforce_params(params: Mapping[str, Any] | None, schema: ParamSchema | None) -> dict[str, Any]:
    """Return the parameters for ``predict``: given ones checked, the others by default.

    One that the signature does not declare is left out with a warning, as MLflow does.

    Raises
    ------
    UsageError
        Telling every wrong one.
    """
    if params is not None and not isinstance(params, Mapping):
        raise UsageError(f"params takes a dictionary of names to values, not {type(params).__name__}.")
    given = dict(params or {})
    specs = {} if schema is None else {each.name: each for each in schema}
    unknown = [name for name in given if name not in specs]
    if unknown:
        takes = ", ".join(specs) or "none (its signature declares no parameters)"
        _log.warning("The model has no parameter %s; it is ignored. It takes: %s.", listed(unknown), takes)
    made, faults = {}, []
    for name, spec in specs.items():
        try:
            made[name] = (
                checked_param(name, given[name], spec.dtype, listed=spec.shape is not None) if name in given else spec.default
            )
        except UsageError as error:
            faults.append(str(error))
    if faults:
        raise UsageError("\n".join(faults))
    return made


def _moment(name: str, value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, datetime.min.time())
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise UsageError(f"Parameter {name!r}: expected a date and time (ISO 8601), and it is {short(value)}.") from None
