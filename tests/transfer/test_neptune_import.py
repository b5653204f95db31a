"""Runs of Neptune, from Parquet files in the layout that its exporter documents.

``neptune-exporter`` is on no registry at hand and needs Neptune's service, so these files are made here, with the exporter's documented
columns and types (its README, "Parquet schema") and its documented names of files.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runfolio.site.step_images import logged_image
from tests.conftest import git
from tests.transfer.apart import files_of, findings, points_of, runs_of, take

START = datetime.datetime(2025, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
MOMENT = pa.timestamp("ms", tz="UTC")
SCHEMA = pa.schema(
    [
        ("project_id", pa.string()), ("run_id", pa.string()), ("attribute_path", pa.string()), ("attribute_type", pa.string()),
        ("step", pa.decimal128(18, 6)), ("timestamp", MOMENT), ("int_value", pa.int64()), ("float_value", pa.float64()),
        ("string_value", pa.string()), ("bool_value", pa.bool_()), ("datetime_value", MOMENT), ("string_set_value", pa.list_(pa.string())),
        ("file_value", pa.struct([("path", pa.string())])),
        ("histogram_value", pa.struct([("type", pa.string()), ("edges", pa.list_(pa.float64())), ("values", pa.list_(pa.float64()))])),
    ]
)  # fmt: skip
PROJECT = "team/digits"
COLUMNS = {
    "float_series": "float",
    "string_series": "string",
    "histogram_series": "histogram",
    "file_series": "file",
    "file_set": "file",
}


def row(run: str, path: str, kind: str, value: Any, step: float | None = None) -> dict[str, Any]:
    at = None if step is None else START + datetime.timedelta(seconds=float(step))
    exact = None if step is None else Decimal(str(step))
    made = {"project_id": PROJECT, "run_id": run, "attribute_path": path, "attribute_type": kind, "step": exact, "timestamp": at}
    return {**made, f"{COLUMNS.get(kind, kind)}_value": value}


def write(place: Path, rows: list[dict[str, Any]]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), place, compression="snappy")


def facts(run: str, **more: Any) -> list[dict[str, Any]]:
    kinds = {bool: "bool", str: "string", list: "string_set", datetime.datetime: "datetime", float: "float", int: "int"}
    said = {"name": f"{run} try", "owner": "ada", "creation_time": START, "state": "inactive", "failed": False, **more}
    return [row(run, f"sys/{name}", kinds[type(value)], value) for name, value in said.items()]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Return a folder as the exporter writes it: three runs, the first in eleven parts."""
    place = tmp_path / "exports"
    data, files = place / "data" / "team_digits-0123456789abcdef", place / "files" / "team_digits-0123456789abcdef"
    rows = facts(
        "RUN-1", tags=["b", "a"], description="A description", hostname="box", ping_time=START + datetime.timedelta(seconds=60)
    )
    rows += [
        row("RUN-1", "params/lr", "float", 0.1), row("RUN-1", "params/n", "int", 3), row("RUN-1", "params/name", "string", "adam"),
        row("RUN-1", "params/flag", "bool", True), row("RUN-1", "params/when", "datetime", START),
        row("RUN-1", "params/set", "string_set", ["y", "x"]), row("RUN-1", "params/password", "string", "hunter2hunter2"),
    ]  # fmt: skip
    write(data / "RUN-1-aa_part_0.parquet", rows)
    for part in range(1, 11):
        write(data / f"RUN-1-aa_part_{part}.parquet", [row("RUN-1", "train/loss", "float_series", 1 / part, part)])
    more = [row("RUN-1", "monitoring/cpu", "float_series", 5.0, 1), row("RUN-1", "top@5", "float_series", float("nan"), 2)]
    more += [row("RUN-1", "said", "string_series", "hello", 1)]
    more += [row("RUN-1", "weights", "histogram_series", {"type": "COUNTING", "edges": [0.0, 1.0], "values": [3.0]}, 1)]
    for path, content in {"model.bin": b"weights", "seen/1.png": b"\x89PNG1", "set/a/b.txt": b"b"}.items():
        (files / "RUN-1" / path).parent.mkdir(parents=True, exist_ok=True)
        (files / "RUN-1" / path).write_bytes(content)
    more += [row("RUN-1", "model", "file", {"path": "RUN-1/model.bin"}), row("RUN-1", "all", "file_set", {"path": "RUN-1/set"})]
    more += [row("RUN-1", "seen", "file_series", {"path": "RUN-1/seen/1.png"}, 1)]
    write(data / "RUN-1-aa_part_11.parquet", more)
    halves = [row("RUN-2", "loss", "float_series", float(at), at / 2) for at in range(4)]
    write(data / "RUN-2-bb_part_0.parquet", [*facts("RUN-2", failed=True, **{"forking/parent": "RUN-1"}), *halves])
    write(data / "RUN-3-cc_part_0.parquet", [*facts("RUN-3", state="active"), row("RUN-3", "loss", "float_series", 1.0, 0)])
    return place


def _by_name(folio: Path) -> dict[str, Any]:
    return {origin.rpartition("/")[2]: run for origin, run in runs_of(folio).items()}


def test_runs_are_taken_whole_and_a_second_time_adds_nothing(export: Path, folio_dir: Path) -> None:
    dry = take(folio_dir, "neptune", str(export), "--dry-run", code=1)
    did = take(folio_dir, "neptune", str(export), code=1)
    assert dry["counts"]["runs"] == did["counts"]["runs"] == did["verified"] == 3 and dry["bytes"] == did["bytes"] > 0
    again = take(folio_dir, "neptune", str(export / "data"), code=1)
    assert again["counts"] == {} and again["there"]["runs"] == 3 and "went on" not in findings(again)
    assert git(folio_dir, "status", "--porcelain") == ""


