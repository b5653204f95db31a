"""Keras' ``fit`` on any backend: its arguments, the optimizer, metrics, the data, the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from runfolio.autologging.keras_callbacks import checked_rhythm, training_log, user_callback
from runfolio.autologging.keras_fits import log_arguments, log_datasets, our_own
from runfolio.autologging.patching import Patches
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.switches import switch
from runfolio.autologging.training import Call, Recording, logged
from runfolio.flavors.keras import save_model
from runfolio.flavors.schema import Schema, TensorSpec
from runfolio.flavors.signatures import ModelSignature
from runfolio.tracking.flavor_models import logs

PREFIX = "optimizer_"
_log_model = logs(save_model)


def autolog(
    log_every_epoch: bool = True,
    log_every_n_steps: int | None = None,
    log_models: bool = True,
    log_model_signatures: bool = True,
    save_exported_model: bool = False,
    log_datasets: bool = True,
    log_input_examples: bool = False,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    save_model_kwargs: Mapping[str, Any] | None = None,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Log what ``keras.Model.fit`` trains: its arguments, the optimizer's, metrics of each epoch, the summary, the data, the model.

    Parameters
    ----------
    log_every_epoch : bool
        Log metrics after each epoch.
    log_every_n_steps : int, optional
        After every so many batches, in place of epochs.
    log_models, log_model_signatures, log_datasets, log_input_examples : bool
        What is kept beside params and metrics.
    save_exported_model : bool
        As for :func:`runfolio.keras.save_model`.
    disable : bool
        Put Keras back as it was.
    exclusive : bool
        Log only to runs that autologging starts itself, never to one that is active already.
    disable_for_unsupported_versions : bool
        Log nothing with a version that runfolio was not made for.
    silent : bool
        Write no log lines; what went wrong still stands in the run.
    registered_model_name : str, optional
        Make each model the next version of that registered model.
    save_model_kwargs : dict, optional
        For ``keras.Model.save``.
    extra_tags : Mapping, optional
        Tags of each run that autologging starts.
    """
    given = dict(locals())
    if not disable:
        checked_rhythm(log_every_epoch, log_every_n_steps)
    switch("keras", given)


def _record(log: RunLog, call: Call) -> Recording:
    given = log_arguments(log, call)
    if log.options.log_datasets:
        log_datasets(log, given)
    callbacks = list(given.get("callbacks") or ())
    if not our_own(callbacks, lambda: user_callback("keras", PREFIX)):
        call.put("callbacks", [*callbacks, training_log(log, PREFIX, log.options["log_every_n_steps"])])
    yield
    if log.options.log_models:
        with log.guard("the model"):
            _keep(log, call.args[0], given)


def _keep(log: RunLog, model: Any, given: Mapping[str, Any]) -> None:
    signature: ModelSignature | bool = False
    if log.options.log_model_signatures:
        with log.guard("the model's signature"):
            signature = _signature(model)
    example = given["x"][:5] if log.options.log_input_examples and hasattr(given.get("x"), "dtype") else None
    own = {name: log.options[name] for name in ("save_exported_model", "save_model_kwargs")}
    name = log.options.registered_model_name
    _log_model(model, "model", registered_model_name=name, signature=signature, input_example=example, **own)


def _signature(model: Any) -> ModelSignature:
    """Return what the model says of its shapes."""
    return ModelSignature(
        Schema(_specs(model.input_shape, model.input_dtype)), Schema(_specs(model.output_shape, model.compute_dtype))
    )


def _specs(shapes: Any, kind: str) -> list[TensorSpec]:
    each = shapes if isinstance(shapes, list) else [shapes]
    return [TensorSpec(kind, tuple(-1 if length is None else length for length in shape)) for shape in each]


def _patch(module: ModuleType, patches: Patches) -> None:
    patches.inherited(module.Model, "fit", logged(patches, _record))


WATCHED: Mapping[str, Callable[[ModuleType, Patches], None]] = {"keras": _patch}
