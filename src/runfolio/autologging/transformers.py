"""Transformers' ``Trainer.train``: the model's configuration and the training's arguments, what the Trainer logs, the pipeline."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from runfolio.autologging.patching import Patches
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.switches import switch
from runfolio.autologging.training import Call, Recording, logged
from runfolio.flavors.transformers import save_model
from runfolio.tracking.flavor_models import logs

_TASKS = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForMaskedLM": "fill-mask",
}
_log_model = logs(save_model)


def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = False,
    log_models: bool = False,
    log_datasets: bool = False,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Log what a ``Trainer`` trains: the model's configuration, the training's arguments, and whatever the Trainer logs.

    MLflow's own function of this name only keeps other frameworks quiet; what is logged here is what Transformers' callback for MLflow
    writes (``report_to="mlflow"``), without MLflow.

    Parameters
    ----------
    log_input_examples, log_datasets, log_model_signatures : bool
        Arguments of MLflow's, without effect there and here; a pipeline's signature is that of its task.
    log_models : bool
        Keep the trained model, with its tokenizer as a pipeline.
    disable : bool
        Put Transformers back as it was.
    exclusive : bool
        Log only to runs that autologging starts itself, never to one that is active already.
    disable_for_unsupported_versions : bool
        Log nothing with a version that runfolio was not made for.
    silent : bool
        Write no log lines; what went wrong still stands in the run.
    extra_tags : Mapping, optional
        Tags of each run that autologging starts.
    """
    switch("transformers", dict(locals()))


def _record(log: RunLog, call: Call) -> Recording:
    trainer = call.args[0]
    config = getattr(trainer.model, "config", None)
    if trainer.is_world_process_zero():
        log.params({**(config.to_dict() if config is not None else {}), **trainer.args.to_dict()})
    callback = _callback()(log)
    trainer.add_callback(callback)
    # First of all: the one that prints takes out what it does not print.
    trainer.callback_handler.callbacks.insert(0, trainer.callback_handler.callbacks.pop())
    try:
        yield
    finally:
        trainer.remove_callback(callback)
    if log.options.log_models and trainer.is_world_process_zero():
        with log.guard("the model"):
            keep_pipeline(log, trainer.model, getattr(trainer, "processing_class", None) or getattr(trainer, "tokenizer", None))


def keep_pipeline(log: RunLog, model: Any, tokenizer: Any) -> None:
    """Log a model with its tokenizer as a pipeline, to the active run; say so where it makes none."""
    kind = type(model).__name__
    task = next((task for ending, task in _TASKS.items() if kind.endswith(ending)), None)
    if task is None or tokenizer is None:
        log.say(f"the model is not kept: {kind} with no tokenizer, or of no known task, makes no pipeline. Log it: log_model")
        return
    _log_model({"model": model, "tokenizer": tokenizer}, "model", task=task)


@functools.cache
def _callback() -> type:
    import transformers

    class RunfolioLog(transformers.TrainerCallback):
        """Logs to runfolio what a Trainer logs."""

        def __init__(self, log: RunLog) -> None:
            self.log = log

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            if logs and state.is_world_process_zero:
                with self.log.guard("what the Trainer logs"):
                    numbers = {key: value.item() if hasattr(value, "item") else value for key, value in logs.items()}
                    self.log.metrics(numbers, state.global_step)

    return RunfolioLog


def _patch(module: ModuleType, patches: Patches) -> None:
    patches.method(module.Trainer, "train", logged(patches, _record))


WATCHED: Mapping[str, Callable[[ModuleType, Patches], None]] = {"transformers.trainer": _patch}
