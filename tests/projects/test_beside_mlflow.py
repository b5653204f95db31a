"""The same ``MLproject`` gives the same command line as MLflow, in a process of its own, makes of it; where it differs, it is said how."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import runfolio
import runfolio.projects
from runfolio.errors import RunfolioError
from runfolio.projects import load_project
from runfolio.projects.parameters import chosen, command_line, local_path
from tests.conftest import git
from tests.projects.conftest import runs_of

MLFLOW = os.environ.get("RUNFOLIO_MLFLOW", "")
THERE = """
import json, sys, tempfile
from mlflow.projects import _project_spec
made = []
for folder, point, given in json.load(sys.stdin):
    try:
        entry = _project_spec.load_project(folder).get_entry_point(point)
        made.append(entry.compute_command(given, tempfile.mkdtemp()))
    except Exception as error:
        made.append([type(error).__name__])
json.dump(made, sys.stdout)
"""
PROJECT = """\
name: beside
entry_points:
  plain: {command: "python train.py"}
  typed:
    parameters:
      s: {type: string, default: "a b"}
      f: {type: float, default: 0.10}
      i: {type: int, default: 010}
      e: {default: 1e-3}
      y: {default: no}
    command: "python train.py -s {s} -f {f} -i {i} -e {e} -y {y}"
  needed:
    parameters: {a: float, b: string}
    command: "python train.py {a} {b}"
  files:
    parameters: {data: path, place: uri}
    command: "python train.py {data} {place}"
  braces:
    parameters: {a: string}
    command: "bash -c 'echo ${{HOME}}' {a}"
  quotes:
    parameters: {a: string}
    command: "python train.py \\"{a}\\""
"""
SAME: list[tuple[str, dict[str, Any]]] = [
    ("plain", {}),
    ("plain", {"x": 1, "y": "two words", "z": "$(id)"}),
    ("plain", {"flag": "", "n": None, "t": True}),
    ("typed", {}),
    ("typed", {"s": "it's", "f": 1, "more": "x"}),
    ("typed", {"s": "line\nline"}),
    ("needed", {"a": "1e5", "b": "-x"}),
    ("needed", {"a": 1}),
    ("needed", {}),
    ("files", {"data": "train.py", "place": "s3://bucket/key"}),
    ("files", {"data": "gone.csv", "place": "s3://bucket/key"}),
    ("files", {"data": "train.py", "place": "relative/path"}),
    ("braces", {"a": "b c"}),
    ("quotes", {"a": "plain-value_1.5"}),
    ("train.py", {}),
    ("train.py", {"a": "b c"}),
    ("run me.sh", {"a": 1}),
    ("gone", {}),
]


def ours(folder: Path, point: str, given: dict[str, Any]) -> str | list[str]:
    try:
        entry = load_project(folder).entry_point(point)
        declared, more = chosen(entry, given)
        return command_line(entry, declared, more, lambda name, value, at: local_path(name, value, at, folder))
    except RunfolioError as error:
        return [type(error).__name__]


def theirs(folder: Path, table: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    if not MLFLOW:
        pytest.skip("NOT TESTED: RUNFOLIO_MLFLOW names no MLflow to stand beside")
    done = subprocess.run(
        [sys.executable, "-c", THERE], input=json.dumps([[str(folder), *row] for row in table]), capture_output=True, text=True, check=False,
        cwd=folder, env={**os.environ, "PYTHONPATH": MLFLOW}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made: list[Any] = json.loads(done.stdout)
    return made


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """The project's folder, and what MLflow makes of all rows of both tables: its import takes seconds."""
    folder = tmp_path_factory.mktemp("beside")
    (folder / "MLproject").write_text(PROJECT)
    (folder / "train.py").write_text("")
    (folder / "run me.sh").write_text("")
    return folder, theirs(folder, [*SAME, *((point, given) for point, given, _, _ in DIFFERENT)])


@pytest.fixture
def folder(answers: tuple[Path, list[Any]], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(answers[0])
    return answers[0]


def test_the_same_project_makes_the_same_command(folder: Path, answers: tuple[Path, list[Any]]) -> None:
    for (point, given), there in zip(SAME, answers[1][: len(SAME)], strict=True):
        here = ours(folder, point, given)
        if isinstance(there, list):
            assert isinstance(here, list), (point, given, here)
        else:
            assert here == there, (point, given)


DIFFERENT: list[tuple[str, dict[str, Any], str, str]] = [
    # MLflow quotes inside the command's own quotes, and the shell runs what the value says.
    ("quotes", {"a": "$(id)"}, "python train.py \"'$(id)'\"", 'python train.py ""\'$(id)\'""'),
    # MLflow writes the name of a parameter that is not declared as it is.
    ("plain", {"x;id": "1"}, "python train.py --x;id 1", "python train.py '--x;id' 1"),
    # MLflow lets Python say that there is no such script.
    ("gone.py", {}, "python gone.py", "['NotFoundError']"),
    # MLflow's documentation says that numbers are checked; its code does not.
    ("needed", {"a": "three", "b": "x"}, "python train.py three x", "['UsageError']"),
]


def test_where_the_command_differs_it_is_meant(folder: Path, answers: tuple[Path, list[Any]]) -> None:
    for (point, given, there, here), answer in zip(DIFFERENT, answers[1][len(SAME) :], strict=True):
        assert (answer, str(ours(folder, point, given))) == (there, here)


RUN_THERE = """
import json, sys, mlflow, mlflow.projects
mlflow.set_tracking_uri("file://" + sys.argv[2])
run = mlflow.get_run(mlflow.projects.run(sys.argv[1], parameters={"name": "two words", "more": 1}, env_manager="local").run_id)
print("MADE " + json.dumps([run.data.params, run.data.tags, run.info.status]))
"""


def test_the_run_has_what_mlflows_has_and_its_params_are_the_values(in_folio: Path, project_repo: Path, tmp_path: Path) -> None:
    if not MLFLOW:
        pytest.skip("NOT TESTED: RUNFOLIO_MLFLOW names no MLflow to stand beside")
    (project_repo / "MLproject").write_text(
        "name: w\nentry_points:\n  main:\n    parameters: {alpha: {type: float, default: 0.5}, name: string}\n    command: 'true {alpha} {name}'\n"
    )
    git(project_repo, "commit", "-qam", "nothing to do")
    done = subprocess.run(
        [sys.executable, "-c", RUN_THERE, str(project_repo), str(tmp_path / "store")], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": MLFLOW, "GIT_PYTHON_REFRESH": "quiet"}, cwd=tmp_path, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    params, tags, status = json.loads(done.stdout.rpartition("MADE ")[2])
    runfolio.projects.run(str(project_repo), parameters={"name": "two words", "more": 1}, env_manager="local")
    runfolio.flush()
    [run] = runs_of(in_folio)
    assert run.status.name == status
    assert set(tags) <= set(run.all_tags)
    for key in ("mlflow.project.backend", "mlflow.project.entryPoint", "mlflow.source.type", "mlflow.source.git.commit"):
        assert run.all_tags[key] == tags[key]
    # MLflow records the values as the shell gets them, with its quotes.
    assert params == {"alpha": "0.5", "name": "'two words'", "more": "1"}
    assert run.params == {"alpha": "0.5", "name": "two words", "more": "1"}
