"""Arrays and dictionaries of them out of JSON, as TensorFlow's serving takes them: ``inputs`` and ``instances``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio.flavors.schema import Schema, TensorSpec
from runfolio.flavors.types import AnyType, Array, DataType
from runfolio.serving.answers import RefusedError, in_one_line


def _value(data: Any, spec: Any) -> Any:
    import numpy

    try:
        if spec is None:
            return numpy.array(data)
        if isinstance(spec, TensorSpec):
            return numpy.array(data, dtype=spec.type)
        kind = spec.type
        if isinstance(kind, DataType):
            wanted = "object" if kind is DataType.datetime else kind.value
            if kind is DataType.datetime:
                wanted = "datetime64[ns]"
            made = numpy.array(data if isinstance(data, list) else [data], dtype=wanted)
            return made if isinstance(data, list) else made[0]
        return numpy.array(data, dtype=object) if isinstance(kind, Array) and isinstance(data, list) else data
    except (ValueError, TypeError, OverflowError) as error:
        raise RefusedError(f"Invalid input. {in_one_line(error)}") from None


def named_arrays(data: Any, schema: Schema | None) -> Any:
    """Return what ``inputs`` says: an array, a dictionary of them, or a list of dictionaries, of the schema's types.

    Raises
    ------
    RefusedError
    """
    named = schema.input_dict() if schema is not None and schema.has_input_names() else {}
    if schema is not None:
        if len(named) == 1 and isinstance(data, list) and not any(isinstance(each, dict) for each in data):
            data = {next(iter(named)): data}
        elif not named and isinstance(data, dict):
            raise RefusedError(
                "Invalid input. Failed to parse input data. This model contains an un-named model signature which expects a single "
                "n-dimensional array or a single value as input, however, an input of type dict was found."
            )
    if isinstance(data, dict):
        return {name: _value(each, named.get(name)) for name, each in data.items()}
    if isinstance(data, list) and all(isinstance(each, dict) for each in data):
        return [{name: _value(each, named.get(name)) for name, each in row.items()} for row in data]
    return _value(data, schema.inputs[0] if schema else None)


def instances(data: Any, schema: Schema | None) -> Any:
    """Return what ``instances`` says: an array with one entry an instance, or a dictionary of them.

    Raises
    ------
    RefusedError
    """
    import numpy

    named = schema.input_dict() if schema is not None and schema.has_input_names() else {}
    if not (isinstance(data, list) and data and isinstance(data[0], dict)):
        made = named_arrays(data, schema)
    else:
        columns: dict[str, list[Any]] = {}
        for row in data:
            if not isinstance(row, dict):
                raise RefusedError("Invalid input. All of 'instances' must be dictionaries, or none.")
            for name, value in row.items():
                columns.setdefault(name, []).append(_value(value, named.get(name)))
        made = {name: numpy.array(values) for name, values in columns.items()}
    if isinstance(made, dict):
        _check_lengths(made, schema if named else None)
    return made


def _check_lengths(made: Mapping[str, Any], schema: Schema | None) -> None:
    names = [name for name, values in made.items() if hasattr(values, "shape") and values.shape]
    if schema is not None:
        known = schema.input_dict()
        names = [
            name
            for name in names
            if name in known and known[name].required and not isinstance(getattr(known[name], "type", None), (Array, AnyType))
        ]
    if len({len(made[name]) for name in names}) > 1:
        raise RefusedError("Invalid input. The length of values for each input/column name are not the same")
