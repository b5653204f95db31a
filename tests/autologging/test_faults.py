"""Training never dies of logging: what cannot be logged is recorded, and what a killed training had logged stays."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.autologging.guarding import TAG
from tests.autologging.reading import artifacts, points, runs

pytestmark = pytest.mark.frameworks
pytest.importorskip("sklearn")
from sklearn.datasets import load_wine  # noqa: E402
from sklearn.tree import DecisionTreeClassifier  # noqa: E402

PLAIN = {"log_models": False, "log_datasets": False}

TRAIN = """
import os, signal, resource, sys
import runfolio, xgboost
from sklearn.datasets import load_wine
runfolio.xgboost.autolog(log_models={models})

class Fault(xgboost.callback.TrainingCallback):
    def after_iteration(self, model, epoch, evals_log):
        if epoch == 5:
            {fault}
        return False

data = xgboost.DMatrix(*load_wine(return_X_y=True))
with runfolio.start_run():
    booster = xgboost.train({{"nthread": 1}}, data, 12, evals=[(data, "train")], callbacks=[Fault()], verbose_eval=False)
    print("TRAINED", booster.num_boosted_rounds(), flush=True)
    {after}
"""


class Broken(DecisionTreeClassifier):
    """An estimator that can be fitted, and nothing else."""

    def predict(self, X: Any, *more: Any) -> Any:
        raise RuntimeError("no predictions today")


class Nameless(DecisionTreeClassifier):
    """An estimator whose params only scikit-learn itself can ask for."""

    def get_params(self, deep: bool = True) -> Any:
        if deep:
            raise RuntimeError("no params today")
        return super().get_params(deep=False)


def train(fault: str, *, models: bool = False, after: str = "pass") -> subprocess.CompletedProcess[str]:
    code = TRAIN.format(fault=fault, models=models, after=after)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)


def test_estimator_that_cannot_predict_is_fitted_and_its_run_says_what_is_missing(
    folio: Path, caplog: pytest.LogCaptureFixture
) -> None:
    runfolio.sklearn.autolog(log_datasets=False)
    model = Broken().fit(*load_wine(return_X_y=True))
    Broken().fit(*load_wine(return_X_y=True))
    assert model.tree_.node_count > 1
    first, _ = runs()
    assert first.info.status == "FINISHED" and first.data.params["max_depth"] == "None"
    assert {"metrics of the training data", "the model's signature"} <= set(first.data.tags[TAG].split("; "))
    assert "estimator.html" in artifacts(first) and "model/MLmodel" in artifacts(first)
    # Once a process in the log; in every run it befalls.
    assert caplog.text.count("metrics of the training data could not be logged: RuntimeError: no predictions today") == 1


def test_what_fails_before_training_leaves_the_call_as_it_was(folio: Path) -> None:
    runfolio.sklearn.autolog(**PLAIN)
    assert Nameless(max_depth=2).fit(*load_wine(return_X_y=True)).tree_.max_depth == 2
    (run,) = runs()
    assert run.info.status == "FINISHED" and run.data.tags[TAG] == "what comes before training"


def test_without_a_folio_training_goes_on_and_says_once_why_nothing_is_logged(
    tmp_path: Path, pinned_git: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    runfolio.sklearn.autolog(**PLAIN)
    for _ in range(2):
        assert DecisionTreeClassifier().fit(*load_wine(return_X_y=True)).tree_.node_count > 1
    assert caplog.text.count("a run could not be logged") == 1


def test_killed_training_keeps_what_it_had_logged(folio: Path) -> None:
    pytest.importorskip("xgboost")
    done = train("os.kill(os.getpid(), signal.SIGKILL)")
    assert done.returncode == -signal.SIGKILL
    subprocess.run([sys.executable, "-m", "runfolio", "recover"], check=False, capture_output=True)
    (run,) = runs()
    assert run.info.status in ("FAILED", "KILLED") and run.data.params["num_boost_round"] == "12"
    assert [step for step, _ in points(run, "train-rmse")] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "fault",
    [
        # No file may grow any more: what a full disk answers, by another number.
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))",
        # No file can be opened any more.
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))",
    ],
    ids=["full", "closed"],
)
def test_store_that_fails_halfway_costs_the_log_and_not_the_training(folio: Path, fault: str) -> None:
    pytest.importorskip("xgboost")
    mended = "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2); "
    mended += "resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)"
    done = train(fault, models=True, after=mended)
    assert done.returncode == 0 and "TRAINED 12" in done.stdout, done.stderr
    assert "training goes on" in done.stderr
    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert [step for step, _ in points(run, "train-rmse")][:5] == [0, 1, 2, 3, 4]
