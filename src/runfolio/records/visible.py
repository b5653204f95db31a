"""Text as people see it: what no one can see is spelled out.

Names, tags and messages come from anyone who can open a pull request. A bidi override turns ``1.0`` into what looks like
another number, an escape sequence repaints a terminal, a zero-width joiner makes two equal-looking names differ. Every
string that reaches a terminal, a commit message or a report goes through :func:`visible` first.

This does *not* quote for a shell, for HTML or for Markdown: those rooms have functions of their own.
"""

from __future__ import annotations

from runfolio._pattern import pattern

INVISIBLE = pattern(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters without a picture: control, format, bidi, fillers, variation selectors, unpaired surrogates, tags."""

_NEWLINES = pattern("[\r\n\x0b\x0c\x85\u2028\u2029]+")


def spell_invisible(letter: str) -> str:
    r"""Spell one character as ``\uXXXX``, or ``\UXXXXXXXX`` beyond the basic plane; YAML and Python read both.

    Examples
    --------
    >>> spell_invisible("\u202e")
    '\\u202e'
    """
    code = ord(letter)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def visible(text: str) -> str:
    r"""Return `text` on one line, with every invisible character spelled out.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Runs of line breaks become one space and those at the ends are dropped; control, format, bidi and other
        invisible characters become ``\uXXXX``.

    Examples
    --------
    >>> visible("caf\u00e9\n\u202e1.0")
    'café \\u202e1.0'
    """
    if text.isascii() and text.isprintable():
        return text
    one_line = _NEWLINES.sub(" ", text.strip("\r\n\x0b\x0c\x85\u2028\u2029"))
    shown = INVISIBLE.sub(lambda match: spell_invisible(match.group()), one_line)
    if shown.isprintable():
        return shown
    import unicodedata  # a megabyte of tables, loaded where a text is out of the ordinary

    return "".join(spell_invisible(letter) if unicodedata.category(letter) in ("Cf", "Cn", "Co") else letter for letter in shown)
