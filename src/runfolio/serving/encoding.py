"""Predictions to JSON, byte for byte as MLflow's scoring server writes them.

Arrays become lists, tables become records, times ISO 8601, bytes base64 with a line break every 76 letters; a value that is not a
number is written ``NaN``, which Python's parsers read and stricter ones refuse (MLflow's form; say ``fillna`` in the model).

>>> encode([1, 2.5])
b'{"predictions": [1, 2.5]}'
"""

from __future__ import annotations

import base64
import datetime
import json
import sys
from typing import Any

from runfolio.serving.answers import RefusedError


def encode(predictions: Any, *, bare: bool = False) -> bytes:
    """Return the body of an answer.

    Parameters
    ----------
    predictions : Any
        What ``predict`` returned.
    bare : bool
        Without ``predictions`` around it.

    Raises
    ------
    RefusedError
        500, if JSON has no form for it.
    """
    plain = _plain(predictions)
    try:
        return json.dumps(plain if bare else {"predictions": plain}, default=_default).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise RefusedError(
            f"The model's output cannot be written as JSON: {type(error).__name__}: {str(error)[:200]}", "INTERNAL_ERROR"
        ) from error


def _plain(value: Any) -> Any:
    # Asked of modules that are loaded: what no library has made is no array and no table.
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and isinstance(value, numpy.ndarray):
        return value.tolist()
    if pandas is not None:
        if isinstance(value, pandas.DataFrame):
            return value.to_dict(orient="records")
        if isinstance(value, pandas.Series):
            return pandas.DataFrame(value).to_dict(orient="records")
    return value


def _default(value: Any) -> Any:
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        if isinstance(value, numpy.ndarray):
            if value.dtype == object:
                return [_element(each) for each in value.tolist()]
            return numpy.vectorize(_binary)(value).tolist() if value.dtype.kind == "S" else value.tolist()
        if isinstance(value, numpy.generic):
            return value.item()
    if isinstance(value, (bytes, bytearray)):
        return _binary(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if hasattr(value, "model_dump"):  # pydantic's
        return value.model_dump()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _element(value: Any) -> Any:
    try:
        return _default(value)
    except TypeError:
        return value


def _binary(value: bytes | bytearray) -> str:
    return base64.encodebytes(value).decode("ascii")
