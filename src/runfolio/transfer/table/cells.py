"""What is in the cells of a table: numbers, times, states, text."""

from __future__ import annotations

import datetime
import json
import re
from typing import Any

from runfolio.transfer.table.mapping import STATUSES, UNITS, TableMapping

_WORDS = {
    "FINISHED": "finished success succeeded successful completed complete done ok passed true",
    "FAILED": "failed failure fail error crashed crash false",
    "KILLED": "killed aborted canceled cancelled interrupted stopped pruned timeout",
    "RUNNING": "running active",
    "SCHEDULED": "scheduled pending queued waiting",
}
_STATUS = {word: status for status, words in _WORDS.items() for word in words.split()}
_DURATION = re.compile(r"(?:(\d+) days? )?(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_LATEST = 4_102_444_800_000
"""The first moment of 2100: a number of seconds, milliseconds … is told from the others by being before it."""


def cell_text(value: Any) -> str:
    """Return a value as a param or tag: text as it is, numbers and true and false as Python writes them, lists as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else str(value)


def cell_number(value: Any, mapping: TableMapping) -> float:
    """Return a value as a metric's.

    Raises
    ------
    ValueError
        If it is no number.
    """
    if isinstance(value, (bool, int, float)):
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"{str(value)[:20]}… is too large a number") from None
    said = cell_text(value).strip()
    if said.casefold() in ("true", "false"):
        return float(said.casefold() == "true")
    plain = said.replace(mapping.thousands, "") if mapping.thousands else said
    if mapping.decimal != ".":
        plain = plain.replace(mapping.decimal, ".") if "." not in plain else "no"
    try:
        if "_" in plain:
            raise ValueError
        return float(plain)
    except ValueError:
        hint = "; decimal: ',' reads a comma" if "," in said and mapping.decimal == "." else ""
        raise ValueError(f"{said[:60]!r} is no number{hint}") from None


def cell_duration(value: Any, mapping: TableMapping) -> float:
    """Return a value as a duration in seconds: a number of them, ``01:30:00`` or ``0 days 01:30:00``.

    Raises
    ------
    ValueError
        If it is none.
    """
    found = _DURATION.fullmatch(cell_text(value).strip())
    if found is None:
        return cell_number(value, mapping)
    return (int(found[1] or 0) * 24 + int(found[2])) * 3600 + int(found[3]) * 60 + float(found[4])


def cell_whole(value: Any, mapping: TableMapping) -> int:
    """Return a value as a step.

    Raises
    ------
    ValueError
        If it is no whole number.
    """
    number = cell_number(value, mapping)
    if not number.is_integer() or abs(number) >= 1 << 62:
        raise ValueError(f"{value!r} is no whole number")
    return int(number)


def cell_time(value: Any, mapping: TableMapping) -> int:
    """Return a value as a time: milliseconds since the epoch, UTC.

    Raises
    ------
    ValueError
        If it is none.
    """
    said = cell_text(value).strip()
    how = mapping.time
    if how.pattern:
        return _stamp(datetime.datetime.strptime(said, how.pattern), how.zone)  # noqa: DTZ007 # the zone is set there
    try:
        number = cell_number(value, mapping)
    except ValueError:
        try:
            made = datetime.datetime.fromisoformat(said[:-1] + "+00:00" if said.endswith(("Z", "z")) else said)
        except ValueError:
            raise ValueError(f"{said[:60]!r} is no time: ISO 8601 is expected, or say time.format") from None
        return _stamp(made, how.zone)
    return _of_number(number, how.unit, said)


def _of_number(number: float, unit: str, said: str) -> int:
    units = [unit] if unit else list(UNITS)
    for each in units:
        stamp = number * UNITS[each]
        if 0 <= stamp < _LATEST:
            return round(stamp)
    raise ValueError(f"{said[:60]!r} is no time between 1970 and 2100{f' in {unit}' if unit else ''}")


def _stamp(moment: datetime.datetime, zone: datetime.timezone) -> int:
    made = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    stamp = round(made.timestamp() * 1000)
    if not 0 <= stamp < _LATEST:
        raise ValueError(f"{moment.isoformat()} is not between 1970 and 2100")
    return stamp


def cell_status(value: Any, mapping: TableMapping) -> str:
    """Return a value as a run's state: by the mapping's ``statuses``, else by the usual words.

    Raises
    ------
    ValueError
        If it is none that is known.
    """
    said = cell_text(value).strip()
    found = mapping.statuses.get(said.casefold()) or (said if said in STATUSES else _STATUS.get(said.casefold()))
    if found is None:
        raise ValueError(f"the status {said[:60]!r} is not known: say under statuses which of {', '.join(STATUSES)} it is")
    return found
