"""The tags of a run, read from its journal without its points: those that the whole journal says."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from runfolio.journal import RunState, Spool
from runfolio.journal.events import encode_event, encode_key, encode_point, encode_text
from runfolio.journal.tags import first_tags

KEYS = ("a", "b", '["t","trap","x"]', "ü\n")
CUT = (0, 5, 9, 17)


def lines(pick: random.Random) -> list[bytes]:
    key, value = pick.choice(KEYS), pick.choice(("1", '["-t","a"]', "two\nlines"))
    made = pick.choice(
        [
            encode_text("t", key, value), encode_text("p", key, value), encode_event("-t", key), encode_event("n", value),
            encode_point(encode_key(key), pick.random(), 5, 1),
        ]
    )  # fmt: skip
    return [made[: pick.choice(CUT)] + made] if pick.random() < 0.2 else [made]


@pytest.mark.parametrize("seed", range(60))
def test_tags_are_those_that_the_whole_journal_says(tmp_path: Path, seed: int) -> None:
    pick = random.Random(seed)
    path = tmp_path / "journal"
    opened = encode_event("open", {"run_id": "0" * 32, "experiment": "e", "start": 1, "name": "n", "tags": {"a": "0", "c": "3"}})
    events = [opened, *(each for _ in range(pick.randint(0, 30)) for each in lines(pick)), pick.choice((b"", b'["t","a","torn'))]
    path.write_bytes(b"".join(events))
    assert first_tags(path) == dict(RunState(path).refresh().run().tags)


@pytest.mark.parametrize("data", [b"", b'["open",{"run_id":', b'["open",{"amend":true}]\n["t","a","1"]\n', b'["t","a","1"]\n'])
def test_what_is_no_first_journal_says_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "journal").write_bytes(data)
    assert first_tags(tmp_path / "journal") is None


def test_of_several_journals_or_none_nothing_is_said(tmp_path: Path) -> None:
    spool, run_id = Spool(tmp_path, "process"), "0" * 32
    assert spool.first_tags(run_id) is None
    writers = [spool.create(run_id, {"tags": {"a": "1"}})]
    assert spool.first_tags(run_id) == {"a": "1"}
    writers.append(spool.create(run_id, {"amend": True}))
    assert spool.first_tags(run_id) is None
    for writer in writers:
        writer.close(durable=False)
