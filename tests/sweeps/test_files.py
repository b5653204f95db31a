"""A sweep in a file: each mistake has its line and field, and all are told at once."""

from __future__ import annotations

import pytest

from runfolio.errors import UsageError
from runfolio.sweeps.files import read_sweep_file
from runfolio.sweeps.objectives import Command, Imported

BAD = b"""\
comand: train
command: [python, train.py, "{depht}"]
function: train:objective
metrics: {accuracy: up}
space:
  depth: {type: int, low: 5, high: 2}
  rate: {type: flot}
sampler: bayes
pruner: {type: median, n_startup: 1}
trials: many
timeout: soon
jobs: 0
replicates: {seed: []}
"""


def test_all_mistakes_are_told_with_line_and_field() -> None:
    with pytest.raises(UsageError) as found:
        read_sweep_file(BAD, "sweep.yaml")
    said = [line.split(": ", 3)[1:3] for line in found.value.message.splitlines()]
    assert said == [
        ["line 1", "comand"],
        ["line 3", "function"],
        ["line 4", "metrics"],
        ["line 6", "space.depth.high"],
        ["line 7", "space.rate.type"],
        ["line 8", "sampler"],
        ["line 10", "trials"],
        ["line 11", "timeout"],
        ["line 12", "jobs"],
        ["line 13", "replicates"],
    ]


def test_a_place_without_a_param_is_told() -> None:
    with pytest.raises(UsageError, match=r"line 1: command: there is no param for \{y\}; known: x"):
        read_sweep_file(b"command: run {x} {y}\nspace: {x: [1, 2]}\n", "s.yaml")
    with pytest.raises(UsageError, match="space: a command draws no params itself"):
        read_sweep_file(b"command: run\n", "s.yaml")
    with pytest.raises(UsageError, match="one of command, function and project says what a trial runs; none is there"):
        read_sweep_file(b"space: {x: [1, 2]}\n", "s.yaml")


def test_a_command_in_one_text_is_cut_before_values_are_put_in() -> None:
    found = read_sweep_file(b"command: \"run --a='{x} y' {params}\"\nspace: {x: ['1 2']}\n", "s.yaml").objective
    assert isinstance(found, Command)
    assert found.filled({"x": "1 2"}) == ["run", "--a=1 2 y", "--x=1 2"]


def test_braces_and_the_number_of_the_trial() -> None:
    assert Command(("{{{trial}}}", "{x}")).filled({"x": True}, 7) == ["{7}", "true"]


def test_a_project_is_run_by_runfolio_run() -> None:
    found = read_sweep_file(b"project: {uri: 'git{}', entry_point: main}\nspace: {x: [1]}\nreplicates: 2\n", "s.yaml").objective
    assert isinstance(found, Command)
    assert found.filled({"x": 1, "seed": 0}, run_id="r")[3:] == [
        "run",
        "--run-id=r",
        "--entry-point=main",
        "-P",
        "x=1",
        "-P",
        "seed=0",
        "--",
        "git{}",
    ]


def test_a_function_by_name_and_everything_else() -> None:
    found = read_sweep_file(
        b"function: train:objective\nmetrics: {a: max, b: min}\nsampler: {type: tpe, n_startup_trials: 3}\ntimeout: 2h\njobs: -1\n"
        b"description: why\ntags: {team: red}\nreplicates: {seed: 3}\n",
        "s.yaml",
    )
    assert found.objective == Imported("train:objective")
    assert found.arguments["metrics"] == {"a": "maximize", "b": "minimize"}
    assert found.arguments["timeout"] == 7200
    assert found.arguments["replicates"].values == (0, 1, 2)
    assert found.arguments["run_tags"] == {"team": "red", "mlflow.note.content": "why"}
