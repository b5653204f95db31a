"""Trainings that log themselves, by MLflow or by us: the same lines for both, in the module that is given as `lib`.

``python trainings.py FRAMEWORK`` runs those of a framework with MLflow, in the current folder, and prints what each logged as JSON.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any


def sklearn_forest(lib: Any) -> None:
    from sklearn.datasets import load_wine
    from sklearn.ensemble import RandomForestClassifier

    lib.sklearn.autolog()
    X, y = load_wine(return_X_y=True)
    RandomForestClassifier(10, random_state=42).fit(X, y)


def sklearn_two_classes(lib: Any) -> None:
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    lib.sklearn.autolog(log_input_examples=True, extra_tags={"team": "red"}, pos_label=1)
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    weights = (y + 1).to_numpy()
    make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y, logisticregression__sample_weight=weights)


def sklearn_weighted(lib: Any) -> None:
    import numpy
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import Ridge

    lib.sklearn.autolog(log_models=False)
    X, y = load_diabetes(return_X_y=True)
    Ridge(alpha=0.5).fit(X, y, sample_weight=numpy.arange(len(y)) + 1.0)


def sklearn_unlabelled(lib: Any) -> None:
    from sklearn.cluster import KMeans
    from sklearn.datasets import load_wine

    lib.sklearn.autolog()
    KMeans(3, n_init=1, random_state=0).fit(load_wine(return_X_y=True)[0])


def sklearn_sparse(lib: Any) -> None:
    from scipy.sparse import csr_matrix
    from sklearn.datasets import load_wine
    from sklearn.naive_bayes import MultinomialNB

    lib.sklearn.autolog(log_models=False)
    X, y = load_wine(return_X_y=True)
    MultinomialNB().fit(csr_matrix(X), y)


def sklearn_search(lib: Any) -> None:
    from sklearn.datasets import load_wine
    from sklearn.model_selection import GridSearchCV
    from sklearn.tree import DecisionTreeClassifier

    lib.sklearn.autolog(max_tuning_runs=3)
    X, y = load_wine(return_X_y=True)
    GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2, 3, 4], "criterion": ["gini"]}, cv=2).fit(X, y)


def sklearn_random_search(lib: Any) -> None:
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import RandomizedSearchCV

    lib.sklearn.autolog(log_models=False, log_datasets=False)
    X, y = load_diabetes(return_X_y=True)
    RandomizedSearchCV(Ridge(), {"alpha": [0.1, 1.0, 10.0]}, n_iter=2, cv=2, random_state=0).fit(X, y)


def sklearn_after(lib: Any) -> None:
    """As a script does it: what is predicted stands in global variables."""
    from sklearn import metrics
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import LinearRegression

    lib.sklearn.autolog(log_models=False)
    X, y = load_diabetes(return_X_y=True)
    scope = {"X_train": X[:300], "y_train": y[:300], "X_test": X[300:], "y_test": y[300:]}
    code = """
model = LinearRegression().fit(X_train, y_train)
predicted = model.predict(X_test)
metrics.mean_squared_error(y_test, predicted)
metrics.mean_squared_error(y_true=y_test, y_pred=predicted)
metrics.r2_score(y_test, model.predict(X_test[:142]))
model.score(X_test, y_test)
metrics.get_scorer("r2")(model, X_test, y_test)
"""
    exec(code, {**scope, "LinearRegression": LinearRegression, "metrics": metrics, "__name__": "script"})


def sklearn_of_words(lib: Any) -> None:
    """Classes that are words, measured by a scorer: what its function calls inside is no metric of the user's."""
    import numpy
    from sklearn import metrics
    from sklearn.datasets import load_breast_cancer
    from sklearn.tree import DecisionTreeClassifier

    lib.sklearn.autolog(log_models=False, pos_label="good")
    X, y = load_breast_cancer(return_X_y=True)
    words = numpy.array(["bad", "good"])[y]
    model = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, words)
    metrics.get_scorer("f1_macro")(model, X, words)


def sklearn_several_labels(lib: Any) -> None:
    from sklearn.datasets import make_multilabel_classification
    from sklearn.tree import DecisionTreeClassifier

    lib.sklearn.autolog()
    X, y = make_multilabel_classification(60, n_classes=3, random_state=0)
    DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)


