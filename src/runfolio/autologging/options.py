"""How a framework's training is logged: the arguments of MLflow's ``autolog`` functions, all in one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any

from runfolio._dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The options in force for a framework; which of them it has, its ``autolog`` function says.

    Parameters
    ----------
    log_input_examples : bool
        Keep the first rows of the training data with the model.
    log_model_signatures : bool
        Keep the signature of the model.
    log_models : bool
        Keep the trained model.
    log_datasets : bool
        Record name, digest, schema and size of the data.
    exclusive : bool
        Log only to runs that autologging starts itself, never to one that is active already.
    disable_for_unsupported_versions : bool
        Log nothing with a version of the framework that runfolio was not made for.
    silent : bool
        Write no log lines; what went wrong still stands in the run.
    registered_model_name : str, optional
        Make each trained model the next version of that registered model.
    extra_tags : Mapping, optional
        Tags of each run that autologging starts.
    more : Mapping
        Options that this framework alone has: ``max_tuning_runs``, ``importance_types``, ``log_every_n_step``, …
    """

    log_input_examples: bool = False
    log_model_signatures: bool = True
    log_models: bool = True
    log_datasets: bool = True
    exclusive: bool = False
    disable_for_unsupported_versions: bool = False
    silent: bool = False
    registered_model_name: str | None = None
    extra_tags: Mapping[str, str] | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Sort the arguments of an ``autolog`` function into those that all frameworks share and the others."""
        shared = {each.name for each in fields(cls)} - {"more"}
        return cls(
            **{name: value for name, value in given.items() if name in shared},
            more={name: value for name, value in given.items() if name not in shared},
        )

    def __getitem__(self, name: str) -> Any:
        """Return an option that this framework alone has."""
        return self.more[name]
