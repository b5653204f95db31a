"""Accelerate's tracker, as its users give it to an Accelerator; what it logs is compared with MLflow's elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

import runfolio
from runfolio.errors import UsageError
from tests.autologging.reading import artifacts, points, runs

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.xdist_group("transformers"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
accelerate = pytest.importorskip("accelerate")


def test_a_loop_is_a_run_from_init_trackers_to_end_training(folio: Path) -> None:
    tracker = runfolio.accelerate.RunfolioTracker("digits", run_name="first", description="a loop")
    accelerator = accelerate.Accelerator(cpu=True, log_with=tracker)
    assert runs() == []
    accelerator.init_trackers("project", config={"rate": 0.1})
    assert accelerator.get_tracker("runfolio", unwrap=True).info.run_id == runfolio.active_run().info.run_id
    for step in range(3):
        accelerator.log({"loss": step / 2}, step=step)
    tracker.log_artifact(__file__, "code")
    accelerator.end_training()
    assert runfolio.active_run() is None
    (run,) = runfolio.search_runs(experiment_names=["digits"], output_format="list")
    assert (run.info.status, run.info.run_name, run.data.params) == ("FINISHED", "first", {"rate": "0.1"})
    assert points(run, "loss") == [(0, 0.0), (1, 0.5), (2, 1.0)] and artifacts(run) == ["code/test_accelerate.py"]
    assert run.data.tags["mlflow.note.content"] == "a loop"


def test_by_name_the_project_is_the_experiment(folio: Path) -> None:
    if not hasattr(accelerate.tracking, "register_tracker_class"):
        pytest.skip("NOT TESTED: this Accelerate registers no trackers")
    assert runfolio.accelerate.RunfolioTracker.name == "runfolio"
    accelerator = accelerate.Accelerator(cpu=True, log_with="runfolio")
    accelerator.init_trackers("project", init_kwargs={"runfolio": {"tags": {"team": "red"}}})
    accelerator.log({"loss": 0.5})
    accelerator.end_training()
    (run,) = runfolio.search_runs(experiment_names=["project"], output_format="list")
    assert run.data.tags["team"] == "red" and run.data.metrics == {"loss": 0.5}


def test_an_active_run_is_joined_and_wrong_tags_are_refused(folio: Path) -> None:
    with runfolio.start_run() as active:
        accelerator = accelerate.Accelerator(cpu=True, log_with=runfolio.accelerate.RunfolioTracker())
        accelerator.init_trackers("project")
        accelerator.log({"loss": 0.5})
        accelerator.end_training()
        assert runfolio.active_run() is active
    assert [run.data.metrics for run in runs()] == [{"loss": 0.5}]
    with pytest.raises(UsageError, match="tags: a JSON object .* is expected; found 'red'"):
        runfolio.accelerate.RunfolioTracker(tags="red")
