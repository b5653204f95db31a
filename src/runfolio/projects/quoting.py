r"""Put values into a shell command so that the shell gives each of them back as it was, wherever it stands.

A value that stands free is quoted as :func:`shlex.quote` does, which is what MLflow does everywhere. MLflow does so inside quotes,
too, where it is wrong: ``"{x}"`` becomes ``"'$(id)'"``, and the shell runs ``id``. Here the quotes around the place are closed before
the value and opened after it.

>>> fill("train --name {x}", {"x": "a b"})
"train --name 'a b'"
>>> fill('train --name "run {x}"', {"x": "$(id)"})
'train --name "run "\'$(id)\'""'

What it does *not* do: follow a value into a second shell (``bash -c "…"`` in the command): give that one its values as arguments.
"""

from __future__ import annotations

import re
import shlex
import string
from collections.abc import Mapping

from runfolio.errors import UsageError

_SAFE = re.compile(r"[\w@%+=:,./-]+\Z", re.ASCII)
PLAIN, SINGLE, DOUBLE, BACKTICK, COMMENT = "", "'", '"', "`", "#"


class _Shell:
    """Follows the quotes of a POSIX shell through a text."""

    def __init__(self) -> None:
        self.stack = [PLAIN]
        self.word = False
        """Whether something of the word at hand came before."""
        self.document = False
        """Whether a here-document has begun: its lines are quoted by other rules."""
        self._parens = [0]
        self._escaped = False
        self._before = ""

    @property
    def place(self) -> str:
        """Where the text ends: in which quotes."""
        return self.stack[-1]

    def take(self, text: str) -> None:
        """Go on with more text."""
        for letter in text:
            self._take(letter)

    def value(self) -> None:
        """Go on over a value, which is quoted for itself."""
        self.word, self._before, self._escaped = True, "", False

    def _take(self, letter: str) -> None:
        before, self._before = self._before, letter
        if self._escaped:
            self._escaped, self._before, self.word = False, "", True
            return
        place = self.stack[-1]
        if place == COMMENT:
            if letter == "\n":
                self.stack.pop()
                self.word = False
        elif place == SINGLE:
            if letter == "'":
                self.stack.pop()
        elif letter == "\\":
            self._escaped = True
        elif place == DOUBLE and letter == '"':
            self.stack.pop()
        elif letter == "(" and before == "$":
            self.stack.append(PLAIN)
            self._parens.append(0)
            self.word = False
        elif letter == BACKTICK:
            self.stack.pop() if place == BACKTICK else self.stack.append(BACKTICK)
        elif place in (PLAIN, BACKTICK):
            self._plain(letter, before)

    def _plain(self, letter: str, before: str) -> None:
        if letter in "'\"":
            self.stack.append(letter)
            self.word = True
        elif letter == "#" and not self.word:
            self.stack.append(COMMENT)
        elif letter == "<" and before == "<":
            self.document = True
        elif letter == "(":
            self._parens[-1] += 1
            self.word = False
        elif letter == ")":
            if self._parens[-1]:
                self._parens[-1] -= 1
            elif len(self.stack) > 1:
                self.stack.pop()
                self._parens.pop()
                self.word = True
                return
            self.word = False
        else:
            self.word = not (letter.isspace() or letter in ";&|<>")


def fill(command: str, values: Mapping[str, str]) -> str:
    """Put values into a command.

    Parameters
    ----------
    command : str
        With ``{name}`` where a value goes; ``{{`` and ``}}`` are braces, as in :meth:`str.format`.
    values : Mapping

    Raises
    ------
    UsageError
        If a place cannot be filled safely, a name has no value, or a value holds a NUL, which no argument can.
    """
    made: list[str] = []
    shell = _Shell()
    for literal, name, spec, conversion in _parts(command):
        made.append(literal)
        shell.take(literal)
        if name is None:
            continue
        if spec or conversion or not re.fullmatch(r"[^.\[\]{}!:]+", name):
            raise UsageError(f"the place {{{name}}} must be a parameter's name alone. Other braces are written {{{{ and }}}}")
        if name not in values:
            raise UsageError(f"the place {{{name}}} has no parameter of that name. Other braces are written {{{{ and }}}}")
        made.append(_placed(values[name], name, shell))
        shell.value()
    return "".join(made)


def places(command: str) -> list[str]:
    """Return the names in a command; every place is checked as in :func:`fill`."""
    names = [name for _, name, _, _ in _parts(command) if name is not None]
    fill(command, dict.fromkeys(names, "$"))
    return names


def quoted(value: str, name: str) -> str:
    """Quote a value that stands free.

    Raises
    ------
    UsageError
        If it holds a NUL.
    """
    if "\0" in value:
        raise UsageError(f"The parameter {name!r} holds a NUL character, which no argument of a program can.")
    return shlex.quote(value)


def _parts(command: str) -> list[tuple[str, str | None, str | None, str | None]]:
    try:
        return list(string.Formatter().parse(command))
    except ValueError as error:
        raise UsageError(f"the braces cannot be read: {error}. Write braces that are no places as {{{{ and }}}}") from None


def _placed(value: str, name: str, shell: _Shell) -> str:
    text = quoted(value, name)
    if shell.document:
        raise UsageError(
            f"the place {{{name}}} follows a here-document (<<), where values cannot be quoted. Pass it as an argument"
        )
    if shell.place in (BACKTICK, COMMENT) or BACKTICK in shell.stack:
        where = "a comment" if shell.place == COMMENT else "backquotes: write $(…)"
        raise UsageError(f"the place {{{name}}} is in {where}, where values cannot be quoted safely")
    if shell.place == PLAIN or (value and _SAFE.match(value)):
        return text
    return f"{shell.place}{text}{shell.place}"
