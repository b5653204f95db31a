"""Page tokens are MLflow's form, and nonsense is refused."""

from __future__ import annotations

import base64
import json

import pytest

from runfolio.errors import UsageError
from runfolio.query import decode_token, encode_token


def test_token_comes_back() -> None:
    assert decode_token(encode_token(12_345)) == 12_345
    assert json.loads(base64.b64decode(encode_token(7))) == {"offset": 7}


def test_no_token_is_the_first_page() -> None:
    assert decode_token(None) == decode_token("") == 0


@pytest.mark.parametrize(
    "text",
    ["x", "%%%%", "é", *(base64.b64encode(raw).decode() for raw in (b"7", b"{}", b'{"offset": -1}', b'{"offset": 1.5}', b'{"offset": true}', b"[" * 9999))],
)  # fmt: skip
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="Invalid page token"):
        decode_token(text)
