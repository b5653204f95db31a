r"""Plain YAML, read without the YAML library: what our own files mostly are, and what nobody can read in two ways.

The library takes 110 million instructions to be loaded and to read a file of two settings: a tenth of a first listing of 1,000 runs. Here
``key: value`` lines are read, in mappings within mappings; a value is words, a whole number, a moment, ``true``, ``false`` or ``null``.
Whatever is not surely that (lists, quotes, comments behind a value, a key that stands twice, a mistake) is not read at all: the library
is asked, which also says what is wrong, and where. A property test holds both to one answer, and to the same places: an edit of a file
that we wrote ourselves needs no library either (:func:`plain_places`).

>>> read_plain("schema: 1\ncommit:\n  when: auto\n")
{'schema': 1, 'commit': {'when': 'auto'}}
>>> read_plain("stages: [Staging]\n") is None
True
"""

from __future__ import annotations

import re

from runfolio._pattern import pattern
from runfolio._typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runfolio.formats.yaml_events import Path, Place

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


def plain_places(text: str) -> dict[Path, Place]:
    """Return where the entries of a document stand that :func:`read_plain` could read, as the library's events would say it.

    Parameters
    ----------
    text : str
    """
    from runfolio.formats.yaml_events import Place

    heads: list[tuple[Path, int, int, int | None, int]] = []  # path, line, where key and value begin, where the line ends
    around: list[tuple[int, str]] = []
    at = 0
    for number, line in enumerate(text.split("\n"), 1):
        match = _LINE.match(line)
        if match is not None:
            depth, key = len(match[1]), match[2]
            while around and depth <= around[-1][0]:
                around.pop()
            around.append((depth, key))
            value = None if match[3] is None else at + match.start(3)
            heads.append((tuple(key for _, key in around), number, at + depth, value, at + len(line)))
        at += len(line) + 1
    made: dict[Path, Place] = {}
    ends: dict[Path, int] = {}  # a mapping ends with the last value in it
    line_at, below = 0, 0
    for path, number, start, value, end in reversed(heads):
        if value is not None:
            for length in range(len(path)):
                ends.setdefault(path[:length], end)
        column = start - text.rfind("\n", 0, start)
        made[path] = Place(number, column, start, below if value is None else value, ends.get(path, end), value is not None, True)
        line_at, below = number, start
    if heads:
        made[()] = Place(line_at, below - text.rfind("\n", 0, below), below, below, ends[()], False, True)
    return made


def _value(said: str) -> Any:
    if said in _MEANT:
        return _MEANT[said]
    if _NUMBER.match(said):
        return int(said)
    if said.lower() not in _MEANT and (_WORDS.match(said) or _MOMENT.match(said)):
        return said
    raise _NotPlainError
