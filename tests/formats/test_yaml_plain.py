"""formats/yaml_plain.py: what is read without the YAML library is read as the library reads it, and told where it stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runfolio.errors import DamagedError
from runfolio.formats.settings import decode_settings, initial_settings
from runfolio.formats.yaml import _parsed, load_yaml, read_yaml
from runfolio.formats.yaml_plain import plain_places, read_plain

KEYS = [
    "a",
    "b",
    "when",
    "a-b",
    "_x",
    "null",
    "True",
    "y",
    "No",
    "1a",
    "a b",
    "<<",
    "-",
    "'a'",
    "k" * 100,
    "k" * 101,
    "",
    "é",
    "a:b",
    "#a",
    "?",
]
WORDS = [
    "auto", "a", "null", "Null", "~", "true", "TRUE", "no", "0", "7", "007", "-7", "1" * 18, "1" * 19, "1.5", "1e3", "0x1F", "12:30", ".inf", "x.inf",
    "2026-11-23T10:00:00.000Z", "2026-11-23", "s3://bucket/a-b_c", "a:", ":a", "a:b", "a#b", "#", "# c", "- x", "-", "--- a", "...", "---", "[a]", "{}",
    "'a'", '"a"', "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", "a,b", "a, b", "a]", "a\\b", "é", "", " ", "\t", "a\t", "a: b", "? a", "a ?", "a.",
]  # fmt: skip
lines = st.one_of(
    st.builds(
        lambda depth, key, sign, words, end: " " * depth + key + sign + " ".join(words) + end,
        st.integers(0, 5), st.sampled_from(KEYS), st.sampled_from([": ", ":", ":  ", " : ", ":\t"]), st.lists(st.sampled_from(WORDS), max_size=3),
        st.sampled_from(["", " ", "  # end", "\r"]),
    ),
    st.builds(lambda depth, key, word: f"{' ' * depth}{key}: {word}", st.sampled_from([0, 2, 4]), st.sampled_from("abcd"), st.sampled_from(WORDS[:24])),
    st.builds(lambda depth, key: f"{' ' * depth}{key}:", st.sampled_from([0, 2, 4]), st.sampled_from("abcd")),
    st.sampled_from(["", " ", "# a", "  # a", "\t# a", "- a", "  - a", "word", "  word", "---", "...", "a: b: c", "%YAML 1.2", "\t", "? a", ": a"]),
)  # fmt: skip


@settings(max_examples=1500)
@given(st.lists(lines, max_size=7).map("\n".join))
@example("a:\n  b: 1\n c: 2\n")
@example("a: b\n  c: d\n")
@example("a:\n# c\n  b: 1\n")
@example("a: b\n# c\n  d\n")
@example("# of\n  # it\n\na:\n  b:\n\n    c: 1\n    d: two words\n# e\nf: null")
def test_what_is_read_here_is_what_the_library_reads(text: str) -> None:
    found = read_plain(text)
    if found is not None:
        said = _parsed(text, "f")
        assert found == said.value
        assert repr(found) == repr(said.value)  # 1 is not true
        assert plain_places(text) == said.places


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", {}), ("# only\n", {}), ("a: 1\n", {"a": 1}), ("a: null\nb: true\nc: false\n", {"a": None, "b": True, "c": False}),
        ("a:\n    b:\n      c: two words\n    d: x\ne: 0\n", {"a": {"b": {"c": "two words"}, "d": "x"}, "e": 0}),
        ("artifacts: s3://bucket/folder\n", {"artifacts": "s3://bucket/folder"}), ("a: no\nb: v1.2\n", {"a": "no", "b": "v1.2"}),
        ("created: 2026-11-23T10:00:00.000Z\n", {"created": "2026-11-23T10:00:00.000Z"}),
    ],
)  # fmt: skip
def test_plain_texts_are_read_here(text: str, value: object) -> None:
    assert read_plain(text) == value == _parsed(text, "f").value


@pytest.mark.parametrize(
    "text", ["a: [1]", "a: 'b'", "a: 1.5", "a: b # c", "a:", "a: 1\na: 2", " a: 1", "a: 007", "a:\nb: 1", "a: b:", "- a", "a"]
)
def test_the_rest_is_left_to_the_library(text: str) -> None:
    assert read_plain(text) is None


def test_our_own_settings_are_plain() -> None:
    text = initial_settings(artifacts=None, branch="ledger").decode()
    assert read_plain(text) == _parsed(text, "f").value


def test_places_are_known_when_they_are_asked_for() -> None:
    text = b"schema: 1\n# why\ncommit:\n  when: auto\n"
    assert dict(read_yaml(text, "f").places) == _parsed(text.decode(), "f").places
    assert read_yaml(text, "f").line(("commit", "when")) == 4
    with pytest.raises(DamagedError, match=r"runfolio\.yaml: line 2: durability: "):
        decode_settings(b"schema: 1\ndurability: sometimes\n", "runfolio.yaml")


def test_plain_settings_load_no_library(tmp_path: Path) -> None:
    code = (
        "import sys; from runfolio.formats.yaml import load_yaml; print(load_yaml(b'schema: 1\\n', 'f'), 'yaml' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout == "{'schema': 1} False\n"
    assert load_yaml(b"schema: [1]\n", "f") == {"schema": [1]}