def sklearn_several_outputs(lib: Any) -> None:
    from sklearn.datasets import load_linnerud
    from sklearn.linear_model import Ridge
    from sklearn.multioutput import MultiOutputRegressor

    lib.sklearn.autolog()
    MultiOutputRegressor(Ridge()).fit(*load_linnerud(return_X_y=True, as_frame=True))


def sklearn_two_scores(lib: Any) -> None:
    from sklearn.datasets import load_wine
    from sklearn.model_selection import GridSearchCV
    from sklearn.tree import DecisionTreeClassifier

    lib.sklearn.autolog(max_tuning_runs=None, log_models=False)
    X, y = load_wine(return_X_y=True)
    how = {"scoring": ["accuracy", "f1_macro"], "refit": "f1_macro", "cv": 2}
    GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2]}, **how).fit(X, y)


def _wine() -> tuple[Any, Any]:
    from sklearn.datasets import load_wine

    X, y = load_wine(return_X_y=True, as_frame=True)
    X.columns = [name.replace("/", "_").replace(" ", "_") for name in X.columns]
    return X, y


def xgboost_train(lib: Any) -> None:
    import xgboost

    lib.xgboost.autolog(importance_types=["weight", "gain"], log_input_examples=True)
    X, y = _wine()
    train, test = xgboost.DMatrix(X[::2], y[::2]), xgboost.DMatrix(X[1::2], y[1::2])
    params = {"objective": "multi:softprob", "num_class": 3, "eta": 0.5, "nthread": 1, "eval_metric": ["mlogloss", "merror"]}
    xgboost.train(params, train, 40, evals=[(train, "train"), (test, "test")], early_stopping_rounds=3, verbose_eval=False)


def xgboost_estimator(lib: Any) -> None:
    import xgboost

    lib.xgboost.autolog()
    X, y = _wine()
    model = xgboost.XGBClassifier(n_estimators=4, max_depth=2, n_jobs=1)
    model.fit(X, y, eval_set=[(X, y)], verbose=False)


def xgboost_linear(lib: Any) -> None:
    """One importance a class and feature, if any at all."""
    import xgboost

    lib.xgboost.autolog(log_models=False, log_datasets=False)
    X, y = _wine()
    xgboost.train({"booster": "gblinear", "nthread": 1}, xgboost.DMatrix(X, y), 3)


def lightgbm_train(lib: Any) -> None:
    import lightgbm

    lib.lightgbm.autolog(log_input_examples=True)
    X, y = _wine()
    train, test = lightgbm.Dataset(X[::2], y[::2]), lightgbm.Dataset(X[1::2], y[1::2])
    params = {"objective": "multiclass", "num_class": 3, "num_threads": 1, "verbose": -1, "seed": 0, "min_data_in_leaf": 5}
    lightgbm.train(
        params, train, 30, valid_sets=[test], valid_names=["test"], callbacks=[lightgbm.early_stopping(3, verbose=False)]
    )


def lightgbm_estimator(lib: Any) -> None:
    import lightgbm

    lib.lightgbm.autolog()
    X, y = _wine()
    lightgbm.LGBMClassifier(n_estimators=4, n_jobs=1, verbose=-1, random_state=0).fit(X, y, eval_X=X, eval_y=y)


def statsmodels_ols(lib: Any) -> None:
    import statsmodels.api

    lib.statsmodels.autolog()
    X, y = _wine()
    statsmodels.api.OLS(y, statsmodels.api.add_constant(X[["alcohol", "hue"]])).fit()


def statsmodels_logit(lib: Any) -> None:
    import statsmodels.api

    lib.statsmodels.autolog(log_models=False)
    X, y = _wine()
    statsmodels.api.Logit((y == 1).astype(float), X[["hue", "ash"]]).fit(disp=0)


def _grid() -> tuple[Any, Any]:
    import numpy

    x = numpy.linspace(-1, 1, 64, dtype="float32").reshape(16, 4)
    return x, x.sum(axis=1, keepdims=True)


