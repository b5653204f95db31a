"""Hydra's runs and multiruns, by the real Hydra, as its users start them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runfolio.folio import open_folio
from runfolio.query import parse_filter
from runfolio.records import Run, RunStatus
from tests.faults.repositories import make_folio, python, runfolio

pytest.importorskip("hydra", reason="NOT TESTED: hydra-core is not installed")

APP = """
import hydra
import runfolio

@hydra.main(version_base=None, config_path=".", config_name="config")
def main(config):
    runfolio.log_metric("inner", config.model.depth * 2)
    if config.model.depth == 9:
        raise ValueError("too deep")
    return config.model.depth + config.rate

if __name__ == "__main__":
    main()
"""
CONFIG = """
rate: 0.5
model: {depth: 3, kind: tree}
hydra:
  callbacks:
    runfolio:
      _target_: runfolio.sweeps.hydra.RunfolioCallback
      experiment_name: digits
      metric: score
      direction: maximize
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = make_folio(tmp_path / "folio")
    (folder / "app.py").write_text(APP)
    (folder / "config.yaml").write_text(CONFIG)
    return folder


def runs_of(folder: Path) -> list[Run]:
    folio = open_folio(folder)
    try:
        return sorted(folio.fresh_index().search_runs(parse_filter("", "runs")), key=lambda run: run.run_id)
    finally:
        folio.close()


def run_app(folder: Path, *arguments: str) -> tuple[int, str]:
    code = f"import runpy, sys; sys.argv = ['app.py', *{list(arguments)!r}]; sys.path.insert(0, '.'); runpy.run_path('app.py', run_name='__main__')"
    done = python(folder, code)
    return done.returncode, done.stderr


def test_a_run_is_logged_with_its_composed_config(app: Path) -> None:
    code, said = run_app(app, "model.depth=5")
    assert code == 0, said
    (run,) = runs_of(app)
    assert run.params == {"rate": "0.5", "model.depth": "5", "model.kind": "tree"}
    assert run.metrics["score"].last == 5.5
    assert run.metrics["inner"].last == 10
    assert run.tags["hydra.overrides"] == "model.depth=5"
    assert run.status is RunStatus.FINISHED
    assert run.experiment == "digits"
    assert "depth: 5" in runfolio(app, "artifacts", "cat", run.run_id, "config.yaml").stdout


def test_a_multirun_is_the_parent_of_its_jobs_and_reads_as_a_sweep(app: Path) -> None:
    code, said = run_app(app, "--multirun", "model.depth=2,4", "rate=0.1,0.2")
    assert code == 0, said
    parent, *jobs = runs_of(app)
    assert [run.parent for run in jobs] == [parent.run_id] * 4
    assert [run.metrics["score"].last for run in jobs] == [2.1, 2.2, 4.1, 4.2]
    assert parent.status is RunStatus.FINISHED
    shown = json.loads(runfolio(app, "sweep", "--show", parent.run_id, "--json").stdout)
    assert shown["best"] == [3]
    assert shown["trials"][3]["params"]["model.depth"] == 4


def test_a_job_that_fails_is_a_failed_run(app: Path) -> None:
    code, _ = run_app(app, "model.depth=9")
    assert code != 0
    (run,) = runs_of(app)
    assert run.status is RunStatus.FAILED
    assert run.tags["runfolio.sweep.error"] == "ValueError: too deep"


def test_hydra_finds_the_callback_by_name_and_the_application_knows_nothing_of_it(app: Path) -> None:
    (app / "config.yaml").write_text("rate: 0.5\nmodel: {depth: 3, kind: tree}\n")
    chosen = (
        "hydra/callbacks=runfolio",
        "hydra.callbacks.runfolio.experiment_name=digits",
        "hydra.callbacks.runfolio.metric=score",
    )
    code, said = run_app(app, *chosen, "model.depth=5")
    assert code == 0, said
    (run,) = runs_of(app)
    assert (run.experiment, run.metrics["score"].last, run.params["model.depth"]) == ("digits", 5.5, "5")
