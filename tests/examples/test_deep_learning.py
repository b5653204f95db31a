"""The guide's PyTorch training loop runs with the import changed, and its model predicts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = pytest.mark.frameworks
PREDICT = """
import json, numpy, runfolio
from sklearn.datasets import load_digits
(run,) = runfolio.search_runs(search_all_experiments=True, output_format="list")
images, digits = load_digits(return_X_y=True)
pixels = ((images.reshape(-1, 1, 8, 8) / 16 - 0.5) / 0.5).astype("float32")
made = runfolio.pyfunc.load_model(f"runs:/{run.info.run_id}/model").predict(pixels)
print(json.dumps([run.data.params, run.data.metrics["train_loss"], float((made.argmax(axis=1) == digits).mean())]))
"""


def test_the_training_loop_logs_its_losses_and_a_model_that_reads_digits(folio_dir: Path) -> None:
    for module in ("torch", "sklearn"):
        pytest.importorskip(module)
    env = {**os.environ, "OMP_NUM_THREADS": "1"}

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=folio_dir, env=env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    assert run(sys.executable, str(EXAMPLES / "pytorch_autolog.py")).count("loss=") == 5
    params, loss, right = json.loads(run(sys.executable, "-c", PREDICT))
    assert params == {"epochs": "5", "learning_rate": "0.001", "batch_size": "64", "device": "cpu"}
    assert loss < 0.5
    assert right > 0.9
