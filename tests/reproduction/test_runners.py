"""Runs that a sweep or a pipeline started: trials and steps, made again each by itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.reproduction.labs import Lab

STEPS = """\
name: words
params: {depth: 4}
steps:
  - name: prepare
    command: [PYTHON, prepare.py]
    outputs: [made, rows.txt]
  - name: train
    command: [PYTHON, fit.py, "{depth}"]
    env: {SHIFT: "0.25"}
    inputs: [prepare:made, prepare:rows.txt]
    outputs: [model.txt]
"""
PREPARE = """\
import pathlib
pathlib.Path("made").mkdir(exist_ok=True)
pathlib.Path("made/a b.txt").write_text("1\\n")
pathlib.Path("rows.txt").write_text("2.5\\n")
"""
FIT = """\
import os, pathlib, sys
import runfolio
shift = float(os.environ["SHIFT"])
text = pathlib.Path("made/a b.txt").read_text() + pathlib.Path("rows.txt").read_text()
runfolio.log_metric("score", shift + sum(map(float, text.split())) * float(sys.argv[1]))
pathlib.Path("model.txt").write_text(text)
"""


def run_named(lab: Lab, name: str) -> str:
    found: list[dict[str, Any]] = json.loads(lab.cli("runs", "list", "--json").stdout)
    return next(str(run["run_id"]) for run in found if run["name"] == name)


def quoted(text: str) -> str:
    return text.replace("PYTHON", json.dumps(sys.executable))


def test_a_trial_of_a_command_is_made_again_with_its_own_values(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    program = "import sys, runfolio\nrunfolio.log_metric('score', float(sys.argv[1].partition('=')[2]) + float(sys.argv[2]))\n"
    sweep = (
        "name: words\ncommand: [PYTHON, fit.py, '--x={x}', '{seed}']\nmetrics: {score: maximize}\nsampler: grid\n"
        "space: {x: [0.5, 2]}\nreplicates: {seed: [1, 2]}\n"
    )
    lab = Lab(tmp_path / "lab", {"fit.py": program, "sweep.yaml": quoted(sweep)})
    lab.cli("sweep", "sweep.yaml")
    made = lab.reproduce(run_named(lab, "trial-0001-1"))
    assert (made["verdict"], made["command"][-3:]) == ("exact", ["fit.py", "--x=2", "2"])
    assert (made["compared"], made.get("params", {})) == (1, {})
    refused = lab.reproduce(run_named(lab, "words"), expect=22)
    assert refused["reason"].startswith("it is a sweep of many runs: make one of its trials again")


def test_a_trial_of_a_function_or_a_project_is_made_again(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    space = "metrics: {score: maximize}\nsampler: grid\nspace: {x: [0.5, 2]}\n"
    project = "name: p\nentry_points:\n  main:\n    parameters: {x: float}\n    command: 'PYTHON fit.py {x}'\n"
    files = {
        "fit.py": "import sys, runfolio\nrunfolio.log_metric('score', float(sys.argv[1]))\n",
        "objective.py": "def score(x):\n    return x + 1\n",
        "MLproject": project.replace("PYTHON", sys.executable),
        "one.yaml": f"name: one\nexperiment: one\nfunction: objective:score\n{space}",
        "two.yaml": f"name: two\nexperiment: two\nproject: {{uri: ., entry_point: main}}\n{space}",
    }
    lab = Lab(tmp_path / "lab", files)
    for name in ("one", "two"):
        lab.python(str(Path(sys.executable).parent / "runfolio"), "sweep", f"{name}.yaml")
        runs = json.loads(lab.cli("runs", "list", "--json").stdout)
        run_id = next(run["run_id"] for run in runs if run["experiment"] == name and run["params"].get("x") in ("2", "2.0"))
        made = lab.reproduce(run_id)
        assert (made["verdict"], made["compared"]) == ("exact", 1)


def test_a_secret_of_a_trial_is_masked_and_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    program = (
        "import sys, runfolio\nassert sys.argv[1] == '--t=hunter2secret'\nrunfolio.log_metric('score', float(sys.argv[2]))\n"
    )
    sweep = (
        "name: words\ncommand: [PYTHON, fit.py, '--t={api_token}', '{x}']\nmetrics: {score: maximize}\nsampler: grid\n"
        "space: {x: [0.5], api_token: hunter2secret}\n"
    )
    lab = Lab(tmp_path / "lab", {"fit.py": program, ".gitignore": "sweep.yaml\n"})
    lab.write("sweep.yaml", quoted(sweep))
    lab.cli("sweep", "sweep.yaml")
    run_id = run_named(lab, "trial-0000")
    assert "hunter2secret" not in lab.cli("runs", "show", run_id, "--json").stdout
    assert "hunter2secret" not in lab.git("log", "-p", "--", "runs")
    assert not [
        item for item in lab.root.glob(".git/runfolio/objects/**/*") if item.is_file() and b"hunter2" in item.read_bytes()
    ]
    assert "hunter2secret" not in lab.cli("sweep", "--show", "words").stdout
    lab.cli("reproduce", run_id, expect=2)
    assert lab.reproduce(run_id, "--fill", "t=hunter2secret")["verdict"] == "exact"


def test_a_sweep_with_a_secret_goes_on_where_the_space_is_given_again(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    program = (
        "import sys, runfolio\n"
        "def score(x, api_token):\n    assert api_token == 'hunter2secret'\n    return x\n"
        "space = {'x': {'type': 'float', 'low': 0, 'high': 1}, 'api_token': 'hunter2secret'}\n"
        "more = {'resume': sys.argv[1]} if sys.argv[1:2] else {}\n"
        "if sys.argv[2:] != ['without']: more['space'] = space\n"
        "print(runfolio.sweep(score, trials=2 + len(more), sampler='random', name='words', seed=1, **more).run_id)\n"
    )
    lab = Lab(tmp_path / "lab", {"search.py": program})
    sweep = lab.python("search.py").stdout.split()[-1]
    refused = lab.python("search.py", sweep, "without", expect=1)
    assert "has api_token as ***, as secrets are. Give the space again." in refused.stderr
    lab.python("search.py", sweep)
    assert "4 complete" in lab.cli("sweep", "--show", "words").stderr
    assert "hunter2secret" not in lab.git("log", "-p", "--", "runs")


@pytest.mark.parametrize("folder", ["", "sub dir/"])
def test_a_step_is_made_again_from_what_other_steps_made(tmp_path: Path, folder: str) -> None:
    files = {"pipeline.yaml": quoted(STEPS), "prepare.py": PREPARE, "fit.py": FIT, ".gitignore": "/made\n/*.txt\n"}
    lab = Lab(tmp_path / "lab", {folder + name: text for name, text in files.items()})
    lab.cli("pipeline", "run", f"{folder}pipeline.yaml", "-P", "depth=2")
    run_id = run_named(lab, "train")
    facts = lab.verify(run_id, "--read-data")["facts"]
    assert [fact["state"] for fact in facts if fact["what"] == "data"] == ["ok", "ok"]
    made = lab.reproduce(run_id)
    assert (made["verdict"], made["artifacts"]) == ("exact", {"added": 0, "missing": 0, "other": 0, "same": 1})
    assert sorted(made["data"]) == ["made", "rows.txt"]
    assert (made.get("params", {}), made.get("inputs", {})) == ({}, {})
    for item in (lab.root / ".git/runfolio/objects/sha256").rglob("*"):
        if item.is_file() and item.read_bytes() == b"1\n":
            item.unlink()
    assert "made (runs:/" in lab.reproduce(run_id, expect=22)["reason"]
    assert "fault" in [fact["state"] for fact in lab.verify(run_id, expect=1)["facts"] if fact["what"] == "data"]


def test_a_program_that_fails_is_told_by_its_own_last_words(tmp_path: Path) -> None:
    lab = Lab(
        tmp_path / "lab",
        {"fit.py": "import sys, os\nimport runfolio\nrunfolio.log_metric('x', 1)\nsys.exit(os.environ.get('BAD'))\n"},
    )
    lab.cli("record", "--name", "r", "--", sys.executable, "fit.py")
    made = lab.reproduce("r", expect=22, env={"BAD": "no rows"})
    assert made["reason"].startswith("it ended with exit status 1: no rows")
