"""Datasets by digest: brought to their places for a run that is made again, or named; a changed row is found."""

from __future__ import annotations

import hashlib
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
    assert lab.reproduce("d4-s0")["verdict"] == "exact"  # the file at its place has the recorded digest
    fact = next(fact for fact in lab.verify("d4-s0", expect=1)["facts"] if fact["what"] == "data")
    assert fact["remedy"] == "It lies at its place here. Keep it: runfolio data add wine.csv"
    (lab.root / "wine.csv").unlink()
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


LOAD = """\
import runfolio

frame = runfolio.data.load("wine")
with runfolio.start_run(run_name="sum"):
    runfolio.log_metric("sum", float(frame["x"].sum()))
"""


def test_what_the_program_loads_by_name_is_what_lies_here_too(lab: Lab) -> None:
    pytest.importorskip("pandas")
    lab.write("load.py", LOAD)
    lab.python("load.py")
    assert lab.reproduce("sum")["verdict"] == "exact"
    assert lab.reproduce("sum", "--data", "here")["verdict"] == "exact"
    head = lab.git("rev-parse", "HEAD:datasets")
    lab.write("wine.csv", WINE.replace("2.5", "2.6"))
    made = lab.reproduce("sum", "--data", "here", expect=1)
    assert made["metrics"]["sum"]["now"] == pytest.approx(7.6)
    assert list(made["inputs"]) == ["wine.csv"]
    assert lab.git("rev-parse", "HEAD:datasets") == head


def test_data_that_git_tracks_too_are_taken_from_here(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab")
    lab.cli("data", "add", "wine.csv")
    lab.python("train.py", "4")
    lab.write("wine.csv", WINE.replace("2.5", "2.6"))
    assert lab.reproduce("d4-s0", "--data", "here", expect=1)["verdict"] == "differs"


def test_datasets_that_have_no_place_here_stop_only_the_runs_that_name_them(lab: Lab, tmp_path: Path) -> None:
    digest = "sha256:" + "ab" * 32
    lab.cli("data", "add", "--name", "logs", "--source", "lakefs://repo/main/logs", "--digest", digest)
    (tmp_path / "far.csv").write_text("x\n1\n", "utf-8")
    lab.cli("data", "add", str(tmp_path / "far.csv"))
    lab.python("train.py", "5")
    made = lab.reproduce("d5-s0")
    assert made["verdict"] == "exact"
    assert [note for note in made["notes"] if "logs" in note and "lakectl fs download" in note]
    assert lab.reproduce("d5-s0", "--data", "here")["verdict"] == "exact"
    text = "import runfolio\nwith runfolio.start_run(run_name='named'):\n    runfolio.log_metric('x', 1)\n"
    lab.write("named.py", text + "    runfolio.log_input(runfolio.data.from_folio('logs'))\n")
    lab.python("named.py")
    made = lab.reproduce("named", expect=22)
    assert "logs: it is kept at lakefs://repo/main/logs" in made["reason"] and "far" not in made["reason"]


def test_data_of_another_tool_are_taken_from_their_place_where_they_are_the_recorded_ones(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "lab", {"train.py": TRAIN, ".gitignore": "wine.csv\n"})
    lab.write("wine.csv", WINE)
    md5 = hashlib.md5(WINE.encode()).hexdigest()
    lab.write("wine.csv.dvc", f"outs:\n- md5: {md5}\n  size: {len(WINE)}\n  hash: md5\n  path: wine.csv\n")
    lab.cli("data", "add", "wine.csv.dvc")
    lab.python("train.py", "4")
    assert lab.reproduce("d4-s0")["data"] == {"wine.csv": f"md5:{md5}"}
    assert [fact["state"] for fact in lab.verify("d4-s0")["facts"] if fact["what"] == "data"] == ["ok"]
    lab.write("wine.csv", WINE.replace("2.5", "2.6"))
    assert "dvc pull wine.csv" in lab.reproduce("d4-s0", expect=22)["reason"]
    assert lab.reproduce("d4-s0", "--data", "here", expect=1)["verdict"] == "differs"
    (lab.root / "wine.csv").unlink()
    assert "nothing lies at wine.csv here" in lab.reproduce("d4-s0", "--data", "here", expect=22)["reason"]
