"""Data checked against a signature before the model sees it, by MLflow's rules.

Named columns are put in the schema's order, extra ones left out with a warning, missing ones refused. A column's type may be
widened (``int32`` to ``int64``, ``float32`` to ``float64``, whole numbers below 2**53's width to ``float64``), never narrowed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from runfolio.errors import UsageError
from runfolio.flavors.frames import of_polars, twice
from runfolio.flavors.schema import ColSpec, Schema, TensorSpec
from runfolio.flavors.telling import listed, short
from runfolio.flavors.types import AnyType, Array, ColumnType, DataType, Map, Object

_log = logging.getLogger("runfolio")
_KINDS = {"bool": "b", "int32": "i", "int64": "i", "float32": "f", "float64": "f"}


def enforce_schema(data: Any, schema: Schema) -> Any:
    """Return the data as the schema says: a DataFrame for columns, an array or a dictionary of arrays for tensors.

    Raises
    ------
    UsageError
        Naming the columns that are missing, or of another type than declared.
    """
    if schema.is_tensor_spec():
        return _tensors(data, schema)
    frame = _frame(data, schema)
    if schema.has_input_names():
        _check_names(list(frame.columns), schema)
        if again := [name for name in twice(frame.columns) if name in set(schema.input_names())]:
            raise UsageError(f"The data has columns of one name, and the model takes one of each: {listed(again)}.")
        taken = [(spec, spec.name) for spec in schema if spec.name in frame]
    elif len(schema) == 1 and isinstance(next(iter(schema)).type, AnyType):
        return frame  # of data that no rule fits: all of it
    else:
        if len(frame.columns) < len(schema):
            raise UsageError(
                f"The model takes {len(schema)} columns (they have no names), and the data has {len(frame.columns)}."
            )
        taken = list(zip(schema, frame.columns, strict=False))
    import pandas

    given, made, faults = {}, {}, []
    for spec, name in taken:
        given[name] = frame[name]
        try:
            made[name] = _column(given[name], spec, str(name))
        except UsageError as error:
            faults.append(str(error))
    if faults:
        raise UsageError("The data does not fit the model's signature:\n" + "\n".join(faults))
    if all(made[name] is given[name] for name in made):
        return frame[list(made)].copy(deep=False)  # nothing was to convert: a tenth of what it takes to join a thousand columns
    return pandas.DataFrame(made)


def _check_names(given: list[Any], schema: Schema) -> None:
    known, there = set(schema.input_names()), set(given)
    missing = [name for name in schema.required_input_names() if name not in there]
    extra = [name for name in given if name not in known]
    if missing:
        also = f" Columns it does not know: {listed(extra)}." if extra else ""
        raise UsageError(f"The model needs columns that the data lacks: {listed(missing, most=100)}.{also}")
    if extra:
        _log.warning("The model does not know these columns; they are ignored: %s.", listed(extra))


def _frame(data: Any, schema: Schema) -> Any:
    import numpy
    import pandas

    data = of_polars(data)
    if isinstance(data, pandas.DataFrame):
        return data
    if isinstance(data, pandas.Series):
        return pandas.DataFrame(data)
    if numpy.isscalar(data):
        data = [data]
    elif isinstance(data, Mapping):
        compound = any(isinstance(spec.type, (Array, Object, Map)) for spec in schema)
        if compound or all(_is_one_row(value) for value in data.values()):
            data = [dict(data)]
    elif not isinstance(data, (list, numpy.ndarray)):
        raise UsageError(f"The model takes a DataFrame (or what makes one), not {type(data).__name__}.")
    try:
        return pandas.DataFrame(data)
    except ValueError as error:  # among them letters that are none, which JSON can spell
        raise UsageError(f"The model takes a DataFrame, and the data makes none: {error}.") from None


def _is_one_row(value: Any) -> bool:
    return value is None or isinstance(value, (str, bytes, bool, int, float)) or (isinstance(value, list) and _all_text(value))


def _all_text(values: list[Any]) -> bool:
    return all(isinstance(each, str) for each in values)


def _column(values: Any, spec: ColSpec | TensorSpec, name: str) -> Any:
    assert isinstance(spec, ColSpec)
    if isinstance(spec.type, AnyType):
        return values
    if isinstance(spec.type, DataType):
        return _plain(values, spec.type, name)
    for at, value in enumerate(values):
        _check(value, spec.type, spec.required, f"column {name!r}, row {at}")
    return values


def _plain(values: Any, wanted: DataType, name: str) -> Any:
    if values.dtype.kind == "O" and wanted not in (DataType.binary, DataType.string):
        values = values.infer_objects()
    have = values.dtype
    if have == wanted.value and wanted.value in _KINDS:
        return values
    if wanted is DataType.string and str(have) in ("object", "str", "string", "category"):
        return values
    if wanted is DataType.binary and have.kind in "OS":
        return values
    if wanted is DataType.datetime:
        return _moments(values, name)
    if wanted is DataType.boolean and have.kind == "O":
        return values
    width = getattr(have, "itemsize", 8)
    # Only an extension's whole numbers (Int64) can be missing; to look costs as much as all the rest of a small request.
    if hasattr(have, "na_value") and have.kind in "iu" and wanted not in (DataType.double, DataType.float) and values.hasnans:
        raise UsageError(f"column {name!r}: expected {wanted!r}, and values are missing. Declare such a column double.")
    if wanted.name in DataType.__members__ and wanted.value in _KINDS:
        if have.kind == _KINDS[wanted.value] and width <= _width(wanted):
            return values.astype(wanted.value)
        if _KINDS[wanted.value] == "i" and have.kind == "u" and width < _width(wanted):
            return values.astype(wanted.value)
        if _KINDS[wanted.value] == "f" and have.kind in "iu" and _whole_fit(values, wanted, width):
            return values.astype(wanted.value)
    hint = ""
    if have.kind == "f" and wanted in (DataType.integer, DataType.long) and values.hasnans:
        hint = " Whole numbers with gaps become fractions in pandas: declare such a column double."
    raise UsageError(f"column {name!r}: expected {wanted!r}, and it is {have}, which cannot be turned into that safely.{hint}")


def _width(wanted: DataType) -> int:
    return int("".join(each for each in wanted.value if each.isdigit()) or 8) // 8


def _whole_fit(values: Any, wanted: DataType, width: int) -> bool:
    """Return whether whole numbers go into fractions without loss: narrow ones into doubles, and zeros and ones anywhere."""
    return (wanted is DataType.double and width <= 4) or bool(values.isin([0, 1]).all())


def _moments(values: Any, name: str) -> Any:
    try:
        return values if values.dtype.kind == "M" and values.dtype.itemsize != 8 else values.astype("datetime64[ns]")
    except (ValueError, TypeError, OverflowError) as error:
        raise UsageError(f"column {name!r}: expected datetime, and it is {values.dtype}: {error}.") from None


def _check(value: Any, wanted: ColumnType, required: bool, where: str) -> None:
    if isinstance(wanted, AnyType):
        return
    if value is None or (isinstance(value, float) and value != value):
        if required:
            raise UsageError(f"{where}: a value is missing, and the signature says required.")
        return
    if isinstance(wanted, Array):
        for at, each in enumerate(_items(value, where)):
            _check(each, wanted.dtype, True, f"{where}[{at}]")
    elif isinstance(wanted, (Map, Object)):
        if not isinstance(value, Mapping):
            raise UsageError(f"{where}: expected a dictionary, and it is {short(value)}.")
        _check_keys(value, wanted, where)
    else:
        _check_value(value, wanted, where)


def _items(value: Any, where: str) -> Any:
    if isinstance(value, (list, tuple)) or len(getattr(value, "shape", ())) > 0:
        return value
    raise UsageError(f"{where}: expected a list, and it is {short(value)}.")


def _check_keys(value: Mapping[Any, Any], wanted: Map | Object, where: str) -> None:
    if isinstance(wanted, Map):
        for key, each in value.items():
            _check(each, wanted.value_type, True, f"{where}.{key}")
        return
    known = {each.name: each for each in wanted.properties}
    missing = [name for name, each in known.items() if each.required and name not in value]
    extra = [name for name in value if name not in known]
    if missing or extra:
        parts = [f"lacks {listed(missing, most=100)}"] * bool(missing) + [f"has unknown {listed(extra)}"] * bool(extra)
        raise UsageError(f"{where}: the dictionary {' and '.join(parts)}.")
    for key, each in value.items():
        _check(each, known[key].dtype, known[key].required, f"{where}.{key}")


def _check_value(value: Any, wanted: DataType, where: str) -> None:
    import pandas

    try:
        _plain(pandas.Series([value]), wanted, where)
    except UsageError:
        raise UsageError(f"{where}: expected {wanted!r}, and it is {short(value)}.") from None


def _tensors(data: Any, schema: Schema) -> Any:
    import numpy
    import pandas

    specs = [spec for spec in schema if isinstance(spec, TensorSpec)]
    if schema.has_input_names():
        if not isinstance(data, (Mapping, pandas.DataFrame)):
            raise UsageError(
                f"The model takes a dictionary of arrays ({listed(schema.input_names())}), not {type(data).__name__}."
            )
        _check_names(list(data), schema)
        return {spec.name: _tensor(_array(data[spec.name], spec), spec) for spec in specs}
    if isinstance(data, pandas.DataFrame):
        data = _array(data.iloc[:, 0], specs[0]) if len(data.columns) == 1 and len(specs[0].shape) != 2 else data.to_numpy()
    elif not isinstance(data, numpy.ndarray) and not hasattr(data, "tocsr"):
        raise UsageError(f"The model takes an array, not {type(data).__name__}.")
    return _tensor(data, specs[0])


def _array(values: Any, spec: TensorSpec) -> Any:
    import numpy

    if isinstance(values, numpy.ndarray):
        return values
    made = numpy.array([numpy.asarray(each) for each in values])
    return made.reshape(spec.shape).astype(spec.dtype) if made.dtype.kind != "O" else made


def _tensor(values: Any, spec: TensorSpec) -> Any:
    named = "The input" if spec.name is None else f"Input {spec.name!r}"
    have = {"U": "str", "S": "bytes"}.get(values.dtype.kind, values.dtype.name)
    if spec.dtype == "object" and spec.shape == (-1,):
        return values
    if len(spec.shape) > 1 and -1 in spec.shape[1:] and len(values.shape) == 1 and have == "object":
        return values  # a ragged array: rows of several lengths
    lengths = zip(spec.shape, values.shape, strict=False)
    if len(spec.shape) != len(values.shape) or any(wanted not in (-1, length) for wanted, length in lengths):
        raise UsageError(f"{named} has shape {tuple(values.shape)}; the model takes {spec.shape} (-1: any length).")
    if have != spec.dtype:
        raise UsageError(f"{named} is of type {have}; the model takes {spec.dtype}.")
    return values
