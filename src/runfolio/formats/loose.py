"""Values as other languages write them: JSON from R, shell, Java or C++, whose writers spell numbers and times in many ways.

What is accepted here is wider than what a record of ours may hold; what comes out is not. Every reader raises ``ValueError``
with a sentence about the value; the caller adds file and field.

>>> read_loose_number("-Inf"), read_loose_number([0.5]), loose_text(True), read_loose_time("2026-11-23T10:00:00Z")
(-inf, 0.5, 'true', 1795428000000)
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from runfolio.formats.canonical import MAX_RECORD_BYTES
from runfolio.records.times import read_utc_text

_NUMBERS = {"nan": math.nan, "inf": math.inf, "+inf": math.inf, "-inf": -math.inf}
_NUMBERS |= {"infinity": math.inf, "+infinity": math.inf, "-infinity": -math.inf}
_FIRST_MS = 100_000_000_000
"""A whole number below this is 1973 as milliseconds, and today as seconds."""


class MissingError(ValueError):
    """The value is there and says that there is none: ``null``, or R's ``NA``."""


def unboxed(value: Any) -> Any:
    """Take a single value out of a list of one: R writes every number so unless it is told not to."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def read_loose_number(value: Any) -> float:
    """Read a number: one of JSON's, or text such as ``0.5``, ``NaN``, ``Inf``.

    Raises
    ------
    MissingError
        For ``null`` and ``NA``.
    ValueError
        If it is no number.
    """
    value = unboxed(value)
    if value is None or value in ("NA", "NULL", "NA_real_"):
        raise MissingError(f"{value or 'null'} is no number")
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"a number is expected, found {json.dumps(value)[:60]}")
    if isinstance(value, str):
        text = value.strip().lower()
        if text in _NUMBERS:
            return _NUMBERS[text]
        if not text or "_" in text:
            raise ValueError(f"a number is expected, found {value!r:.60}")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise ValueError(f"a number is expected, found {value!r:.60}") from None


def read_loose_whole(value: Any) -> int:
    """Read a whole number, also one that was written as ``3.0`` or as text."""
    value = unboxed(value)
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        found = read_loose_number(value)
        if not math.isfinite(found) or found != int(found):
            raise ValueError(f"a whole number is expected, found {value!r:.60}")
        number = int(found)
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{number} does not fit 64 bits")
    return number


def read_loose_time(value: Any) -> int:
    """Read a moment: milliseconds since the epoch, or ISO 8601 text with a zone.

    Returns
    -------
    int
        Milliseconds since the epoch, UTC.
    """
    value = unboxed(value)
    if isinstance(value, str) and "-" in value[1:]:
        return read_utc_text(value)
    found = read_loose_number(value)
    if not math.isfinite(found):
        raise ValueError(f"a time is expected, found {value!r:.60}")
    at = round(found)
    if 0 < at < _FIRST_MS:
        raise ValueError(f"{value} looks like seconds; write milliseconds since the epoch, or text such as 2026-11-23T10:00:00Z")
    if not 0 <= at < 250_000_000_000_000:
        raise ValueError(f"{value} is no time in milliseconds since the epoch")
    return at


def loose_text(value: Any) -> str:
    """Write any JSON value as the text of a param or tag: a number as itself, a list or an object as JSON."""
    value = unboxed(value)
    if value is None:
        raise MissingError("null is no value")
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(value).replace("nan", "NaN").replace("inf", "Infinity")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def load_loose(data: bytes) -> dict[str, Any]:
    """Read one JSON object in UTF-8; a byte order mark and the literals NaN and Infinity are taken.

    Raises
    ------
    ValueError
        If it is not one, is larger than a record may be, or holds a key twice.
    """
    if len(data) > MAX_RECORD_BYTES:
        raise ValueError(f"it has {len(data)} bytes; {MAX_RECORD_BYTES} are the most")
    try:
        value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_no_duplicates)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"a JSON object is expected, found {type(value).__name__}")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        _doubled([key for key, _ in pairs])
    return made


def _doubled(keys: list[str]) -> NoReturn:
    twice = sorted({key for key in keys if keys.count(key) > 1})
    raise ValueError(f"{', '.join(map(repr, twice[:5]))}: the key stands twice")
