"""GitHub's expressions, as far as workflows of ours use them; anything else is an error, not a guess.

Contract (docs.github.com, "Evaluate expressions in workflows and actions"): a property that is not there is the empty string; ``==``
ignores the case of texts; ``&&`` and ``||`` return one of their sides; an ``if`` without a status function means ``success() && (…)``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>==|!=|&&|\|\||[!().,\[\]*]))"
)
_STATUS = re.compile(r"\b(?:success|failure|cancelled|always)\s*\(")
_EMBEDDED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_CONSTANTS = {"true": True, "false": False, "null": None}


class _Parser:
    def __init__(self, text: str, context: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        text = text.strip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"not understood: {text[at:]!r} in {text!r}")
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        self._context, self._functions, self._at = context, functions, 0

    def whole(self) -> Any:
        value = self._either()
        if self._at != len(self._tokens):
            raise ValueError(f"not understood: {self._tokens[self._at :]}")
        return value

    def _next(self, *signs: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] in [("sign", sign) for sign in signs]:
            self._at += 1
            return True
        return False

    def _either(self) -> Any:
        value = self._both()
        while self._next("||"):
            other = self._both()
            value = value if _true(value) else other
        return value

    def _both(self) -> Any:
        value = self._compared()
        while self._next("&&"):
            other = self._compared()
            value = other if _true(value) else value
        return value

    def _compared(self) -> Any:
        value = self._unary()
        while True:
            if self._next("=="):
                value = _same(value, self._unary())
            elif self._next("!="):
                value = not _same(value, self._unary())
            else:
                return value

    def _unary(self) -> Any:
        return not _true(self._unary()) if self._next("!") else self._primary()

    def _primary(self) -> Any:
        if self._next("("):
            value = self._either()
            if not self._next(")"):
                raise ValueError("a parenthesis is not closed")
            return value
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text)
        if kind != "name":
            raise ValueError(f"not understood: {text!r}")
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if self._next("("):
            return self._call(text)
        if text not in self._context:
            raise ValueError(f"there is no context {text!r}")
        value = self._context[text]
        while self._next("."):
            _, name = self._tokens[self._at]
            self._at += 1
            value = value.get(name, "") if isinstance(value, Mapping) else ""
        return value

    def _call(self, name: str) -> Any:
        arguments = []
        while not self._next(")"):
            arguments.append(self._either())
            self._next(",")
        return self._functions[name](*arguments)


def _true(value: Any) -> bool:
    return value not in (False, None, "", 0)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    return one == other


def evaluate(text: str, context: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] | None = None) -> Any:
    """Return the value of an expression."""
    known = {
        "contains": lambda whole, part: part.lower() in whole.lower() if isinstance(whole, str) else part in whole,
        "startsWith": lambda whole, part: whole.lower().startswith(part.lower()),
        "format": lambda text, *values: re.sub(r"\{(\d+)\}", lambda match: spell(values[int(match[1])]), text),
        "toJSON": lambda value: json.dumps(value, indent=2),
        "matches": fnmatchcase,
    }
    return _Parser(text, context, {**known, **(functions or {})}).whole()


def spell(value: Any) -> str:
    """Return a value as it stands in a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def fill(text: Any, context: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] | None = None) -> str:
    """Return a text with its embedded expressions replaced."""
    return _EMBEDDED.sub(lambda match: spell(evaluate(match[1], context, functions)), spell(text))


def holds(
    condition: Any, context: Mapping[str, Any], *, failed: bool, functions: Mapping[str, Callable[..., Any]] | None = None
) -> bool:
    """Tell whether a step or job runs."""
    text = spell(True if condition is None else condition).strip()
    whole = re.fullmatch(r"\$\{\{(.*)\}\}", text, re.DOTALL)
    text = whole[1] if whole else text
    status = {"success": lambda: not failed, "failure": lambda: failed, "cancelled": lambda: False, "always": lambda: True}
    value = _true(evaluate(text, context, {**status, **(functions or {})}))
    return value if _STATUS.search(text) else value and not failed
