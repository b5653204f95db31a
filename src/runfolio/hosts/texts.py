"""Texts that have to fit a host."""

from __future__ import annotations

_ROOM = 80


def cut(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters; what is left out is counted.

    Examples
    --------
    >>> cut("fits", 100)
    'fits'
    >>> print(cut("word " * 40, 100))
    word word word word
    <BLANKLINE>
    (181 more characters were left out here.)
    """
    if len(text) <= limit:
        return text
    head = text[: max(0, limit - _ROOM)]
    head = head[: max(head.rfind("\n"), head.rfind(" ")) + 1].rstrip() or head
    return f"{head}\n\n({len(text) - len(head)} more characters were left out here.)"
