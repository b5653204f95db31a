"""Predictions for files: each kind, by chunks, the same as MLflow writes; nothing half-written is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import runfolio
from tests.serving.conftest import DEADLINE_S, Models


def predict(models: Models, folder: Path, *args: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "runfolio", "models", "predict", "-m", str(models["forest"]), "--trust", *args]
    return subprocess.run(command, cwd=folder, input=given, capture_output=True, timeout=DEADLINE_S, check=False)


def test_json_is_answered_as_by_a_server(models: Models, tmp_path: Path) -> None:
    wanted = runfolio.pyfunc.load_model(models["forest"], trust=True).predict(models.frame[:3]).tolist()
    body = json.dumps({"dataframe_split": models.frame[:3].to_dict(orient="split")}).encode()
    done = predict(models, tmp_path, given=body)
    assert (done.returncode, done.stdout) == (0, json.dumps({"predictions": wanted}).encode())


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_table_is_predicted_by_chunks_of_any_size(models: Models, tmp_path: Path, kind: str) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    wanted = runfolio.pyfunc.load_model(models["forest"], trust=True).predict(models.frame).tolist()
    name = f"rows.{kind}"
    if kind == "csv":
        models.frame.to_csv(tmp_path / name, index=False)
    elif kind == "jsonl":
        models.frame.to_json(tmp_path / name, orient="records", lines=True)
    else:
        models.frame.to_parquet(tmp_path / name)
    done = predict(models, tmp_path, "-i", name, "-o", "out.json", "--chunk-size", "50")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.json").read_text() == json.dumps({"predictions": wanted})
    done = predict(models, tmp_path, "-i", name, "-o", f"out.{kind}", "--chunk-size", "50")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / f"out.{kind}").read_bytes()
    if kind == "csv":
        assert text.decode().split() == ["prediction", *map(str, wanted)]
    elif kind == "jsonl":
        assert [json.loads(line) for line in text.splitlines()] == wanted
    else:
        assert __import__("pandas").read_parquet(tmp_path / f"out.{kind}")["prediction"].tolist() == wanted


def test_a_fault_names_the_rows_and_leaves_no_file(models: Models, tmp_path: Path) -> None:
    models.frame.drop(columns="ash").to_csv(tmp_path / "rows.csv", index=False)
    done = predict(models, tmp_path, "-i", "rows.csv", "-o", "out.json")
    assert done.returncode == 2
    assert b"rows 1 to 178" in done.stderr and b"'ash'" in done.stderr
    assert os.listdir(tmp_path) == ["rows.csv"]


def test_a_value_of_another_type_in_a_csv_is_named_with_its_rows(models: Models, tmp_path: Path) -> None:
    rows = models.frame.astype(object)
    rows.loc[60, "ash"] = "much"
    rows.to_csv(tmp_path / "rows.csv", index=False)
    done = predict(models, tmp_path, "-i", "rows.csv", "-o", "out.json", "--chunk-size", "50")
    assert done.returncode == 2, done.stderr
    assert b"rows 51 to 100" in done.stderr and b"'much'" in done.stderr
    assert os.listdir(tmp_path) == ["rows.csv"]
