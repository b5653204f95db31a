"""What is looked for before a token's pattern misses no token."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.records.secrets import HEADER, PEM, TOKENS, URL_USER, possible_tokens


@pytest.mark.parametrize("number", range(len(TOKENS)), ids=[name for name, _ in TOKENS])
@given(st.data())
def test_a_text_with_a_token_can_hold_it(number: int, data: st.DataObject) -> None:
    token = TOKENS[number]
    text = data.draw(st.from_regex(re.compile(token[1].pattern)))
    assert token in list(possible_tokens(text))


@given(st.from_regex(re.compile(HEADER.pattern, HEADER.flags)))
def test_a_text_with_a_header_has_its_letters(text: str) -> None:
    assert "author" in text.lower() or "bearer" in text.lower()


@given(st.from_regex(re.compile(PEM.pattern, PEM.flags)), st.from_regex(re.compile(URL_USER.pattern)))
def test_a_key_and_a_url_have_their_signs(key: str, url: str) -> None:
    assert "-----BEGIN " in key and "://" in url


def test_a_plain_text_can_hold_none() -> None:
    assert list(possible_tokens("train.py --epochs 10 data/wine.csv")) == []