def _lightning_net(lightning: Any) -> tuple[Any, Any]:
    import torch

    torch.set_num_threads(1)

    class Net(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.line = torch.nn.Linear(4, 1)

        def forward(self, data: Any) -> Any:
            return self.line(data)

        def _loss(self, batch: Any) -> Any:
            return torch.nn.functional.mse_loss(self(batch[0]), batch[1])

        def training_step(self, batch: Any, at: int) -> Any:
            loss = self._loss(batch)
            self.log("train_loss", loss, on_step=True, on_epoch=True)
            return loss

        def validation_step(self, batch: Any, at: int) -> None:
            self.log("val_loss", self._loss(batch))

        def test_step(self, batch: Any, at: int) -> None:
            self.log("test_loss", self._loss(batch))

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.5)

    x, y = map(torch.from_numpy, _grid())
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=4)
    return Net(), loader


def _fit_lightning(lightning: Any, early: bool, test: bool, epochs: int) -> None:
    import tempfile

    net, loader = _lightning_net(lightning)
    # Without checkpoints of Lightning's own, MLflow fails after a training that stopped early.
    quiet = {"logger": False, "enable_checkpointing": early, "enable_progress_bar": False, "enable_model_summary": False}
    stop = [lightning.callbacks.EarlyStopping("val_loss", patience=1, min_delta=0.3)] if early else []
    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning.Trainer(max_epochs=epochs, accelerator="cpu", callbacks=stop, default_root_dir=folder, **quiet)
        trainer.fit(net, loader, loader)
        if test:
            trainer.test(net, loader, verbose=False)


def lightning_stops_early(lib: Any) -> None:
    lib.pytorch.autolog(extra_tags={"team": "red"})
    import pytorch_lightning  # the name by which MLflow knows the callback that stops early

    _fit_lightning(pytorch_lightning, early=True, test=False, epochs=20)


def lightning_by_steps(lib: Any) -> None:
    lib.pytorch.autolog(log_models=False, log_every_n_step=2, checkpoint_save_best_only=False, checkpoint_save_weights_only=True)
    import lightning.pytorch

    _fit_lightning(lightning.pytorch, early=False, test=True, epochs=2)


def lightning_saves_by_steps(lib: Any) -> None:
    lib.pytorch.autolog(log_models=False, checkpoint_save_best_only=False, checkpoint_save_freq=3)
    import lightning.pytorch

    with lib.start_run():
        _fit_lightning(lightning.pytorch, early=False, test=True, epochs=2)


def lightning_logger(lib: Any) -> None:
    """The logger that users give to a Trainer: Lightning's own for MLflow, and ours."""
    import lightning.pytorch as pl

    lib.pytorch.autolog(disable=True)
    net, data = _lightning_net(pl)
    kind = pl.loggers.MLFlowLogger if lib.__name__ == "mlflow" else lib.pytorch.RunfolioLogger
    given = {"tracking_uri": lib.get_tracking_uri(), "experiment_name": "lightning_logger", "run_name": "named", "prefix": "net"}
    logger = kind(**given, tags={"team": "red"}, log_model="all")
    saver = pl.callbacks.ModelCheckpoint(monitor="val_loss", save_top_k=2, save_last=True)
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu", "log_every_n_steps": 3}
    trainer = pl.Trainer(logger=logger, callbacks=[saver], max_epochs=3, **quiet)
    logger.log_hyperparams({"data": {"rows": 16, "parts": [{"name": "a"}]}, "none": None})
    trainer.fit(net, data, data)
    trainer.test(net, data, verbose=False)


def tensorboard_writer(lib: Any) -> None:
    import tempfile

    from torch.utils.tensorboard import SummaryWriter

    lib.pytorch.autolog(log_every_n_step=2)
    with lib.start_run(), tempfile.TemporaryDirectory() as folder:
        writer = SummaryWriter(folder)
        for step in range(5):
            writer.add_scalar("loss", 1 / (step + 1), step)
        writer.add_hparams({"rate": 0.1, "name": "x"}, {"score": 0.5}, run_name="one")
        writer.close()


def _network() -> Any:
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)], name="net")
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.1), metrics=["mae"])
    return model


