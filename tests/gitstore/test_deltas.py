"""gitstore/deltas.py: a file told by another one is the file."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runfolio.gitstore.deltas import Deltas, Likeness
from runfolio.gitstore.packs import _patched

PIECES = st.lists(
    st.sampled_from(
        [b'\n  "', b"a", b'\n  "a": 1', b'\n  "b": {\n    "c": 2\n  }', b"{", b"\n", b"x" * 127, b"y" * 128, b"z" * 300, b""]
    ),
    max_size=14,
).map(b"".join)


@given(before=PIECES, after=PIECES)
def test_a_delta_makes_the_file_of_the_other(before: bytes, after: bytes) -> None:
    assert _patched(before, Likeness(before).delta(after)) == after


def record(number: int) -> bytes:
    return b'{\n  "code": {\n    "commit": "%s"\n  },\n  "n": %d,\n  "tags": {\n    "a": "b"\n  }\n}\n' % (b"c" * 40, number)


def test_alike_files_are_told_by_one_of_their_ending_that_is_whole() -> None:
    deltas, whole = Deltas(), dict[str, bytes]()
    for number in range(120):
        oid, ending = f"{number}", (b"json", b"series.json")[number % 2]
        content = record(number) + b"s" * 40 * (number % 2)
        found = deltas.find(ending, oid, content)
        if found is None:
            whole[oid] = content
        else:
            assert found[0] in whole and int(found[0]) % 2 == number % 2
            assert _patched(whole[found[0]], found[1]) == content
            assert len(found[1]) < len(content) / 2
    assert list(whole) == ["0", "1", "102", "103"]


def test_what_is_not_alike_or_is_large_is_whole() -> None:
    deltas = Deltas()
    assert deltas.find(b"json", "1", record(1)) is None
    assert deltas.find(b"json", "2", b"other things" * 20) is None
    assert deltas.find(b"json", "3", record(3) + b"x" * 64 * 1024) is None
    assert deltas.find(b"json", "4", record(4)) is not None
