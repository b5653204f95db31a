"""Text to tokens, and the message that points at a place in the text.

A word is anything up to a space, a quote, a bracket, a comma or an operator, so ``metrics.val-loss`` and ``params.a/b`` need no
quotes. Inside quotes a doubled quote stands for one; a backslash is a backslash.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from runfolio._dataclass import dataclass
from runfolio._pattern import pattern
from runfolio.errors import UsageError

TokenKind = Literal["word", "string", "double", "backtick", "operator", "mark", "end"]

_TOKEN = pattern(
    r"""(?P<space>\s+)
    |(?P<string>'(?:[^']|'')*')
    |(?P<double>"(?:[^"]|"")*")
    |(?P<backtick>`(?:[^`]|``)*`)
    |(?P<operator>[=!<>]+)
    |(?P<mark>[(),;])
    |(?P<word>[^\s'"`()<>=!,;]+)""",
    re.VERBOSE,
)
_NUMBER = pattern(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_WHOLE = pattern(r"[+-]?[0-9]{1,18}\Z")
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Token:
    """One word, quoted text, operator or mark.

    Parameters
    ----------
    kind : str
    text : str
        Without its quotes.
    at, end : int
        Where it stands.
    """

    kind: TokenKind
    text: str
    at: int
    end: int

    @property
    def keyword(self) -> str:
        """The word in capitals; empty for anything else."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def number(self) -> int | float | None:
        """The number that the word spells, or None."""
        if self.kind != "word" or not _NUMBER.match(self.text):
            return None
        return int(self.text) if _WHOLE.match(self.text) else float(self.text)


def tokenize(text: str, what: str = "filter") -> list[Token]:
    """Cut `text` into tokens, with one of kind ``end`` after the last.

    Raises
    ------
    UsageError
        If a quote is not closed.
    """
    made: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            quote = text[at]
            raise fault(text, at, f"the quote {quote} is not closed: write another {quote} where the text ends", what)
        kind = match.lastgroup
        found, at = match.group(), match.end()
        if kind in ("string", "double", "backtick"):
            found = found[1:-1].replace(found[0] * 2, found[0])
        if kind != "space":
            made.append(Token(kind, found, match.start(), at))  # type: ignore[arg-type]  # the names of the pattern's groups
    made.append(Token("end", "", len(text.rstrip()), len(text)))
    return made


def fault(text: str, at: int, message: str, what: str = "filter") -> UsageError:
    """Build the error that quotes `text` and points at a place in it.

    Parameters
    ----------
    text : str
        The filter or order key.
    at : int
        Where it went wrong.
    message : str
        What is wrong and what is expected, as the end of a sentence.
    what : str
        ``"filter"`` or ``"order_by"``.
    """
    start = max(0, min(at - _SHOWN // 2, len(text) - _SHOWN))
    shown = text[start : start + _SHOWN]
    before = "…" if start else ""
    after = "…" if start + _SHOWN < len(text) else ""
    line = before + "".join(letter if letter.isprintable() else " " for letter in shown) + after
    indent = " " * _columns(line[: len(before) + at - start])
    return UsageError(f"Invalid {what}: {message}.\n  {line}\n  {indent}^")


def _columns(text: str) -> int:
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text
    )
