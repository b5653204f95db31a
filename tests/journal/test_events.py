"""Events read many at once are those that are read one by one, wherever the writing was cut off."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.journal import RunState
from runfolio.journal.events import decode_event, decode_events, encode_event, encode_key, encode_point
from runfolio.records.runs import ArtifactEntry, Digest

texts = st.text(max_size=12) | st.sampled_from(['"],["p","a","b"]', "]", '["', '\\"', ",[", "\ud800"])
events = st.one_of(
    st.builds(lambda key, value: encode_event("p", key, value), texts, texts),
    st.builds(lambda key, value: encode_point(encode_key(key), value, 1, 2), st.from_regex(r"[\w/ .-]+\Z"), st.floats()),
    st.builds(lambda key, value: encode_event("open", {key: [value, {"in": [key]}]}), texts, texts),
    st.just(encode_event("detach")),
).map(lambda line: line[:-1])


@given(st.lists(events, min_size=1, max_size=6))
def test_whole_lines_are_read_in_one_call(lines: list[bytes]) -> None:
    assert repr(decode_events(b"\n".join(lines))) == repr([decode_event(line) for line in lines])


@given(st.lists(events, min_size=1, max_size=6), st.data())
def test_a_line_that_was_cut_off_joins_with_no_other(lines: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(lines) - 1))
    cut = data.draw(st.integers(1, len(lines[place]) - 1))
    behind = data.draw(st.just(b"") | events)
    torn = [*lines[:place], lines[place][:cut] + behind, *lines[place + 1 :]]
    one_by_one = [decode_event(line) for line in torn]
    found = decode_events(b"\n".join(torn))
    assert found is None if None in one_by_one else repr(found) == repr(one_by_one)


@pytest.mark.parametrize(
    "lines",
    [
        [b'["p"', b'"a","b"]'],
        [b'["p"],["q"]', b'["x"]'],
        [b'["p"],[]', b'["x"', b'"y"]'],
        [b"[1]"],
        [b"[]"],
        [b'{"p": 1}'],
        [b"nothing"],
        [],
    ],
)
def test_what_is_no_list_of_events_is_left_to_the_slow_way(lines: list[bytes]) -> None:
    assert decode_events(b"\n".join(lines)) is None


DIGESTS = [f"sha256:{number:064x}" for number in range(4)]


def state_of(tmp_path: Path, *events: tuple[object, ...]) -> RunState:
    header = {"schema": 1, "run_id": "01a20af6586b7000ad3376d9e9ffcfe6", "experiment": "wine", "start": 1}
    journal = tmp_path / "run.jsonl"
    journal.write_bytes(b"".join(encode_event(*event) for event in (("open", header), *events)))
    return RunState(journal).refresh()


def test_a_copy_is_no_artifact_until_its_digest_is_told(tmp_path: Path) -> None:
    copy = ("copy", "a.bin", ".1.copy", 9)
    state = state_of(tmp_path, copy)
    assert state.run().artifacts == {}
    assert state.copies == {".1.copy": ("a.bin", 9)}
    state = state_of(tmp_path, copy, ("a", "a.bin", DIGESTS[0], 9, "", ".1.copy"))
    assert state.run().artifacts["a.bin"].digest == DIGESTS[0]
    assert state.copies == {}
    assert state_of(tmp_path, copy, ("-copy", ".1.copy")).copies == {}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_of_files_logged_under_one_path_the_last_counts_in_whatever_order_they_are_hashed(
    tmp_path: Path, order: list[int]
) -> None:
    copies = [("copy", "a.bin", f".{number}.copy", 9) for number in range(3)]
    digests = [("a", "a.bin", DIGESTS[number], 9, "", f".{number}.copy") for number in order]
    assert state_of(tmp_path, *copies, *digests).run().artifacts["a.bin"].digest == DIGESTS[2]
    at_once = ("a", "a.bin", DIGESTS[3], 9, "")
    assert state_of(tmp_path, *copies, at_once, *digests).run().artifacts["a.bin"].digest == DIGESTS[3]


def test_an_event_of_a_newer_runfolio_is_said_to_be_one(tmp_path: Path) -> None:
    assert state_of(tmp_path, ("later", 1), ("p", "a", "1")).run().notices == ("1 journal line of a newer runfolio skipped",)


def test_a_read_that_gives_less_than_was_asked_for_is_not_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = state_of(tmp_path, *(("p", f"p{number}", "1") for number in range(200)))
    read = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, at: read(fd, min(size, 7), at))
    assert RunState(whole.path).refresh().run() == whole.run()
    assert len(whole.run().params) == 200


def test_a_run_is_told_anew_when_its_journal_grew(tmp_path: Path) -> None:
    state = state_of(tmp_path, ("p", "a", "1"), ("copy", "m.bin", ".x.copy", 3))
    told = state.run()
    assert state.run() is told
    state.settle(".x.copy", ArtifactEntry(Digest(DIGESTS[0]), 3, ""))
    assert list(state.run().artifacts) == ["m.bin"]
    with open(state.path, "ab") as journal:
        journal.write(encode_event("p", "b", "2"))
    assert state.refresh().run().params == {"a": "1", "b": "2"}
