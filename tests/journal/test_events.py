"""Events read many at once are those that are read one by one, wherever the writing was cut off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.journal.events import decode_event, decode_events, encode_event, encode_key, encode_point

texts = st.text(max_size=12) | st.sampled_from(['"],["p","a","b"]', "]", '["', '\\"', ",[", "\ud800"])
events = st.one_of(
    st.builds(lambda key, value: encode_event("p", key, value), texts, texts),
    st.builds(lambda key, value: encode_point(encode_key(key), value, 1, 2), st.from_regex(r"[\w/ .-]+\Z"), st.floats()),
    st.builds(lambda key, value: encode_event("open", {key: [value, {"in": [key]}]}), texts, texts),
    st.just(encode_event("detach")),
).map(lambda line: line[:-1])


@given(st.lists(events, max_size=6))
def test_whole_lines_are_read_in_one_call(lines: list[bytes]) -> None:
    assert repr(decode_events(lines)) == repr([decode_event(line) for line in lines])


@given(st.lists(events, min_size=1, max_size=6), st.data())
def test_a_line_that_was_cut_off_joins_with_no_other(lines: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(lines) - 1))
    cut = data.draw(st.integers(1, len(lines[place]) - 1))
    behind = data.draw(st.just(b"") | events)
    torn = [*lines[:place], lines[place][:cut] + behind, *lines[place + 1 :]]
    one_by_one = [decode_event(line) for line in torn]
    found = decode_events(torn)
    assert found is None if None in one_by_one else repr(found) == repr(one_by_one)


@pytest.mark.parametrize(
    "lines", [[b'["p"', b'"a","b"]'], [b'["p"],["q"]', b'["x"]'], [b"[1]"], [b"[]"], [b'{"p": 1}'], [b"nothing"]]
)
def test_what_is_no_list_of_events_is_left_to_the_slow_way(lines: list[bytes]) -> None:
    assert decode_events(lines) is None
