"""What is kept is listed, and removed when nobody runs in it: through the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runfolio.cli.main import main
from runfolio.environments import Wanted, make_environment
from tests.environments.test_making import QUICK


@pytest.fixture
def kept(offline: Path) -> Path:
    folder = make_environment(Wanted(("tiny==1.0",)), QUICK).folder
    assert folder is not None
    return folder


def test_what_is_kept_is_listed(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (kept.parent / ("0" * 32)).mkdir()
    assert main(["environments", "list", "--json"]) == 0
    said = {item["name"]: item for item in json.loads(capsys.readouterr().out)}
    assert said[kept.name]["packages"] == 3
    assert said[kept.name]["bytes"] > 100_000
    assert (said[kept.name]["whole"], said["0" * 32]["whole"]) == (True, False)
    assert main(["environments", "list"]) == 0
    shown = capsys.readouterr()
    assert kept.name[:12] in shown.out
    assert "not whole" in shown.out
    assert shown.err.startswith("2 kept")
    assert main(["environments", "where"]) == 0
    assert capsys.readouterr().out.strip() == str(kept.parent)


def test_one_is_removed_by_the_beginning_of_its_name_and_only_with_yes(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["environments", "remove", kept.name[:8]]) == 0
    assert kept.exists()
    assert "--yes" in capsys.readouterr().err
    assert main(["environments", "remove", kept.name[:8], "--yes"]) == 0
    assert [path.name for path in kept.parent.iterdir()] == [f"{kept.name}.lock"]


def test_what_was_not_used_for_long_is_removed(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["environments", "remove", "--unused-for", "30d", "--yes"]) == 0
    assert kept.exists()
    os.utime(kept / "environment.json", (0, 0))
    assert main(["environments", "remove", "--unused-for", "30d", "--yes"]) == 0
    assert not kept.exists()


def test_one_that_a_process_runs_in_stays(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with make_environment(Wanted(("tiny==1.0",)), QUICK).held():
        assert main(["environments", "remove", "--all", "--yes"]) == 1
        assert "a process runs in this environment" in capsys.readouterr().err
    assert kept.exists()
    assert main(["environments", "remove", "--all", "--yes"]) == 0
    assert not kept.exists()


@pytest.mark.parametrize("args", [[], ["--all", "--unused-for", "3d"], ["abc", "--all"]])
def test_it_must_be_said_which(offline: Path, args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["environments", "remove", *args]) == 2


def test_a_name_that_none_has_is_told(offline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["environments", "remove", "abc", "--yes"]) == 11
    assert "runfolio environments list" in capsys.readouterr().err
