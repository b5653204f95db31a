"""Transformers' callback, by name and as an object, as its users give it; what it logs is compared with MLflow's elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.autologging.guarding import TAG
from runfolio.errors import UsageError
from tests.autologging.reading import artifacts, points, runs
from tests.autologging.trainings import tiny_trainer

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.xdist_group("transformers"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")


class Broken(transformers.TrainerCallback):
    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 3:
            raise RuntimeError("no more")


def test_by_name_the_training_is_a_run_of_its_own(folio: Path) -> None:
    assert (
        runfolio.transformers.RunfolioCallback is transformers.integrations.integration_utils.INTEGRATION_TO_CALLBACK["runfolio"]
    )
    trainer = tiny_trainer(report_to="runfolio", run_name="tiny")
    trainer.train()
    assert runfolio.active_run() is None
    (run,) = runs()
    assert (run.info.status, run.info.run_name) == ("FINISHED", "tiny") and TAG not in run.data.tags
    told = [(entry["step"], entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    assert points(run, "loss") == told and [step for step, _ in points(run, "eval_loss")] == [4, 8]
    assert run.data.params["num_train_epochs"] == "2" and run.data.params["hidden_size"] == "8"


def test_an_evaluation_after_the_training_goes_to_its_run_and_one_alone_makes_one(folio: Path) -> None:
    trainer = tiny_trainer(report_to="runfolio")
    trainer.train()
    trainer.evaluate(metric_key_prefix="test")
    (run,) = runs()
    assert "test_loss" in run.data.metrics and run.info.status == "FINISHED"
    tiny_trainer(report_to="runfolio").evaluate()
    assert [run.info.status for run in runs()] == ["FINISHED", "FINISHED"] and "eval_loss" in runs()[1].data.metrics


def test_an_active_run_is_joined_or_gets_a_child(folio: Path) -> None:
    with runfolio.start_run() as active:
        tiny_trainer(callbacks=[runfolio.transformers.RunfolioCallback(tags={"team": "red"})]).train()
        tiny_trainer(callbacks=[runfolio.transformers.RunfolioCallback(nested=True)]).train()
        assert runfolio.active_run() is active
    parent, child = runs()
    assert "train_loss" in parent.data.metrics and parent.data.tags["team"] == "red"
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id and child.info.status == "FINISHED"


def test_a_training_that_fails_is_a_failed_run_and_another_one_is_another(folio: Path) -> None:
    trainer = tiny_trainer(callbacks=[runfolio.transformers.RunfolioCallback(), Broken()])
    with pytest.raises(RuntimeError):
        trainer.train()
    trainer.remove_callback(Broken)
    trainer.train()
    assert [run.info.status for run in runs()] == ["FAILED", "FINISHED"]


@pytest.mark.parametrize("by", ["checkpoint", "id"])
def test_a_training_that_goes_on_from_a_checkpoint_goes_on_in_its_run(folio: Path, by: str) -> None:
    options: dict[str, Any] = {"save_strategy": "steps", "save_steps": 2}
    first = runfolio.transformers.RunfolioCallback(log_artifacts=True, tags={"team": "red"})
    with pytest.raises(RuntimeError):
        tiny_trainer(callbacks=[first, Broken()], **options).train()
    first.finish("FAILED")
    again = runfolio.transformers.RunfolioCallback(run_id=first.run_id if by == "id" else None)
    restored = {"restore_callback_states_from_checkpoint": True} if by == "checkpoint" else {}
    tiny_trainer(callbacks=[again], **options, **restored).train(resume_from_checkpoint="out/checkpoint-2")
    (run,) = runs()
    assert run.info.status == "FINISHED" and [step for step, _ in points(run, "loss")] == [2, 4, 6, 8]
    assert {"checkpoint-2/trainer_state.json", "checkpoint-2/model.safetensors"} <= set(artifacts(run))
    # Only what was asked for again keeps checkpoints: the state's arguments are those of the first one.
    assert ("checkpoint-8/model.safetensors" in artifacts(run)) is (by == "checkpoint")


def test_variables_are_understood_by_both_names_and_a_wrong_one_is_refused(folio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "theirs")
    monkeypatch.setenv("RUNFOLIO_EXPERIMENT_NAME", "ours")
    monkeypatch.setenv("MLFLOW_TAGS", '{"team": "red"}')
    monkeypatch.setenv("HF_MLFLOW_LOG_ARTIFACTS", "1")
    tiny_trainer(report_to="runfolio", save_strategy="epoch", num_train_epochs=1).train()
    (run,) = runfolio.search_runs(experiment_names=["ours"], output_format="list")
    assert run.data.tags["team"] == "red" and "checkpoint-4/config.json" in artifacts(run)
    monkeypatch.setenv("MLFLOW_TAGS", "red")
    with pytest.raises(UsageError, match="RUNFOLIO_TAGS .*: a JSON object .* is expected; found 'red'"):
        runfolio.transformers.RunfolioCallback()


def test_only_the_first_process_of_the_world_logs(folio: Path) -> None:
    trainer = tiny_trainer(callbacks=[runfolio.transformers.RunfolioCallback()])
    trainer.state.is_world_process_zero = False
    trainer.is_world_process_zero = lambda: False  # as in the others of several processes
    trainer.train()
    assert runs() == []
