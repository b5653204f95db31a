"""Moments as text: ISO 8601 in UTC, with milliseconds.

Records written by machines hold whole milliseconds since the epoch; files that people edit, and what people read, hold
this text. Nothing here knows a local time zone, and no clock is read. ``datetime`` is loaded where a moment is spelled or read: a script
that logs a run does neither.
"""

from __future__ import annotations

import re
from functools import lru_cache

from runfolio._pattern import pattern
from runfolio.errors import UsageError

_TEXT = pattern(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)


@lru_cache(maxsize=64)  # a registered model is spelled at each change of it, and was created once
def utc_text(at_ms: int) -> str:
    """Write a moment.

    Parameters
    ----------
    at_ms : int
        Milliseconds since the epoch, UTC.

    Returns
    -------
    str
        Such as ``2026-11-23T10:00:00.000Z``; ``@<at_ms>ms`` outside the years 1 to 9999, which have no ISO 8601 form.

    Examples
    --------
    >>> utc_text(1795428000123)
    '2026-11-23T10:00:00.123Z'
    """
    from datetime import datetime, timedelta, timezone

    try:
        moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=at_ms)
    except OverflowError:
        return f"@{at_ms}ms"
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def check_moment(value: object, field: str) -> int:
    """Return a moment that somebody gives, in milliseconds since the epoch; numpy's numbers are understood, fractions are cut off.

    Raises
    ------
    UsageError
        If it is no number, negative, or outside 64 bits.
    """
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError
        number = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        raise UsageError(
            f"Invalid {field} {value!r:.80}: milliseconds since 1970 are expected, such as int(time.time() * 1000)."
        ) from None
    if not 0 <= number < 1 << 63:
        raise UsageError(f"Invalid {field} {value!r:.80}: milliseconds since 1970 are expected, up to 2**63 - 1.")
    return int(number)


def read_utc_text(text: str) -> int:
    """Read a moment that :func:`utc_text` or a person wrote.

    Parameters
    ----------
    text : str
        Date and time with seconds and a zone (``Z`` or ``+07:00``).

    Returns
    -------
    int
        Milliseconds since the epoch, UTC.

    Raises
    ------
    ValueError
        If it is not such a text, or names no real moment.
    """
    if text.startswith("@") and text.endswith("ms") and text[1:-2].lstrip("-").isdecimal() and len(text) < 40:
        return int(text[1:-2])
    if not _TEXT.match(text):
        raise ValueError(f"a time such as 2026-11-23T10:00:00.000Z is expected, found {text!r}")
    # Python 3.10 reads neither Z nor fractions of other than 3 or 6 digits.
    head, fraction, zone = re.match(r"(.{19})(\.\d+)?(.+)", text.upper().replace(" ", "T")).groups()  # type: ignore[union-attr]
    digits = (fraction or ".")[1:].ljust(6, "0")
    from datetime import datetime, timedelta, timezone

    try:
        moment = datetime.fromisoformat(f"{head}.{digits}{'+00:00' if zone == 'Z' else zone}")
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time: {error}") from None
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)
