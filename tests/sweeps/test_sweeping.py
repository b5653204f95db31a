"""A sweep in one process: points, runs, results."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import StateError, UsageError
from runfolio.records import RunStatus
from tests.conftest import git
from tests.sweeps import objectives
from tests.sweeps.conftest import children

optuna = pytest.importorskip("optuna", reason="NOT TESTED: optuna is not installed")


def test_each_trial_is_a_child_with_its_params_and_its_value(folio_here: Path) -> None:
    found = runfolio.sweep(objectives.logging_bowl, objectives.SPACE, name="bowl", metrics="cost", trials=12, seed=1)
    runs = children(folio_here, found.run_id)
    assert [run.tags["runfolio.sweep.trial"] for run in runs] == [str(number) for number in range(12)]
    for run, trial in zip(runs, found.trials, strict=True):
        assert run.status is RunStatus.FINISHED
        assert {name: str(value) for name, value in trial.params.items()} == dict(run.params)
        assert run.metrics["cost"].last == trial.values["cost"] == objectives.bowl(**trial.params)
        assert run.metrics["loss"].count == 3
        assert run.code == runs[0].code
    best = min(found.trials, key=lambda trial: trial.values["cost"])
    assert found.best == best
    assert found.best_params == best.params
    assert found.best_run_id == best.runs[0]


def test_a_quick_sweep_is_one_commit(folio_here: Path) -> None:
    before = git(folio_here, "rev-list", "--count", "HEAD")
    runfolio.sweep(objectives.bowl, objectives.SPACE, trials=30, sampler="random", seed=1)
    runfolio.flush()
    assert int(git(folio_here, "rev-list", "--count", "HEAD")) == int(before) + 1


def test_the_sweeps_own_run_tells_the_best_so_far(folio_here: Path) -> None:
    found = runfolio.sweep(objectives.bowl, objectives.SPACE, metrics={"cost": "minimize"}, trials=15, sampler="random", seed=1)
    runfolio.flush()
    history = runfolio.client.RunfolioClient().get_metric_history(found.run_id, "best_cost")
    values = [point.value for point in sorted(history, key=lambda point: point.step)]
    assert values == sorted(values, reverse=True)
    assert values[-1] == found.best_value


def test_the_same_seed_draws_the_same_points(folio_here: Path) -> None:
    for sampler in ("random", "tpe", "qmc", "nsgaii"):
        first, second = (
            runfolio.sweep(objectives.bowl, objectives.SPACE, trials=14, sampler=sampler, seed=5).trials for _ in range(2)
        )
        assert [trial.params for trial in first] == [trial.params for trial in second], sampler
        assert len({json.dumps(trial.params) for trial in first}) > 10


def test_a_grid_runs_each_point_once(folio_here: Path) -> None:
    found = runfolio.sweep(
        objectives.bowl, {"x": {"type": "int", "low": -1, "high": 1}, "kind": ["a", "b"]}, sampler="grid", direction="maximize"
    )
    assert sorted((trial.params["x"], trial.params["kind"]) for trial in found.trials) == [
        (x, kind) for x in (-1, 0, 1) for kind in "ab"
    ]
    assert found.best_params == {"x": -1, "kind": "b"}


def test_cma_es_draws_points(folio_here: Path) -> None:
    pytest.importorskip("cmaes", reason="NOT TESTED: cmaes is not installed")
    space = {"x": {"type": "float", "low": -4, "high": 4}, "y": {"type": "float", "low": -4, "high": 4}}
    found = runfolio.sweep(lambda x, y: x * x + y * y, space, sampler="cmaes", trials=60, seed=0)
    assert found.best_value is not None and found.best_value < 0.5


def test_an_objective_of_optuna_draws_its_own_params(folio_here: Path) -> None:
    found = runfolio.sweep(objectives.drawing, trials=10, seed=1)
    assert all(set(trial.params) == {"x", "depth"} for trial in found.trials)
    assert [run.params["depth"] for run in children(folio_here, found.run_id)] == [
        str(trial.params["depth"]) for trial in found.trials
    ]


def test_several_metrics_give_a_front(folio_here: Path) -> None:
    found = runfolio.sweep(
        lambda x: {"near": abs(x), "far": abs(x - 2), "note": x},
        {"x": {"type": "float", "low": -4, "high": 4}},
        metrics={"near": "minimize", "far": "minimize"}, trials=25, seed=2,
    )  # fmt: skip
    front = found.pareto_front
    assert front
    for trial in front:
        assert not any(
            other.values["near"] < trial.values["near"] and other.values["far"] < trial.values["far"] for other in found.trials
        )
    assert "note" in children(folio_here, found.run_id)[0].metrics


def test_replicates_give_mean_and_spread(folio_here: Path) -> None:
    found = runfolio.sweep(
        objectives.with_seed, {"x": {"type": "float", "low": 0, "high": 1}}, replicates={"seed": [1, 2, 6]}, trials=4, seed=1
    )
    for trial in found.trials:
        assert trial.values["value"] == pytest.approx(trial.params["x"] + 3)
        assert trial.spreads["value"] == pytest.approx(math.sqrt(7))
        assert len(trial.runs) == len(trial.samples) == 3
        assert "seed" not in trial.params
    runs = children(folio_here, found.run_id)
    assert [run.params["seed"] for run in runs[:3]] == ["1", "2", "6"]
    assert len({run.params["x"] for run in runs[:3]}) == 1


def test_what_is_not_promising_is_pruned(folio_here: Path) -> None:
    space = {"x": {"type": "float", "low": -4, "high": 4}}
    found = runfolio.sweep(
        objectives.reporting, space, pruner={"type": "median", "n_startup_trials": 3}, sampler="random", trials=20, seed=3
    )
    assert found.count("pruned") > 2
    assert found.count("complete") + found.count("pruned") == 20
    pruned = next(trial for trial in found.trials if trial.state == "pruned")
    run = next(run for run in children(folio_here, found.run_id) if run.run_id == pruned.runs[0])
    assert run.tags["runfolio.sweep.state"] == "pruned"
    assert 1 <= run.metrics["value.reported"].count < 5


def test_an_objective_that_raises_fails_its_trial_and_the_sweep_goes_on(folio_here: Path) -> None:
    found = runfolio.sweep(
        objectives.fails_above_one, {"x": {"type": "float", "low": 0, "high": 2}}, trials=20, sampler="random", seed=1
    )
    failed = [trial for trial in found.trials if trial.state == "failed"]
    assert failed and found.count("complete") == 20 - len(failed)
    run = next(run for run in children(folio_here, found.run_id) if run.run_id == failed[0].runs[0])
    assert run.status is RunStatus.FAILED
    assert run.tags["runfolio.sweep.error"].startswith("ValueError: x is 1.")
    assert "too large" in runfolio.artifacts.load_text(f"runs:/{run.run_id}/traceback.txt")


def test_without_catch_the_first_failure_stops_the_sweep(folio_here: Path) -> None:
    with pytest.raises(StateError, match=r"Trial \d+ failed: ValueError: x is .*resume="):
        runfolio.sweep(objectives.fails_above_one, {"x": {"type": "float", "low": 0, "high": 2}}, trials=20, seed=1, catch=False)


def test_an_objective_that_always_fails_stops_the_sweep(folio_here: Path) -> None:
    with pytest.raises(StateError, match="The first 10 trials all failed, the last one so: ZeroDivisionError"):
        runfolio.sweep(lambda x: x / 0, {"x": [1, 2]}, trials=1000, sampler="random")


def test_not_a_number_fails_the_trial(folio_here: Path) -> None:
    found = runfolio.sweep(lambda x: math.nan if x == 1 else x, {"x": [1, 2]}, sampler="grid")
    assert [trial.state for trial in found.trials] == ["failed", "complete"]
    assert "not a number" in found.trials[0].fault


def test_an_objective_may_log_its_metric_instead_of_returning_it(folio_here: Path) -> None:
    def objective(x: int) -> None:
        runfolio.log_metric("score", x, step=3)

    found = runfolio.sweep(objective, {"x": [1, 2]}, sampler="grid", metrics="score")
    assert [trial.values["score"] for trial in found.trials] == [1, 2]
    assert all(run.metrics["score"].count == 1 for run in children(folio_here, found.run_id))


def test_a_run_that_the_objective_left_open_ends_with_the_trial(folio_here: Path) -> None:
    def objective(x: int) -> float:
        runfolio.start_run(nested=True, run_name="inner")
        return x

    found = runfolio.sweep(objective, {"x": [1, 2]}, sampler="grid")
    assert found.count("complete") == 2
    assert runfolio.active_run() is None


def test_a_command_is_run_without_a_shell(folio_here: Path) -> None:
    (folio_here / "score.py").write_text(
        "import sys, runfolio\nrunfolio.log_metric('size', len(sys.argv[1]))\nprint('said', sys.argv[1])\n"
    )
    words = ["$(touch hacked)", "a; touch hacked", "`touch hacked`"]
    found = runfolio.sweep(["python", "score.py", "{word}"], {"word": words}, sampler="grid", metrics="size")
    assert [trial.values["size"] for trial in found.trials] == [len(word) for word in words]
    assert not (folio_here / "hacked").exists()
    assert runfolio.artifacts.load_text(f"runs:/{found.trials[0].runs[0]}/console.log") == f"said {words[0]}\n"


def test_a_command_that_fails_says_so_in_its_trial(folio_here: Path) -> None:
    found = runfolio.sweep(["python", "-c", "raise SystemExit({x})"], {"x": [3, 4]}, sampler="grid", metrics="m")
    assert [trial.fault for trial in found.trials] == [
        f"the command ended with {code}; its output is in console.log" for code in (3, 4)
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "trials: say how many"),
        ({"trials": 0}, "trials: a number from 1 is expected, found 0"),
        ({"trials": 3, "sampler": "bayes"}, "sampler: 'bayes' is none; did you mean 'bayesian'?"),
        ({"trials": 3, "pruner": "medium"}, "pruner: 'medium' is none; did you mean 'median'?"),
        ({"trials": 3, "sampler": {"type": "tpe", "nope": 1}}, "sampler: tpe does not take these options"),
        ({"trials": 3, "direction": "up"}, "direction: minimize or maximize is expected, found 'up'"),
        (
            {"trials": 3, "metrics": {"a": "min", "b": "max"}, "pruner": "median"},
            "pruner: a sweep with several metrics prunes nothing",
        ),
        ({"trials": 3, "replicates": {"x": [1, 2]}}, "replicates.x: this param is in the space, too"),
        ({"trials": 3, "replicates": 0}, "replicates.seed: a list of values or a count from 1"),
        ({"trials": 3, "n_jobs": 0}, "n_jobs: a number from 1"),
        ({"trials": 3, "engine": "dusk"}, "engine: 'dusk' is none"),
        ({"sampler": "grid"}, "space.x: a grid needs a step here"),
        ({"trials": 3, "timeout": "soon"}, "soon"),
        ({"trials": 3, "resume": "nothing-of-that-name"}, "No run 'nothing-of-that-name'"),
        ({"trials": 3, "resume": True}, "give the name"),
    ],
)
def test_a_wrong_argument_is_told_before_anything_is_recorded(folio_here: Path, arguments: dict[str, Any], said: str) -> None:
    space = {"x": {"type": "float", "low": 0, "high": 1}}
    with pytest.raises(runfolio.RunfolioError) as found:
        runfolio.sweep(lambda x=0, seed=0: x, space, **arguments)
    assert said in found.value.message
    runfolio.flush()
    assert "runs:" not in git(folio_here, "log", "--format=%s")


def test_an_objective_that_takes_other_params_is_refused(folio_here: Path) -> None:
    with pytest.raises(UsageError, match=r"no argument for kind; no param for y"):
        runfolio.sweep(lambda x, y: x, objectives.SPACE, trials=3)
    with pytest.raises(UsageError, match=r"no_such_function"):
        runfolio.sweep("tests.sweeps.objectives:no_such_function", objectives.SPACE, trials=3)
    with pytest.raises(UsageError, match=r"there is no param for \{y\}; known: x, kind"):
        runfolio.sweep(["train", "{y}", "{x}"], objectives.SPACE, trials=3)
