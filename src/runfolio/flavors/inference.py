"""Signatures read off data, by MLflow's rules: frames and lists give columns, numpy and sparse arrays tensors.

An object column is looked at value by value. What no rule fits becomes ``any``, which is not checked when the model is called.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from runfolio.errors import UsageError
from runfolio.flavors.frames import of_polars, twice
from runfolio.flavors.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from runfolio.flavors.signatures import ModelSignature
from runfolio.flavors.types import AnyType, Array, ColumnType, DataType, Map, Object, Property

_log = logging.getLogger("runfolio")
_BY_NAME = {
    "bool": DataType.boolean,
    "int": DataType.long,
    "float": DataType.double,
    "str": DataType.string,
    "bytes": DataType.binary,
    "bytearray": DataType.binary,
    "bool_": DataType.boolean,
    "int64": DataType.long,
    "int32": DataType.integer,
    "float64": DataType.double,
    "float32": DataType.float,
    "str_": DataType.string,
    "bytes_": DataType.binary,
}


def infer_signature(model_input: Any = None, model_output: Any = None, params: Mapping[str, Any] | None = None) -> ModelSignature:
    """Return the signature of a model that takes such input and gives such output.

    Parameters
    ----------
    model_input, model_output : DataFrame, Series, ndarray, sparse matrix, dict, list or plain value, optional
    params : dict, optional
        Parameters of ``predict`` with their defaults.

    Examples
    --------
    >>> infer_signature([1.5], ["a"]).to_dict()["outputs"]
    '[{"type": "string", "required": true}]'
    """
    return ModelSignature(
        None if model_input is None else _schema(model_input),
        None if model_output is None else _schema(model_output),
        _params(params) if params else None,
    )


def _schema(data: Any) -> Schema:
    try:
        return infer_schema(data)
    except UsageError as error:
        _log.warning("No rule of signatures fits the data, which is not checked when the model is called: %s", error.message)
        return Schema([ColSpec(AnyType())])


def infer_schema(data: Any) -> Schema:
    """Return the schema of data.

    Raises
    ------
    UsageError
        If no rule fits it.
    """
    if isinstance(data, list):
        return _list_schema(data)
    if isinstance(data, Mapping):
        return _dict_schema(data)
    data = of_polars(data)
    if hasattr(data, "columns") and hasattr(data, "dtypes"):
        if not data.columns.is_unique:
            raise UsageError(f"Columns of one name can have no types: {', '.join(map(str, twice(data.columns)))}.")
        return Schema([ColSpec(_column(data[name]), name, not _missing(data[name])) for name in data.columns])
    if hasattr(data, "dtype") and hasattr(data, "to_list"):
        return Schema([ColSpec(_column(data), data.name, not _missing(data))])
    if hasattr(data, "shape") and hasattr(data, "dtype") and len(data.shape):
        return Schema([_tensor(data)])
    return Schema([ColSpec(_type(data))])


def _list_schema(data: list[Any]) -> Schema:
    if not data:
        return Schema([ColSpec(DataType.string)])
    if all(isinstance(each, dict) for each in data):
        columns: dict[str, list[Any]] = {}
        for each in data:
            for name, value in each.items():
                columns.setdefault(name, []).append(value)
        required = {name: all(each.get(name) is not None for each in data) for name in columns}
        return Schema([ColSpec(_element(values), name, required[name]) for name, values in columns.items()])
    return Schema([ColSpec(_element(data))])


def _dict_schema(data: Mapping[Any, Any]) -> Schema:
    import numpy

    if not all(isinstance(name, str) for name in data):
        raise UsageError("The keys of a dictionary of columns must be text.")
    if data and all(isinstance(value, numpy.ndarray) for value in data.values()):
        return Schema([_tensor(value, name) for name, value in data.items()])
    return Schema([ColSpec(_type(value), name, not _missing(value)) for name, value in data.items()])


def _tensor(data: Any, name: str | None = None) -> TensorSpec:
    if not data.shape:
        raise UsageError("An array without dimensions has no rows.")
    kinds = {"U": "str", "S": "bytes"}
    return TensorSpec(kinds.get(data.dtype.kind, data.dtype.name), (-1, *data.shape[1:]), name)


def _column(column: Any) -> ColumnType:
    if hasattr(column.dtype, "fill_value"):
        column = column.sparse.to_dense()
    kind = column.dtype.kind
    if kind == "O":
        column = column.infer_objects()
        kind = column.dtype.kind
    if kind == "O" or str(column.dtype) in ("str", "string"):
        return _element(column.to_list())
    if kind == "M":
        return DataType.datetime
    found = {"b": DataType.boolean, "i": DataType.long, "u": DataType.long, "f": DataType.double}.get(kind)
    if found is None:
        raise UsageError(f"A column of {column.dtype} has no type in a signature.")
    if kind in "iuf" and column.dtype.itemsize * 8 < 64:
        narrow = column.dtype.itemsize <= (2 if kind == "u" else 4)
        return {DataType.long: DataType.integer, DataType.double: DataType.float}[found] if narrow else found
    return found


def _element(values: Any) -> ColumnType:
    """Return the type of all values of a list, or of those that are there."""
    found: ColumnType | None = None
    for value in values:
        each = _type(value)
        found = each if found is None else _joined(found, each)
    if found is None:
        raise UsageError("An empty array has no type.")
    return found


def _type(value: Any) -> ColumnType:
    if _is_missing(value) or (isinstance(value, (list, dict)) and not value):
        return AnyType()
    if isinstance(value, dict):
        made = [(str(name), _type(each)) for name, each in value.items()]
        return Object([Property(name, each, not isinstance(each, AnyType)) for name, each in made])
    if isinstance(value, list) or len(getattr(value, "shape", ())) > 0:
        return Array(_element(value))
    if isinstance(value, (datetime, date)) or type(value).__name__ == "datetime64":
        return DataType.datetime
    found = _BY_NAME.get(type(value).__name__)
    if found is None:
        raise UsageError(f"A value of {type(value).__name__} has no type in a signature.")
    return found


def _joined(one: ColumnType, other: ColumnType) -> ColumnType:
    """Return the type that both fit.

    Raises
    ------
    UsageError
        If there is none.
    """
    if one == other or isinstance(other, AnyType):
        return one
    if isinstance(one, AnyType):
        return other
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(_joined(one.dtype, other.dtype))
    if isinstance(one, Map) and isinstance(other, Map):
        return Map(_joined(one.value_type, other.value_type))
    if isinstance(one, Object) and isinstance(other, Object):
        return _joined_objects(one, other)
    raise UsageError(f"Values of {one!r} and {other!r} stand in one list; a signature has one type for all.")


def _joined_objects(one: Object, other: Object) -> Object:
    mine, theirs = ({each.name: each for each in side.properties} for side in (one, other))
    made = []
    for name in sorted({*mine, *theirs}):
        if name in mine and name in theirs:
            both = _joined(mine[name].dtype, theirs[name].dtype)
            made.append(Property(name, both, mine[name].required and theirs[name].required))
        else:
            made.append(Property(name, (mine.get(name) or theirs[name]).dtype, False))
    return Object(made)


def _params(params: Mapping[str, Any]) -> ParamSchema:
    made = []
    for name, value in params.items():
        listed = isinstance(value, (list, tuple)) or bool(getattr(value, "shape", ()))
        found = _element(value) if listed else _type(value)
        if not isinstance(found, (DataType, Object)):
            raise UsageError(
                f"Parameter {name!r}: its default {value!r} tells no type. Declare it: ParamSpec(name, dtype, default)."
            )
        made.append(ParamSpec(str(name), found, value, (-1,) if listed else None))
    return ParamSchema(made)


def _missing(values: Any) -> bool:
    if hasattr(values, "to_list") or isinstance(values, list):
        return any(_is_missing(each) for each in values)
    return _is_missing(values)


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ in ("NaTType", "NAType"):
        return True
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        value = value.item() if type(value).__name__ != "datetime64" else value
    return isinstance(value, float) and math.isnan(value)
