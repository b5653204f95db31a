"""Lightning, Keras, TensorFlow and Transformers log their training; checkpoints come back; no fault reaches the training."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.autologging.guarding import TAG
from runfolio.errors import NotFoundError, UsageError
from tests.autologging.reading import artifacts, points, runs, text

os.environ |= {"HF_HUB_OFFLINE": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.xdist_group("tensorflow"),
    # Of the frameworks, about themselves and each other: Lightning about loaders without workers, TensorFlow about numpy 2.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
numpy = pytest.importorskip("numpy")
keras = pytest.importorskip("keras")
tensorflow = pytest.importorskip("tensorflow")

X = numpy.linspace(-1, 1, 64, dtype="float32").reshape(16, 4)
Y = X.sum(axis=1, keepdims=True)
LIGHT = {"log_models": False, "log_datasets": False}


def network() -> Any:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.1))
    return model


def fit(model: Any = None, **options: Any) -> Any:
    return (model or network()).fit(X, Y, **{"epochs": 2, "batch_size": 4, "verbose": 0, **options})


def lightning_fit(**options: Any) -> tuple[Any, Any]:
    torch, lightning = pytest.importorskip("torch"), pytest.importorskip("lightning.pytorch")
    from tests.flavors.lightning_nets import LitNet

    torch.set_num_threads(1)
    torch.manual_seed(0)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), batch_size=4)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = lightning.Trainer(**{"max_epochs": 2, "accelerator": "cpu", **quiet, **options})
    net = LitNet(0.05)
    trainer.fit(net, data, data)
    return trainer, net


def test_keras_logs_each_epoch_and_a_model_that_predicts_the_same(folio: Path) -> None:
    runfolio.keras.autolog()
    model = network()
    history = fit(model, validation_data=(X[:8], Y[:8]))
    (run,) = runs()
    assert run.data.params["epochs"] == "2" and run.data.params["optimizer_learning_rate"].startswith("0.1")
    assert [value for _, value in points(run, "loss")] == pytest.approx(history.history["loss"])
    assert [value for _, value in points(run, "val_loss")] == pytest.approx(history.history["val_loss"])
    assert "Dense" in text(run, "model_summary.txt") and TAG not in run.data.tags
    assert {each.tags[0].value for each in run.inputs.dataset_inputs} == {"train", "eval"}
    assert numpy.allclose(runfolio.pyfunc.load_model(f"runs:/{run.info.run_id}/model").predict(X), model.predict(X, verbose=0))


def test_generator_is_not_cut_by_a_look_at_its_batches(folio: Path) -> None:
    seen = []

    def batches() -> Any:
        for at in range(0, 16, 4):
            seen.append(at)
            yield X[at : at + 4], Y[at : at + 4]

    plain, model = network(), network()
    plain.fit(batches(), epochs=1, verbose=0)
    runfolio.keras.autolog(**LIGHT)
    model.fit(batches(), epochs=1, verbose=0)
    (run,) = runs()
    assert seen == [0, 4, 8, 12] * 2
    assert all((one == other).all() for one, other in zip(plain.get_weights(), model.get_weights(), strict=True))
    assert run.data.params["batch_size"] == "4"


def test_turned_off_nothing_is_logged_and_both_flavors_together_log_once(folio: Path) -> None:
    before = keras.Model.fit
    runfolio.autolog(**LIGHT)
    fit()
    assert len(runs()) == 1
    runfolio.autolog(disable=True)
    assert keras.Model.fit is before
    fit()
    assert len(runs()) == 1


@pytest.mark.parametrize("weights", [False, True])
def test_checkpoints_of_keras_come_back(folio: Path, weights: bool) -> None:
    runfolio.tensorflow.autolog(checkpoint_save_best_only=False, checkpoint_save_weights_only=weights, **LIGHT)
    model = network()
    with runfolio.start_run() as active:
        fit(model)
    run_id = active.info.run_id
    given = network() if weights else None
    for which in ({}, {"epoch": 1}):
        loaded = runfolio.tensorflow.load_checkpoint(given, run_id, **which)
        assert numpy.allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    first = runfolio.tensorflow.load_checkpoint(given, run_id, epoch=0)
    assert not numpy.allclose(first.predict(X, verbose=0), model.predict(X, verbose=0))
    if weights:
        with pytest.raises(UsageError, match="weights only"):
            runfolio.tensorflow.load_checkpoint(run_id=run_id)
    with pytest.raises(UsageError, match="one of the two"):
        runfolio.tensorflow.load_checkpoint(run_id=run_id, epoch=1, global_step=1)


def test_best_checkpoint_takes_the_place_of_the_last(folio: Path) -> None:
    runfolio.tensorflow.autolog(checkpoint_monitor="loss", checkpoint_save_freq=3, **LIGHT)
    fit()
    (run,) = runs()
    found = [each for each in artifacts(run) if each.startswith("checkpoints")]
    assert found == ["checkpoints/latest_checkpoint.keras", "checkpoints/latest_checkpoint_metrics.json"]
    assert run.data.tags["mlflow.latest_checkpoint_artifact"] == found[0]


def test_run_without_checkpoints_says_why(folio: Path, caplog: pytest.LogCaptureFixture) -> None:
    runfolio.tensorflow.autolog(**LIGHT)
    fit()
    (run,) = runs()
    assert caplog.text.count("there is no metric 'val_loss'") == 1 and TAG not in run.data.tags
    with pytest.raises(NotFoundError, match="no checkpoint"):
        runfolio.tensorflow.load_checkpoint(run_id=run.info.run_id)


def test_callbacks_of_the_users_own_log_without_autologging_and_not_twice_with_it(folio: Path) -> None:
    given = [runfolio.keras.MlflowCallback(), runfolio.tensorflow.MlflowModelCheckpointCallback(monitor="loss")]
    with runfolio.start_run():
        fit(callbacks=given)
    runfolio.keras.autolog(**LIGHT)
    fit(callbacks=[runfolio.keras.MlflowCallback(log_every_epoch=False, log_every_n_steps=2)])
    first, second = runs()
    assert [step for step, _ in points(first, "loss")] == [0, 1] and "checkpoints/latest_checkpoint.keras" in artifacts(first)
    assert [step for step, _ in points(second, "loss")] == [2, 4, 6, 8]
    with pytest.raises(UsageError, match="by epochs or by steps"):
        runfolio.keras.MlflowCallback(log_every_n_steps=2)
    with pytest.raises(UsageError, match="by epochs or by steps"):
        runfolio.keras.autolog(log_every_n_steps=2)


def test_files_of_the_users_tensorboard_are_kept(folio: Path, tmp_path: Path) -> None:
    runfolio.tensorflow.autolog(checkpoint=False, **LIGHT)
    fit(callbacks=[keras.callbacks.TensorBoard(tmp_path / "board")])
    (run,) = runs()
    assert [each.split(".")[0] for each in artifacts(run) if each.startswith("tensorboard_logs")] == [
        "tensorboard_logs/train/events"
    ]


def test_lightning_logs_epochs_and_a_model_and_its_checkpoints_come_back(folio: Path) -> None:
    runfolio.pytorch.autolog(checkpoint_save_best_only=False)
    _, net = lightning_fit()
    from tests.flavors.lightning_nets import LitNet

    (run,) = runs()
    assert run.data.params["optimizer_name"] == "SGD" and run.data.params["lr"] == "0.05"
    assert [step for step, _ in points(run, "val_loss")] == [0, 1] and TAG not in run.data.tags
    torch = pytest.importorskip("torch")
    loaded = runfolio.pytorch.load_model(f"runs:/{run.info.run_id}/model")
    last = runfolio.pytorch.load_checkpoint(LitNet, run.info.run_id)
    first = runfolio.pytorch.load_checkpoint(LitNet, run.info.run_id, epoch=0)
    with torch.no_grad():
        wanted, given = net(torch.from_numpy(X)), torch.from_numpy(X)
        assert (loaded(given) == wanted).all() and (last(given) == wanted).all() and not (first(given) == wanted).all()


def test_early_stopping_of_lightning_is_logged_by_either_name_of_the_package(folio: Path) -> None:
    callbacks = pytest.importorskip("lightning.pytorch").callbacks
    runfolio.pytorch.autolog(log_every_n_epoch=2, checkpoint=False, **LIGHT)
    lightning_fit(callbacks=[callbacks.EarlyStopping("val_loss", patience=1, min_delta=100.0)], max_epochs=9)
    (run,) = runs()
    assert (run.data.params["patience"], run.data.metrics["stopped_epoch"], run.data.metrics["restored_epoch"]) == ("1", 1, 0)
    assert [step for step, _ in points(run, "val_loss")] == [1]


def test_metrics_of_a_test_reach_the_run_that_has_ended(folio: Path) -> None:
    runfolio.pytorch.autolog(checkpoint=False, **LIGHT)
    trainer, net = lightning_fit()
    data = trainer.fit_loop._data_source.instance
    trainer.test(net, data, verbose=False)
    (run,) = runs()
    assert "test_loss" in run.data.metrics and run.data.tags["Mode"] == "testing" and run.info.status == "FINISHED"


def test_checkpoint_callback_of_the_users_own_logs_to_the_active_run(folio: Path) -> None:
    pytest.importorskip("lightning.pytorch")
    with runfolio.start_run():
        lightning_fit(callbacks=[runfolio.pytorch.MlflowModelCheckpointCallback(save_freq=3, save_best_only=False)])
    (run,) = runs()
    folders = {each.split("/")[1] for each in artifacts(run)}
    assert folders == {"global_step_3", "global_step_6"}


def test_transformers_keep_the_pipeline(folio: Path) -> None:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from tests.flavors import tiny_transformers as tiny

    runfolio.transformers.autolog(log_models=True)
    rows = [{"input_ids": [5 + at % 5, 6, 7], "attention_mask": [1, 1, 1], "labels": at % 2} for at in range(4)]
    args = transformers.TrainingArguments(
        "out", report_to=[], num_train_epochs=1, per_device_train_batch_size=2, logging_steps=1, save_strategy="no", use_cpu=True
    )
    model, tokenizer = tiny.bert(), tiny.tokenizer()
    transformers.Trainer(model, args, train_dataset=rows, processing_class=tokenizer).train()
    (run,) = runs()
    assert run.data.params["hidden_size"] == "8" and run.data.params["num_train_epochs"] == "1"
    assert [step for step, _ in points(run, "loss")] == [1, 2] and TAG not in run.data.tags
    made = runfolio.pyfunc.load_model(f"runs:/{run.info.run_id}/model").predict(["good food"])
    wanted = transformers.pipeline("text-classification", model=model.eval(), tokenizer=tokenizer)(["good food"])
    assert made.to_dict("records") == wanted


FAULTY = """
import os, resource, signal, sys
import runfolio
sys.path.insert(0, {root!r})
from tests.autologging import test_deep_learning as deep

