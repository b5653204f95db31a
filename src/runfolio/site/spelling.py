"""JSON as a site's files hold it: without blanks, in ASCII, without a word that JSON does not know; and numbers as records spell them."""

from __future__ import annotations

import json
import math

# ASCII: no page's encoding, and no line separator in a string, can change what is read; and an unpaired surrogate, which a name may
# hold, has a spelling in JSON and none in UTF-8. Values are made here, and never hold themselves: looking for that is a fifth of the work.
compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False, check_circular=False).encode
"""Spell JSON values as text."""

in_order = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, check_circular=False).encode
"""Spell JSON values as text, keys in order, for what is compared; NaN stays what it is."""

SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""Numbers that JSON does not know, by the names that records give them."""


def spelled(value: float | str) -> float:
    """Return the number that a record spells."""
    return SPECIAL.get(value, math.nan) if isinstance(value, str) else float(value)
