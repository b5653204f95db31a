r"""Plain YAML, read without the YAML library: what our own files mostly are, and what nobody can read in two ways.

The library takes 110 million instructions to be loaded and to read a file of two settings: a tenth of a first listing of 1,000 runs. Here
``key: value`` lines are read, in mappings within mappings; a value is words, a whole number, a moment, ``true``, ``false`` or ``null``.
Whatever is not surely that (lists, quotes, comments behind a value, a key that stands twice, a mistake) is not read at all: the library
is asked, which also says what is wrong, and where. A property test holds both to one answer.

>>> read_plain("schema: 1\ncommit:\n  when: auto\n")
{'schema': 1, 'commit': {'when': 'auto'}}
>>> read_plain("stages: [Staging]\n") is None
True
"""

from __future__ import annotations

import re

from runfolio._pattern import pattern
from runfolio._typing import Any

_LINE = pattern(r"( {0,30})([A-Za-z_][A-Za-z0-9_-]{0,99}):(?: ([^ ].*))?\Z")
_WORDS = pattern(r"[A-Za-z](?:[A-Za-z0-9_./-]|:(?=[A-Za-z0-9_./-]))*(?: [A-Za-z0-9_./-]+)*\Z")
_MOMENT = pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z", re.ASCII)
_NUMBER = pattern(r"(?:0|[1-9][0-9]{0,17})\Z")
_MEANT = {"null": None, "true": True, "false": False}


class _NotPlainError(Exception):
    """The library is to be asked."""


def read_plain(text: str) -> dict[str, Any] | None:
    """Read a YAML document; None where the library is to be asked.

    Parameters
    ----------
    text : str
        Without characters that YAML refuses.
    """
    top: dict[str, Any] = {}
    around: list[tuple[int, dict[str, Any]]] = [(0, top)]  # the mappings that a line may go on with, by indentation
    opens: str | None = None  # a key whose value is the mapping in the lines below it
    for line in text.split("\n"):
        if not line or line.lstrip(" ").startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            return None
        depth, key, said = len(match[1]), match[2], match[3]
        if opens is not None:
            inner: dict[str, Any] = {}
            around[-1][1][opens] = inner
            if depth <= around[-1][0]:
                return None
            around.append((depth, inner))
        while depth < around[-1][0]:
            around.pop()
        here = around[-1][1]
        if depth != around[-1][0] or key in here or key.lower() in _MEANT:
            return None
        opens = key if said is None else None
        if said is not None:
            try:
                here[key] = _value(said)
            except _NotPlainError:
                return None
    return top if opens is None else None


def _value(said: str) -> Any:
    if said in _MEANT:
        return _MEANT[said]
    if _NUMBER.match(said):
        return int(said)
    if said.lower() not in _MEANT and (_WORDS.match(said) or _MOMENT.match(said)):
        return said
    raise _NotPlainError
