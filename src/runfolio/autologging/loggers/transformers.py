"""Transformers' callback, for ``Trainer(callbacks=[…])`` and ``TrainingArguments(report_to="runfolio")``.

What is logged is what Transformers' own ``MLflowCallback`` logs: the model's configuration and the training's arguments as params, whatever
the Trainer logs as metrics, and with ``log_artifacts`` each checkpoint. Its environment variables are understood, by their own names and
with ``RUNFOLIO_`` in place of ``MLFLOW_``.

Transformers has no entry points: the names that ``report_to`` knows stand in a table of a module of its own. Ours is entered there when
both that module and :mod:`runfolio.transformers` are imported; ``report_to="all"`` names Transformers' own integrations only.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from runfolio.autologging.importing import when_imported
from runfolio.autologging.loggers import wishes
from runfolio.autologging.loggers.joining import Ending, JoinedRun, Wanted
from runfolio.autologging.options import Options
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.transformers import keep_pipeline

NAME = "runfolio"
TABLE = "transformers.integrations.integration_utils"


class TrainerLogging(Ending):
    """Log what a Trainer trains to the active run, or to one that begins and ends with it.

    Parameters
    ----------
    experiment_name, run_name, tags, run_id : optional
        Of the run, where none is active; `run_id` goes on with a run. The name is the training's ``run_name`` by default.
    nested : bool, optional
        Where a run is active, start a child of it.
    log_artifacts : bool, optional
        Keep each checkpoint that the Trainer saves, as ``checkpoint-<step>/``.
    log_models : bool
        Keep the trained model, with its tokenizer as a pipeline.
    flatten_params : bool, optional
        Nested params each by themselves, ``task_specific_params.summarization.max_length``.
    max_log_params : int, optional
        No more params than that.

    What is not given is read from ``HF_MLFLOW_LOG_ARTIFACTS``, ``MLFLOW_EXPERIMENT_NAME``, ``MLFLOW_TAGS``, ``MLFLOW_NESTED_RUN``,
    ``MLFLOW_FLATTEN_PARAMS``, ``MLFLOW_MAX_LOG_PARAMS``, each of which is asked for with ``RUNFOLIO`` in place of ``MLFLOW`` first.
    """

    def __init__(
        self,
        experiment_name: str | None = None,
        run_name: str | None = None,
        tags: Mapping[str, Any] | None = None,
        run_id: str | None = None,
        *,
        nested: bool | None = None,
        log_artifacts: bool | None = None,
        log_models: bool = False,
        flatten_params: bool | None = None,
        max_log_params: int | None = None,
    ) -> None:
        self._given = {
            "experiment_name": experiment_name, "run_name": run_name, "tags": None if tags is None else dict(tags),
            "run_id": run_id, "nested": nested, "log_artifacts": log_artifacts, "log_models": log_models,
            "flatten_params": flatten_params, "max_log_params": max_log_params,
        }  # fmt: skip
        experiment = experiment_name or wishes.variable("EXPERIMENT_NAME")
        wanted = Wanted(
            experiment, run_name, wishes.tags(tags), run_id, wishes.switched("NESTED_RUN") if nested is None else nested
        )
        self.to = JoinedRun("transformers", wanted, options=Options(log_models=log_models))
        self.log_artifacts = wishes.switched("LOG_ARTIFACTS", before="HF_") if log_artifacts is None else log_artifacts
        self.flatten = wishes.switched("FLATTEN_PARAMS") if flatten_params is None else flatten_params
        self.most = wishes.number("MAX_LOG_PARAMS") if max_log_params is None else max_log_params
        self._run_id = run_id
        self.restored_run_id: str | None = None
        self._training = False

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: with ``restore_callback_states_from_checkpoint=True`` a resumed training is the same run."""
        return {"args": self._given, "attributes": {"restored_run_id": self.run_id}}

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Begin the run, and log configuration and arguments."""
        if not state.is_world_process_zero:
            return
        wanted = self.to.wanted
        self.to.wanted = replace(wanted, run_name=wanted.run_name or args.run_name, run_id=self.restored_run_id or self._run_id)
        self.restored_run_id, self._training = None, True
        self.to.begin()
        self.to.write("the params", lambda log: log.params(self._params(args, model)))

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Log what the Trainer logs."""
        if logs and state.is_world_process_zero:
            numbers = {key: _number(value) for key, value in logs.items()}
            self.to.write("what the Trainer logs", lambda log: log.metrics(numbers, state.global_step), step=True)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Keep a checkpoint, if that is wanted."""
        if self.log_artifacts and state.is_world_process_zero:
            name = f"checkpoint-{state.global_step}"
            self.to.write("a checkpoint", lambda log: _files(log, Path(args.output_dir, name), name))

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """End a run that was begun for an evaluation alone."""
        if not self._training and state.is_world_process_zero:
            self.to.end("FINISHED")

    def on_train_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Keep the model, if that is wanted, and end the run."""
        self._training = False
        if not state.is_world_process_zero:
            return
        if self.to.options.log_models:
            tokenizer = kwargs.get("processing_class") or kwargs.get("tokenizer")
            self.to.write("the model", lambda log: keep_pipeline(log, model, tokenizer))
        self.to.end("FINISHED")

    def _params(self, args: Any, model: Any) -> dict[str, Any]:
        config = getattr(model, "config", None)
        made = {**(config.to_dict() if config is not None else {}), **args.to_dict()}
        if self.flatten:
            made = dict(_flat(made))
        return dict(list(made.items())[: self.most])


@functools.cache
def callback_class() -> type:
    """Return the callback: a subclass of Transformers', which is imported for it."""
    from transformers.trainer_callback import ExportableState, TrainerCallback

    class RunfolioCallback(TrainerLogging, TrainerCallback, ExportableState):
        __doc__ = TrainerLogging.__doc__

    RunfolioCallback.__module__, RunfolioCallback.__qualname__ = "runfolio.transformers", "RunfolioCallback"
    return RunfolioCallback


def register() -> None:
    """Make ``report_to="runfolio"`` known to Transformers, as soon as that is imported."""
    when_imported(TABLE, _enter)


def _enter(module: ModuleType) -> None:
    table = getattr(module, "INTEGRATION_TO_CALLBACK", None)
    if isinstance(table, dict):
        table.setdefault(NAME, callback_class())


def _number(value: Any) -> Any:
    """Return what an array or tensor of one item holds."""
    if not hasattr(value, "item"):
        return value
    return value.item() if (value.numel() if hasattr(value, "numel") else value.size) == 1 else value


def _flat(value: Mapping[str, Any], name: str = "") -> Any:
    for key, each in value.items():
        way = f"{name}.{key}" if name else str(key)
        if each and isinstance(each, Mapping):
            yield from _flat(each, way)
        else:
            yield way, each


def _files(log: RunLog, folder: Path, name: str) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            log.file(path, f"{name}/{path.relative_to(folder).as_posix()}")
