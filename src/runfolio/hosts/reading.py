"""Fields of a host's JSON: what is not as documented is an error in words."""

from __future__ import annotations

from typing import Any, TypeVar

from runfolio.errors import RemoteError

_Kind = TypeVar("_Kind", str, int, dict, list)  # type: ignore[type-arg]


def need(said: Any, kind: type[_Kind], *keys: str) -> _Kind:
    """Return a field of an answer.

    Parameters
    ----------
    said : Any
        Parsed JSON.
    kind : type
    *keys : str
        The way to it.

    Raises
    ------
    RemoteError
        If it is not there, or is something else.

    Examples
    --------
    >>> need({"user": {"login": "ada"}}, str, "user", "login")
    'ada'
    """
    found = said
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, kind) or isinstance(found, bool):
        where = ".".join(keys) or "the whole of it"
        raise RemoteError(
            f"The git host's answer is not as documented: {where} is no {kind.__name__}. Is this the API's address?"
        )
    return found


def text(said: Any, *keys: str) -> str:
    """Return a text of an answer; empty where there is none.

    Examples
    --------
    >>> text({"user": None}, "user", "login")
    ''
    """
    found = said
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""