def full():
    # No file may grow any more: what a full disk answers, by another number.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

class Fill(deep.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            full()

runfolio.tensorflow.autolog(checkpoint_monitor="loss")
with runfolio.start_run():
    history = deep.fit(epochs=4, callbacks=[Fill()])
    print("TRAINED", len(history.history["loss"]), flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)

import lightning.pytorch

class FillToo(lightning.pytorch.Callback):
    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 1:
            full()

runfolio.pytorch.autolog()
with runfolio.start_run():
    trainer, net = deep.lightning_fit(callbacks=[FillToo()], max_epochs=4)
    print("TRAINED", trainer.current_epoch, flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
"""


def test_disk_that_fills_in_an_epoch_costs_the_log_and_not_the_training(folio: Path) -> None:
    pytest.importorskip("lightning.pytorch")
    code = FAULTY.format(root=str(Path(__file__).parents[2]))
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0 and done.stdout.count("TRAINED 4") == 2, done.stderr[-3000:]
    assert "training goes on" in done.stderr
    network, module = runs()
    assert points(network, "loss")[0][0] == points(module, "val_loss")[0][0] == 0
    assert (network.info.status, module.info.status) == ("FINISHED", "FINISHED")


def test_store_that_takes_no_files_is_a_fault_in_the_run_and_training_goes_on(folio: Path) -> None:
    runfolio.tensorflow.autolog(checkpoint_monitor="loss", log_datasets=False)
    with runfolio.start_run() as active:
        place = Path(active.live.folio.store.path("sha256:" + "0" * 64)).parents[1]
        away = place.with_name("away")
        if place.exists():
            place.rename(away)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("a file where a folder was")
        history = fit(epochs=3)
        place.unlink()
        if away.exists():
            away.rename(place)
    (run,) = runs()
    assert len(history.history["loss"]) == 3 and len(points(run, "loss")) == 3
    assert {"the model's summary", "a checkpoint", "the model"} <= set(run.data.tags[TAG].split("; "))
    assert run.info.status == "FINISHED" and artifacts(run) == []


def test_tensorflow_logs_a_model_that_was_trained_on_a_table(folio: Path) -> None:
    pandas = pytest.importorskip("pandas")
    runfolio.tensorflow.autolog(log_input_examples=True, checkpoint=False)
    frame = pandas.DataFrame(X, columns=list("abcd"))
    model = network()
    model.fit(frame, pandas.Series(Y.ravel()), epochs=1, verbose=0)
    (run,) = runs()
    assert TAG not in run.data.tags
    loaded = runfolio.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    assert loaded.metadata.get_input_schema().input_names() == list("abcd")
    assert numpy.allclose(loaded.predict(frame), model.predict(frame, verbose=0))
