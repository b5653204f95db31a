"""The guide's examples run with the import changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def listed(folder: Path, *options: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run(folder, sys.executable, "-m", "runfolio", "runs", "list", "--json", *options))
    return found


def test_the_clean_up_deletes_finished_runs_older_than_90_days(folio_dir: Path) -> None:
    make = (
        "import time, runfolio\n"
        "client = runfolio.MlflowClient()\n"
        "day = 86_400_000\n"
        "for name, age, status in (('old', 100, 'FINISHED'), ('failed', 100, 'FAILED'), ('young', 10, 'FINISHED')):\n"
        "    run = client.create_run('0', start_time=int(time.time() * 1000) - age * day, run_name=name)\n"
        "    client.set_terminated(run.info.run_id, status)\n"
    )
    run(folio_dir, sys.executable, "-c", make)
    assert "Deleted 1 old runs." in run(folio_dir, sys.executable, str(EXAMPLES / "cleanup.py"))
    assert {entry["name"] for entry in listed(folio_dir)} == {"failed", "young"}
    assert {entry["name"] for entry in listed(folio_dir, "--deleted")} == {"old"}


def test_the_autologged_forest_has_params_metrics_plots_and_model(folio_dir: Path) -> None:
    run(folio_dir, sys.executable, str(EXAMPLES / "sklearn_autolog.py"))
    (entry,) = listed(folio_dir)
    assert (entry["experiment"], entry["status"]) == ("autolog-demo", "FINISHED")
    told = run(folio_dir, sys.executable, "-m", "runfolio", "artifacts", "list", str(entry["run_id"]))
    for path in ("estimator.html", "model/MLmodel", "model/model.pkl", "training_confusion_matrix.png"):
        assert path in told
    shown = run(folio_dir, sys.executable, "-m", "runfolio", "runs", "show", str(entry["run_id"]))
    for name in ("n_estimators", "training_roc_auc", "training_log_loss", "RandomForestClassifier"):
        assert name in shown
