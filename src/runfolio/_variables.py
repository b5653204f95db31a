"""What variables of the environment say, compared with what they said before: what rests on them is asked for again when one changes.

``os.environ`` spells a name in bytes and a value in text at each question, and raises twice for what is not set: 0.6 to 1.2 us, and a
commit asks for seventeen. Its bytes are looked at instead where they can be (CPython and PyPy on POSIX).

>>> variables((b"PATH", b"NOBODY_SET_THIS"))[1] is None
True
"""

from __future__ import annotations

import os
from collections.abc import Sequence


def variables(names: Sequence[bytes]) -> tuple[bytes | None, ...]:
    """Return what some variables say now, None for those that are not set.

    Parameters
    ----------
    names : sequence of bytes
    """
    held = getattr(os.environ, "_data", None)
    if type(held) is dict and os.name == "posix":
        return tuple(map(held.get, names))
    found = map(os.environ.get, map(os.fsdecode, names))
    return tuple(None if value is None else os.fsencode(value) for value in found)


def variable(name: bytes) -> str:
    """Return what a variable says now; empty where it is not set."""
    (found,) = variables((name,))
    return os.fsdecode(found) if found else ""
