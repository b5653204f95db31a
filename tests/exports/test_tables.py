"""``runfolio export parquet|csv``: what other programs read in the files is what the records say."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pandas
import polars
import pyarrow.parquet
import pytest

import runfolio
from runfolio.exports import tables, writers
from runfolio.exports.report import Report
from runfolio.exports.selection import Selection
from runfolio.exports.tabular import export_tables
from runfolio.folio import open_folio
from runfolio.records import Run, ViewType
from runfolio.tracking.session import forget_sessions
from tests.cli.conftest import in_process
from tests.conftest import git
from tests.exports.conftest import Lab


def export(lab: Lab, target: Path, kind: str = "parquet", selection: Selection | None = None, **more: Any) -> Report:
    folio = open_folio(lab.folder)
    try:
        return export_tables(folio, target, selection or Selection(), kind, **more)
    finally:
        folio.close()


def records(lab: Lab) -> dict[str, Run]:
    folio = open_folio(lab.folder)
    try:
        return {name: folio.runs.get(run_id) for name, run_id in lab.ids.items()}
    finally:
        folio.close()


def test_pandas_finds_every_param_metric_and_point(lab: Lab, tmp_path: Path) -> None:
    target = tmp_path / "out"
    done = in_process(lab.folder, "export", "parquet", str(target))
    assert (done.code, done.out.splitlines()[-1]) == (0, f"Written to {target}, complete."), done.err
    kept = {name: run for name, run in records(lab).items() if name != "gone"}
    params = pandas.read_parquet(target / "params.parquet")
    found = {(row.run_id, row.key): row.value for row in params.itertuples()}
    assert found == {(run.run_id, key): value for run in kept.values() for key, value in run.params.items()}
    metrics = pandas.read_parquet(target / "metrics.parquet").set_index(["run_id", "key"])
    assert metrics.loc[(lab.ids["parent"], "acc"), "value"] == 0.1 + 0.2
    assert metrics.loc[(lab.ids["parent"], "loss")][["count", "min", "min_step", "max_step"]].tolist() == [40, 1 / 42, 39, 0]
    points = pandas.read_parquet(target / "metric_points.parquet")
    loss = points[points.key == "loss"]
    assert loss.value.tolist() == [1 / (step + 3) for step in range(40)]
    assert loss.step.tolist() == list(range(40))
    assert str(loss.timestamp.dtype) in ("datetime64[ms, UTC]", "datetime64[ns, UTC]")
    assert len(points) == sum(summary.count for run in kept.values() for summary in run.metrics.values())


def test_nan_and_the_infinities_are_told_from_what_is_missing(lab: Lab, tmp_path: Path) -> None:
    export(lab, tmp_path / "out")
    table = pyarrow.parquet.read_table(tmp_path / "out/metrics.parquet").to_pylist()
    rows = {row["key"]: row for row in table if row["run_id"] == lab.ids["parent"]}
    assert math.isnan(rows["gap"]["value"])
    assert (rows["gap"]["min"], rows["gap"]["max_step"]) == (None, None)
    assert rows["far"]["value"] == -math.inf
    wide = pyarrow.parquet.read_table(tmp_path / "out/runs_wide.parquet").to_pylist()
    assert {row["name"]: row["metrics.far"] for row in wide} == {
        "parent": -math.inf,
        "child-0": None,
        "child-1": None,
        "failed": None,
    }
    export(lab, tmp_path / "csv", "csv")
    read = pandas.read_csv(tmp_path / "csv/metric_points.csv").set_index("key")
    assert read.loc["far", "value"] == -math.inf
    assert math.isnan(read.loc["gap", "value"])
    lazily = polars.read_csv(tmp_path / "csv/metric_points.csv").filter(polars.col("key") == "far")
    assert lazily["value"].to_list() == [-math.inf]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_polars_and_pandas_read_every_table(lab: Lab, tmp_path: Path, kind: str) -> None:
    report = export(lab, tmp_path / "out", kind)
    names = {"runs_wide", *(table.name for table in (*tables.OF_RUNS, *tables.OTHERS))}
    assert {path.stem for path in (tmp_path / "out").glob(f"*.{kind}")} == names
    about = json.loads((tmp_path / "out/export.json").read_text())
    for name in sorted(names):
        path = tmp_path / "out" / f"{name}.{kind}"
        frames = (
            (pandas.read_parquet(path), polars.read_parquet(path))
            if kind == "parquet"
            else (pandas.read_csv(path), polars.read_csv(path, infer_schema_length=None))
        )
        for frame in frames:
            assert frame.shape == (report.counts[name], len(about["tables"][name]["columns"])), name
            assert list(frame.columns) == [column["name"] for column in about["tables"][name]["columns"]]


def test_both_kinds_say_the_same(lab: Lab, tmp_path: Path) -> None:
    export(lab, tmp_path / "p")
    export(lab, tmp_path / "c", "csv", raw=True)
    for name in (
        "runs",
        "params",
        "tags",
        "artifacts",
        "inputs",
        "model_versions",
        "model_aliases",
        "stage_history",
        "other_tags",
    ):
        one = polars.read_parquet(tmp_path / f"p/{name}.parquet")
        texts = [column for column, kind in one.schema.items() if kind == polars.String]
        other = polars.read_csv(tmp_path / f"c/{name}.csv", infer_schema=False)
        assert one.select(texts).fill_null("").rows() == other.select(texts).fill_null("").rows(), name


def test_a_cell_that_a_spreadsheet_would_run_is_text_unless_raw(lab: Lab, tmp_path: Path) -> None:
    export(lab, tmp_path / "safe", "csv")
    assert ",note,'=HYPERLINK(1)\n" in (tmp_path / "safe/params.csv").read_text()
    assert ",team,'-red\n" in (tmp_path / "safe/tags.csv").read_text()
    done = in_process(lab.folder, "export", "csv", str(tmp_path / "raw"), "--raw")
    assert done.code == 0, done.err
    assert ",note,=HYPERLINK(1)\n" in (tmp_path / "raw/params.csv").read_text()
    assert "--raw" in (tmp_path / "raw/README.md").read_text()


def test_files_models_and_history_are_told(lab: Lab, tmp_path: Path) -> None:
    export(lab, tmp_path / "out")
    files = polars.read_parquet(tmp_path / "out/artifacts.parquet").rows(named=True)
    weights = next(row for row in files if row["path"] == "model/weights.txt")
    digest = "sha256:" + hashlib.sha256(b"weights").hexdigest()
    assert weights == {
        "run_id": lab.ids["parent"], "path": "model/weights.txt", "size": 7, "digest": digest, "media_type": None,
        "uri": f"runs:/{lab.ids['parent']}/model/weights.txt", "present": True,
    }  # fmt: skip
    versions = polars.read_parquet(tmp_path / "out/model_versions.parquet").rows(named=True)
    assert [(row["model"], row["version"], row["stage"], row["run_id"]) for row in versions] == [
        ("cultivar", 1, "Production", lab.ids["parent"])
    ]
    events = polars.read_parquet(tmp_path / "out/stage_history.parquet").rows(named=True)
    assert [row["event"] for row in events] == ["created", "tagged", "described", "registered", "stage", "alias"]
    assert [(row["stage_from"], row["stage_to"]) for row in events if row["event"] == "stage"] == [("None", "Production")]
    inputs = polars.read_parquet(tmp_path / "out/inputs.parquet").rows(named=True)
    assert [(row["name"], row["context"]) for row in inputs] == [("wine", "training")]
    runs = {row["name"]: row for row in polars.read_parquet(tmp_path / "out/runs.parquet").rows(named=True)}
    assert runs["child-1"]["parent_run_id"] == lab.ids["parent"]
    assert runs["failed"]["status"] == "FAILED"
    assert runs["parent"]["git_commit"] == records(lab)["parent"].code["commit"]
    assert (runs["parent"]["artifacts"], runs["parent"]["metric_points"]) == (2, 43)


def test_what_is_chosen_is_what_is_written(lab: Lab, tmp_path: Path) -> None:
    def names(*options: str) -> list[str]:
        done = in_process(lab.folder, "export", "parquet", str(tmp_path / "out"), *options)
        assert done.code == 0, done.err
        return sorted(polars.read_parquet(tmp_path / "out/runs.parquet")["name"].to_list())

    assert names() == ["child-0", "child-1", "failed", "parent"]
    assert names("--experiment", "Wine", "--filter", "metrics.acc > 0.5") == ["child-1"]
    assert polars.read_parquet(tmp_path / "out/models.parquet").height == 0
    assert polars.read_parquet(tmp_path / "out/experiments.parquet")["experiment"].to_list() == ["Wine"]
    assert names("--deleted") == ["gone"]
    assert names("--all") == ["child-0", "child-1", "failed", "gone", "parent"]
    assert names("--at", git(lab.folder, "rev-list", "--max-parents=0", "HEAD").strip()) == []
    bad = in_process(lab.folder, "export", "csv", str(tmp_path / "no"), "--filter", "acc >")
    assert bad.code == 2
    assert not (tmp_path / "no").exists()


def test_a_run_that_goes_on_is_there_and_the_past_has_none(lab: Lab, tmp_path: Path) -> None:
    runfolio.set_tracking_uri(lab.folder)
    runfolio.set_experiment("Wine")
    with runfolio.start_run(run_name="live"):
        runfolio.log_metric("acc", 0.7, step=3)
        runfolio.flush()
        export(lab, tmp_path / "now")
        export(lab, tmp_path / "then", selection=Selection(at="HEAD"))
    forget_sessions()
    rows = {row["name"]: row for row in polars.read_parquet(tmp_path / "now/runs.parquet").rows(named=True)}
    assert (rows["live"]["status"], rows["live"]["end_time"]) == ("RUNNING", None)
    points = polars.read_parquet(tmp_path / "now/metric_points.parquet")
    assert points.filter(polars.col("run_id") == rows["live"]["run_id"])["step"].to_list() == [3]
    assert "live" not in polars.read_parquet(tmp_path / "then/runs.parquet")["name"].to_list()


def test_the_bytes_are_the_same_each_time_and_however_long_a_group_is(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        for kind in ("parquet", "csv"):
            export(lab, tmp_path / name / kind, kind)
    for path in (tmp_path / "one").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes(), path
    monkeypatch.setattr(writers, "GROUP_ROWS", 7)
    monkeypatch.setattr("runfolio.exports.selection.PAGE", 2)
    monkeypatch.setattr("runfolio.exports.tabular.PAGE", 2)
    export(lab, tmp_path / "small")
    small = pyarrow.parquet.ParquetFile(tmp_path / "small/metric_points.parquet")
    assert small.num_row_groups == 7
    for name in ("metric_points", "runs", "runs_wide", "metrics"):
        one = pyarrow.parquet.read_table(tmp_path / f"one/parquet/{name}.parquet")
        assert str(one.to_pylist()) == str(pyarrow.parquet.read_table(tmp_path / f"small/{name}.parquet").to_pylist())


def test_a_file_that_the_store_lost_is_a_finding(lab: Lab, tmp_path: Path) -> None:
    digest = lab.lose("parent", "model/weights.txt")
    done = in_process(lab.folder, "export", "parquet", str(tmp_path / "out"))
    assert done.code == 1
    assert f"run {lab.ids['parent']}: model/weights.txt" in done.out
    assert digest in done.out
    files = {row["path"]: row["present"] for row in polars.read_parquet(tmp_path / "out/artifacts.parquet").rows(named=True)}
    assert files == {"model/weights.txt": False, "notes/über uns.txt": True}
    about = (tmp_path / "out/export.json").read_text()
    assert [item["what"].split(". ")[0] for item in json.loads(about)["findings"]] == [
        f"Object {digest} is not in the object store"
    ]
    assert str(tmp_path) not in about
    unlooked = in_process(lab.folder, "export", "parquet", str(tmp_path / "out"), "--no-verify")
    assert unlooked.code == 0
    assert polars.read_parquet(tmp_path / "out/artifacts.parquet")["present"].to_list() == [None, None]


def test_a_record_that_cannot_be_read_is_a_finding(lab: Lab, tmp_path: Path) -> None:
    record = next(lab.folder.glob(f"runs/*/*/*/{lab.ids['failed']}.json"))
    record.write_text("{ torn")
    git(lab.folder, "commit", "-qam", "tear")
    done = in_process(lab.folder, "export", "csv", str(tmp_path / "out"), "--json")
    assert done.code == 1
    assert [item["where"] for item in json.loads(done.out)["findings"]] == [record.relative_to(lab.folder).as_posix()]


def test_half_a_character_and_a_number_too_large_are_findings(tmp_path: Path) -> None:
    report = Report()
    fields = (tables.Field("a", "text", ""), tables.Field("b", "whole", ""), tables.Field("c", "flag", ""))
    table = writers.ParquetTable(tmp_path / "t.parquet", "t", fields, report)
    flags = [True, None, False, True, True, False, False, True, True, None]
    for at, flag in enumerate(flags):
        table.add(("x\ud800" if at == 1 else None, 2**70 if at == 2 else at, flag))
    table.close()
    read = pyarrow.parquet.read_table(tmp_path / "t.parquet")
    read.validate(full=True)
    assert read.column("c").to_pylist() == flags
    assert read.column("a").to_pylist()[1] == "x?"
    assert read.column("b").to_pylist()[2] == 2**63 - 1
    assert len(report.findings) == 2


def test_of_too_many_keys_those_of_the_most_runs_have_a_column(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_WIDE", 2)
    report = export(lab, tmp_path / "out", selection=Selection(view=ViewType.ALL))
    columns = polars.read_parquet(tmp_path / "out/runs_wide.parquet").columns[len(tables.WIDE) :]
    assert columns == ["metrics.acc", "params.depth"]
    assert "runs_wide has columns for the 2 keys" in report.notes[0]
    assert not report.findings
