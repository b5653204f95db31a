"""The fast search for tokens finds what the slow one does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.records.secrets import TOKENS
from runfolio.site.tokens import tokens_in

SAMPLES = [
    "ghp_" + "a1B2" * 9, "github_pat_" + "A1b2_" * 6, "glpat-" + "x" * 16, "hf_" + "aB3d" * 8, "sk-ant-" + "a1-b2" * 5, "sk_live_" + "a1" * 12,
    "xoxb-0123456789", "AKIA" + "A1" * 8, "AIza" + "aB3_-" * 7, "ya29." + "a1" * 12, "dckr_pat_" + "a1" * 12, "SG." + "a" * 20 + "." + "b" * 30,
    "eyJ" + "a" * 12 + ".eyJ" + "b" * 9 + ".c",
]  # fmt: skip
pieces = st.sampled_from([*SAMPLES, " ", "\n", ".", "-", "_", "x", "/", "é", "0123456789abcdef", '"', "\\n", "="])


def slowly(text: str) -> set[str]:
    return {name for name, pattern in TOKENS if pattern.search(text)}


@pytest.mark.parametrize("token", SAMPLES)
def test_each_shape_is_found(token: str) -> None:
    assert tokens_in(f'{{"a": "{token}"}}')


@given(st.lists(pieces, max_size=8).map("".join))
def test_misses_nothing_that_every_pattern_at_every_letter_finds(text: str) -> None:
    assert set(tokens_in(text)) >= slowly(text)


def test_private_key_is_found_over_lines() -> None:
    assert tokens_in("x\n-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n") == ["a private key"]
