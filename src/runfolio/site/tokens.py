"""Tokens and keys in texts of any size, ten times as fast as looking for each shape at each letter.

Every shape of :mod:`runfolio.records.secrets` is one word of at least `_SHORTEST` letters, digits, ``_``, ``-`` and ``.``, and none is all
hex digits: so the words are taken out first, and the shapes looked for in those few.
"""

from __future__ import annotations

import re

from runfolio.records.secrets import PEM, TOKENS

_SHORTEST = 14
_WORD = re.compile(rf"[A-Za-z0-9_\-.]{{{_SHORTEST},}}")
_HARMLESS = re.compile(r"[0-9a-f]+\Z|[\d.\-]+\Z")


def tokens_in(text: str) -> list[str]:
    """Name the kinds of secrets that a text seems to hold.

    Examples
    --------
    >>> tokens_in("see ghp_" + "a1B2" * 8)
    ['a GitHub token']
    """
    words = "\n".join({word for word in _WORD.findall(text) if not _HARMLESS.match(word)})
    found = [name for name, pattern in TOKENS if pattern.search(words)]
    if "PRIVATE KEY" in text and PEM.search(text):
        found.append("a private key")
    return found
