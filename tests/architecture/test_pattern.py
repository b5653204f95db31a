"""Patterns that are compiled when they are first used do what compiled ones do."""

from __future__ import annotations

import re

import pytest

from runfolio._pattern import pattern


def test_a_pattern_does_what_a_compiled_one_does() -> None:
    ours, theirs = pattern(r"(?P<word>[a-z]+)", re.IGNORECASE), re.compile(r"(?P<word>[a-z]+)", re.IGNORECASE)
    text = "One, two"
    assert ours.findall(text) == theirs.findall(text) and ours.split(text) == theirs.split(text)
    assert ours.sub("x", text) == theirs.sub("x", text) and ours.subn("x", text, 1) == theirs.subn("x", text, 1)
    assert [found["word"] for found in ours.finditer(text)] == ["One", "two"]
    for verb in ("match", "search", "fullmatch"):
        assert bool(getattr(ours, verb)(text, 3)) == bool(getattr(theirs, verb)(text, 3))
    assert (ours.pattern, ours.flags, ours.groups) == (theirs.pattern, theirs.flags, theirs.groups)
    assert pattern(rb"a+").match(b"aab").group() == b"aa"  # type: ignore[union-attr]


def test_a_pattern_is_compiled_at_its_first_use() -> None:
    wrong = pattern("(")
    with pytest.raises(re.error):
        wrong.match("")
