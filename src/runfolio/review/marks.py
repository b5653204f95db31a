r"""What others wrote, made safe for Markdown: names, keys, values and messages never act.

A host looks for mentions (``@team``), references (``#1``, ``!1``, commit ids), links and images in the *rendered* text, so that
escapes and entities do not help; it never looks into code. So everything that comes from a change stands in a code span, with a
fence that is longer than any run of backticks inside; ``|`` and line ends, which would end the row of a table, are spelled out.

>>> print(code("@team `x`"))
``@team `x` ``
>>> print(cell("a\\|b|c"))
`a\\u007cb\|c`
>>> print(plain("accuracy is 0.97, see #12"))
accuracy is 0.97, see `#12`
"""

from __future__ import annotations

import re
from collections.abc import Callable

from runfolio.records.visible import visible

NAME, VALUE, SENTENCE = 60, 100, 300
"""Letters that are shown of a name, of a value, and of a message."""
_TICKS = re.compile("`+")
_PIPE_BEHIND_SLASH = re.compile(r"(?<=\\)\|")
_TAME = re.compile(r"[(]?(?:[^\W\d_]+(?:['’-][^\W\d_]+)*|[+−-]?[0-9]{1,6}(?:\.[0-9]{1,6})?%?|%)[)]?[.,;:)]?")
"""A word of letters, or a number: no host makes anything of it. Seven digits could be a commit."""
_TAMED = frozenset("=–…·→")
_HEX = re.compile(r"[0-9a-fA-F]{6,}")
_COLLAPSED = re.compile(" {2,}")
_IN_LABEL = re.compile(r"[^A-Za-z0-9 ._-]+")
_IN_MARKER = re.compile(r"[^A-Za-z0-9._/-]|-(?=-)")


def shorten(text: str, most: int) -> str:
    """Cut a text that is longer than `most` letters; how many were left out is said.

    Examples
    --------
    >>> shorten("abcdefgh", 4)
    'abcd… (+4)'
    """
    return text if len(text) <= most else f"{text[:most]}… (+{len(text) - most:,})"


def code(text: str, most: int = NAME) -> str:
    """Return a text as a code span, outside of tables.

    Parameters
    ----------
    text : str
    most : int, optional
        Letters at most; the rest is counted.
    """
    return _span(shorten(visible(text), most))


def cell(text: str, most: int = NAME) -> str:
    r"""Return a text as a code span in a table.

    In a table ``|`` is written ``\|``, also inside code. Behind a backslash it would be read as the end of the cell by some
    renderers, so there it is spelled as invisible characters are.
    """
    shown = _PIPE_BEHIND_SLASH.sub(r"\\u007c", shorten(visible(text), most))
    return _span(shown.replace("|", "\\|"))


def plain(text: str, most: int = SENTENCE, mark: Callable[[str, int], str] = code) -> str:
    """Return a message as a sentence in which everything but words and numbers stands in code spans.

    Parameters
    ----------
    text : str
    most : int, optional
        Letters at most; the rest is counted.
    mark : callable, optional
        :func:`code`, or in a table :func:`cell`.
    """
    shown = visible(text)
    left = max(0, len(shown) - most)
    parts: list[str] = []
    wild: list[str] = []
    for word in [*_COLLAPSED.sub(" ", shown[:most]).strip().split(" "), ""]:
        if word and not is_tame(word):
            wild.append(word)
            continue
        if wild:
            parts.append(_kept(" ".join(wild), mark))
            wild = []
        if word:
            parts.append(word)
    return " ".join(parts) + (f"… (+{left:,})" if left else "") if parts else mark("", most)


def label(text: str, most: int = 20) -> str:
    """Return what is left of a text where only letters, digits, spaces, dots, hyphens and low lines are allowed.

    Examples
    --------
    >>> label('top-1 "acc"]')
    'top-1 acc'
    """
    return _IN_LABEL.sub("", text)[:most].strip()


def marker_value(text: str) -> str:
    """Return a text in the few letters that a marker may have; others are spelled ``%hh``.

    Examples
    --------
    >>> marker_value("a-->b c")
    'a%2d-%3eb%20c'
    """
    shown = text.encode("utf-8", "replace").decode()[:200]
    return _IN_MARKER.sub(lambda match: "".join(f"%{byte:02x}" for byte in match.group().encode()), shown)


def is_tame(word: str) -> bool:
    """Tell whether a word means nothing to Markdown and to hosts."""
    return word in _TAMED or (_TAME.fullmatch(word) is not None and not _HEX.fullmatch(word.strip("(),.;:")))


def _kept(text: str, mark: Callable[[str, int], str]) -> str:
    """Mark a part of a sentence; the comma or full stop behind it stays outside, where it belongs."""
    end = text[-1] if len(text) > 1 and text[-1] in ".,;:" else ""
    return mark(text[: len(text) - len(end)], SENTENCE) + end


def _span(text: str) -> str:
    """Fence a text; one that begins or ends with a backtick or a space, is padded, so that it is shown as it is."""
    if not text.strip(" "):
        return "*blank*" if text else "*empty*"
    fence = "`" * (max((len(run) for run in _TICKS.findall(text)), default=0) + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"
