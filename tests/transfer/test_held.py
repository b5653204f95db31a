"""Runs that are held whole: their last values; links do not leave what is imported."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from runfolio.transfer.folders import files_below
from runfolio.transfer.held import Series


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
