"""Commands of steps: words with places for values, and no shell between.

A command is split into words as a shell would split it, when the file is read; values are put into the words when the step runs. A value
with blanks, quotes or ``; rm -rf`` in it is part of one word, whatever it says. Where a shell is wanted it is named, and values are its
arguments: ``[bash, -c, 'sort "$1" > "$2"', sort, "{table}", sorted.csv]``.

>>> fill(split("python train.py --depth {depth}"), {"depth": "5; ls"})
('python', 'train.py', '--depth', '5; ls')
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

PLACE = re.compile(r"\{\{|\}\}|\{([A-Za-z_][\w.\-]*)\}")
_SHELLS = re.compile(r"(?:.*/)?(?:ba|da|k|z|fi|a|c|tc)?sh\Z")
_OPERATORS = re.compile(r"(?:\d*(?:>>|>&|<<|[<>])\S*|&&|\|\|?|;|&)\Z")
_VARIABLE = re.compile(r"\$(?:[A-Za-z_{(])|`")


def split(text: str) -> tuple[str, ...]:
    """Split a command into its words.

    Raises
    ------
    ValueError
        If it is empty, its quotes do not match, or it has what only a shell understands.
    """
    lines = [line.strip() for line in re.sub(r"\\\n", " ", text).splitlines() if line.strip()]
    if len(lines) > 1:
        raise ValueError("one command is expected, found several lines; put them into a script, or make a step of each")
    try:
        lexer = shlex.shlex(lines[0] if lines else "", posix=False, punctuation_chars="")
        lexer.whitespace_split, lexer.commenters = True, ""
        quoted = list(lexer)
        words = shlex.split(lines[0] if lines else "")
    except ValueError as error:
        raise ValueError(f"the quotes do not match ({error})") from None
    for word in quoted:
        if _OPERATORS.match(word):
            raise ValueError(f"a step is started without a shell, so {word!r} would be passed on as it is; {_REMEDY}")
        if "'" not in word and _VARIABLE.search(word):
            raise ValueError(
                f"a step is started without a shell, so {word!r} would not be replaced; write {{param}}, or {_REMEDY}"
            )
    return check_words(words)


_REMEDY = "name the shell: [bash, -c, '…'], or put it into a script"


def check_words(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words of a command if it may be started.

    Raises
    ------
    ValueError
        If there is none, or a value would become part of a script that a shell reads.
    """
    if not words or not words[0].strip():
        raise ValueError("a command is expected, found nothing")
    for word in words:
        if "\0" in word:
            raise ValueError("a command cannot hold the character NUL")
    if _SHELLS.match(words[0]):
        for at, word in enumerate(words[1:-1], 1):
            if re.fullmatch(r"-[a-z]*c[a-z]*", word) and names(words[at + 1 : at + 2]):
                raise ValueError(
                    "the shell would read a value as part of its script; pass it as an argument: "
                    '[bash, -c, \'echo "$1"\', name, "{param}"]'
                )
    return tuple(words)


def names(words: Iterable[str]) -> tuple[str, ...]:
    """Return the names that places in the words ask for, each once."""
    return tuple(dict.fromkeys(match[1] for word in words for match in PLACE.finditer(word) if match[1]))


def fill(words: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    """Put values into the places of the words; ``{{`` and ``}}`` are braces."""
    return tuple(PLACE.sub(lambda match: values[match[1]] if match[1] else match[0][0], word) for word in words)
