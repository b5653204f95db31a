"""``tf.keras``' ``fit``, as MLflow's flavor tensorflow logs it: also early stopping, checkpoints and TensorBoard's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from runfolio.autologging.beside_models import ROWS, beside
from runfolio.autologging.checkpoints import Checkpoints
from runfolio.autologging.keras_callbacks import (
    SUFFIX,
    checked_rhythm,
    checkpoint_log,
    training_log,
    user_callback,
    user_checkpoint_callback,
)
from runfolio.autologging.keras_fits import (
    early_stopping_of,
    log_arguments,
    log_early_stopping,
    log_early_stopping_params,
    our_own,
)
from runfolio.autologging.keras_fits import log_datasets as log_data
from runfolio.autologging.patching import Patches
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.switches import switch
from runfolio.autologging.training import Call, Recording, logged
from runfolio.flavors.tensorflow import save_model
from runfolio.tracking.flavor_models import logs

PREFIX = "opt_"
_log_model = logs(save_model)


def autolog(
    every_n_iter: int = 1,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    saved_model_kwargs: Mapping[str, Any] | None = None,
    keras_model_kwargs: Mapping[str, Any] | None = None,
    extra_tags: Mapping[str, str] | None = None,
    log_every_epoch: bool = True,
    log_every_n_steps: int | None = None,
    checkpoint: bool = True,
    checkpoint_monitor: str = "val_loss",
    checkpoint_mode: str = "min",
    checkpoint_save_best_only: bool = True,
    checkpoint_save_weights_only: bool = False,
    checkpoint_save_freq: str | int = "epoch",
) -> None:
    """Log what ``tf.keras.Model.fit`` trains: arguments, optimizer, metrics, early stopping, checkpoints, summary, data, model.

    Parameters
    ----------
    every_n_iter : int
        MLflow's older name for `log_every_n_steps`.
    log_models, log_datasets, log_input_examples, log_model_signatures : bool
        What is kept beside params and metrics.
    disable : bool
        Put TensorFlow back as it was.
    exclusive : bool
        Log only to runs that autologging starts itself, never to one that is active already.
    disable_for_unsupported_versions : bool
        Log nothing with a version that runfolio was not made for.
    silent : bool
        Write no log lines; what went wrong still stands in the run.
    registered_model_name : str, optional
        Make each model the next version of that registered model.
    saved_model_kwargs, keras_model_kwargs : dict, optional
        As for :func:`runfolio.tensorflow.save_model`.
    extra_tags : Mapping, optional
        Tags of each run that autologging starts.
    log_every_epoch : bool
        Log metrics after each epoch.
    log_every_n_steps : int, optional
        After every so many batches, in place of epochs.
    checkpoint : bool
        Log checkpoints: see :func:`runfolio.tensorflow.load_checkpoint`.
    checkpoint_monitor, checkpoint_mode, checkpoint_save_best_only, checkpoint_save_weights_only, checkpoint_save_freq
        See :class:`runfolio.autologging.checkpoints.Checkpoints`.
    """
    given = dict(locals())
    if every_n_iter != 1:
        given |= {"log_every_epoch": False, "log_every_n_steps": every_n_iter}
    if not disable:
        checked_rhythm(given["log_every_epoch"], given["log_every_n_steps"])
    switch("tensorflow", given)


def _record(log: RunLog, call: Call) -> Recording:
    given = log_arguments(log, call)
    callbacks = list(given.get("callbacks") or ())
    early = early_stopping_of(callbacks)
    log_early_stopping_params(log, early)
    if log.options.log_datasets:
        log_data(log, given)
    call.put("callbacks", [*callbacks, *_callbacks(log, callbacks)])
    history = yield
    if log.options.log_models:
        with log.guard("the model"):
            _keep(log, history.model, given.get("x"))
    log_early_stopping(log, early, history)
    with log.guard("TensorBoard's files"):
        _log_board(log, callbacks)


def _callbacks(log: RunLog, given: list[Any]) -> list[Any]:
    made = []
    if not our_own(given, lambda: user_callback("tensorflow", PREFIX)):
        made.append(training_log(log, PREFIX, log.options["log_every_n_steps"]))
    if log.options["checkpoint"] and not our_own(given, user_checkpoint_callback):
        names = ("monitor", "mode", "save_best_only", "save_weights_only", "save_freq")
        chosen = {name: log.options[f"checkpoint_{name}"] for name in names}
        made.append(checkpoint_log(log, Checkpoints(SUFFIX[chosen["save_weights_only"]], **chosen)))
    return made


def _keep(log: RunLog, model: Any, data: Any) -> None:
    stopped = model.stop_training
    extras = beside(log, _example(data), lambda rows: model.predict(rows, verbose=0))
    model.stop_training = stopped  # predicting changes it
    own = {name: log.options[name] for name in ("saved_model_kwargs", "keras_model_kwargs")}
    _log_model(model, "model", registered_model_name=log.options.registered_model_name, **extras, **own)


def _example(data: Any) -> Any:
    """Return the first rows of arrays, tensors, tables, dictionaries of them, or of the first batch of a dataset."""
    if isinstance(data, Mapping):
        return {name: _example(each) for name, each in data.items()}
    if hasattr(data, "columns"):
        return data[:ROWS]
    if callable(getattr(data, "take", None)) and not hasattr(data, "dtype"):
        first = next(iter(data.take(1)))
        return _example(first[0] if isinstance(first, tuple) else first)
    rows: Any = data[:ROWS] if hasattr(data, "dtype") else None
    return rows.numpy() if callable(getattr(rows, "numpy", None)) else rows


def _log_board(log: RunLog, callbacks: list[Any]) -> None:
    """Store what a TensorBoard callback of the user's own has written."""
    for each in callbacks:
        if type(each).__name__ == "TensorBoard":
            folder = Path(each.log_dir)
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    log.file(file, f"tensorboard_logs/{file.relative_to(folder).as_posix()}")


def _patch(module: ModuleType, patches: Patches) -> None:
    patches.inherited(module.Model, "fit", logged(patches, _record))


WATCHED: Mapping[str, Callable[[ModuleType, Patches], None]] = {"keras": _patch}
