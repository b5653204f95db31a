"""review/marks.py: whatever others wrote, a host makes nothing of it, and people see what it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runfolio.records.visible import visible
from runfolio.review.marks import cell, code, label, marker_value, plain, shorten
from tests.review.hosts_markdown import other_html, read

NASTY = st.text(alphabet=st.sampled_from("`|\\@#!*_~[]()<>&:/.- \n\r\tabw19\u202e\u200bé"), max_size=40)
ANY = st.one_of(NASTY, st.text(max_size=40))
ACTING = [
    "@team", "#12", "!12", "GH-12", "owner/repo#3", "0123456789abcdef0123456789abcdef01234567", "deadbeef", "https://evil.example",
    "www.evil.example", "a@evil.example", "<img src=x>", "<!-- runfolio:review -->", "</details>", "[a](http://x)", "![a](http://x)",
    "**bold**", "~~x~~", "| a | b |", "`", "```", "``` mermaid", "$x$", ":smile:", "- [ ] x", "# x", "> x", "a\\|b", "\\", "`a|b`", "\u202eabc",
    "&lt;", "&#64;team", "\\`@team", "x`@team`x", "</sub>", "/approve", "$`x`$",
]  # fmt: skip


@given(ANY)
@example("a`b``c")
@example("`")
@example(" x ")
@example("  ")
def test_a_code_span_shows_the_text_and_nothing_else(text: str) -> None:
    seen = read(f"before {code(text, 1000)} after")
    shown = visible(text)
    assert seen.outside_text.split() == ["before", *([] if shown.strip(" ") else ["blank" if shown else "empty"]), "after"]
    assert seen.links == seen.strange == []
    assert seen.images == 0
    assert seen.codes == ([shown] if shown.strip(" ") else [])


@given(ANY)
@example("a\\|b")
@example("\\\\|")
@example("a\\")
@example("|")
def test_a_cell_never_ends_its_cell(text: str) -> None:
    table = f"| a | b |\n|---|---|\n| {cell(text, 1000)} | END |\n"
    (others,) = read(table, other_html).tables
    assert [row[1] for row in others] == ["b", "END"]
    seen = read(table)
    (rows,) = seen.tables
    assert [len(row) for row in rows] == [2, 2]
    assert rows[1][1] == "END"
    shown = visible(text) if visible(text).strip(" ") else "blank" if visible(text) else "empty"
    assert rows[1][0].strip() == re.sub(r"(?<=\\)\|", r"\\u007c", shown).strip()
    assert seen.links == seen.strange == []


@pytest.mark.parametrize("text", ACTING)
@pytest.mark.parametrize("around", ["{}", "see {}", "{}, and", "a {} b.", "({})"])
def test_a_message_keeps_its_words_and_nothing_in_it_acts(text: str, around: str) -> None:
    said = around.format(text)
    for seen in (read(f"- {plain(said)}"), read(f"|a|b|\n|---|---|\n|{plain(said, mark=cell)}|END|")):
        assert seen.links == seen.strange == []
        assert seen.images == 0
        assert not re.search(r"[@#!<>\[\]*~|$]|GH-|www|deadbeef|0123", seen.outside_text.replace("\n", ""))
    assert read(f"|a|b|\n|---|---|\n|{plain(said, mark=cell)}|END|").tables[0][1][1] == "END"


@given(ANY)
def test_no_message_makes_a_link_or_a_tag(text: str) -> None:
    seen = read(f"said: {plain(text)}")
    assert seen.links == seen.strange == seen.comments == []
    assert seen.images == 0
    assert "@" not in seen.outside_text


def test_words_and_numbers_of_a_message_stay_words() -> None:
    assert plain("accuracy is 0.97, at least 0.95 is asked") == "accuracy is 0.97, at least 0.95 is asked"
    assert plain("log_loss of @a and @b, twice.") == "`log_loss` of `@a` and `@b`, twice."
    assert plain("within noise (95 %: -0.01 to 0.02)") == "within noise (95 %: -0.01 to 0.02)"


@pytest.mark.parametrize(("most", "shown"), [(3, "abc… (+3)"), (6, "abcdef"), (100, "abcdef")])
def test_what_is_cut_is_counted(most: int, shown: str) -> None:
    assert shorten("abcdef", most) == shown
    assert code("abcdef", most) == f"`{shown}`"


def test_a_long_message_is_cut_and_counted() -> None:
    assert plain("word " * 100, 19) == "word word word word… (+481)"


@given(ANY)
def test_a_label_is_letters_digits_and_little_else(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9 ._-]{0,20}", label(text))


@given(ANY)
@example("--> -->")
def test_a_marker_value_cannot_end_the_comment(text: str) -> None:
    value = marker_value(text)
    assert re.fullmatch(r"[A-Za-z0-9._/%-]*", value)
    assert "--" not in value
    assert read(f"<!-- runfolio:review project={value} -->\ntext").comments == [f" runfolio:review project={value} "]
