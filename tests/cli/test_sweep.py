"""``runfolio sweep``, as it is typed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.repositories import COMMAND, environment, make_folio, runfolio

pytest.importorskip("optuna", reason="NOT TESTED: optuna is not installed")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FUNCTION = """\
function: objective:score
metrics: {score: maximize}
space:
  x: {type: int, low: 0, high: 9}
sampler: grid
seed: 1
"""


@pytest.fixture
def folio(tmp_path: Path) -> Path:
    folder = make_folio(tmp_path / "folio")
    (folder / "objective.py").write_text("def score(x):\n    return -abs(x - 7)\n")
    (folder / "search.yaml").write_text(FUNCTION)
    return folder


def test_the_example_runs(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    for name in ("sweep.yaml", "train_sweep.py"):
        shutil.copy(EXAMPLES / name, folder)
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    done = runfolio(folder, "sweep", "sweep.yaml", "--trials", "3", PATH=path)
    assert done.returncode == 0, done.stderr
    assert "wine-forest" in done.stderr and "3 complete" in done.stderr
    assert "±" in done.stdout
    listed = json.loads(runfolio(folder, "runs", "list", "--json").stdout)
    assert len(listed) == 7
    trial = next(run for run in listed if run["name"] == "trial-0000-1")
    shown = json.loads(runfolio(folder, "runs", "show", trial["run_id"], "--json").stdout)
    assert shown["params"]["seed"] == "1"


def test_a_function_of_the_folder_is_found_and_the_best_is_printed(folio: Path) -> None:
    done = runfolio(folio, "sweep", "search.yaml")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split()[:3] == ["7", "0", "7"] or "7" in done.stdout
    found = json.loads(runfolio(folio, "sweep", "--show", "search", "--json").stdout)
    assert found["best"] == [7]
    assert found["counts"]["complete"] == 10
    listed = json.loads(runfolio(folio, "sweep", "--list", "--json").stdout)
    assert [(each["name"], each["status"]) for each in listed] == [("search", "FINISHED")]
    assert "search" in runfolio(folio, "sweep", "--list").stdout


def test_a_dry_run_shows_and_writes_nothing(folio: Path) -> None:
    (folio / "command.yaml").write_text("command: python train.py --x={x}\nspace: {x: [1, 2]}\nsampler: grid\n")
    done = runfolio(folio, "sweep", "command.yaml", "--dry-run")
    assert done.stdout.splitlines() == [
        "2 trials, sampler grid, pruner none; nothing was run.", "  0: python train.py --x=1", "  1: python train.py --x=2",
    ]  # fmt: skip
    assert json.loads(runfolio(folio, "sweep", "search.yaml", "--dry-run", "--json").stdout)["first"][1]["params"] == {"x": 1}
    assert json.loads(runfolio(folio, "runs", "list", "--json").stdout) == []


def test_a_killed_sweep_goes_on(folio: Path) -> None:
    (folio / "objective.py").write_text(
        "import os, pathlib, signal\n"
        "def score(x):\n"
        "    if x == 4 and not pathlib.Path('killed').exists():\n"
        "        pathlib.Path('killed').touch()\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return x\n"
    )
    first = subprocess.run((*COMMAND, "sweep", "search.yaml"), cwd=folio, env=environment(), capture_output=True, check=False)
    assert first.returncode == -signal.SIGKILL
    shown = json.loads(runfolio(folio, "sweep", "--show", "search", "--json").stdout)
    assert (shown["counts"]["complete"], shown["counts"]["open"]) == (4, 1)
    done = runfolio(folio, "sweep", "search.yaml", "--resume", "search", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"] == {"complete": 10, "pruned": 0, "failed": 0, "open": 0}
    assert "trial 3:" not in done.stderr and "trial 4:" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "Give a file to run, or --show RUN, or --list."),
        (("bad.yaml",), 2, "bad.yaml: line 1: trials"),
        (("search.yaml", "--resume", "a", "--continue"), 2, "give one of the two"),
        (("search.yaml", "--resume", "nosuch"), 11, "No run 'nosuch'"),
        (("search.yaml", "--engine", "dusk"), 2, "engine: 'dusk' is none"),
        (("--show", "nosuch"), 11, "No run 'nosuch'"),
    ],
)
def test_a_mistake_is_told_without_a_traceback(folio: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    (folio / "bad.yaml").write_text("trials: x\ncommand: a\nspace: {x: [1]}\n")
    done = runfolio(folio, "sweep", *arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_entry_point_of_a_project_is_run_at_each_point(folio: Path) -> None:
    (folio / "MLproject").write_text(
        "name: p\nentry_points:\n  main:\n    parameters: {x: float}\n    command: python -m runfolio log metric score {x}\n"
    )
    (folio / "project.yaml").write_text(
        "project: {uri: ., entry_point: main, env_manager: local}\nmetrics: {score: maximize}\nspace: {x: [1, 3]}\nsampler: grid\n"
    )
    done = runfolio(
        folio, "sweep", "project.yaml", "--json", PATH=os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(trial["state"], trial["values"]) for trial in found["trials"]] == [("complete", [1]), ("complete", [3])]
    assert len(json.loads(runfolio(folio, "runs", "list", "--json").stdout)) == 3


def test_a_sweep_whose_trials_all_fail_ends_with_1(folio: Path) -> None:
    (folio / "objective.py").write_text("def score(x):\n    return -abs(x - 7) if x > 4 else 1 / 0\n")
    assert runfolio(folio, "sweep", "search.yaml").returncode == 0
    (folio / "objective.py").write_text("def score(x):\n    return 1 / 0\n")
    done = runfolio(folio, "sweep", "search.yaml", "--trials", "3")
    assert (done.returncode, "every trial failed" in done.stderr) == (1, True), done.stderr


def test_trials_of_a_command_say_nothing_of_a_commit_that_the_sweep_makes(folio: Path) -> None:
    program = "import runfolio; runfolio.log_metric('a', 1); runfolio.log_metric('b', 2)"
    command = json.dumps([sys.executable, "-c", program, "{x}"])
    (folio / "two.yaml").write_text(
        f"command: {command}\nmetrics: {{a: maximize, b: minimize}}\nspace: {{x: [1, 2, 3]}}\nsampler: grid\njobs: 2\n"
    )
    done = runfolio(folio, "sweep", "two.yaml")
    assert done.returncode == 0, done.stderr
    assert "runfolio commit" not in done.stderr
    assert "3 on the Pareto front" in done.stderr and "best" not in done.stderr


def test_a_misspelt_engine_is_told_in_one_sentence(folio: Path) -> None:
    done = runfolio(folio, "sweep", "search.yaml", "--engine", "daks")
    assert (done.returncode, done.stderr) == (2, "runfolio: engine: 'daks' is none; did you mean 'dask'?\n")
