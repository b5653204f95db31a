"""Predictions asked of a server by HTTP: what is given becomes the JSON of MLflow's scoring protocol, and an error its words."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from runfolio.errors import StateError, StorageError, UsageError

FORMS = ("inputs", "instances", "dataframe_split", "dataframe_records")
TIMEOUT_S = 60.0
_MOST_SHOWN = 500


def payload_of(inputs: Any) -> bytes:
    """Return the body of a request.

    Parameters
    ----------
    inputs : DataFrame, Series, ndarray, list, dict, or str of JSON
        A dict with one of the protocol's keys is sent as it is, and so is text.

    Examples
    --------
    >>> payload_of([[1.5, 2.0]])
    b'{"inputs": [[1.5, 2.0]]}'
    """
    if isinstance(inputs, (str, bytes)):
        return inputs.encode() if isinstance(inputs, str) else inputs
    if hasattr(inputs, "to_frame") and not hasattr(inputs, "columns"):
        inputs = inputs.to_frame()
    if hasattr(inputs, "to_json") and hasattr(inputs, "columns"):
        return b'{"dataframe_split": ' + str(inputs.to_json(orient="split", index=False)).encode() + b"}"
    if not (isinstance(inputs, Mapping) and any(form in inputs for form in FORMS)):
        inputs = {"inputs": inputs}
    try:
        return json.dumps(inputs, default=_plain).encode()
    except TypeError as error:
        raise UsageError(f"inputs cannot be sent as JSON: {error}. Give a DataFrame, an array, a list or a dict.") from None


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON value")


def ask(url: str, inputs: Any, timeout_s: float = TIMEOUT_S, headers: Mapping[str, str] | None = None) -> Any:
    """Send inputs to a server and return what its JSON says.

    Raises
    ------
    StateError
        If the server refuses, with its own words.
    StorageError
        If it cannot be reached.
    """
    request = urllib.request.Request(url, payload_of(inputs), {"Content-Type": "application/json", **(headers or {})})  # noqa: S310
    if request.type not in ("http", "https"):
        raise UsageError(f"{url}: an address that starts with http:// or https:// is expected.")
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 # the scheme was looked at
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            said = error.read().decode("utf-8", "replace")[:_MOST_SHOWN]
        raise StateError(f"{url} refused the request ({error.code}): {said}") from None
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise StorageError(
            f"{url} did not answer: {getattr(error, 'reason', error)}. Is the deployment up? runfolio deployments get"
        ) from None
    except ValueError as error:
        raise StateError(f"{url} answered something other than JSON: {error}.") from None


def answers(url: str, timeout_s: float = 2.0) -> bool:
    """Tell whether a server answers 200 at a URL."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:  # noqa: S310 # of our own making
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
