"""An objective that workers import, and one that a pruner stops; both leave a mark for each call."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any


def square(trial: Any) -> float:
    import runfolio

    calls = Path(os.environ["CALLS"])
    with (calls / f"{trial.number:04d}").open("a") as file:
        file.write(f"{os.getpid()}\n")
    runfolio.log_text(f"weights of {trial.number}", "weights.txt")
    if (calls / f"kill-{trial.number}").exists():
        (calls / f"kill-{trial.number}").unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    if (calls / f"always-{trial.number}").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return float(trial.params["x"]) ** 2


def nested(trial: Any) -> float:
    import runfolio

    for fold in range(2):
        with runfolio.start_run(run_name=f"fold-{fold}", nested=True):
            runfolio.log_metric("fold_loss", fold)
    return float(trial.params["x"])


def stepwise(trial: Any) -> float:
    for step in range(5):
        trial.report(abs(trial.params["x"]) + 5 - step, step)
        if trial.should_prune():
            import runfolio.sweeps.drawing

            raise runfolio.sweeps.drawing.TrialPruned
    return abs(float(trial.params["x"]))
