"""Values and names as messages tell them: short, since data of any size and from anybody ends up in them.

A server's client is told what did not fit, and the server's log is told the same. Without a limit, a request of 3 MB with one wrong value
was answered by 3 MB, and a line of 3 MB was logged.

>>> listed(["a", "b", "c"], most=2)
"'a', 'b' and 1 more"
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from reprlib import Repr
from typing import Any

MOST_NAMES = 20
_repr = Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 100
_repr.maxlevel = 3


def short(value: Any) -> str:
    """Return a value's ``repr``, its middle left out where it is long."""
    return _repr.repr(value)


def listed(names: Collection[Any], most: int = MOST_NAMES) -> str:
    """Return names in quotes, separated by commas: the first of them, and how many more there are."""
    said = ", ".join(short(name) for name in islice(names, most))
    more = len(names) - most
    return f"{said} and {more:,} more" if more > 0 else said
