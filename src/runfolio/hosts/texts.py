"""Texts that have to fit a host."""

from __future__ import annotations

import re

_ROOM = 80
_COMMAND = re.compile(r"^([ \t>]*)/(?=[A-Za-z_])", re.MULTILINE)


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


def without_commands(text: str) -> str:
    r"""Return Markdown in which no line is a command to a host or one of its bots.

    GitLab carries out the lines of a comment that begin with a slash (``/approve``, ``/merge``) for whoever posts it, and bots on the
    other hosts do so as well. A backslash before a slash is Markdown for the slash itself.

    Examples
    --------
    >>> print(without_commands("/approve\n  /merge now\na/b and /c"))
    \/approve
      \/merge now
    a/b and /c
    """
    return _COMMAND.sub(r"\1\\/", text)
