"""Exports of folios that lie elsewhere: on a ledger branch, in a folder of a repository, large; and of one without a commit."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import polars
import pytest

import runfolio
from runfolio.exports.report import Report
from runfolio.exports.selection import FolioReader, Selection
from runfolio.exports.tabular import export_tables
from runfolio.folio import initialise, open_folio
from runfolio.formats import paths
from runfolio.formats.runs import encode_run
from runfolio.gitstore import FileChange
from runfolio.gitstore.commits import Ident, commit_files
from runfolio.records import MetricSummary, Run, RunStatus, new_run_id
from runfolio.tracking.session import forget_sessions
from tests.cli.conftest import in_process
from tests.conftest import git


def log_one(folder: Path) -> str:
    runfolio.set_tracking_uri(folder)
    runfolio.set_experiment("Wine")
    with runfolio.start_run(run_name="one") as run:
        runfolio.log_metric("acc", 0.5)
        runfolio.log_text("weights", "model/weights.txt")
    forget_sessions()
    return run.info.run_id


@pytest.mark.parametrize("kind", ["parquet", "csv", "json", "ro-crate", "prov"])
def test_a_ledger_branch_and_a_folder_of_a_repository_are_exported(repo_dir: Path, tmp_path: Path, kind: str) -> None:
    folder = repo_dir / "ml"
    folder.mkdir()
    initialise(folder, branch="ledger", commit=True).folio.close()
    run_id = log_one(folder)
    data = folder / "data.csv"
    data.write_text("a\n1\n")
    assert in_process(folder, "data", "add", str(data)).code == 0
    target = folder / "out"
    done = in_process(folder, "export", kind, str(target), "--json")
    assert done.code == 0, done.err + done.out
    said = json.loads(done.out)
    assert said["commit"] == git(repo_dir, "rev-parse", "ledger").strip()
    wanted = {
        "parquet": ("runs", "datasets", "artifacts"), "csv": ("runs", "datasets"), "json": ("run", "dataset", "facts"), "ro-crate": ("run",),
        "prov": ("agent",),
    }[kind]  # fmt: skip
    assert [said["counts"].get(name, 0) > 0 for name in wanted] == [True] * len(wanted)
    if kind == "parquet":
        assert polars.read_parquet(target / "runs.parquet")["run_id"].to_list() == [run_id]
        return
    files = [target] if target.is_file() else [path for path in target.rglob("*") if path.is_file()]
    assert any(run_id.encode() in path.read_bytes() for path in files)


def test_a_folio_without_a_run_is_exported(repo_dir: Path, tmp_path: Path) -> None:
    initialise(repo_dir).folio.close()
    for kind in ("parquet", "csv", "json", "ro-crate", "prov"):
        done = in_process(repo_dir, "export", kind, str(tmp_path / kind))
        assert done.code == 0, (kind, done.err)
    assert polars.read_parquet(tmp_path / "parquet/runs.parquet").height == 0
    assert polars.read_parquet(tmp_path / "parquet/metric_points.parquet").columns == [
        "run_id",
        "key",
        "step",
        "timestamp",
        "value",
    ]


def fill(folder: Path, count: int) -> None:
    """Commit many runs at once."""
    folio = open_folio(folder)
    changes = []
    for number in range(count):
        start = 1_700_000_000_000 + number * 60_000
        params, metrics = (
            {f"p{key}": str(number * key) for key in range(5)},
            {"m": MetricSummary(number / 7, 0, start, 1, number / 7, number / 7)},
        )
        run = Run(new_run_id(start), "bench", f"r{number}", RunStatus.FINISHED, start, start + 5, params=params, metrics=metrics)
        changes.append(FileChange(paths.run_path("bench", run.run_id, run.start), encode_run(run)))
    try:
        assert commit_files(
            folio.repo, "refs/heads/main", folio.repo.resolve("HEAD"), changes, "bench\n", Ident("Ada", "ada@example.org")
        )
    finally:
        folio.close()


def test_memory_does_not_grow_with_the_number_of_runs(folio_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(folio_dir, 3000)
    monkeypatch.setattr("runfolio.exports.selection.PAGE", 100)
    folio = open_folio(folio_dir)
    try:
        report = Report()
        reader = FolioReader(folio, Selection(), report)
        held, peaks = [], []
        found = reader.runs()
        next(found)
        tracemalloc.start()
        for number, run in enumerate(found, 1):
            assert len(list(reader.points(run))) == 1
            if number % 900 == 0:
                held.append(tracemalloc.get_traced_memory()[0])
                peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        reader.close()
        assert number == 2999
        assert len(held) == 3
        assert held[-1] < 1.5 * held[0]
        assert peaks[-1] < 1.5 * peaks[0]
        done = export_tables(folio, tmp_path / "out", Selection(), "parquet")
    finally:
        folio.close()
    assert (done.counts["runs"], done.counts["params"], done.counts["metric_points"]) == (3000, 15_000, 3000)
    ids = polars.read_parquet(tmp_path / "out/runs.parquet")["run_id"]
    assert ids.is_sorted()
    assert ids.n_unique() == 3000
