"""Keras' callback, as its users give it to ``fit``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import UsageError
from tests.autologging.reading import artifacts, points, runs, text

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "2"}
pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.xdist_group("tensorflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
numpy = pytest.importorskip("numpy")
keras = pytest.importorskip("keras")

X = numpy.linspace(-1, 1, 64, dtype="float32").reshape(16, 4)


def network() -> Any:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.1))
    return model


def fit(*callbacks: Any, epochs: int = 2) -> Any:
    return network().fit(X, X.sum(axis=1), epochs=epochs, batch_size=4, verbose=0, callbacks=list(callbacks))


def test_a_fit_is_a_run_of_its_own(folio: Path) -> None:
    callback = runfolio.keras.RunfolioCallback(run_name="first", experiment_name="sums", log_models=True)
    history = fit(callback)
    assert runfolio.active_run() is None
    run = runfolio.get_run(callback.run_id)
    assert run.info.status == "FINISHED" and runfolio.get_experiment(run.info.experiment_id).name == "sums"
    assert points(run, "loss") == list(enumerate(pytest.approx(value) for value in history.history["loss"]))
    assert run.data.params["epochs"] == "2" and run.data.params["optimizer_learning_rate"].startswith("0.1")
    assert "Dense" in text(run, "model_summary.txt") and "model/MLmodel" in artifacts(run)


def test_by_steps_and_only_then_does_keras_give_batches(folio: Path) -> None:
    by_epochs, by_steps = runfolio.keras.RunfolioCallback(), runfolio.keras.RunfolioCallback(False, 3)
    default = keras.callbacks.Callback.on_train_batch_end
    assert type(by_epochs).on_train_batch_end is default is not type(by_steps).on_train_batch_end
    assert isinstance(by_steps, runfolio.keras.RunfolioCallback)
    with runfolio.start_run() as active:
        fit(by_steps)
        assert runfolio.active_run() is active
    assert [step for step, _ in points(runs()[0], "loss")] == [3, 6]
    with pytest.raises(UsageError, match="log_every_n_steps needs log_every_epoch=False"):
        runfolio.keras.RunfolioCallback(log_every_n_steps=3)


def test_a_fit_that_fails_is_a_failed_run(folio: Path) -> None:
    class Broken(keras.callbacks.Callback):  # type: ignore[misc,name-defined]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise RuntimeError("no more")

    callback = runfolio.keras.RunfolioCallback()
    with pytest.raises(RuntimeError):
        fit(callback, Broken())
    fit(callback)  # the same one again: the run before it was left
    assert [run.info.status for run in runs()] == ["FAILED", "FINISHED"]
