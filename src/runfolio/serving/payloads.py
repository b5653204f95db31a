"""A request's body to what ``predict`` takes, by MLflow's rules (its scoring protocol since 2.0).

JSON is an object with one of ``dataframe_split``, ``dataframe_records``, ``instances`` and ``inputs``, and perhaps ``params``; or a
payload of a language model (``messages``, ``prompt`` or ``input``), which goes to the model as it is. CSV and Parquet are a table.

What is numbers in columns takes a shorter way: :mod:`runfolio.serving.arrays`.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runfolio.errors import UsageError
from runfolio.flavors.schema import ColSpec, ParamSchema, Schema, TensorSpec
from runfolio.flavors.signatures import ModelSignature
from runfolio.flavors.types import AnyType, Array, DataType
from runfolio.serving.answers import RefusedError

CSV, JSON_TYPE = "text/csv", "application/json"
PARQUET = ("application/vnd.apache.parquet", "application/x-parquet")
SPLIT, RECORDS, INSTANCES, INPUTS = "dataframe_split", "dataframe_records", "instances", "inputs"
FORMS = frozenset({SPLIT, RECORDS, INSTANCES, INPUTS})
BARE = frozenset({"messages", "prompt", "input"})
_ONE_OF = f"The input must be a JSON dictionary with exactly one of the input fields {', '.join(sorted(FORMS))}"
_UNPACKED = 20


@dataclass(frozen=True, slots=True)
class Payload:
    """What a body says.

    Parameters
    ----------
    data : Any
        For ``predict``.
    params : dict, optional
    bare : bool
        A payload of a language model: what it answers is sent without ``predictions`` around it.
    """

    data: Any
    params: dict[str, Any] | None = None
    bare: bool = False


def media_of(content_type: str) -> str:
    """Return the kind of body that a Content-Type header names.

    Raises
    ------
    RefusedError
        415, if it is none that is read here, or in another encoding than UTF-8.
    """
    media, *pairs = (part.strip() for part in content_type.split(";"))
    said = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name:
            said[name.strip().lower()] = value.strip().strip('"').lower()
    if said.pop("charset", "utf-8") not in ("utf-8", "utf8"):
        raise RefusedError("The scoring server only supports UTF-8", status=415, plain=True)
    if said:
        raise RefusedError(f"Unrecognized content type parameters: {', '.join(sorted(said))[:200]}.", status=415, plain=True)
    media = media.lower()
    if media not in (CSV, JSON_TYPE, *PARQUET):
        raise RefusedError(
            f"This predictor only supports the following content types: {JSON_TYPE}, {CSV}, {PARQUET[0]}. Got {content_type[:200]!r}.",
            status=415,
            plain=True,
        )
    return media


def read(body: bytes, media: str, signature: ModelSignature | None, *, from_hint: bool = False) -> Payload:
    """Read a body.

    Parameters
    ----------
    body : bytes
    media : str
        What :func:`media_of` returned.
    signature : ModelSignature, optional
        Columns are made of its types.
    from_hint : bool
        The signature comes from a type hint: data goes to the model as it is.

    Raises
    ------
    RefusedError
        400, naming what does not fit.
    """
    inputs = signature.inputs if signature else None
    if media == CSV:
        return Payload(csv_frame(io.BytesIO(body), inputs))
    if media in PARQUET:
        return Payload(_parquet(body, inputs))
    return shaped(parse_json(body), signature, from_hint=from_hint)


def parse_json(body: bytes | str) -> dict[str, Any]:
    """Return the object that a JSON text holds."""
    try:
        said = json.loads(body)
    except RecursionError:
        raise RefusedError("Invalid input. The JSON is nested too deeply.") from None
    except ValueError as error:
        raise RefusedError(
            f"Invalid input. Ensure that input is a valid JSON formatted string. Error: {str(error)[:200]!r}"
        ) from None
    if isinstance(said, dict):
        return said
    kind = "a list" if isinstance(said, list) else f"unexpected input type {type(said).__name__!r}"
    raise RefusedError(f"Invalid input. {_ONE_OF}. Received {kind}.")


def shaped(said: dict[str, Any], signature: ModelSignature | None, *, from_hint: bool = False) -> Payload:
    """Return what a JSON object says."""
    if not BARE.isdisjoint(said):
        return _bare(said, signature.params if signature else None)
    params = said.get("params")
    if params is not None and not isinstance(params, dict):
        raise RefusedError(f"Invalid input. 'params' must be a dictionary, and is of type {type(params).__name__}.")
    if from_hint:
        if INPUTS not in said:
            found = ", ".join(repr(each) for each in list(said)[:20])
            raise RefusedError(
                "Request payload must be a dictionary with 'inputs' key when the model contains a valid type hint. Found keys in "
                f"payload: {found}.",
                "INVALID_PARAMETER_VALUE",
            )
        return Payload(said[INPUTS], params)
    given = [form for form in FORMS if form in said]
    if len(given) != 1:
        fields = ", ".join(repr(str(each)[:80]) for each in list(said)[:20])
        raise RefusedError(f"{_ONE_OF}. Received dictionary with input fields: {fields or 'none'}")
    [form] = given
    inputs = signature.inputs if signature else None
    try:
        if form in (SPLIT, RECORDS):
            return Payload(_frame(said[form], form, inputs), params)
        if form == INSTANCES:
            return Payload(_instances(said[form], inputs), params)
        return Payload(_cast(said[form], inputs), params)
    except RefusedError:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError, AttributeError, KeyError, IndexError) as error:
        # What numpy and pandas raise of data that makes no table or array; the same from a fault of ours is found by the tests.
        raise RefusedError(
            f"Invalid input. Ensure that the input is a valid JSON-formatted string. Error: {_said(error)}"
        ) from error


def _bare(said: Mapping[str, Any], schema: ParamSchema | None) -> Payload:
    names = {each.name for each in schema} if schema else set()
    data = {key: value for key, value in said.items() if key not in names}
    return Payload(data, {key: value for key, value in said.items() if key in names}, bare=True)


def _said(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"


# Tables.


def _frame(said: Any, form: str, schema: Schema | None) -> Any:
    import pandas

    short = form.removeprefix("dataframe_")
    if form == RECORDS:
        if not isinstance(said, list):
            kind = "dictionary" if isinstance(said, dict) else f"type {type(said).__name__}"
            raise RefusedError(f"Invalid input. Dataframe records format must be a list of records. Got {kind}.")
        wanted: dict[str, Any] = {"data": said}
    else:
        if not isinstance(said, dict):
            kind = "list" if isinstance(said, list) else f"type {type(said).__name__}"
            raise RefusedError(f"Invalid input. Dataframe split format must be a dictionary. Got {kind}.")
        if "data" not in said or not set(said) <= {"columns", "data", "index"}:
            found = ", ".join(sorted(str(each)[:80] for each in list(said)[:20]))
            raise RefusedError(
                "Invalid input. Dataframe split format must have 'data' field and optionally 'columns' and 'index' fields. "
                f"Got {found}."
            )
        if any(isinstance(name, (dict, list)) for name in _items(said.get("columns"))):
            raise RefusedError("Invalid input. 'columns' must be a list of names, and one of them is a list or a dictionary.")
        wanted = {"data": said["data"], "columns": said.get("columns"), "index": said.get("index")}
    try:
        frame = pandas.DataFrame(**wanted)
    except (ValueError, TypeError, AssertionError, AttributeError, KeyError, IndexError, OverflowError) as error:
        raise RefusedError(
            f"Invalid input. Provided {form} field is not a valid dataframe representation in '{short}' format. Error: {_said(error)}"
        ) from None
    return frame if schema is None else cast_frame(frame, schema)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def cast_frame(frame: Any, schema: Schema) -> Any:
    """Return the table with the types that a schema says.

    Raises
    ------
    RefusedError
        Naming the column that cannot be of its type.
    """
    if not frame.columns.is_unique:
        twice = sorted({str(name)[:80] for name in frame.columns[frame.columns.duplicated()]})
        raise RefusedError(f"Invalid input. Columns come twice: {', '.join(twice[:10])}.")
    kinds: list[tuple[Any, Any]]
    if schema.has_input_names():
        kinds = [(spec.name, spec) for spec in schema if spec.name in frame]
    elif schema.is_tensor_spec():
        kinds = [(name, schema.inputs[0]) for name in frame.columns]
    else:
        kinds = list(zip(frame.columns, schema, strict=False))
    for name, spec in kinds:
        try:
            made = _cast_column(frame[name], spec)
        except (ValueError, TypeError, OverflowError, AttributeError) as error:
            kind = spec.dtype if isinstance(spec, TensorSpec) else spec.type
            raise RefusedError(
                "Invalid input. Data is not compatible with model signature. "
                f"Failed to convert column {name} to type '{kind!r}'. Error: {_said(error)}"
            ) from None
        if made is not None:
            frame[name] = made
    return frame


def _cast_column(values: Any, spec: Any) -> Any:
    if isinstance(spec, TensorSpec):
        if len(values) and isinstance(values.iloc[0], list):
            return None  # made when the schema is enforced
        return values.map(lambda each: bytes(each, "utf8")) if spec.dtype.startswith("bytes") else values.astype(spec.dtype)
    kind = spec.type
    if not isinstance(kind, DataType):
        return None
    if kind is DataType.binary:
        return values.map(lambda each: base64.decodebytes(bytes(each, "utf8")))
    if kind is DataType.string:
        return values.astype("object")
    return values.astype(kind.value)


def csv_frame(source: Any, schema: Schema | None, **more: Any) -> Any:
    """Read a table of comma-separated values; its columns are made of the schema's types.

    Parameters
    ----------
    source : path or file of bytes
    schema : Schema, optional
    **more
        For ``pandas.read_csv``.

    Raises
    ------
    RefusedError
    """
    import pandas

    kinds, moments = {}, []
    for spec in schema or ():
        if isinstance(spec, ColSpec) and isinstance(spec.type, DataType) and spec.name is not None:
            if spec.type is DataType.datetime:
                moments.append(spec.name)
            else:
                kinds[spec.name] = "object" if spec.type in (DataType.string, DataType.binary) else spec.type.value
    try:
        frame = pandas.read_csv(source, dtype=kinds or None, **more)
        if "chunksize" in more:
            return frame
        for name in moments:
            if name in frame:
                frame[name] = pandas.to_datetime(frame[name])
    except (ValueError, TypeError, OverflowError, pandas.errors.ParserError, pandas.errors.EmptyDataError) as error:
        raise RefusedError(
            "Failed to parse input as a Pandas DataFrame. Ensure that the input is a valid CSV-formatted Pandas DataFrame produced "
            f"using the `pandas.DataFrame.to_csv()` method. Error: {_said(error)}"
        ) from None
    return frame


def _parquet(body: bytes, schema: Schema | None) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise RefusedError(
            "This server reads no Parquet: pyarrow is not installed beside it (pip install 'runfolio[parquet]').",
            status=415,
            plain=True,
        ) from None
    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(body))
        meta = file.metadata
        size = sum(meta.row_group(at).total_byte_size for at in range(meta.num_row_groups))
        if size > max(_UNPACKED * len(body), 64 * 1024 * 1024):
            raise RefusedError(f"The Parquet file unpacks to {size} bytes, more than {_UNPACKED} times its size.", status=413)
        frame = file.read().to_pandas()
    except (pyarrow.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        raise RefusedError(f"Failed to parse input as a Parquet file. Error: {_said(error)}") from None
    return frame if schema is None else cast_frame(frame, schema)


# Arrays and dictionaries of them, as TensorFlow's serving takes them.


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
        raise RefusedError(f"Invalid input. {_said(error)}") from None


def _cast(data: Any, schema: Schema | None) -> Any:
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


def _instances(data: Any, schema: Schema | None) -> Any:
    import numpy

    named = schema.input_dict() if schema is not None and schema.has_input_names() else {}
    if not (isinstance(data, list) and data and isinstance(data[0], dict)):
        made = _cast(data, schema)
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


def enforced(error: UsageError) -> RefusedError:
    """Return the refusal of data that the signature does not allow."""
    return RefusedError(f"Failed to enforce schema of data. Error: {error.message}", "INVALID_PARAMETER_VALUE")
