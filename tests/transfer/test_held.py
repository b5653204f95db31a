"""Runs that are held whole: names that a folio refuses can be told back, links do not leave what is imported."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.records.names import check_key
from runfolio.transfer.folders import files_below
from runfolio.transfer.held import NAMES_FILE, NAMES_TAG, Draft, Series, spelled_key
from runfolio.transfer.plain import PlainSource


@given(st.lists(st.text(max_size=300), min_size=1, max_size=6, unique=True))
def test_any_names_are_allowed_ones_here_distinct_and_told_back(keys: list[str]) -> None:
    source = PlainSource("tool", "somewhere")
    draft = Draft(source, "r1", "e1", "there")
    for at, key in enumerate(keys):
        draft.param(key, at)
        draft.point(key, at, 0, 0)
    held = draft.held("FINISHED", 0, 1)
    assert len(held.run.params) == len(held.run.metrics) == len(keys)
    for kind in (held.run.params, held.run.metrics):
        assert all(check_key(key, "name") == key for key in kind)
    told = held.run.tags.get(NAMES_TAG) or bytes(held.files.get(NAMES_FILE, b"{}")).decode()  # type: ignore[arg-type]
    there = json.loads(told).get("params", {})
    assert {there.get(here, here): int(value) for here, value in held.run.params.items()} == {
        key: at for at, key in enumerate(keys)
    }
    assert len(list(source.unread(set(), whole=True))) == 2 * sum(spelled_key(key) != key for key in keys) + 2 * _fallen(keys)


def _fallen(keys: list[str]) -> int:
    """Return how many allowed names were taken by the spelling of an earlier one."""
    seen: set[str] = set()
    number = 0
    for key in keys:
        number += spelled_key(key) == key and key in seen
        seen.add(spelled_key(key))
    return number


def test_the_last_value_is_that_of_the_highest_step() -> None:
    series = Series()
    for value, at, step in ((1.0, 5, 0), (2.0, 6, 9), (math.nan, 9, 3), (3.0, 6, 9)):
        series.add(value, at, step)
    assert series.last() == 3.0 and len(series) == 4 and series[1].step == 9 and [item.step for item in series[2:]] == [3, 9]


@pytest.mark.parametrize("kind", ["inside", "outside", "gone", "folder", "loop"])
def test_a_link_is_followed_only_into_what_is_imported(tmp_path: Path, kind: str) -> None:
    root, other = tmp_path / "project", tmp_path / "other"
    (root / "files" / "deep").mkdir(parents=True)
    other.mkdir()
    for place in (root / "inside.txt", other / "outside.txt"):
        place.write_text("text")
    (root / "files" / "deep" / "plain.txt").write_text("plain")
    link = root / "files" / "link"
    link.symlink_to({
        "inside": root / "inside.txt", "outside": other / "outside.txt", "gone": root / "none", "folder": other, "loop": link,
    }[kind])  # fmt: skip
    refused: list[str] = []
    found = dict(files_below(root / "files", [root], lambda place, why: refused.append(f"{place.name}: {why}")))
    assert set(found) == {"deep/plain.txt", *(["link"] if kind == "inside" else [])}
    assert len(refused) == (kind != "inside") and all(text.startswith("link: ") for text in refused)