def test_each_type_of_attribute_is_there(export: Path, folio_dir: Path) -> None:
    take(folio_dir, "neptune", str(export), code=1)
    run = _by_name(folio_dir)["RUN-1"]
    assert run.data.params == {
        "params/lr": "0.1", "params/n": "3", "params/name": "adam", "params/flag": "True", "params/when": START.isoformat(),
        "params/set": "x, y", "params/password": "***",
    }  # fmt: skip
    assert points_of(folio_dir, run, "train/loss") == [(part, 1 / part) for part in range(1, 11)]
    assert run.data.metrics["system/cpu"] == 5.0 and any(key.startswith("top:") for key in run.data.metrics)
    tags = {
        "labels": "a, b",
        "mlflow.note.content": "A description",
        "host": "box",
        "mlflow.user": "ada",
        "mlflow.runName": "RUN-1 try",
    }
    assert tags.items() <= run.data.tags.items()
    start = int(START.timestamp() * 1000)
    assert (run.info.status, run.info.start_time, run.info.end_time) == ("FINISHED", start, start + 60_000)
    files = files_of(folio_dir, run)
    assert files["model.bin"] == b"weights" and files["all/a/b.txt"] == b"b"
    [picture] = [path for path in files if logged_image(path)]
    assert files[picture] == b"\x89PNG1" and logged_image(picture).step == 1  # type: ignore[union-attr]
    rows = {line["key"]: line["value"] for line in map(json.loads, files["neptune-history.jsonl"].splitlines())}
    assert rows == {"said": "hello", "weights": {"type": "COUNTING", "edges": [0.0, 1.0], "values": [3.0]}}


def test_states_forks_and_steps_with_decimals(export: Path, folio_dir: Path) -> None:
    said = findings(take(folio_dir, "neptune", str(export), code=1))
    runs = _by_name(folio_dir)
    assert [runs[f"RUN-{number}"].info.status for number in (1, 2, 3)] == ["FINISHED", "FAILED", "KILLED"]
    assert runs["RUN-2"].data.tags["mlflow.parentRunId"] == runs["RUN-1"].info.run_id
    assert points_of(folio_dir, runs["RUN-2"], "loss") == [(0, 0), (5, 1), (10, 2), (15, 3)]
    assert runs["RUN-2"].data.tags["neptune.step_multiplier"] == "10" and "its steps have decimals" in said
    assert "Neptune calls it active" in said


def _gone(export: Path) -> None:
    next(export.rglob("model.bin")).unlink()


def _outside(export: Path) -> None:
    (export.parent / "secret.txt").write_text("secret")
    write(next(export.rglob("RUN-3*")), [row("RUN-3", "stolen", "file", {"path": "../../../secret.txt"})])


def _broken(export: Path) -> None:
    next(export.rglob("RUN-3*")).write_bytes(b"PAR1 and no more")


def _other(export: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), export / "data" / "other.parquet")


def _unfinished(export: Path) -> None:
    place = next(export.rglob("RUN-3*"))
    place.rename(place.with_name(f"{place.name}.tmp"))


def _newer(export: Path) -> None:
    write(next(export.rglob("RUN-3*")), [row("RUN-3", "what", "int", 1) | {"attribute_type": "tensor_series"}])


@pytest.mark.parametrize(
    ("harm", "why", "runs"),
    [
        (_gone, "model: its file RUN-1/model.bin is not below the folder of files", 3),
        (_outside, "stolen: its file ../../../secret.txt is not below", 3),
        (_broken, "it cannot be read", 2),
        (_other, "is no file of neptune-exporter: the columns", 3),
        (_unfinished, "the exporter had not finished it", 2),
        (_newer, "1 values of the type tensor_series were not taken", 3),
    ],
)
def test_what_is_broken_is_named_and_the_rest_is_taken(
    export: Path, folio_dir: Path, harm: Callable[[Path], None], why: str, runs: int
) -> None:
    harm(export)
    did = take(folio_dir, "neptune", str(export), code=1)
    assert did["counts"]["runs"] == runs and why in findings(did)


def test_runs_of_one_file_are_told_apart(tmp_path: Path, folio_dir: Path) -> None:
    write(tmp_path / "old" / "part_0.parquet", [*facts("A"), *facts("B"), row("A", "x", "int", 1), row("B", "x", "int", 2)])
    did = take(folio_dir, "neptune", str(tmp_path / "old"))
    assert did["counts"]["runs"] == 2 and {name: run.data.params["x"] for name, run in _by_name(folio_dir).items()} == {
        "A": "1",
        "B": "2",
    }


def test_files_are_found_where_they_are_said_to_be(export: Path, folio_dir: Path, tmp_path: Path) -> None:
    (export / "files").rename(tmp_path / "elsewhere")
    take(folio_dir, "neptune", str(export / "data"), "--files", str(tmp_path / "elsewhere"), code=1)
    assert files_of(folio_dir, _by_name(folio_dir)["RUN-1"])["model.bin"] == b"weights"


@pytest.mark.parametrize(("options", "said"), [((), "no Parquet files"), (("--files", "nothing"), "no such folder")])
def test_a_place_without_runs_is_said_in_words(folio_dir: Path, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    assert said in take(folio_dir, "neptune", str(tmp_path), *options, code=11)["error"]
