"""Predictions for files: each kind, by chunks, the same as MLflow writes; nothing half-written is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import UsageError
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


def test_a_file_without_rows_is_refused_and_leaves_no_file(models: Models, tmp_path: Path) -> None:
    models.frame[:0].to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "rows.jsonl").write_text("\n")
    for name in ("rows.csv", "rows.jsonl"):
        done = predict(models, tmp_path, "-i", name, "-o", "out.json")
        assert (done.returncode, done.stderr.decode()) == (2, f"runfolio: {name}: there are no rows to predict.\n")
    assert sorted(os.listdir(tmp_path)) == ["rows.csv", "rows.jsonl"]


def test_what_the_model_raises_is_told_with_rows_and_place(tmp_path: Path) -> None:
    script = tmp_path / "raising.py"
    script.write_text(
        "import runfolio\n\n\nclass Raising(runfolio.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input):\n        return [1 / each for each in model_input['a']]\n\n\n"
        "runfolio.models.set_model(Raising())\n"
    )
    runfolio.pyfunc.save_model(tmp_path / "model", python_model=script)
    (tmp_path / "rows.csv").write_text("a\n1\n2\n0\n")
    command = [sys.executable, "-m", "runfolio", "models", "predict", "-m", "model", "--trust", "--chunk-size", "2"]
    done = subprocess.run(
        [*command, "-i", "rows.csv", "-o", "out.csv"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "rows 3 to 3: the model raised ZeroDivisionError: " in done.stderr
    assert "raising.py:6 in " in done.stderr
    assert not (tmp_path / "out.csv").exists() and not (tmp_path / "out.csv.part").exists()


def test_the_output_never_replaces_the_input(models: Models, tmp_path: Path) -> None:
    models.frame.to_csv(tmp_path / "rows.csv", index=False)
    held = (tmp_path / "rows.csv").read_bytes()
    done = predict(models, tmp_path, "-i", "rows.csv", "-o", "./rows.csv")
    assert done.returncode == 2
    assert b"Give the output another name" in done.stderr
    assert (tmp_path / "rows.csv").read_bytes() == held


def test_wrong_input_is_wrong_usage_and_no_finding(models: Models, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[1, 2]")
    (tmp_path / "none.csv").touch()
    (tmp_path / "rows.csv.gz").write_bytes(b"\x1f\x8b")
    for name, said in (("list.json", b"Received a list"), ("none.csv", b"No columns to parse"), ("rows.csv.gz", b"packed files")):
        done = predict(models, tmp_path, "-i", name)
        assert done.returncode == 2 and said in done.stderr, done.stderr


def test_predict_in_python_prints_what_a_server_answers(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUNFOLIO_TRUST", "1")
    rows = models.frame[:3]
    wanted = json.dumps({"predictions": runfolio.pyfunc.load_model(models["forest"]).predict(rows).tolist()})
    ask = runfolio.models.predict
    for given in ({"input_data": rows}, {"input_data": rows, "content_type": "csv"}):
        ask(models["forest"], **given)
        assert capsys.readouterr().out == wanted + "\n"
    rows.to_csv(tmp_path / "rows.csv", index=False)
    ask(models["forest"], rows.to_csv(index=False), content_type="csv", output_path=tmp_path / "a.json")
    ask(models["forest"], input_path=tmp_path / "rows.csv", content_type="csv", output_path=tmp_path / "b.json")
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text() == wanted
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "one of the two"),
        ({"input_data": [1], "input_path": "x"}, "one of the two"),
        ({"input_data": [1], "content_type": "xml"}, "content_type"),
        ({"input_data": [1], "env_manager": "conda"}, "env_manager"),
        ({"input_data": [1], "extra_envs": {"A": "1"}}, "of an environment"),
        ({"input_data": [[1.0]]}, "13 columns|lacks"),
    ],
)
def test_what_predict_in_python_cannot_take_is_told(
    models: Models, monkeypatch: pytest.MonkeyPatch, given: Any, said: str
) -> None:
    monkeypatch.setenv("RUNFOLIO_TRUST", "1")
    with pytest.raises(UsageError, match=said):
        runfolio.models.predict(models["forest"], **given)
