"""PyTorch's functions that are patched: Lightning's ``Trainer.fit``, and TensorBoard's writer in loops of one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from runfolio.autologging.guarding import guard
from runfolio.autologging.lightning import PACKAGES, record_fit
from runfolio.autologging.patching import Patches, Replacement
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.sessions import is_part, session
from runfolio.autologging.switches import switch
from runfolio.autologging.training import logged
from runfolio.tracking import fluent


def autolog(
    log_every_n_epoch: int = 1,
    log_every_n_step: int | None = None,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: Mapping[str, str] | None = None,
    checkpoint: bool = True,
    checkpoint_monitor: str = "val_loss",
    checkpoint_mode: str = "min",
    checkpoint_save_best_only: bool = True,
    checkpoint_save_weights_only: bool = False,
    checkpoint_save_freq: str | int = "epoch",
) -> None:
    """Log what Lightning's ``Trainer`` fits: the optimizer, metrics of each epoch, early stopping, checkpoints, summary, model.

    A training loop of one's own logs by itself (``runfolio.log_metric``); what it gives TensorBoard's ``SummaryWriter`` goes to the active
    run too: ``add_hparams``, and with `log_every_n_step` the scalars.

    Parameters
    ----------
    log_every_n_epoch : int
        Log the metrics of every so many epochs.
    log_every_n_step : int, optional
        Also those of every so many steps.
    log_models : bool
        Keep the trained model.
    log_datasets : bool
        An argument of MLflow's, without effect there and here: a loader does not tell its data.
    disable : bool
        Put everything back as it was.
    exclusive : bool
        Log only to runs that autologging starts itself, never to one that is active already.
    disable_for_unsupported_versions : bool
        Log nothing with a version that runfolio was not made for.
    silent : bool
        Write no log lines; what went wrong still stands in the run.
    registered_model_name : str, optional
        Make each model the next version of that registered model.
    extra_tags : Mapping, optional
        Tags of each run that autologging starts.
    checkpoint : bool
        Log checkpoints: see :func:`runfolio.pytorch.load_checkpoint`.
    checkpoint_monitor, checkpoint_mode, checkpoint_save_best_only, checkpoint_save_weights_only, checkpoint_save_freq
        See :class:`runfolio.autologging.checkpoints.Checkpoints`.
    """
    switch("pytorch", dict(locals()))


def _patch_trainer(module: ModuleType, patches: Patches) -> None:
    patches.method(module.Trainer, "fit", logged(patches, record_fit))


def _patch_writer(module: ModuleType, patches: Patches) -> None:
    patches.method(module.FileWriter, "add_event", _events(patches))
    patches.method(module.SummaryWriter, "add_hparams", _hparams(patches))


def _active(patches: Patches) -> RunLog | None:
    active = fluent.active_run()
    if active is None or active.live.closed or patches.options.exclusive:
        return None
    return RunLog(patches.framework, patches.options, active.live)


def _events(patches: Patches) -> Replacement:
    def add_event(original: Callable[..., Any], writer: Any, event: Any, step: Any = None, *args: Any, **kwargs: Any) -> Any:
        every = patches.options["log_every_n_step"]
        if every and not is_part() and (log := _active(patches)) is not None and event.WhichOneof("what") == "summary":
            with log.guard("what TensorBoard's writer was given"):
                at = int(step or 0)
                found = {each.tag: each.simple_value for each in event.summary.value if each.HasField("simple_value")}
                if at % every == 0:
                    log.metrics(found, at)
        return original(writer, event, step, *args, **kwargs)

    return add_event


def _hparams(patches: Patches) -> Replacement:
    def add_hparams(
        original: Callable[..., Any], writer: Any, hparam_dict: Any, metric_dict: Any, *args: Any, **kwargs: Any
    ) -> Any:
        log = _active(patches)
        with guard("hyperparameters", framework=patches.framework, silent=patches.options.silent):
            if log is not None and hparam_dict:
                log.params(hparam_dict)
                log.metrics({key: float(value) for key, value in metric_dict.items()}, 0)
        with session(patches.framework):  # the original writes the metrics as events, too
            return original(writer, hparam_dict, metric_dict, *args, **kwargs)

    return add_hparams


WATCHED: Mapping[str, Callable[[ModuleType, Patches], None]] = {
    **{f"{package}.trainer.trainer": _patch_trainer for package in PACKAGES},
    "torch.utils.tensorboard.writer": _patch_writer,
}
