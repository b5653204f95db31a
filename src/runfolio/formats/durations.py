"""Spans of time as people write them: ``90d``, ``12h``, ``1d12h``."""

from __future__ import annotations

import re

from runfolio._pattern import pattern
from runfolio.errors import UsageError

_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_FORM = pattern("".join(rf"(?:(?P<{unit}>\d+(?:\.\d+)?)\s*{unit}\s*)?" for unit in _UNITS) + r"\Z", re.ASCII)
MAX_SECONDS = 1_000 * 366 * 86_400


def parse_duration(text: str) -> int:
    """Read a span of time.

    Parameters
    ----------
    text : str
        Numbers with units, largest first: ``w`` weeks, ``d`` days, ``h`` hours, ``m`` minutes, ``s`` seconds. MLflow's
        ``--older-than`` form (``1d2h3m4s``, fractions allowed) is the same without weeks.

    Returns
    -------
    int
        Seconds, rounded.

    Raises
    ------
    UsageError
        If it is not of that form, or longer than a thousand years.

    Examples
    --------
    >>> parse_duration("90d"), parse_duration("1d12h")
    (7776000, 129600)
    """
    match = _FORM.match(text.strip().lower()) if isinstance(text, str) and text.strip() and len(text) < 100 else None
    if not match:
        raise UsageError(
            f"{text!r} is not a span of time. Write a number and a unit: 90d, 12h, 2w, 30m (minutes), 45s, or 1d12h."
        )
    seconds = sum(float(match[unit] or 0) * size for unit, size in _UNITS.items())
    if seconds > MAX_SECONDS:
        raise UsageError(f"{text!r} is longer than a thousand years. Write a shorter span, such as 90d.")
    return round(seconds)
