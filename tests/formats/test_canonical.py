"""formats/canonical.py: the one spelling."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import DamagedError
from runfolio.formats.canonical import MAX_RECORD_BYTES, dump, load, read_number, spell_number
from tests.strategies import json_values, texts

GOOD = dump({"a": [1, {"x": "é\u202e"}], "b": {"k": 0.5}, "c": "text"})


@given(st.dictionaries(texts, json_values, max_size=5))
def test_what_is_written_reads_back_and_is_written_the_same(record: dict[str, object]) -> None:
    data = dump(record)
    assert load(data, "f") == record
    assert dump(load(data, "f")) == data
    assert load(data, "f", trusted=True) == record


BORDERS = st.sampled_from(['}, "', "},", '"', "a", "}, ", "{}"])


@given(
    st.dictionaries(
        BORDERS,
        st.dictionaries(BORDERS, BORDERS | st.integers() | st.dictionaries(BORDERS, BORDERS, max_size=2), max_size=3),
        min_size=1,
        max_size=4,
    )
)
def test_entries_that_are_objects_are_one_a_line_whatever_their_texts(value: dict[str, dict[str, object]]) -> None:
    def spelled(item: object) -> str:
        return json.dumps(item, ensure_ascii=False, sort_keys=True)

    lines = ",\n".join(f"    {spelled(key)}: {spelled(value[key])}" for key in sorted(value))
    assert dump({"k": value}).decode() == f'{{\n  "k": {{\n{lines}\n  }}\n}}\n'


@given(st.text(st.characters(), max_size=5))
def test_no_invisible_character_is_in_the_bytes(text: str) -> None:
    data = dump({"k": text}).decode()
    assert all(letter not in data for letter in "\u202e\u200b\ufeff\u2028\x7f\x00\ufe0f")


def test_an_unpaired_surrogate_survives() -> None:
    assert load(dump({"k": "\udc80a"}), "f") == {"k": "\udc80a"}


BAD = {
    "empty": b"",
    "null": b"null\n",
    "list": b"[]\n",
    "duplicate key": b'{\n  "a": 1,\n  "a": 1\n}\n',
    "nested duplicate key": b'{\n  "a": {\n    "x": 1,\n    "x": 2\n  }\n}\n',
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "utf-16": GOOD.decode().encode("utf-16"),
    "latin-1": '{\n  "a": "é"\n}\n'.encode("latin-1"),
    "NaN literal": b'{\n  "a": NaN\n}\n',
    "Infinity literal": b'{\n  "a": -Infinity\n}\n',
    "1e400": b'{\n  "a": 1e400\n}\n',
    "1.50": b'{\n  "a": 1.50\n}\n',
    "a long whole number": b'{\n  "a": ' + b"9" * 5000 + b"\n}\n",
    "CRLF": GOOD.replace(b"\n", b"\r\n"),
    "no newline at the end": GOOD[:-1],
    "an empty line at the end": GOOD + b"\n",
    "trailing junk": GOOD + b"x",
    "two records": GOOD + GOOD,
    "NUL": GOOD + b"\x00",
    "reordered keys": b'{\n  "b": 1,\n  "a": 1\n}\n',
    "indentation": b'{"a": 1}\n',
    "raw bidi": '{\n  "a": "\u202e"\n}\n'.encode(),
    "needless escape": b'{\n  "a": "\\u0061"\n}\n',
    "upper-case escape": b'{\n  "a": "\\u202E"\n}\n',
    "deep nesting": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a comment": b'{\n  "a": 1 // one\n}\n',
    "conflict markers": b"<<<<<<< ours\n" + GOOD,
    "too large": b" " * (MAX_RECORD_BYTES + 1),
}


@pytest.mark.parametrize("name", BAD)
def test_other_spellings_are_refused_and_the_file_is_named(name: str) -> None:
    with pytest.raises(DamagedError, match=r"runs/x\.json"):
        load(BAD[name], "runs/x.json")


def test_a_record_torn_at_any_byte_is_refused() -> None:
    for end in range(len(GOOD)):
        with pytest.raises(DamagedError):
            load(GOOD[:end], "f")


def test_a_record_with_any_flipped_bit_is_refused_or_says_something_else() -> None:
    for index in range(len(GOOD)):
        for bit in range(8):
            bent = GOOD[:index] + bytes([GOOD[index] ^ (1 << bit)]) + GOOD[index + 1 :]
            try:
                assert dump(load(bent, "f")) == bent
            except DamagedError:
                continue


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_arbitrary_bytes_never_raise_anything_but_damaged(data: bytes) -> None:
    for trusted in (False, True):
        try:
            load(data, "f", trusted=trusted)
        except DamagedError:
            continue


@given(st.floats())
def test_numbers_keep_their_value_and_sign(value: float) -> None:
    assert repr(read_number(load(dump({"k": spell_number(value)}), "f")["k"])) == repr(value)


@pytest.mark.parametrize("value", ["nan", "inf", "1", True, None, [], {}])
def test_other_things_are_no_numbers(value: object) -> None:
    with pytest.raises(ValueError, match="number"):
        read_number(value)


def test_dump_refuses_nan() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        dump({"a": float("nan")})
