"""review/datasets.py: what a change says of recorded datasets, as a reviewer reads it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import runfolio
from runfolio.cli.main import main
from runfolio.tracking.session import forget_sessions
from tests.conftest import git


def write(mean: float, rows: int) -> None:
    source = random.Random(1)
    Path("wine.csv").write_text("alcohol\n" + "".join(f"{source.gauss(mean, 0.8):.3f}\n" for _ in range(rows)))


@pytest.fixture
def branch(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A branch on which a dataset drifted and another came."""
    monkeypatch.chdir(folio_dir)
    runfolio.set_tracking_uri(folio_dir)
    write(13, 300)
    runfolio.data.add("wine.csv")
    git(folio_dir, "switch", "-qc", "new-data")
    write(14, 400)
    runfolio.data.add("wine.csv")
    Path("labels.csv").write_text("label\n1\n")
    runfolio.data.add("labels.csv")
    forget_sessions()
    return folio_dir


def test_the_report_of_a_branch_tells_how_its_data_drifted(branch: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "main..new-data", "--format", "json"]) == 0
    told = {item["name"]: item for item in json.loads(capsys.readouterr().out)["datasets"]}
    assert told["wine"]["text"].startswith("300 → 400 rows; alcohol: mean") and told["wine"]["drifted"]
    assert told["wine"]["path"] == "datasets/wine.yaml"
    assert told["labels"]["old"] is None and told["labels"]["text"] == "new, 1 row"
    assert main(["diff", "main..new-data", "--format", "markdown"]) == 0
    shown = capsys.readouterr().out
    assert "2 recorded datasets changed, 1 drifted" in shown and "PSI" in shown
    assert main(["diff", "main..new-data"]) == 0
    assert "300 → 400 rows" in capsys.readouterr().out


def test_facts_that_are_missing_or_damaged_are_said(branch: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for facts in (branch / "datasets" / "wine").iterdir():
        git(branch, "rm", "-qf", str(facts))
    (branch / "datasets" / "labels.yaml").write_text("schema: 1\ndigest: none\n")
    git(branch, "add", "-A", "datasets")
    git(branch, "commit", "-qm", "by hand")
    main(["diff", "main..new-data", "--format", "json"])
    said = json.loads(capsys.readouterr().out)
    assert [item["file"] for item in said["alarms"] if item["rule"] == "review.damaged"] == ["datasets/labels.yaml"]
    wine = next(item for item in said["datasets"] if item["name"] == "wine")
    assert wine["text"] == "another content; how it differs is not recorded"