def keras_fit(lib: Any) -> None:
    lib.keras.autolog()
    x, y = _grid()
    _network().fit(x, y, batch_size=8, epochs=3, validation_data=(x[:8], y[:8]), verbose=0, callbacks=[])


def keras_by_steps(lib: Any) -> None:
    lib.keras.autolog(log_every_epoch=False, log_every_n_steps=2, log_models=False, log_datasets=False)
    x, y = _grid()
    _network().fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[])


def keras_outputs(lib: Any) -> None:
    """A network with two outputs, each with its own targets."""
    import keras

    lib.keras.autolog(log_models=False)
    keras.utils.set_random_seed(0)
    entry = keras.Input((4,))
    inner = keras.layers.Dense(3)(entry)
    outputs = {name: keras.layers.Dense(1, name=name)(inner) for name in ("a", "b")}
    model = keras.Model(entry, outputs, name="two")
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss={"a": "mse", "b": "mae"}, metrics={"a": ["mae"]})
    x, y = _grid()
    model.fit(x, {"a": y, "b": y}, epochs=2, batch_size=8, validation_split=0.25, verbose=0, callbacks=[])


def tensorflow_stops_early(lib: Any) -> None:
    import keras

    lib.tensorflow.autolog(log_input_examples=True)
    x, y = _grid()
    stop = keras.callbacks.EarlyStopping("val_loss", patience=1, min_delta=0.5, restore_best_weights=True)
    _network().fit(x, y, epochs=9, validation_data=(x[:8], y[:8]), verbose=0, callbacks=[stop])


def tensorflow_dataset(lib: Any) -> None:
    import tensorflow

    lib.tensorflow.autolog(log_datasets=False, checkpoint_save_best_only=False, checkpoint_save_weights_only=True)
    data = tensorflow.data.Dataset.from_tensor_slices(_grid()).batch(4)
    _network().fit(data, epochs=2, verbose=0)


def tensorflow_by_steps(lib: Any) -> None:
    lib.tensorflow.autolog(log_models=False, log_every_epoch=False, log_every_n_steps=2, checkpoint=False)
    x, y = _grid()
    _network().fit(x, y, batch_size=4, epochs=2, verbose=0)


