"""A request's body to what ``predict`` takes, by MLflow's rules (its scoring protocol since 2.0).

JSON is an object with one of ``dataframe_split``, ``dataframe_records``, ``instances`` and ``inputs``, and perhaps ``params``; or a
payload of a language model (``messages``, ``prompt`` or ``input``), which goes to the model as it is. CSV and Parquet are a table.

Tables are :mod:`runfolio.serving.tables`' matter, arrays :mod:`runfolio.serving.tensors`'. What is numbers in columns takes a shorter way:
:mod:`runfolio.serving.arrays`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.flavors.examples import BARE
from runfolio.flavors.schema import ParamSchema
from runfolio.flavors.signatures import ModelSignature
from runfolio.serving.answers import RefusedError, in_one_line
from runfolio.serving.tables import csv_frame, json_frame, parquet_frame
from runfolio.serving.tensors import instances, named_arrays

CSV, JSON_TYPE = "text/csv", "application/json"
PARQUET = ("application/vnd.apache.parquet", "application/x-parquet")
SPLIT, RECORDS, INSTANCES, INPUTS = "dataframe_split", "dataframe_records", "instances", "inputs"
FORMS = frozenset({SPLIT, RECORDS, INSTANCES, INPUTS})
_ONE_OF = f"The input must be a JSON dictionary with exactly one of the input fields {', '.join(sorted(FORMS))}"


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
        return Payload(parquet_frame(body, inputs))
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
            return Payload(json_frame(said[form], form, inputs), params)
        if form == INSTANCES:
            return Payload(instances(said[form], inputs), params)
        return Payload(named_arrays(said[form], inputs), params)
    except RefusedError:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError, AttributeError, KeyError, IndexError) as error:
        # What numpy and pandas raise of data that makes no table or array; the same from a fault of ours is found by the tests.
        raise RefusedError(
            f"Invalid input. Ensure that the input is a valid JSON-formatted string. Error: {in_one_line(error)}"
        ) from error


def _bare(said: Mapping[str, Any], schema: ParamSchema | None) -> Payload:
    names = {each.name for each in schema} if schema else set()
    data = {key: value for key, value in said.items() if key not in names}
    return Payload(data, {key: value for key, value in said.items() if key in names}, bare=True)


def enforced(error: UsageError) -> RefusedError:
    """Return the refusal of data that the signature does not allow."""
    return RefusedError(f"Failed to enforce schema of data. Error: {error.message}", "INVALID_PARAMETER_VALUE")
