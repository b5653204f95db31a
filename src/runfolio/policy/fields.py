"""Readers of the values that several parts of ``policy.yaml`` share."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import Any

from runfolio.formats.fields import FieldReader, list_of, some_text, text
from runfolio.records.times import read_utc_text


def names(value: Any) -> tuple[str, ...]:
    """Return one name or a list of them; never none, because what applies to nothing passes in silence."""
    made = list_of(some_text)(value if isinstance(value, list) else [value])
    if not made:
        raise ValueError("one name at least is expected, found an empty list")
    return made


def moment(value: Any, *, last: bool = False) -> int:
    """Read a moment, or a date: its first moment (UTC), or, with `last`, the first one after it."""
    if isinstance(value, (date, datetime)):
        value = value.isoformat()
    said = text(value)
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", said):
            day = datetime.strptime(said, "%Y-%m-%d").replace(tzinfo=timezone.utc)
            return int((day + timedelta(days=1 if last else 0)).timestamp() * 1000)
        return read_utc_text(said)
    except (ValueError, OverflowError):
        raise ValueError(f"a date such as 2026-12-20 is expected, found {said!r}") from None


def line_of(reader: FieldReader, *below: str | int) -> int:
    """Return the line of an entry below a reader's mapping."""
    return reader.document.line((*reader.path, *below))
