"""Datasets by digest: brought to their places for a run that is made again, or named; a changed row is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.reproduction.labs import TRAIN, WINE, Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    made = Lab(tmp_path / "lab", {"train.py": TRAIN, ".gitignore": "wine.csv\n"})
    made.write("wine.csv", WINE)
    made.cli("data", "add", "wine.csv")
    made.python("train.py", "4")
    return made


def test_the_content_of_the_time_is_brought_by_its_digest_whatever_lies_there_now(lab: Lab) -> None:
    lab.write("wine.csv", WINE.replace("2.5", "2.6"))
    made = lab.reproduce("d4-s0")
    assert made["verdict"] == "exact"
    assert list(made["data"]) == ["wine.csv"]
    assert (lab.root / "wine.csv").read_text() == WINE.replace("2.5", "2.6")
    facts = [fact for fact in lab.verify("d4-s0", "--read-data")["facts"] if fact["what"] == "data"]
    assert [fact["state"] for fact in facts] == ["ok"]


def test_one_changed_row_is_named_with_both_digests(lab: Lab) -> None:
    lab.write("wine.csv", WINE.replace("2.5", "2.6"))
    changed = lab.verify("d4-s0", "--here", expect=1)["changed"]
    assert (list(changed["data"]), changed["code"], changed["packages"]) == (["wine.csv"], {}, {})
    then, now = changed["data"]["wine.csv"]
    assert then != now and then.startswith("sha256:")
    assert changed["data_told"]["wine.csv"].startswith("lines +1 −1 (line 3); 3 rows as before")
    said = lab.cli("verify", "d4-s0", "--here", expect=1).stdout
    assert "data wine.csv sha256:" in said and "lines +1 −1 (line 3)" in said
    made = lab.reproduce("d4-s0", "--data", "here", expect=1)
    assert made["verdict"] == "differs"
    assert made["inputs"] == {"wine.csv": [then, now]}
    lab.cli("data", "add", "wine.csv")
    made = lab.reproduce("d4-s0", "--code", "here", expect=1)
    assert made["data"] == {"wine.csv": now}
    assert made["inputs"] == {"wine.csv": [then, now]}


def test_data_that_is_not_in_the_store_is_named(lab: Lab) -> None:
    digest = json.loads(lab.cli("data", "status", "--json").stdout)
    assert digest is not None
    for item in (lab.root / ".git/runfolio/objects/sha256").rglob("*"):
        if item.is_file() and item.read_bytes() == WINE.encode():
            item.chmod(0o644)
            item.unlink()
    made = lab.reproduce("d4-s0", expect=22)
    assert made["reason"].startswith("data is missing:")
    assert "wine" in made["reason"]
    facts = [fact for fact in lab.verify("d4-s0", expect=1)["facts"] if fact["what"] == "data"]
    assert [fact["state"] for fact in facts] == ["fault"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (WINE + "4.5\n4.5\n", "lines +2 −0 (lines 5, 6); 3 → 5 rows"),
        ("x\n3.5\n1.5\n2.5\n", "the same lines in another order; 3 rows as before"),
        ("x\n1.5\n", "lines +0 −2; 3 → 1 rows"),
        ("y\n1.5\n2.5\n3.5\n", "lines +1 −1 (line 1); 3 rows as before"),
    ],
)
def test_what_changed_in_the_data_is_said_in_words(lab: Lab, text: str, told: str) -> None:
    lab.write("wine.csv", text)
    found = lab.verify("d4-s0", "--here", expect=1)["changed"]["data_told"]["wine.csv"]
    assert found.startswith(told), found
    if text.startswith("y"):
        assert "y" in found.partition("3 rows as before")[2]  # the column's name
