"""The tags of a run that goes on, without its points: a training has logged thousands of them when its model asks for one tag."""

from __future__ import annotations

import re
from pathlib import Path

from runfolio.journal.events import decode_event, salvage

_MARK = re.compile(rb'\["-?t",')
"""How the event of a tag begins: also one that stands behind a line that was cut off."""


def first_tags(path: Path) -> dict[str, str] | None:
    """Return the tags that a run has by its first journal.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict or None
        None where the journal is gone, not yet begun, or changes a run that was sealed before: then its tags are not all here.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    opened = decode_event(data[: max(0, data.find(b"\n"))])
    if opened is None or opened[0] != "open" or not isinstance(opened[1], dict) or opened[1].get("amend"):
        return None
    tags: dict[str, str] = dict(opened[1].get("tags") or {})
    end = data.find(b"\n") + 1
    while (found := _MARK.search(data, end)) is not None:
        start, end = data.rfind(b"\n", 0, found.start()) + 1, data.find(b"\n", found.start()) + 1
        if not end:  # its writing was cut off, or goes on
            break
        line = data[start : end - 1]
        event = decode_event(line) or salvage(line)
        if event is not None and event[0] == "t":
            tags[event[1]] = event[2]
        elif event is not None and event[0] == "-t":
            tags.pop(event[1], None)
    return tags
