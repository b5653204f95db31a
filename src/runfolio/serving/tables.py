"""Tables out of a request's body: the two forms of JSON, CSV and Parquet, and the columns' types that a signature says.

What does not fit is refused in MLflow's words, naming the column.
"""

from __future__ import annotations

import base64
import io
from typing import Any

from runfolio.flavors.schema import ColSpec, Schema, TensorSpec
from runfolio.flavors.types import DataType
from runfolio.serving.answers import RefusedError, in_one_line

_UNPACKED = 20
"""How many times its size a Parquet file may unpack to."""


def json_frame(said: Any, form: str, schema: Schema | None) -> Any:
    """Make a table of what JSON says; its columns are made of the schema's types.

    Parameters
    ----------
    said : Any
    form : str
        ``dataframe_split`` or ``dataframe_records``.
    schema : Schema, optional

    Raises
    ------
    RefusedError
    """
    import pandas

    short = form.removeprefix("dataframe_")
    if form == "dataframe_records":
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
        _check_lengths(wanted["data"], wanted.get("columns"))
        frame = pandas.DataFrame(**wanted)
    except (ValueError, TypeError, AssertionError, AttributeError, KeyError, IndexError, OverflowError) as error:
        raise RefusedError(
            f"Invalid input. Provided {form} field is not a valid dataframe representation in '{short}' format. Error: {in_one_line(error)}"
        ) from None
    return frame if schema is None else cast_frame(frame, schema)


def _check_lengths(rows: Any, columns: Any) -> None:
    """Refuse a table in which a row is shorter than the columns: pandas would fill it with values that nobody sent."""
    if isinstance(rows, list) and isinstance(columns, list):
        for number, row in enumerate(rows, 1):
            if isinstance(row, list) and len(row) < len(columns):
                raise ValueError(f"row {number} has {len(row)} values, and there are {len(columns)} columns")


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
                f"Failed to convert column {name} to type '{kind!r}'. Error: {in_one_line(error)}"
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
            f"using the `pandas.DataFrame.to_csv()` method. Error: {in_one_line(error)}"
        ) from None
    return frame


def parquet_frame(body: bytes, schema: Schema | None) -> Any:
    """Read a table of Parquet; its columns are made of the schema's types.

    Raises
    ------
    RefusedError
        415 where there is no pyarrow; 413 where it would unpack to many times its size.
    """
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
        raise RefusedError(f"Failed to parse input as a Parquet file. Error: {in_one_line(error)}") from None
    return frame if schema is None else cast_frame(frame, schema)
