"""folio/folding.py: what has ended is read and committed some runs at a time, each on the branch where it started."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from runfolio.folio import folding, open_folio
from runfolio.folio.folio import Folio
from runfolio.journal.spool import sealed_name
from tests.conftest import git


def ended(folio: Folio, run_id: str, branch: str, *, amend: bool = False) -> None:
    header: dict[str, object] = {
        "schema": 1,
        "run_id": run_id,
        "experiment": "wine",
        "experiment_name": "wine",
        "start": 1_700_000_000_000,
        "branch": branch,
    }
    if amend:
        header |= {"amend": True}
    writer = folio.spool.create(run_id, header)
    if amend:
        writer.event("t", "seen", "twice")
    else:
        writer.event("end", "FINISHED", 1_700_000_001_000)
    writer.close(sealed_name=sealed_name(writer.path), durable=False)


def committed(folder: Path, branch: str) -> list[str]:
    return [Path(name).stem for name in git(folder, "ls-tree", "-r", "--name-only", branch, "--", "runs").split()]


def test_runs_of_two_branches_are_committed_some_at_a_time_and_those_of_one_never_apart(
    folio_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(folder := folio_dir, "branch", "other")
    monkeypatch.setattr(folding, "MAX_BATCH", 3)
    with closing(open_folio(folder)) as folio:
        for number in range(8):
            ended(folio, f"run{number}", "refs/heads/other" if number % 4 == 3 else "refs/heads/main")
            if number == 2:  # the third of its batch, and the fourth
                ended(folio, "run2", "refs/heads/main", amend=True)
        (folio.spool.journals_folder / "run5x.sealed.jsonl").write_bytes(b"\n")
        before = {branch: int(git(folder, "rev-list", "--count", branch)) for branch in ("main", "other")}
        done = folio.commit()
    assert committed(folder, "main") == ["run0", "run1", "run2", "run4", "run5", "run6"]
    assert committed(folder, "other") == ["run3", "run7"]
    assert '"seen": "twice"' in git(folder, "show", "main:runs/wine/2023-11/14/run2.json")
    after = {branch: int(git(folder, "rev-list", "--count", branch)) for branch in ("main", "other")}
    assert (after["main"] - before["main"], after["other"] - before["other"], done.commits) == (2, 1, 3)
    assert sorted(run.run_id for run in done.added) == [f"run{number}" for number in range(8)]
    assert [(item.run_id, item.reason.partition(":")[0]) for item in done.waiting] == [("run5x", "its journal has no header")]
    assert [journal.run_id for journal in folio.spool.journals()] == ["run5x"]
