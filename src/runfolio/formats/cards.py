"""Model cards as files: Markdown that people write, with Hugging Face's front matter (YAML between two lines of ``---``) before it.

What a card says is people's own. Looked at is only what keeps every reader from it: bytes that are no text, front matter that is no
YAML, marks that a merge left.
"""

from __future__ import annotations

import re

from runfolio.errors import DamagedError

_FRONT = re.compile(r"\A---[ \t]*\r?\n(?P<said>.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_MARK = re.compile(r"^(<{7}|>{7})( |$)", re.MULTILINE)


def check_card(data: bytes, where: str) -> None:
    """Look at a card.

    Raises
    ------
    DamagedError
        With the line, if it is not UTF-8, holds marks of a merge, or its front matter is no mapping of YAML.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DamagedError(
            f"{where} is not text in UTF-8 ({error.reason} at byte {error.start}). Save it again as UTF-8."
        ) from None
    mark = _MARK.search(text)
    if mark:
        line = text.count("\n", 0, mark.start()) + 1
        raise DamagedError(
            f"{where}: line {line}: a merge left its mark {mark[1]}. Decide which side holds, and take the marks away."
        )
    if not text.startswith("---"):
        return
    front = _FRONT.match(text)
    if front is None:
        raise DamagedError(f"{where}: line 1: the front matter has no end. Close it with a line of ---")
    _check_front_matter(front["said"], where)


def _check_front_matter(text: str, where: str) -> None:
    import yaml

    try:
        said = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: 2026-13-45 reads as a date
        place = getattr(error, "problem_mark", None)
        line = f"line {place.line + 2}: " if place is not None else ""
        why = getattr(error, "problem", None) or "it cannot be read"
        raise DamagedError(
            f"{where}: {line}the front matter is no YAML: {why}. Mend it: the Hub reads nothing of such a card."
        ) from None
    if said is not None and not isinstance(said, dict):
        raise DamagedError(f"{where}: line 2: the front matter holds no 'key: value' lines. Mend it.")
