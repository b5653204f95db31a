"""Lightning's logger, as its users give it to a Trainer; that it logs what MLFlowLogger logs is compared elsewhere."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.autologging.guarding import TAG
from runfolio.errors import UsageError
from tests.autologging.reading import artifacts, points, runs, text
from tests.faults.repositories import make_folio, python
from tests.faults.repositories import runfolio as command

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
torch = pytest.importorskip("torch")
lightning = pytest.importorskip("lightning.pytorch")

X = torch.linspace(-1, 1, 64).reshape(16, 4)
DATA = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, X.sum(1, keepdim=True)), batch_size=4)


def trainer(logger: Any, *callbacks: Any, kind: Any = lightning, **options: Any) -> Any:
    torch.set_num_threads(1)
    quiet = {"enable_checkpointing": bool(callbacks), "enable_progress_bar": False, "enable_model_summary": False}
    settings = {"max_epochs": 2, "accelerator": "cpu", "log_every_n_steps": 1, **quiet, **options}
    return kind.Trainer(logger=logger, callbacks=list(callbacks), **settings)


def net(rate: float = 0.05) -> Any:
    from tests.flavors.lightning_nets import LitNet

    torch.manual_seed(0)
    return LitNet(rate)


def test_a_fit_is_a_run_of_its_own_and_a_test_after_it_goes_on_with_it(folio: Path) -> None:
    logger = runfolio.pytorch.RunfolioLogger("nets", "first", tags={"team": "red"}, prefix="p")
    made, model = trainer(logger), net()
    made.fit(model, DATA, DATA)
    assert runfolio.active_run() is None
    run = runfolio.get_run(logger.run_id)
    assert (run.info.status, run.info.run_name, run.data.tags["team"]) == ("FINISHED", "first", "red")
    assert runfolio.get_experiment(logger.experiment_id).name == "nets" and (logger.name, logger.version) == (
        logger.experiment_id,
        logger.run_id,
    )
    before = len(run.data.metrics)
    made.test(model, DATA)
    again = runfolio.get_run(logger.run_id)
    assert len(runs()) == 0 and len(runfolio.search_runs(experiment_names=["nets"], output_format="list")) == 1
    assert again.info.status == "FINISHED" and len(again.data.metrics) > before and TAG not in again.data.tags
    assert all(name.startswith("p-") for name in again.data.metrics)


def test_hyperparameters_are_flattened_and_keep_their_first_value(folio: Path) -> None:
    logger = runfolio.pytorch.RunfolioLogger()
    logger.log_hyperparams({"opt": {"lr": 0.1}, "layers": [{"width": 4}, {"width": 2}], "rates": [1, 2]})
    logger.log_hyperparams(argparse.Namespace(depth=3, long="x" * 7000))
    logger.log_hyperparams({"opt": {"lr": 0.2}})
    logger.log_metrics({"loss@1": torch.tensor(0.5), "text": "no"}, step=3)
    logger.finalize("success")
    (run,) = runs()
    kept = {name: value for name, value in run.data.params.items() if name != "long"}
    assert kept == {"opt/lr": "0.1", "layers/0/width": "4", "layers/1/width": "2", "rates": "[1, 2]", "depth": "3"}
    assert run.data.params["long"].endswith("xxx...") and points(run, "loss1") == [(3, 0.5)]


@pytest.mark.parametrize("log_model", [True, "all"])
def test_checkpoints_are_kept_when_training_ends_or_as_they_are_saved(folio: Path, log_model: Any) -> None:
    saver = lightning.callbacks.ModelCheckpoint(monitor="val_loss", save_top_k=1, filename="{epoch}")
    logger = runfolio.pytorch.RunfolioLogger(log_model=log_model)
    trainer(logger, saver, max_epochs=3).fit(net(), DATA, DATA)
    (run,) = runs()
    best = Path(saver.best_model_path)
    assert best.parent == Path("lightning_logs") / logger.experiment_id / logger.run_id / "checkpoints"
    kept = [path for path in artifacts(run) if path.endswith(".ckpt")]
    assert (kept == [f"{best.stem}/{best.name}"]) if log_model is True else len(kept) == 3
    assert text(run, f"{best.stem}/aliases.txt") == "['latest', 'best']"
    assert f"score: {saver.best_model_score.item()}" in text(run, f"{best.stem}/metadata.yaml")


def test_a_fit_that_fails_is_a_failed_run(folio: Path) -> None:
    class Broken(lightning.Callback):  # type: ignore[misc,name-defined]
        def on_train_epoch_end(self, *_: Any) -> None:
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        trainer(runfolio.pytorch.RunfolioLogger(), Broken()).fit(net(), DATA)
    assert [run.info.status for run in runs()] == ["FAILED"]


def test_a_run_is_gone_on_with_by_its_id_and_an_active_one_is_joined(folio: Path) -> None:
    with runfolio.start_run() as active:
        logger = runfolio.pytorch.RunfolioLogger()
        trainer(logger).fit(net(), DATA)
        assert logger.run_id == active.info.run_id and runfolio.active_run() is active
    trainer(runfolio.pytorch.RunfolioLogger(run_id=active.info.run_id)).test(net(), DATA)
    (run,) = runs()
    assert run.info.status == "FINISHED" and any("test" in name for name in run.data.metrics)


def test_other_ranks_make_no_run_and_have_an_experiment_that_does_nothing(folio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lightning.utilities.rank_zero_only, "rank", 1)
    logger = runfolio.pytorch.RunfolioLogger()
    logger.log_metrics({"loss": 1.0})
    logger.experiment.log_metric(logger.run_id, "loss", 1.0)
    logger.finalize("success")
    assert (logger.run_id, logger.name, runs()) == (None, None, [])


def test_both_packages_of_lightning_take_it(folio: Path) -> None:
    older = pytest.importorskip("pytorch_lightning")
    logger = runfolio.pytorch.RunfolioLogger()
    assert isinstance(logger, older.loggers.Logger) and isinstance(logger, lightning.loggers.Logger)


def test_a_wrong_choice_of_checkpoints_is_refused() -> None:
    with pytest.raises(UsageError, match="log_model: True, False or \"all\" is expected; found 'some'"):
        runfolio.pytorch.RunfolioLogger(log_model="some")


def test_several_processes_log_once(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    (folder / "train.py").write_text(
        """
import warnings; warnings.simplefilter("ignore")
import lightning.pytorch as pl, torch
from lightning.pytorch.demos.boring_classes import BoringModel
from runfolio.pytorch import RunfolioLogger

class Net(BoringModel):
    def training_step(self, batch, at):
        loss = super().training_step(batch, at)["loss"]
        self.log("loss", loss)
        return loss

if __name__ == "__main__":
    torch.set_num_threads(1)
    pl.Trainer(logger=RunfolioLogger(run_name="two"), accelerator="cpu", devices=2, strategy="ddp", max_epochs=1, limit_train_batches=2,
        limit_val_batches=0, log_every_n_steps=1, enable_progress_bar=False, enable_model_summary=False).fit(Net())
"""
    )
    done = python(
        folder, "import runpy, sys; sys.argv = ['train.py']; runpy.run_path('train.py', run_name='__main__')", OMP_NUM_THREADS="1"
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (run,) = json.loads(command(folder, "runs", "list", "--json").stdout)
    assert (run["name"], run["status"]) == ("two", "FINISHED")
