"""Page tokens: where the next page starts, as base64 of JSON, the form that MLflow's clients pass on unread."""

from __future__ import annotations

import base64
import binascii
import json

from runfolio.errors import UsageError


def encode_token(offset: int) -> str:
    """Spell the token of the page that starts at `offset`.

    >>> encode_token(100)
    'eyJvZmZzZXQiOiAxMDB9'
    """
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()


def decode_token(text: str | None) -> int:
    """Read a page token; None and the empty text are the first page.

    Raises
    ------
    UsageError
        If it is not one that :func:`encode_token` made.
    """
    if not text:
        return 0
    try:
        value = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        value = None
    offset = value.get("offset") if isinstance(value, dict) else None
    if type(offset) is not int or not 0 <= offset < 2**63:
        raise UsageError(
            f"Invalid page token {text!r}. Pass on the token of the page before unchanged, or none for the first page."
        )
    return offset
