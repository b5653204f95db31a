"""Readers of documents that anybody may have written: what has the right shape is taken, within bounds, and the rest is left.

Each reader returns a value that fits, or None.

>>> fields({"name": words, "size": whole})({"name": "model.pkl", "size": "big", "more": 1})
{'name': 'model.pkl'}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

MAX_TEXT = 500

Reader = Callable[[Any], Any]


def words(value: Any) -> str | None:
    """Take a text, cut to `MAX_TEXT` characters."""
    return value[:MAX_TEXT] if isinstance(value, str) else None


def whole(value: Any) -> int | None:
    """Take a whole number that is not negative and that a page can count with."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else None


def one_of(*known: str) -> Reader:
    """Return a reader of one of some words."""
    return lambda value: value if isinstance(value, str) and value in known else None


def list_of(reader: Reader, most: int) -> Reader:
    """Return a reader of a list; what does not fit is left out."""
    return lambda value: (
        [each for item in value[:most] if (each := reader(item)) is not None] if isinstance(value, list) else None
    )


def fields(readers: Mapping[str, Reader]) -> Reader:
    """Return a reader of an object: of the fields that are known, those that fit, in the order of `readers`."""

    def read(value: Any) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            return None
        found = {name: reader(value[name]) for name, reader in readers.items() if name in value}
        return {name: each for name, each in found.items() if each is not None}

    return read


def text_map(most: int) -> Reader:
    """Return a reader of an object of texts."""
    return lambda value: (
        {str(name)[:MAX_TEXT]: each[:MAX_TEXT] for name, each in list(value.items())[:most] if isinstance(each, str)}
        if isinstance(value, dict)
        else None
    )