def tiny_trainer(folder: str = "out", **more: Any) -> Any:
    import os

    os.environ |= {"HF_HUB_OFFLINE": "1", "DISABLE_MLFLOW_INTEGRATION": "FALSE"}
    import torch
    import transformers

    transformers.set_seed(0)
    torch.set_num_threads(1)
    shape = {"vocab_size": 10, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    model = transformers.BertForSequenceClassification(transformers.BertConfig(**shape, max_position_embeddings=16))
    rows = [{"input_ids": [5 + at % 5, 6, 7], "attention_mask": [1, 1, 1], "labels": at % 2} for at in range(8)]
    callbacks = more.pop("callbacks", None)
    args = transformers.TrainingArguments(
        folder,
        **{
            "num_train_epochs": 2, "per_device_train_batch_size": 2, "logging_steps": 2, "eval_strategy": "epoch",
            "save_strategy": "no", "use_cpu": True, "disable_tqdm": True, "seed": 0, "report_to": [], **more,
        },
    )  # fmt: skip
    return transformers.Trainer(model, args, train_dataset=rows, eval_dataset=rows[:4], callbacks=callbacks)


def transformers_trainer(lib: Any) -> None:
    """Transformers' own callback writes to MLflow; ours is its match."""
    lib.transformers.autolog()
    tiny_trainer(report_to=["mlflow"] if lib.__name__ == "mlflow" else []).train()


def transformers_callback(lib: Any) -> None:
    """The callback that ``report_to`` names, with the variables of Transformers' own."""
    import os

    lib.transformers.autolog(disable=True)
    os.environ |= {"MLFLOW_TAGS": '{"team": "red"}', "MLFLOW_MAX_LOG_PARAMS": "40", "MLFLOW_FLATTEN_PARAMS": "TRUE"}
    try:
        tiny_trainer(report_to=[lib.__name__], run_name="named").train()
    finally:
        for name in ("MLFLOW_TAGS", "MLFLOW_MAX_LOG_PARAMS", "MLFLOW_FLATTEN_PARAMS"):
            del os.environ[name]


def accelerate_tracker(lib: Any) -> None:
    """A loop of one's own, with Accelerate's tracker for MLflow and ours."""
    import os

    import accelerate
    import accelerate.tracking

    lib.transformers.autolog(disable=True)
    kind = accelerate.tracking.MLflowTracker if lib.__name__ == "mlflow" else lib.accelerate.RunfolioTracker
    os.environ["MLFLOW_TAGS"] = '{"team": "red"}'
    try:
        tracker = kind("accelerate_tracker", run_name="named", tags='{"team": "blue"}')
    finally:
        del os.environ["MLFLOW_TAGS"]
    accelerator = accelerate.Accelerator(cpu=True, log_with=tracker)
    accelerator.init_trackers("elsewhere", config={"rate": 0.1, "layers": [1, 2], "none": None})
    for step in range(3):
        accelerator.log({"loss": 1 / (step + 1), "seen": step, "text": "no number"}, step=step)
    tracker.log_artifact(__file__, "code")
    accelerator.end_training()


CASES: dict[str, list[Callable[[Any], None]]] = {
    "sklearn": [
        sklearn_forest, sklearn_two_classes, sklearn_weighted, sklearn_unlabelled, sklearn_sparse, sklearn_search,
        sklearn_random_search, sklearn_after, sklearn_of_words, sklearn_several_labels, sklearn_several_outputs,
        sklearn_two_scores,
    ],
    "xgboost": [xgboost_train, xgboost_estimator, xgboost_linear],
    "lightgbm": [lightgbm_train, lightgbm_estimator],
    "statsmodels": [statsmodels_ols, statsmodels_logit],
    "pytorch": [lightning_stops_early, lightning_by_steps, lightning_saves_by_steps, lightning_logger, tensorboard_writer],
    "tensorflow": [keras_fit, keras_by_steps, keras_outputs, tensorflow_stops_early, tensorflow_dataset, tensorflow_by_steps],
    "transformers": [transformers_trainer, transformers_callback, accelerate_tracker],
}  # fmt: skip


def logged_by(lib: Any, case: Callable[[Any], None]) -> list[dict[str, Any]]:
    """Run a training; return what each of its runs holds: the parent first, then its children by their params."""
    experiment = lib.set_experiment(case.__name__)
    case(lib)
    runs = lib.search_runs([experiment.experiment_id], output_format="list")
    found = [_read(lib.MlflowClient(), run) for run in runs]
    return sorted(found, key=lambda run: ("mlflow.parentRunId" in run["tags"], sorted(run["params"].items())))


def _read(client: Any, run: Any) -> dict[str, Any]:
    return {
        "status": run.info.status,
        "params": dict(run.data.params),
        "metrics": {
            key: [[point.step, point.value] for point in client.get_metric_history(run.info.run_id, key)]
            for key in run.data.metrics
        },
        "tags": dict(run.data.tags),
        "artifacts": sorted(_files(client, run.info.run_id, None)),
        "inputs": [_input(each) for each in run.inputs.dataset_inputs],
    }


def _files(client: Any, run_id: str, path: str | None) -> list[str]:
    made = []
    for each in client.list_artifacts(run_id, path):
        made += _files(client, run_id, each.path) if each.is_dir else [each.path]
    return made


def _input(each: Any) -> dict[str, Any]:
    tags = {tag.key: tag.value for tag in each.tags}
    said = each.dataset
    return {
        "context": tags["mlflow.data.context"],
        "name": said.name,
        "source_type": said.source_type,
        "schema": json.loads(said.schema or "null"),
        "profile": json.loads(said.profile or "null"),
    }


if __name__ == "__main__":
    import mlflow

    warnings.simplefilter("ignore")
    # Ten seconds a model, in which MLflow loads it in yet another process to see what that imports. Nothing here is about that.
    mlflow.models.infer_pip_requirements = lambda uri, flavor, fallback=None, **more: fallback or []
    print(json.dumps({case.__name__: logged_by(mlflow, case) for case in CASES[sys.argv[1]]}))
