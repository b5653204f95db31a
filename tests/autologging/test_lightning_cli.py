"""Lightning's CLI with runfolio's logger and config callback, by the real Lightning and jsonargparse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults.repositories import make_folio, python, runfolio

pytestmark = pytest.mark.frameworks
pytest.importorskip("lightning", reason="NOT TESTED: lightning is not installed")
pytest.importorskip("jsonargparse", reason="NOT TESTED: jsonargparse is not installed")

APP = """
import sys, warnings
warnings.simplefilter("ignore")
import torch
import lightning
from lightning.pytorch.cli import LightningCLI
import runfolio

class Net(lightning.LightningModule):
    def __init__(self, rate: float = 0.1, width: int = 4):
        super().__init__()
        self.save_hyperparameters()
        self.net = torch.nn.Linear(2, 1)
    def training_step(self, batch, at):
        loss = self.net(batch[0]).pow(2).mean()
        self.log("loss", loss, on_step=False, on_epoch=True)
        return loss
    def train_dataloader(self):
        return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(8, 2)), batch_size=4)
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.rate)

quiet = {"enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
LightningCLI(
    Net, save_config_callback=runfolio.pytorch.SaveConfigCallback, args=ARGS,
    trainer_defaults={**quiet, "max_epochs": 2, "logger": {"class_path": "runfolio.pytorch.RunfolioLogger", "init_args": {"run_name": "cli"}}},
)
"""


def test_a_fit_of_the_cli_is_a_run_with_its_config(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    done = python(folder, APP.replace("ARGS", "['fit', '--model.rate=0.25']"), OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr[-3000:]
    (run,) = json.loads(runfolio(folder, "runs", "list", "--json").stdout)
    assert run["name"] == "cli"
    assert run["status"] == "FINISHED"
    shown = json.loads(runfolio(folder, "runs", "show", run["run_id"], "--json").stdout)
    assert shown["params"]["model.rate"] == "0.25"
    assert shown["params"]["model.width"] == "4"
    assert shown["params"]["trainer.max_epochs"] == "2"
    assert "loss" in shown["metrics"]
    config = runfolio(folder, "artifacts", "cat", run["run_id"], "config.yaml").stdout
    assert "rate: 0.25" in config
