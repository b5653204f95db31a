"""Tables to bytes and back: what ``log_table`` stores and ``load_table`` reads.

The form is MLflow's: JSON in pandas' split orientation (``{"columns": […], "data": [[…], …]}``), or Parquet. Rows are
appended without touching those that are there: the JSON is read as it is, never through type guessing, so that a column of
``"007"`` stays text and a float keeps all its digits (pandas' own writer keeps ten).

It does *not* store images in cells: :mod:`.table_images` makes files of them first.

>>> append_table(None, {"question": ["2+2"], "answer": [4]}, "qa.json")
b'{"columns":["question","answer"],"data":[["2+2",4]]}'
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from runfolio.errors import DamagedError, UsageError, missing_package

if TYPE_CHECKING:
    import pandas

LOGGED_ARTIFACTS_TAG = "mlflow.loggedArtifacts"

_FORBIDDEN = "\"',:[]{}"


def append_table(existing: bytes | None, data: Any, artifact_file: str = "table.json") -> bytes:
    """Encode a table, after the rows of an earlier one if there is one.

    Parameters
    ----------
    existing : bytes or None
        What the file holds already.
    data : dict or pandas.DataFrame
        A dictionary of columns, or of single values for one row. The index is not stored.
    artifact_file : str
        Ends in ``.json`` or ``.parquet``.

    Returns
    -------
    bytes

    Raises
    ------
    UsageError
        If the file's name, the data or a cell cannot be stored.
    DamagedError
        If `existing` is no table.
    MissingPackageError
        If Parquet is asked for and pyarrow is not installed.
    """
    check_table_file(artifact_file)
    frame = frame_of(data)
    if artifact_file.endswith(".parquet"):
        return _parquet(existing, frame, artifact_file)
    columns = [_label(name) for name in frame.columns]
    if len(set(columns)) != len(columns):
        raise UsageError(f"{artifact_file}: two columns of the table have the same name. Rename one.")
    rows = [list(row) for row in zip(*(_cells(frame.iloc[:, at], columns[at]) for at in range(len(columns))), strict=True)]
    if existing is not None:
        columns, rows = _joined(*_read_json(existing, artifact_file), columns, rows)
    return json.dumps({"columns": columns, "data": rows}, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "backslashreplace"
    )


def table_frame(data: bytes, artifact_file: str = "table.json") -> pandas.DataFrame:
    """Decode a table.

    Parameters
    ----------
    data : bytes
    artifact_file : str
        Ends in ``.json`` or ``.parquet``.

    Returns
    -------
    pandas.DataFrame
        Values as they are stored; dates come back as text from JSON.

    Raises
    ------
    DamagedError
        If `data` is no table.
    """
    check_table_file(artifact_file)
    import pandas

    if artifact_file.endswith(".parquet"):
        return _read_parquet(data, artifact_file)
    columns, rows = _read_json(data, artifact_file)
    return pandas.DataFrame(rows, columns=columns)


def check_table_file(artifact_file: str) -> str:
    """Return `artifact_file` if a table may be stored under that name.

    Raises
    ------
    UsageError
        If it ends in neither ``.json`` nor ``.parquet``, or holds a quote, comma, colon, bracket or brace.
    """
    for letter in _FORBIDDEN:
        if letter in artifact_file:
            raise UsageError(f"The artifact_file contains forbidden character: {letter} (in {artifact_file!r}).")
    if not artifact_file.endswith((".json", ".parquet")):
        raise UsageError(f"Invalid artifact file path {artifact_file!r}: a table's file ends in '.json' or '.parquet'.")
    return artifact_file


def logged_table_tag(current: str | None, artifact_file: str) -> str:
    """Return the value of the tag `LOGGED_ARTIFACTS_TAG` after logging a table.

    Parameters
    ----------
    current : str or None
        The tag's value so far; JSON text, replaced where it is not.
    artifact_file : str

    Returns
    -------
    str
        JSON text: a list that names each table once.
    """
    try:
        listed = json.loads(current or "[]")
    except ValueError:
        listed = []
    entries = listed if isinstance(listed, list) else []
    entry = {"path": artifact_file, "type": "table"}
    return json.dumps(entries if entry in entries else [*entries, entry])


def frame_of(data: Any) -> pandas.DataFrame:
    """Return a table as a frame; a dictionary of single values is one row.

    Raises
    ------
    UsageError
        If it is no table.
    """
    import pandas

    if isinstance(data, pandas.DataFrame):
        return data
    if not isinstance(data, Mapping):
        raise UsageError(f"A table is a pandas.DataFrame or a dictionary of columns, this is {type(data).__name__}.")
    if not any(pandas.api.types.is_list_like(value) for value in data.values()):
        return pandas.DataFrame([dict(data)])
    try:
        return pandas.DataFrame(dict(data))
    except ValueError as error:
        raise UsageError(f"The dictionary is no table: {error}. Give every column as many values as the others.") from error


def _parquet(existing: bytes | None, frame: pandas.DataFrame, name: str) -> bytes:
    import pandas

    _require_pyarrow()
    import pyarrow

    for at, column in enumerate(frame.columns):
        if frame.iloc[:, at].dtype == object and any(is_image(value) for value in frame.iloc[:, at]):
            raise _image_error(str(column))
    if existing is not None:
        frame = pandas.concat([_read_parquet(existing, name), frame], ignore_index=True)
    buffer = io.BytesIO()
    try:
        frame.to_parquet(buffer, index=False)
    except (pyarrow.ArrowException, ValueError, TypeError) as error:
        raise UsageError(f"{name}: this table cannot be written as Parquet: {error}. Make each column of one type.") from error
    return buffer.getvalue()


def _require_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise missing_package("pyarrow", "", "read and write tables as .parquet") from error


def _read_parquet(data: bytes, name: str) -> pandas.DataFrame:
    import pandas

    _require_pyarrow()
    import pyarrow

    try:
        return pandas.read_parquet(io.BytesIO(data))
    except (pyarrow.ArrowException, OSError) as error:
        raise DamagedError(f"{name}: this is no Parquet file ({error}). Log the table again, under another name.") from error


def _read_json(data: bytes, name: str) -> tuple[list[Any], list[list[Any]]]:
    try:
        table = json.loads(data)
    except ValueError as error:
        raise DamagedError(f"{name}: this is no table ({error}). Log the table again, under another name.") from error
    columns = table.get("columns") if isinstance(table, dict) else None
    rows = table.get("data") if isinstance(table, dict) else None
    whole = isinstance(columns, list) and isinstance(rows, list)
    if not whole or not all(isinstance(row, list) and len(row) == len(columns or ()) for row in rows or ()):
        raise DamagedError(
            f'{name}: this is no table: it should be {{"columns": [...], "data": [[...], ...]}} with rows of one length. '
            "Log the table again, under another name."
        )
    assert isinstance(columns, list)
    assert isinstance(rows, list)
    return columns, rows


def _joined(
    old_columns: list[Any], old_rows: list[list[Any]], columns: list[Any], rows: list[list[Any]]
) -> tuple[list[Any], list[list[Any]]]:
    """Put rows below rows; a column that one side lacks is filled with null."""
    if old_columns == columns:
        return columns, old_rows + rows
    union = old_columns + [name for name in columns if name not in old_columns]
    place = [columns.index(name) if name in columns else None for name in union]
    padding = [None] * (len(union) - len(old_columns))
    return union, [row + padding for row in old_rows] + [[None if at is None else row[at] for at in place] for row in rows]


def _label(name: Any) -> Any:
    if isinstance(name, (str, int)):
        return name
    plain = name.item() if hasattr(name, "item") else name
    return plain if isinstance(plain, (str, int)) else str(plain)


def _cells(column: Any, name: Any) -> list[Any]:
    return [_cell(value, name) for value in column.tolist()]


def _cell(value: Any, name: Any) -> Any:
    """Return `value` as JSON has it; missing values of every kind and infinities become null, as in pandas."""
    if value is None or (isinstance(value, (str, bool, int)) and not isinstance(value, Enum)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _cell(entry, name) for key, entry in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_cell(entry, name) for entry in value]
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.isoformat() if hasattr(value, "isoformat") else str(value)
    if isinstance(value, Enum):
        return _cell(value.value, name)
    if isinstance(value, (Decimal, UUID, PurePath)) or type(value).__name__ in ("Period", "Interval"):
        return str(value)
    if is_image(value):
        raise _image_error(str(name))
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return _cell(value.tolist(), name)
    raise UsageError(
        f"Column {name!r} holds a {type(value).__name__}, which JSON does not have. Turn it into text or numbers first."
    )


def is_image(value: Any) -> bool:
    """Tell whether a value is an image by what it can do, as MLflow does: Pillow's and `runfolio.Image`."""
    return callable(getattr(value, "save", None)) and callable(getattr(value, "resize", None)) and hasattr(value, "size")


def _image_error(name: str) -> UsageError:
    return UsageError(
        f"Column {name!r} holds images within other values, which a table does not store. Make them cells of their own, or "
        "log each with log_image and put its name here."
    )
