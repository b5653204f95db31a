"""Where a branch stands, read from the files of git's own backend: a process less for what nearly every command asks first.

Only loose files and ``packed-refs`` are read here. Anything else (reftable, a symbolic link, a name that is no full ref) gives None, and
git is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_MOST_STEPS = 5


def ref_value(read: Callable[[str], str | None], folders: Sequence[str], name: str) -> str | None:
    """Return the object id that a ref holds; None where git is to be asked.

    Parameters
    ----------
    read : callable
        Returns a file's text, or None.
    folders : sequence of str
        The git folder, then the common one, where that is another.
    name : str
        ``HEAD``, or a full name.
    """
    for _ in range(_MOST_STEPS):
        if ".." in name:
            return None
        target = None
        for folder in folders:
            text = (read(f"{folder}/{name}") or "").strip()
            if text.startswith("ref: "):
                target = text[5:]
                break
            if OBJECT_ID.match(text):
                return text
        if target is None:
            return _packed(read(f"{folders[-1]}/packed-refs") or "", name)
        name = target
    return None


def _packed(text: str, name: str) -> str | None:
    # After the loose file, as git reads them: packing writes here first and removes that afterwards.
    end = max(0, text.find(f" {name}\n"))
    oid = text[text.rfind("\n", 0, end) + 1 : end]
    return oid if OBJECT_ID.match(oid) else None
