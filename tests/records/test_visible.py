"""records/visible.py and records/times.py: what people see of text and of moments."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.formats.canonical import dump
from runfolio.records.times import read_utc_text, utc_text
from runfolio.records.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("café 😀 日本", "café 😀 日本"),
        ("two\nlines\r\n\r\nthree\n", "two lines three"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("\u202eevil", "\\u202eevil"),
        ("a\u200bb", "a\\u200bb"),
        ("\ufeffbom", "\\ufeffbom"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("soft\u00adhyphen", "soft\\u00adhyphen"),
        ("\u0600", "\\u0600"),
        ("tab\there", "tab\\u0009here"),
        ("�", "�"),
    ],
)
def test_invisible_characters_are_spelled(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters()))
def test_visible_text_has_no_control_format_or_line_characters(text: str) -> None:
    shown = visible(text)
    assert not {unicodedata.category(letter) for letter in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert visible(shown) == shown


def test_all_that_the_canonical_spelling_escapes_is_invisible_here() -> None:
    letters = [chr(code) for code in [*range(0x20, 0xD800), *range(0xE000, 0xE1000)]]
    escaped = [letter for letter in letters if letter not in '"\\' and letter.encode() not in dump({"k": letter})]
    assert escaped and all(visible(f"x{letter}x") != f"x{letter}x" for letter in escaped)


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999) | st.integers())
def test_moments_read_back(at: int) -> None:
    if abs(at) < 10**30:
        assert read_utc_text(utc_text(at)) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T07:00:00.5+07:00", 500),
        ("1970-01-01 00:00:01.000Z", 1000),
        ("2026-11-23T10:00:00.000Z", 1795428000000),
    ],
)
def test_moments_that_people_write_are_read(text: str, at: int) -> None:
    assert read_utc_text(text) == at


@pytest.mark.parametrize(
    "text", ["", "2026-11-23", "2026-11-23T10:00:00", "2026-13-01T00:00:00Z", "now", "2026-11-23T25:00:00Z", "@ms"]
)
def test_other_text_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        read_utc_text(text)
